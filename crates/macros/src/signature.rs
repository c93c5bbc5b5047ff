//! What a function takes: the call, arguments one by one, or one type with all of them.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Attribute, Expr, FnArg, GenericArgument, Pat, PatType, PathArguments, Type, ext::IdentExt, punctuated::Punctuated,
    spanned::Spanned, token::Comma,
};

use crate::doc;

/// The parameters of a handler.
pub struct Signature {
    /// Of the inner function: without attributes.
    pub parameters: Vec<PatType>,
    pub call: Option<CallParameter>,
    pub arguments: Arguments,
    /// What each parameter of the inner function is given.
    pub values: Vec<TokenStream>,
}

/// A parameter of type `Call`.
pub enum CallParameter {
    /// `Call`: the handler does not depend on the environment.
    Any,
    /// `Call<E>`.
    Of(Box<Type>),
}

/// Where arguments come from.
pub enum Arguments {
    None,
    /// Fields of a struct that is made for them, and the functions that give defaults.
    Fields(Vec<TokenStream>, Vec<TokenStream>),
    /// A type of the author's.
    Whole(Type),
}

/// Reads the parameters.
pub fn read(inputs: &Punctuated<FnArg, Comma>) -> syn::Result<Signature> {
    let mut signature =
        Signature { parameters: Vec::new(), call: None, arguments: Arguments::None, values: Vec::new() };
    for input in inputs {
        let FnArg::Typed(parameter) = input else {
            return Err(syn::Error::new(input.span(), "a handler is a free function: remove `self`"));
        };
        if let Some(attribute) = parameter.attrs.iter().find(|attribute| attribute.path().is_ident("cfg")) {
            let problem = "a parameter cannot have a `cfg`: put it on the function, and write one for each case";
            return Err(syn::Error::new(attribute.span(), problem));
        }
        let mut bare = parameter.clone();
        bare.attrs.clear();
        signature.parameters.push(bare);
        match call(&parameter.ty)? {
            Some(_) if signature.call.is_some() => {
                return Err(syn::Error::new(parameter.span(), "there is one call: remove the second `Call`"));
            }
            Some(call) => {
                signature.values.push(match call {
                    CallParameter::Any => quote!(__call.without_env()),
                    CallParameter::Of(_) => quote!(__call),
                });
                signature.call = Some(call);
            }
            None => argument(parameter, &mut signature)?,
        }
    }
    Ok(signature)
}

/// Whether this is the type `Call`.
fn call(kind: &Type) -> syn::Result<Option<CallParameter>> {
    if let Type::Reference(reference) = kind
        && call(&reference.elem)?.is_some()
    {
        return Err(syn::Error::new(kind.span(), "take `Call` by value: it is cheap to clone"));
    }
    let Type::Path(path) = kind else { return Ok(None) };
    let Some(last) = path.path.segments.last().filter(|last| last.ident == "Call") else { return Ok(None) };
    Ok(Some(match &last.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
            Some(GenericArgument::Type(environment)) => CallParameter::Of(Box::new(environment.clone())),
            _ => CallParameter::Any,
        },
        _ => CallParameter::Any,
    }))
}

fn argument(parameter: &PatType, signature: &mut Signature) -> syn::Result<()> {
    check_type(&parameter.ty)?;
    let whole = parameter.attrs.iter().any(|attribute| attribute.path().is_ident("arguments"));
    let name = match &*parameter.pat {
        Pat::Ident(pattern) if !whole => &pattern.ident,
        Pat::Wild(_) if !whole => {
            return Err(syn::Error::new(parameter.pat.span(), "an argument needs a name, which models see"));
        }
        _ => return whole_type(parameter, signature),
    };
    if let Arguments::None = signature.arguments {
        signature.arguments = Arguments::Fields(Vec::new(), Vec::new());
    }
    let Arguments::Fields(fields, defaults) = &mut signature.arguments else {
        return Err(syn::Error::new(
            parameter.span(),
            "there is a type with all arguments already: make this one of its fields",
        ));
    };
    let kind = &parameter.ty;
    let mut attributes: Vec<TokenStream> = Vec::new();
    for attribute in &parameter.attrs {
        if attribute.path().is_ident("default") {
            let function = format_ident!("__default_{}", name.unraw());
            let value = default_value(attribute)?;
            defaults.push(quote!(fn #function() -> #kind { #value }));
            let path = function.to_string();
            attributes.push(quote!(#[serde(default = #path)]));
        } else if !attribute.path().is_ident("doc") {
            attributes.push(quote!(#attribute));
        }
    }
    let description = doc::text(&parameter.attrs).map(|text| quote!(#[doc = #text]));
    fields.push(quote!(#description #(#attributes)* #name: #kind));
    signature.values.push(quote!(__arguments.#name));
    Ok(())
}

fn whole_type(parameter: &PatType, signature: &mut Signature) -> syn::Result<()> {
    if !matches!(signature.arguments, Arguments::None) {
        return Err(syn::Error::new(
            parameter.span(),
            "a type with all arguments stands alone: make the others its fields",
        ));
    }
    let extra = parameter.attrs.iter().find(|attribute| !attribute.path().is_ident("arguments"));
    if let Some(extra) = extra {
        return Err(syn::Error::new(extra.span(), "descriptions and attributes go on the fields of the type"));
    }
    signature.arguments = Arguments::Whole((*parameter.ty).clone());
    signature.values.push(quote!(__arguments));
    Ok(())
}

fn check_type(kind: &Type) -> syn::Result<()> {
    match kind {
        Type::Reference(_) => Err(syn::Error::new(
            kind.span(),
            "arguments are owned: use `String` in place of `&str`, `Vec<T>` in place of `&[T]`",
        )),
        Type::ImplTrait(_) => Err(syn::Error::new(kind.span(), "an argument needs a type: its schema is made from it")),
        _ => Ok(()),
    }
}

fn default_value(attribute: &Attribute) -> syn::Result<Expr> {
    attribute.parse_args().map_err(|error| syn::Error::new(error.span(), "expected a value: write `#[default(10)]`"))
}
