//! What `#[tool(…)]` and `#[prompt(…)]` say: entries, each of which is a method of the builder.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::{
    Expr, ExprLit, Ident, Lit, Token,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
    token::Paren,
};

/// One entry: `read_only`, `scope = "notes:read"` or `complete_among("style", ["short"])`.
pub struct Item {
    pub name: Ident,
    values: Option<Punctuated<Expr, Token![,]>>,
    form: Form,
}

/// What an entry may look like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A word.
    Flag,
    /// A word and a value.
    Value,
    /// As before, any number of times.
    Values,
    /// A word and two values, any number of times.
    Pairs,
    /// A word, a value, and a list of any length, any number of times.
    Lists,
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(Ident::peek_any) {
            return Err(input.error("expected an entry such as `read_only` or `title = \"…\"`"));
        }
        let name = input.call(Ident::parse_any)?;
        let values = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Some(Punctuated::from_iter([input.parse::<Expr>()?]))
        } else if input.peek(Paren) {
            let content;
            parenthesized!(content in input);
            Some(content.parse_terminated(Expr::parse, Token![,])?)
        } else {
            None
        };
        Ok(Self { name, values, form: Form::Flag })
    }
}

impl Item {
    pub fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// The only value.
    pub fn value(&self) -> Option<&Expr> {
        self.values.as_ref().filter(|values| values.len() == 1)?.first()
    }

    /// As a call of the builder's method.
    pub fn method(&self) -> TokenStream {
        let name = &self.name;
        let values = match (self.form, &self.values) {
            (Form::Lists, Some(values)) => {
                let (first, rest) = (values.first(), values.iter().skip(1));
                // Typed, since nothing else says of what an empty list is one.
                if values.len() == 1 {
                    quote_spanned!(name.span()=> #first, ::core::iter::empty::<&str>())
                } else {
                    quote_spanned!(name.span()=> #first, [#(#rest),*])
                }
            }
            (_, values) => values.to_token_stream(),
        };
        quote_spanned!(name.span()=> .#name(#values))
    }

    fn check(&self, form: Form) -> syn::Result<()> {
        let name = &self.name;
        let found = self.values.as_ref().map(Punctuated::len);
        let problem = match (form, found) {
            (Form::Flag, None)
            | (Form::Value | Form::Values, Some(1))
            | (Form::Pairs, Some(2))
            | (Form::Lists, Some(1..)) => return Ok(()),
            (Form::Flag, Some(_)) => format!("`{name}` takes no value: write `{name}`"),
            (Form::Value | Form::Values, _) => format!("`{name}` takes one value: write `{name} = …`"),
            (Form::Lists, _) => {
                format!("`{name}` takes a name and what is needed of it: write `{name}(\"name\", …)`")
            }
            (Form::Pairs, _) => format!("`{name}` takes two values: write `{name}(\"argument\", …)`"),
        };
        Err(syn::Error::new(name.span(), problem))
    }
}

/// Parses the entries of an attribute and checks them against the `known` ones. All errors are reported at once.
pub fn parse(attribute: TokenStream, known: &[(&str, Form)]) -> syn::Result<Vec<Item>> {
    let items = syn::parse::Parser::parse2(Punctuated::<Item, Token![,]>::parse_terminated, attribute)?;
    let mut items: Vec<Item> = items.into_iter().collect();
    for item in &mut items {
        item.form = known.iter().find(|(known, _)| item.is(known)).map_or(Form::Flag, |(_, form)| *form);
    }
    let mut errors = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let name = &item.name;
        let Some((_, form)) = known.iter().find(|(known, _)| item.is(known)) else {
            let names: Vec<_> = known.iter().map(|(name, _)| format!("`{name}`")).collect();
            errors.push(syn::Error::new(name.span(), format!("unknown entry `{name}`: use {}", names.join(", "))));
            continue;
        };
        if let Err(error) = item.check(*form) {
            errors.push(error);
        }
        let once = matches!(form, Form::Flag | Form::Value);
        if once && items.iter().take(index).any(|earlier| earlier.name == *name) {
            errors.push(syn::Error::new(name.span(), format!("`{name}` is given twice: remove one of them")));
        }
    }
    match errors.into_iter().reduce(|mut all, error| {
        all.combine(error);
        all
    }) {
        Some(error) => Err(error),
        None => Ok(items),
    }
}

/// Checks a name that is written out; others are checked when the server is built.
pub fn check_name(value: &Expr) -> syn::Result<()> {
    let Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) = value else { return Ok(()) };
    let text = name.value();
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if fits && (1..=64).contains(&text.len()) {
        return Ok(());
    }
    Err(syn::Error::new(name.span(), "a name has 1 to 64 characters of `A-Z a-z 0-9 _ -`"))
}
