//! The operator's token, and its header and claims, read without verification: enough to explain why a server rejects
//! it. Neither the token nor the values of claims about the user are ever shown.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

/// The environment variable that holds the operator's token, unless `--token` does.
pub const TOKEN_VARIABLE: &str = "MCP_EDGE_DOCTOR_TOKEN";

/// The operator's token. Its `Debug` output hides the value.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why a string cannot be sent as a bearer token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The string is empty or blank.
    #[error("the token is empty")]
    Empty,
    /// A character is outside of the `b64token` syntax of RFC 6750 §2.1.
    #[error(
        "the token contains characters that a bearer token cannot have; enter the token alone, without \"Bearer\" and without quotes"
    )]
    Characters,
}

impl Token {
    /// Creates a token. Surrounding white space is removed.
    ///
    /// # Errors
    /// [`TokenError`] if the string cannot be sent as a bearer token.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TokenError::Empty);
        }
        let is_b64token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        let unpadded = text.trim_end_matches('=');
        if !unpadded.is_empty() && unpadded.bytes().all(is_b64token) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TokenError::Characters)
        }
    }

    /// The value, for the `Authorization` header and for redacting responses.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Header and claims, if the token is a JWT (RFC 7519).
    pub(crate) fn decoded(&self) -> Option<(Map<String, Value>, Map<String, Value>)> {
        let mut segments = self.0.split('.');
        let header = object(segments.next()?)?;
        let claims = object(segments.next()?)?;
        (segments.count() == 1).then_some((header, claims))
    }

    /// Whether the token is a JWE in compact serialization (RFC 7516 §3.1).
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

/// The members of a JWT that decide whether a server accepts it, and which claims about the user it has.
#[derive(Debug, Clone, PartialEq)]
pub struct Jwt {
    /// `iss`.
    pub issuer: Option<String>,
    /// `aud`: a string or an array of strings.
    pub audience: Vec<String>,
    /// `exp`, in seconds since 1970.
    pub expires_at: Option<f64>,
    /// `nbf`, in seconds since 1970.
    pub not_before: Option<f64>,
    /// `kid` of the header.
    pub kid: Option<String>,
    /// `typ` of the header.
    pub typ: Option<String>,
    /// Whether the token is bound to a key (`cnf`, RFC 9449 §6.1 and RFC 8705 §3.1): its sender must prove possession of
    /// the key.
    pub is_bound: bool,
    /// The names of the claims about the user, without their values.
    pub user_claims: Vec<&'static str>,
}

/// Standard claims about a user (`OpenID` Connect Core §5.1), and Logto's `username`.
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

impl Jwt {
    /// Creates a summary of header and claims.
    pub(crate) fn new(header: &Map<String, Value>, claims: &Map<String, Value>) -> Self {
        let audience = match claims.get("aud") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let number = |name: &str| claims.get(name).and_then(Value::as_f64);
        let is_present = |name: &&str| claims.get(*name).is_some_and(|value| !value.is_null());
        Self {
            issuer: string(claims, "iss"),
            audience,
            expires_at: number("exp"),
            not_before: number("nbf"),
            kid: string(header, "kid"),
            typ: string(header, "typ"),
            is_bound: ["jkt", "x5t#S256"]
                .iter()
                .any(|member| claims.get("cnf").is_some_and(|cnf| cnf[*member].is_string())),
            user_claims: USER_CLAIMS.into_iter().filter(is_present).collect(),
        }
    }
}

/// A member that is a string.
pub(crate) fn string(object: &Map<String, Value>, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// Creates an unsigned JWT with the claims of a valid access token. Only a server that does not verify signatures
/// accepts it.
#[must_use]
pub fn unsigned_jwt(issuer: &str, resource: &str, scope: &str, now: u64) -> String {
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

    fn jwt(text: &str) -> Option<Jwt> {
        Token::new(text).unwrap().decoded().map(|(header, claims)| Jwt::new(&header, &claims))
    }

    #[test]
    fn issuer_audience_and_expiry_of_a_jwt_are_read() {
        let jwt = jwt(&unsigned_jwt("https://as", "https://rs/mcp", "a", 1000)).unwrap();
        assert_eq!(jwt.issuer.as_deref(), Some("https://as"));
        assert_eq!(jwt.audience, ["https://rs/mcp"]);
        assert_eq!(jwt.expires_at, Some(1060.0));
        assert_eq!(jwt.typ.as_deref(), Some("at+jwt"));
        assert_eq!((jwt.is_bound, jwt.user_claims), (false, Vec::new()));
    }

    #[test]
    fn opaque_and_malformed_tokens_are_not_read() {
        for text in ["opaque", "a.b.c", "e30.e30", "e30.e30.x.y"] {
            assert_eq!(jwt(text), None, "{text}");
        }
    }

    #[test]
    fn a_token_has_bearer_syntax_and_is_never_printed() {
        assert_eq!(Token::new(" \n"), Err(TokenError::Empty));
        for wrong in ["Bearer abc", "a=b", "==", "a.b=.c"] {
            assert_eq!(Token::new(wrong), Err(TokenError::Characters), "{wrong}");
        }
        assert!(Token::new("a+/b==").is_ok());
        assert_eq!(format!("{:?}", Token::new("secret").unwrap()), "Token(…)");
    }
}
