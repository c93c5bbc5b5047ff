//! `#[tool]` and `#[prompt]`: a function becomes one that builds the tool or prompt around it.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::{Attribute, Generics, ItemFn, ReturnType, Type, ext::IdentExt, parse_quote, spanned::Spanned};

use crate::{
    doc,
    item::{self, Form, Item},
    signature::{self, Arguments, CallParameter},
};

/// What is built.
#[derive(Clone, Copy)]
pub enum Builder {
    Tool,
    Prompt,
}

impl Builder {
    /// The entries of the attribute. All but `name` and `deny_unknown` are methods.
    fn entries(self) -> &'static [(&'static str, Form)] {
        match self {
            Self::Tool => &[
                ("name", Form::Value),
                ("title", Form::Value),
                ("description", Form::Value),
                ("scope", Form::Values),
                ("needs_user", Form::Flag),
                ("first_party_only", Form::Flag),
                ("refuses_keys", Form::Flag),
                ("connection", Form::Lists),
                ("read_only", Form::Flag),
                ("additive", Form::Flag),
                ("idempotent", Form::Flag),
                ("closed_world", Form::Flag),
                ("needs", Form::Values),
                ("time_limit", Form::Value),
                ("icon", Form::Values),
                ("deny_unknown", Form::Flag),
                ("input_schema", Form::Value),
                ("output_schema", Form::Value),
            ],
            Self::Prompt => &[
                ("name", Form::Value),
                ("title", Form::Value),
                ("description", Form::Value),
                ("scope", Form::Values),
                ("needs_user", Form::Flag),
                ("first_party_only", Form::Flag),
                ("refuses_keys", Form::Flag),
                ("connection", Form::Lists),
                ("icon", Form::Values),
                ("argument", Form::Values),
                ("complete", Form::Pairs),
                ("complete_among", Form::Pairs),
            ],
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
        }
    }
}

/// Replaces the function.
pub fn expand(builder: Builder, attribute: TokenStream, function: TokenStream) -> syn::Result<TokenStream> {
    let word = builder.word();
    let function: ItemFn = syn::parse2(function)
        .map_err(|error| syn::Error::new(error.span(), format!("`#[{word}]` goes on a function: {error}")))?;
    let items = item::parse(attribute, builder.entries())?;
    let ItemFn { attrs, vis, sig, block } = function;
    let signature = signature::read(&sig.inputs)?;

    let name = &sig.ident;
    let shown_name = shown_name(&items, name)?;
    let description = description(builder, &items, &attrs, name)?;
    let deny_unknown = items.iter().find(|item| item.is("deny_unknown"));
    let methods = items.iter().filter(|item| !item.is("name") && !item.is("deny_unknown")).map(Item::method);

    check_arguments(&signature.arguments, &sig.generics, deny_unknown)?;

    let ReturnType::Type(_, output) = &sig.output else {
        let problem = format!("a {word} returns its result: add `-> String`, `-> Result<…>` or another result type");
        return Err(syn::Error::new(name.span(), problem));
    };

    // `Call` alone, or no call: the tool fits every server.
    let mut generics = sig.generics.clone();
    let environment: Type = match &signature.call {
        Some(CallParameter::Of(environment)) => {
            require_static(&mut generics, environment);
            (**environment).clone()
        }
        _ if generics.params.is_empty() => {
            generics.params.push(parse_quote!(__Env: 'static));
            parse_quote!(__Env)
        }
        _ => {
            let problem =
                format!("a generic {word} takes `Call<…>` of its type parameter: add it, or remove the parameter");
            return Err(syn::Error::new(sig.generics.span(), problem));
        }
    };
    let (parameters, _, bounds) = generics.split_for_impl();

    let (definition, kind) = match &signature.arguments {
        Arguments::None => (None, None),
        Arguments::Whole(kind) => (None, Some(quote!(#kind))),
        Arguments::Fields(fields, defaults) => {
            let deny = deny_unknown.map(|_| quote!(#[serde(deny_unknown_fields)]));
            let definition = quote! {
                #(#defaults)*

                #[derive(::mcp_edge::__private::serde::Deserialize, ::mcp_edge::__private::schemars::JsonSchema)]
                #[serde(crate = "::mcp_edge::__private::serde")]
                #[schemars(crate = "::mcp_edge::__private::schemars")]
                #deny
                struct __Arguments {
                    #(#fields),*
                }
            };
            (Some(definition), Some(quote!(__Arguments)))
        }
    };
    let values = &signature.values;
    let call = if signature.call.is_some() { quote!(__call) } else { quote!(_) };
    let run = quote!(#name(#(#values),*));
    let run = if sig.asyncness.is_some() { run } else { quote!(::std::future::ready(#run)) };
    let arguments = kind.as_ref().map(|kind| quote!(, __arguments: #kind));
    let handler = match kind {
        Some(_) => format_ident!("{word}_with_arguments"),
        None => format_ident!("{word}_without_arguments"),
    };
    // So that a result that cannot be one is reported where it is written.
    let span = Span::call_site().located_at(output.span());
    let handler = quote_spanned!(span=> ::mcp_edge::__private::#handler);
    let closure = quote_spanned!(span=> move |#call: ::mcp_edge::Call<#environment> #arguments| #run);
    let builder_type = match builder {
        Builder::Tool => quote!(::mcp_edge::Tool),
        Builder::Prompt => quote!(::mcp_edge::Prompt),
    };
    // With `description = …` in place of a doc comment.
    let undocumented = description.is_none().then(|| quote!(#[allow(missing_docs)]));
    let mut inner = sig.clone();
    inner.inputs = signature.parameters.iter().map(|parameter| syn::FnArg::Typed(parameter.clone())).collect();

    Ok(quote! {
        #(#attrs)*
        #undocumented
        #vis fn #name #parameters() -> #builder_type<#environment> #bounds {
            #definition

            #[allow(
                clippy::needless_pass_by_value,
                clippy::too_many_arguments,
                clippy::unnecessary_wraps,
                clippy::unused_async
            )]
            #inner #block

            #builder_type::new(
                #shown_name,
                #handler(#closure),
            )
            #description
            #(#methods)*
        }
    })
}

/// Checks what the arguments are against what else is said of them.
fn check_arguments(arguments: &Arguments, generics: &Generics, deny_unknown: Option<&Item>) -> syn::Result<()> {
    let refuse_deny = |problem| deny_unknown.map_or(Ok(()), |deny| Err(syn::Error::new(deny.name.span(), problem)));
    match arguments {
        Arguments::None => refuse_deny("a tool without arguments ignores what it is given: remove `deny_unknown`"),
        Arguments::Whole(_) => refuse_deny(
            "`deny_unknown` is for arguments that are parameters: write `#[serde(deny_unknown_fields)]` on the type",
        ),
        Arguments::Fields(fields, _) => {
            let problem = "an argument cannot have a generic type: write the type, or take a type with all arguments \
                           with `#[arguments]`";
            let generic = generics.type_params().find_map(|parameter| place_of(&parameter.ident, fields));
            generic.map_or(Ok(()), |span| Err(syn::Error::new(span, problem)))
        }
    }
}

/// Where a type parameter is named in the fields of arguments. A struct within a function cannot use it.
fn place_of(parameter: &syn::Ident, fields: &[TokenStream]) -> Option<Span> {
    fields.iter().cloned().flatten().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == *parameter => Some(ident.span()),
        TokenTree::Group(group) => place_of(parameter, &[group.stream()]),
        _ => None,
    })
}

/// Adds the bound that `Tool` needs, where the type parameter has its other bounds.
fn require_static(generics: &mut Generics, environment: &Type) {
    if generics.params.is_empty() {
        return;
    }
    let bounded = generics.type_params_mut().find(|parameter| {
        let name = &parameter.ident;
        !parameter.bounds.is_empty() && *environment == parse_quote!(#name)
    });
    match bounded {
        Some(parameter) => parameter.bounds.push(parse_quote!('static)),
        None => generics.make_where_clause().predicates.push(parse_quote!(#environment: 'static)),
    }
}

fn shown_name(items: &[Item], function: &syn::Ident) -> syn::Result<TokenStream> {
    if let Some(value) = items.iter().find(|item| item.is("name")).and_then(Item::value) {
        item::check_name(value)?;
        return Ok(quote!(#value));
    }
    let name = function.unraw().to_string();
    Ok(quote!(#name))
}

fn description(
    builder: Builder,
    items: &[Item],
    attributes: &[Attribute],
    function: &syn::Ident,
) -> syn::Result<Option<TokenStream>> {
    if items.iter().any(|item| item.is("description")) {
        return Ok(None);
    }
    let Some(text) = doc::text(attributes) else {
        let problem = format!(
            "a {} needs a description, which models choose by: add a doc comment, or `description = \"…\"`",
            builder.word()
        );
        return Err(syn::Error::new(function.span(), problem));
    };
    Ok(Some(quote!(.description(#text))))
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(builder: Builder, attribute: &str, function: &str) -> Vec<String> {
        let parse = |source: &str| source.parse::<TokenStream>().unwrap_or_else(|error| panic!("{source}: {error}"));
        match expand(builder, parse(attribute), parse(function)) {
            Ok(_) => Vec::new(),
            Err(error) => error.into_iter().map(|error| error.to_string()).collect(),
        }
    }

    #[test]
    fn what_is_wrong_with_a_function_is_said_with_its_fix() {
        for (function, expected) in [
            ("struct A;", "`#[tool]` goes on a function"),
            ("fn f() -> String {}", "a tool needs a description, which models choose by: add a doc comment"),
            ("/// F.\nfn f() {}", "a tool returns its result: add `-> String`"),
            ("/// F.\nfn f(&self) -> String {}", "a handler is a free function: remove `self`"),
            ("/// F.\nfn f(a: Call, b: Call) -> String {}", "remove the second `Call`"),
            ("/// F.\nfn f(call: &Call) -> String {}", "take `Call` by value"),
            ("/// F.\nfn f(query: &str) -> String {}", "use `String` in place of `&str`"),
            ("/// F.\nfn f(query: impl Into<String>) -> String {}", "an argument needs a type"),
            ("/// F.\nfn f(_: u8) -> String {}", "an argument needs a name, which models see"),
            ("/// F.\nfn f(a: u8, B { b }: B) -> String {}", "a type with all arguments stands alone"),
            ("/// F.\nfn f(B { b }: B, a: u8) -> String {}", "make this one of its fields"),
            ("/// F.\nfn f(#[arguments] #[serde(default)] b: B) -> String {}", "go on the fields of the type"),
            ("/// F.\nfn f(#[default] a: u8) -> String {}", "write `#[default(10)]`"),
            ("/// F.\nfn f(#[cfg(test)] a: u8) -> String {}", "a parameter cannot have a `cfg`"),
            ("/// F.\nfn f<E, T: A>(c: Call<E>, a: Vec<T>) -> String {}", "an argument cannot have a generic type"),
            ("/// F.\nfn f<E>(a: u8) -> String {}", "a generic tool takes `Call<…>` of its type parameter"),
        ] {
            let found = errors(Builder::Tool, "", function);
            assert!(found.len() == 1 && found[0].contains(expected), "{function}: {found:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_an_attribute_is_said_with_its_fix() {
        for (attribute, expected) in [
            ("readonly", "unknown entry `readonly`: use `name`, `title`"),
            ("read_only = true", "`read_only` takes no value: write `read_only`"),
            ("title", "`title` takes one value: write `title = …`"),
            ("read_only, read_only", "`read_only` is given twice"),
            ("name = \"a b\"", "a name has 1 to 64 characters"),
            ("name = \"a.b\"", "a name has 1 to 64 characters"),
            ("deny_unknown", "a tool without arguments ignores what it is given"),
            ("\"search\"", "expected an entry such as `read_only`"),
            ("connection", "`connection` takes a name and what is needed of it: write `connection(\"name\", …)`"),
            ("connection()", "`connection` takes a name and what is needed of it"),
        ] {
            let found = errors(Builder::Tool, attribute, "/// F.\nfn f() -> String {}");
            assert!(found.len() == 1 && found[0].contains(expected), "{attribute}: {found:?}");
        }
        let found = errors(Builder::Tool, "deny_unknown", "/// F.\nfn f(B { b }: B) -> String {}");
        assert!(found.len() == 1 && found[0].contains("`#[serde(deny_unknown_fields)]` on the type"), "{found:?}");
        let found = errors(Builder::Prompt, "complete = x", "/// F.\nfn f() -> String {}");
        assert!(found.len() == 1 && found[0].contains("takes two values"), "{found:?}");
    }

    #[test]
    fn all_entries_are_looked_at() {
        assert_eq!(errors(Builder::Tool, "readonly, title, scope = A, scope = B", "/// F.\nfn f() {}").len(), 2);
        assert_eq!(errors(Builder::Prompt, "read_only", "/// F.\nfn f() {}").len(), 1);
    }
}
