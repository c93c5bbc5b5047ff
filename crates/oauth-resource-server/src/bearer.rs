//! How a token is sent: `Authorization: Bearer …`, and nowhere else (RFC 6750 §2.1, MCP 2026-07-28 authorization).

use crate::denial::Denial;
use mcp_edge_runtime::http::RequestHead;

/// Longer tokens are refused before any work. Real access tokens have 0.5 to 4 KB; an enterprise token full of groups
/// may have 10.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// A token as sent: non-empty, of `b64token` characters, not longer than [`MAX_TOKEN_BYTES`]. Its `Debug` form hides
/// it, so that it cannot reach a log by accident.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BearerToken<'a>(&'a str);

impl<'a> BearerToken<'a> {
    /// The token itself.
    #[must_use]
    pub fn expose(self) -> &'a str {
        self.0
    }
}

impl std::fmt::Debug for BearerToken<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("BearerToken(…)")
    }
}

/// What was sent as a token: not too long, and not checked yet.
#[derive(Clone, Copy)]
pub struct Credentials<'a>(&'a str);

impl<'a> Credentials<'a> {
    /// The token, if it has the form of one.
    ///
    /// # Errors
    /// [`Denial::MultipleCredentials`] and [`Denial::MalformedAuthorization`].
    pub fn token(self) -> Result<BearerToken<'a>, Denial> {
        if is_b64token(self.0) {
            return Ok(BearerToken(self.0));
        }
        // The platform joins repeated headers with a comma, which no token contains.
        Err(if self.0.contains(',') { Denial::MultipleCredentials } else { Denial::MalformedAuthorization })
    }

    /// What was sent.
    #[must_use]
    pub fn expose(self) -> &'a str {
        self.0
    }
}

/// Takes the token out of a request.
///
/// # Errors
/// [`Denial::NoCredentials`] and [`Denial::UnsupportedScheme`] if there is no bearer token,
/// [`Denial::TokenInQuery`], [`Denial::MultipleCredentials`] and [`Denial::MalformedAuthorization`] if the request is
/// wrong, [`Denial::TokenTooLarge`] for a token that is too long.
pub fn token_of<'a>(head: &RequestHead<'a>) -> Result<BearerToken<'a>, Denial> {
    credentials_of(head)?.token()
}

/// The same without a check of the token itself, which may be known already.
///
/// # Errors
/// As [`token_of`].
pub fn credentials_of<'a>(head: &RequestHead<'a>) -> Result<Credentials<'a>, Denial> {
    if query_has_token(head.query()) {
        return Err(Denial::TokenInQuery);
    }
    credentials_in(head.header("authorization").ok_or(Denial::NoCredentials)?)
}

/// Parses the value of an `Authorization` header: the scheme in any case, one space, one token. Clients without a token
/// send the scheme alone; that counts as no credentials, so that they are challenged.
///
/// # Errors
/// As [`token_of`].
pub fn parse(value: &str) -> Result<BearerToken<'_>, Denial> {
    credentials_in(value)?.token()
}

fn credentials_in(value: &str) -> Result<Credentials<'_>, Denial> {
    if value.is_empty() {
        return Err(Denial::NoCredentials);
    }
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        let has_bearer = value.split(',').skip(1).any(|part| starts_with_bearer(part.trim_start()));
        return Err(if has_bearer { Denial::MultipleCredentials } else { Denial::UnsupportedScheme });
    }
    if token.bytes().all(|byte| matches!(byte, b' ' | b'\t')) {
        return Err(Denial::NoCredentials);
    }
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Denial::TokenTooLarge { bytes: token.len(), limit: MAX_TOKEN_BYTES });
    }
    Ok(Credentials(token))
}

fn starts_with_bearer(part: &str) -> bool {
    part.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "))
}

/// `b64token` of RFC 6750 §2.1: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
fn is_b64token(token: &str) -> bool {
    let bytes = token.as_bytes();
    let body = bytes.iter().position(|byte| !IN_B64TOKEN[usize::from(*byte)]).unwrap_or(bytes.len());
    body > 0 && bytes[body..].iter().all(|byte| *byte == b'=')
}

/// Which bytes a token may have. A table, because every byte of every request's token is looked up.
static IN_B64TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation, reason = "below 256")]
        let character = byte as u8;
        table[byte] = character.is_ascii_alphanumeric() || matches!(character, b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
        byte += 1;
    }
    table
};

/// Whether the query carries `access_token` (RFC 6750 §2.3, which MCP forbids). Such a token is already in some log;
/// refusing it tells the client's author early.
fn query_has_token(query: &str) -> bool {
    query.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        name.eq_ignore_ascii_case("access_token")
    })
}

/// Refuses a request with a credential in its query or in a cookie: what gets there gets into other places as well, such
/// as logs. `is_credential` tells by the form of a text whether it is one.
///
/// # Errors
/// [`Denial::TokenInQuery`], [`Denial::KeyInCookie`].
pub fn check_places(head: &RequestHead<'_>, is_credential: &dyn Fn(&str) -> bool) -> Result<(), Denial> {
    let has_one = |pairs: &str, separator: char| {
        pairs.split(separator).any(|pair| {
            let value = pair.split_once('=').map_or(pair, |(_, value)| value);
            is_credential(value.trim_matches([' ', '\t', '"']))
        })
    };
    if !head.query().is_empty() && has_one(head.query(), '&') {
        return Err(Denial::TokenInQuery);
    }
    match head.header("cookie") {
        Some(cookies) if has_one(cookies, ';') => Err(Denial::KeyInCookie),
        _ => Ok(()),
    }
}

/// Refuses a request that carries another credential beside the one in `Authorization`.
///
/// # Errors
/// [`Denial::MultipleCredentials`].
pub fn check_alone(head: &RequestHead<'_>) -> Result<(), Denial> {
    let has_another = ["x-api-key", "dpop"].iter().any(|name| head.header(name).is_some());
    if has_another { Err(Denial::MultipleCredentials) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::denial::Reason;

    /// The cause alone: most tests are about it.
    fn parse(value: &str) -> Result<BearerToken<'_>, Reason> {
        super::parse(value).map_err(|denial| denial.reason())
    }

    fn token_of<'a>(head: &RequestHead<'a>) -> Result<BearerToken<'a>, Reason> {
        super::token_of(head).map_err(|denial| denial.reason())
    }

    #[test]
    fn the_scheme_is_case_insensitive() {
        for value in ["Bearer abc", "bearer abc", "BEARER abc"] {
            assert_eq!(parse(value).map(BearerToken::expose), Ok("abc"), "{value}");
        }
    }

    #[test]
    fn tokens_have_the_characters_of_rfc_6750() {
        assert_eq!(parse("Bearer aZ09-._~+/==").map(BearerToken::expose), Ok("aZ09-._~+/=="));
        for value in [
            "Bearer a b",
            "Bearer  abc",
            "Bearer \tabc",
            "Bearer abc\t",
            "Bearer a=b",
            "Bearer =",
            "Bearer ä",
            "Bearer a\"b",
        ] {
            assert_eq!(parse(value), Err(Reason::MalformedAuthorization), "{value:?}");
        }
    }

    #[test]
    fn a_scheme_without_a_token_is_no_credentials() {
        for value in ["Bearer", "bearer", "BEARER", "Bearer ", "Bearer   ", "Bearer \t "] {
            assert_eq!(parse(value), Err(Reason::NoCredentials), "{value:?}");
        }
        // As a request has it: space around a header's value is no part of it.
        for value in ["Bearer\t", "Bearer \t ", "\tBearer", "", " \t"] {
            let head = RequestHead::new("POST", "/mcp").with_header("authorization", value);
            assert_eq!(token_of(&head), Err(Reason::NoCredentials), "{value:?}");
        }
    }

    #[test]
    fn two_headers_arrive_joined_and_are_refused() {
        assert_eq!(parse("Bearer abc, Bearer def"), Err(Reason::MultipleCredentials));
        assert_eq!(parse("Bearer abc,def"), Err(Reason::MultipleCredentials));
        assert_eq!(parse("Basic abc, Bearer def"), Err(Reason::MultipleCredentials));
        assert_eq!(parse("Bearer abc, Bearer"), Err(Reason::MultipleCredentials));
        assert_eq!(parse("Bearer , Bearer abc"), Err(Reason::MultipleCredentials));
    }

    #[test]
    fn other_schemes_are_no_credentials_of_ours() {
        for value in [
            "Basic abc",
            "Basic",
            "DPoP abc",
            "Bearerabc",
            "Bearer\tabc",
            "Bearer:",
            "abc",
            "Digest a=\"b\", c=d, bearer",
        ] {
            assert_eq!(parse(value), Err(Reason::UnsupportedScheme), "{value}");
        }
        assert_eq!(parse(""), Err(Reason::NoCredentials));
    }

    #[test]
    fn a_token_is_refused_by_its_length_before_anything_reads_it() {
        let longest = format!("Bearer {}", "a".repeat(MAX_TOKEN_BYTES));
        assert!(parse(&longest).is_ok());
        assert_eq!(parse(&format!("{longest}a")), Err(Reason::TokenTooLarge));
    }

    #[test]
    fn a_token_in_the_query_is_refused_even_beside_a_header() {
        let head = RequestHead::new("POST", "/mcp?a=1&access_token=abc").with_header("authorization", "Bearer abc");
        assert_eq!(token_of(&head), Err(Reason::TokenInQuery));
        let head = RequestHead::new("POST", "/mcp?not_access_token=abc").with_header("authorization", "Bearer abc");
        assert!(token_of(&head).is_ok());
    }

    #[test]
    fn debug_output_hides_the_token() {
        assert!(!format!("{:?}", parse("Bearer secret").unwrap()).contains("secret"));
        assert_eq!(format!("{:?}", parse("Bearer secret")), "Ok(BearerToken(…))");
    }

    proptest! {
        #[test]
        fn every_accepted_value_is_one_token_of_the_input(value in "\\PC{0,64}") {
            if let Ok(token) = parse(&value) {
                prop_assert!(value.ends_with(token.expose()));
                prop_assert!(is_b64token(token.expose()));
            }
        }
    }
}
