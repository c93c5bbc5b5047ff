//! Recognition of tokens by their syntax and claims.
//!
//! Operators try the doctor with ID tokens, personal access tokens and others. A server rejects all of them as invalid;
//! the doctor says which kind it is and how to get an access token.

use serde_json::{Map, Value};

use crate::{
    quote::quote,
    token::{Jwt, Token, string},
};

/// The kind of a token.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenKind {
    /// A JWT that may be an access token.
    Jwt(Jwt),
    /// A string without recognisable structure: an opaque access token, a refresh token, or any other secret.
    Opaque,
    /// A JWE (RFC 7516): only the server for which it is encrypted can read it.
    Encrypted,
    /// A token of another kind.
    NotAccessToken(NotAccessToken),
}

/// Tokens that are not access tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAccessToken {
    /// Logto's personal access token, to be exchanged for an access token.
    PersonalAccessToken,
    /// Logto's subject token for impersonation, to be exchanged for an access token.
    SubjectToken,
    /// A registration access token, which manages one registered client (RFC 7592).
    RegistrationToken,
    /// An initial access token, which allows registering clients (RFC 7591 §3).
    InitialToken,
    /// An ID token, which tells the client who has signed in (`OpenID` Connect Core §2).
    IdToken,
    /// A refresh token, which gets access tokens from the provider (RFC 6749 §1.5).
    RefreshToken,
    /// A JWT of another profile, with the `typ` of its header.
    OtherProfile(String),
}

/// Prefixes of tokens that are neither JWTs nor access tokens: Logto's, and those of mcp-edge's registrar.
const PREFIXES: [(&str, NotAccessToken); 4] = [
    ("pat_", NotAccessToken::PersonalAccessToken),
    ("sub_", NotAccessToken::SubjectToken),
    ("mcpreg_", NotAccessToken::RegistrationToken),
    ("mcpinit_", NotAccessToken::InitialToken),
];

impl TokenKind {
    /// Recognises a token.
    #[must_use]
    pub fn of(token: &Token) -> Self {
        if let Some((header, claims)) = token.decoded() {
            return not_access_token(&header, &claims)
                .map_or_else(|| Self::Jwt(Jwt::new(&header, &claims)), Self::NotAccessToken);
        }
        if token.is_encrypted() {
            return Self::Encrypted;
        }
        let known = PREFIXES.into_iter().find(|(prefix, _)| token.expose().starts_with(prefix));
        known.map_or(Self::Opaque, |(_, kind)| Self::NotAccessToken(kind))
    }
}

impl NotAccessToken {
    /// Name and purpose, to follow "it is".
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::PersonalAccessToken => {
                "a personal access token (pat_…), which the provider must first exchange for an access token"
            }
            Self::SubjectToken => {
                "a subject token (sub_…), which the provider must first exchange for an access token"
            }
            Self::RegistrationToken => {
                "a registration access token (mcpreg_…), which manages one client at the registrar and identifies no user"
            }
            Self::InitialToken => {
                "an initial access token (mcpinit_…), which registers clients at the registrar and identifies no user"
            }
            Self::IdToken => "probably an ID token, which tells the client who has signed in and grants no access",
            Self::RefreshToken => "a refresh token, which only the provider may receive",
            Self::OtherProfile(kind) => return format!("not an access token: its typ is {}", quote(kind)),
        }
        .to_owned()
    }

    /// How to get an access token for `resource`.
    #[must_use]
    pub fn fix(&self, resource: &str) -> String {
        let exchange = |kind: &str| {
            format!(
                "Exchange it for an access token and use that: as an application that may exchange tokens, send a POST to \
                 Logto's /oidc/token with grant_type=urn:ietf:params:oauth:grant-type:token-exchange, \
                 subject_token=<this token>, subject_token_type={kind}, resource={resource} and scope=<the scopes \
                 that the server requires>."
            )
        };
        match self {
            Self::PersonalAccessToken => exchange("urn:logto:token-type:personal_access_token"),
            Self::SubjectToken => exchange("urn:ietf:params:oauth:token-type:access_token"),
            Self::RegistrationToken => format!(
                "Send it only to the client's registration_client_uri (RFC 7592). To get an access token, sign in with that \
                 client and resource={resource}."
            ),
            Self::InitialToken => format!(
                "Send it only to the registration endpoint. To get an access token, register a client and sign in with it \
                 and resource={resource}."
            ),
            Self::IdToken | Self::RefreshToken | Self::OtherProfile(_) => format!(
                "Use the access_token of the token response, and send resource={resource} in the token request."
            ),
        }
    }
}

/// Recognises JWTs that are not access tokens. `None` if the JWT may be one.
fn not_access_token(header: &Map<String, Value>, claims: &Map<String, Value>) -> Option<NotAccessToken> {
    let kind = string(header, "typ").unwrap_or_default().to_ascii_lowercase();
    let kind = kind.strip_prefix("application/").unwrap_or(&kind);
    if kind == "at+jwt" {
        return None;
    }
    // RFC 8725 §3.11: each JWT profile has its own typ.
    if kind.ends_with("+jwt") {
        return Some(NotAccessToken::OtherProfile(kind.to_owned()));
    }
    // Keycloak has a claim "typ", Cognito a claim "token_use".
    let declared = string(claims, "typ").or_else(|| string(claims, "token_use")).unwrap_or_default();
    match declared.to_ascii_lowercase().as_str() {
        "id" => return Some(NotAccessToken::IdToken),
        "refresh" | "offline" => return Some(NotAccessToken::RefreshToken),
        "logout" => return Some(NotAccessToken::OtherProfile("Logout".to_owned())),
        _ => {}
    }
    let has = |names: &[&str]| names.iter().any(|name| claims.contains_key(*name));
    // Hashes of the access token and code that were issued with the ID token (OpenID Connect Core §3.1.3.6 and §3.3.2.11).
    if has(&["at_hash", "c_hash"]) {
        return Some(NotAccessToken::IdToken);
    }
    // Other ID tokens, Logto's among them, are recognised by an audience that is a client (not a URL), and by the absence
    // of claims that grant something.
    let audience = string(claims, "aud").unwrap_or_default();
    let is_for_client = !audience.is_empty() && !audience.contains(':');
    let grants = has(&["scope", "scp", "client_id", "cid", "appid", "roles", "permissions"]);
    (is_for_client && !grants && has(&["sub"])).then_some(NotAccessToken::IdToken)
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;

    fn kind(text: &str) -> TokenKind {
        TokenKind::of(&Token::new(text).unwrap())
    }

    fn jwt(header: &Value, claims: &Value) -> TokenKind {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        kind(&format!("{}.{}.c2ln", encode(header), encode(claims)))
    }

    #[test]
    fn prefixes_identify_tokens() {
        for (prefix, expected) in PREFIXES {
            assert_eq!(kind(&format!("{prefix}0123")), TokenKind::NotAccessToken(expected));
        }
        for text in ["0123456789abcdef", "path", "subject", "a.b.c", "e30.e30"] {
            assert_eq!(kind(text), TokenKind::Opaque, "{text}");
        }
    }

    #[test]
    fn a_jwe_has_five_parts_and_an_enc_header() {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
        assert_eq!(kind(&format!("{header}..aXY.Y2lwaGVy.dGFn")), TokenKind::Encrypted);
        assert_eq!(kind("e30..aXY.Y2lwaGVy.dGFn"), TokenKind::Opaque);
        assert_eq!(kind(&format!("{header}.aXY.Y2lwaGVy")), TokenKind::Opaque);
    }

    #[test]
    fn id_refresh_and_other_tokens_are_not_access_tokens() {
        let logto_id = json!({ "iss": "https://i", "sub": "u", "aud": "nw586goxpxltbp7t0p27k", "name": "A", "exp": 1 });
        for (header, claims, expected) in [
            (json!({}), logto_id.clone(), NotAccessToken::IdToken),
            (json!({ "typ": "JWT" }), logto_id, NotAccessToken::IdToken),
            (
                json!({}),
                json!({ "aud": "https://rs", "sub": "u", "scope": "a", "at_hash": "x" }),
                NotAccessToken::IdToken,
            ),
            (json!({ "typ": "JWT" }), json!({ "typ": "ID", "aud": "app" }), NotAccessToken::IdToken),
            (json!({}), json!({ "token_use": "id", "aud": "app" }), NotAccessToken::IdToken),
            (json!({ "typ": "JWT" }), json!({ "typ": "Refresh", "aud": "https://i" }), NotAccessToken::RefreshToken),
            (json!({ "typ": "JWT" }), json!({ "typ": "Offline" }), NotAccessToken::RefreshToken),
            (json!({ "typ": "logout+jwt" }), json!({}), NotAccessToken::OtherProfile("logout+jwt".into())),
            (json!({ "typ": "application/dpop+jwt" }), json!({}), NotAccessToken::OtherProfile("dpop+jwt".into())),
        ] {
            assert_eq!(jwt(&header, &claims), TokenKind::NotAccessToken(expected), "{header} {claims}");
        }
    }

    #[test]
    fn access_tokens_of_many_providers_are_recognised() {
        for (header, claims) in [
            (json!({ "typ": "at+jwt" }), json!({ "aud": "app", "sub": "u" })),
            (json!({ "typ": "application/AT+JWT" }), json!({ "aud": "app", "sub": "u", "nonce": "n", "at_hash": "x" })),
            // Keycloak, Okta, Entra, Cognito, Auth0.
            (
                json!({ "typ": "JWT" }),
                json!({ "typ": "Bearer", "aud": "account", "sub": "u", "azp": "a", "scope": "x" }),
            ),
            (json!({ "kid": "1" }), json!({ "aud": "api", "sub": "u", "cid": "a", "scp": ["x"] })),
            (json!({ "typ": "JWT" }), json!({ "aud": "6f2f", "sub": "u", "appid": "a", "roles": ["x"] })),
            (json!({ "kid": "1" }), json!({ "token_use": "access", "sub": "u", "client_id": "a", "scope": "x" })),
            (json!({ "typ": "JWT" }), json!({ "aud": ["https://rs", "https://i/userinfo"], "sub": "u", "azp": "a" })),
        ] {
            assert!(matches!(jwt(&header, &claims), TokenKind::Jwt(_)), "{header} {claims}");
        }
    }
}
