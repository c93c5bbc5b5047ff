//! The token as operators have it: alone, as a header, or in a token response.

use serde_json::Value;

use crate::token::{Token, TokenError};

/// Environment variables that may hold the token.
pub const VARIABLES: [&str; 2] = ["TOKEN", crate::token::TOKEN_VARIABLE];

/// Finds the token in what was entered: alone, in quotes, after `Bearer` or `Authorization: Bearer`, or as the
/// `access_token` of a token response (RFC 6749 §5.1).
///
/// # Errors
/// [`TokenError`] if there is none. No error has a part of it.
pub fn find(entered: &str) -> Result<Token, TokenError> {
    let text = entered.trim().trim_matches(['"', '\'', '`']);
    if text.starts_with('{') {
        let response: Value = serde_json::from_str(text).unwrap_or_default();
        return Token::new(response["access_token"].as_str().unwrap_or_default());
    }
    let text = without_prefix(without_prefix(text, "authorization:"), "bearer ");
    Token::new(text)
}

/// Without a beginning, in any case, and the space after it.
fn without_prefix<'a>(text: &'a str, prefix: &str) -> &'a str {
    match text.get(..prefix.len()) {
        Some(start) if start.eq_ignore_ascii_case(prefix) => text[prefix.len()..].trim_start(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_in_what_operators_copy() {
        for entered in [
            "a.b.c",
            " a.b.c\r\n",
            "\"a.b.c\"\n",
            "Bearer a.b.c",
            "Authorization: Bearer  a.b.c",
            "authorization:bearer a.b.c",
            r#"{"access_token":"a.b.c","id_token":"x","token_type":"Bearer"}"#,
        ] {
            assert_eq!(find(entered).map(|token| token.expose().to_owned()).as_deref(), Ok("a.b.c"), "{entered:?}");
        }
        assert_eq!(find(" \n"), Err(TokenError::Empty));
        assert_eq!(find(r#"{"id_token":"x"}"#), Err(TokenError::Empty));
        assert_eq!(find("a b"), Err(TokenError::Characters));
    }
}
