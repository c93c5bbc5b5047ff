//! `#[schema]`: derives of `serde` and `schemars` that need neither as a dependency.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Ident, Item};

/// Adds the derives to `item`.
pub fn expand(attribute: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let direction: Option<Ident> = syn::parse2(attribute).map_err(|error| {
        syn::Error::new(error.span(), "expected `#[schema]`, `#[schema(input)]` or `#[schema(output)]`")
    })?;
    let (reads, writes) = match &direction {
        None => (true, true),
        Some(only) if only == "input" => (true, false),
        Some(only) if only == "output" => (false, true),
        Some(other) => {
            let problem = format!("unknown entry `{other}`: use `input` or `output`, or nothing for both");
            return Err(syn::Error::new(other.span(), problem));
        }
    };
    match syn::parse2(item.clone()) {
        Ok(Item::Struct(_) | Item::Enum(_)) => {}
        _ => return Err(syn::Error::new(Span::call_site(), "`#[schema]` goes on a struct or an enum")),
    }
    let deserialize = reads.then(|| quote!(#[derive(::mcp_edge::__private::serde::Deserialize)]));
    let serialize = writes.then(|| quote!(#[derive(::mcp_edge::__private::serde::Serialize)]));
    Ok(quote! {
        #deserialize
        #serialize
        #[derive(::mcp_edge::__private::schemars::JsonSchema)]
        #[serde(crate = "::mcp_edge::__private::serde")]
        #[schemars(crate = "::mcp_edge::__private::schemars")]
        #item
    })
}
