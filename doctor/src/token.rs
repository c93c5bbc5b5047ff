//! What an access token says about itself, read without verifying it: enough to tell the operator why a server refuses
//! it. The token itself is never shown, nor is anything in it that concerns a person.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

/// An access token that the operator lends the doctor.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why a text cannot be sent as a bearer token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nothing is left of it.
    #[error("the token is empty")]
    Empty,
    /// RFC 6750 §2.1 has no such characters.
    #[error("the token has characters that no bearer token has; give it alone, without the word Bearer and quotes")]
    Characters,
}

impl Token {
    /// Takes a token as it stands in a response of the provider.
    ///
    /// # Errors
    /// [`TokenError`] if it cannot be sent.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TokenError::Empty);
        }
        let is_b64token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if text.bytes().all(is_b64token) { Ok(Self(text.to_owned())) } else { Err(TokenError::Characters) }
    }

    /// For the `Authorization` header, and for taking it out of what a server sends back.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Header and claims of a JWT (RFC 7519). `None` for everything else.
    pub(crate) fn decoded(&self) -> Option<(Map<String, Value>, Map<String, Value>)> {
        let mut segments = self.0.split('.');
        let header = object(segments.next()?)?;
        let claims = object(segments.next()?)?;
        (segments.count() == 1).then_some((header, claims))
    }

    /// Whether it is a JWE in the compact form (RFC 7516 §3.1).
    pub(crate) fn is_encrypted(&self) -> bool {
        let header = self.0.split('.').next().and_then(object);
        self.0.split('.').count() == 5 && header.is_some_and(|header| header.contains_key("enc"))
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The members of a JWT that decide whether a server takes it, and what it can tell of its user.
#[derive(Debug, Clone, PartialEq)]
pub struct Peek {
    /// `iss`.
    pub issuer: Option<String>,
    /// `aud`, one or several.
    pub audience: Vec<String>,
    /// `exp`, in seconds since 1970.
    pub expires_at: Option<f64>,
    /// `nbf`, in seconds since 1970.
    pub not_before: Option<f64>,
    /// `kid` of the header.
    pub kid: Option<String>,
    /// `typ` of the header.
    pub kind: Option<String>,
    /// Whether it is bound to a key (`cnf`, by RFC 9449 §6.1 or RFC 8705 §3.1): whoever sends it has to prove that the key
    /// is theirs.
    pub is_bound: bool,
    /// The names of the claims about the user, without their values.
    pub user_claims: Vec<&'static str>,
}

/// Claims about a user that people look for in an identity (`OpenID` Connect Core §5.1), and Logto's `username`.
const USER_CLAIMS: [&str; 11] = [
    "username",
    "preferred_username",
    "name",
    "given_name",
    "family_name",
    "nickname",
    "email",
    "email_verified",
    "picture",
    "phone_number",
    "address",
];

impl Peek {
    /// Reads header and claims.
    pub(crate) fn of(header: &Map<String, Value>, claims: &Map<String, Value>) -> Self {
        let audience = match claims.get("aud") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let number = |name: &str| claims.get(name).and_then(Value::as_f64);
        let is_there = |name: &&str| claims.get(*name).is_some_and(|value| !value.is_null());
        Self {
            issuer: text(claims, "iss"),
            audience,
            expires_at: number("exp"),
            not_before: number("nbf"),
            kid: text(header, "kid"),
            kind: text(header, "typ"),
            is_bound: ["jkt", "x5t#S256"]
                .iter()
                .any(|member| claims.get("cnf").is_some_and(|cnf| cnf[*member].is_string())),
            user_claims: USER_CLAIMS.into_iter().filter(is_there).collect(),
        }
    }
}

/// A member that is a text.
pub(crate) fn text(object: &Map<String, Value>, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// A token without signature that claims everything a good one would: a server that does not verify takes it.
#[must_use]
pub fn unsigned(issuer: &str, resource: &str, scope: &str, now: u64) -> String {
    let header = json!({ "alg": "none", "typ": "at+jwt" });
    let claims = json!({
        "iss": issuer, "aud": resource, "sub": "mcp-edge-doctor", "client_id": "mcp-edge-doctor", "scope": scope,
        "iat": now, "exp": now + 60,
    });
    format!("{}.{}.", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn object(segment: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(segment).ok()?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peek(text: &str) -> Option<Peek> {
        Token::new(text).unwrap().decoded().map(|(header, claims)| Peek::of(&header, &claims))
    }

    #[test]
    fn a_jwt_says_for_whom_and_until_when() {
        let peek = peek(&unsigned("https://as", "https://rs/mcp", "a", 1000)).unwrap();
        assert_eq!(peek.issuer.as_deref(), Some("https://as"));
        assert_eq!(peek.audience, ["https://rs/mcp"]);
        assert_eq!(peek.expires_at, Some(1060.0));
        assert_eq!(peek.kind.as_deref(), Some("at+jwt"));
        assert_eq!((peek.is_bound, peek.user_claims), (false, Vec::new()));
    }

    #[test]
    fn opaque_and_broken_tokens_say_nothing() {
        for text in ["opaque", "a.b.c", "e30.e30", "e30.e30.x.y"] {
            assert_eq!(peek(text), None, "{text}");
        }
    }

    #[test]
    fn a_token_is_taken_alone_and_never_printed() {
        assert_eq!(Token::new(" \n"), Err(TokenError::Empty));
        assert_eq!(Token::new("Bearer abc"), Err(TokenError::Characters));
        assert_eq!(format!("{:?}", Token::new("secret").unwrap()), "Token(…)");
    }
}
