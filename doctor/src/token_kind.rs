//! What a token is, as far as its form and its claims show: people lend the doctor what they have at hand, and a server
//! says of all of it no more than that it is not valid.

use serde_json::{Map, Value};

use crate::token::{Peek, Token, text};

/// What was lent.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A JWT that may be an access token.
    Jwt(Peek),
    /// A text that says nothing about itself: an opaque access token, a refresh token, or any other secret.
    Opaque,
    /// A JWE (RFC 7516): only the server that it is encrypted for can read it.
    Encrypted,
    /// Something that is not made to be sent to a server.
    Misplaced(Misplaced),
}

/// What is no access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misplaced {
    /// Logto's personal access token, to be exchanged for an access token.
    PersonalAccessToken,
    /// Logto's subject token for impersonation, to be exchanged for an access token.
    SubjectToken,
    /// Manages one registered client (RFC 7592).
    RegistrationToken,
    /// Lets its owner register a client (RFC 7591 §3).
    InitialToken,
    /// Tells the client who has signed in (`OpenID` Connect Core §2).
    IdToken,
    /// Gets access tokens from the provider (RFC 6749 §1.5).
    RefreshToken,
    /// A JWT of another profile: `typ` of its header.
    OtherProfile(String),
}

/// How texts begin that are no JWT and no access token either: those of Logto, and those of mcp-edge's registrar.
const PREFIXES: [(&str, Misplaced); 4] = [
    ("pat_", Misplaced::PersonalAccessToken),
    ("sub_", Misplaced::SubjectToken),
    ("mcpreg_", Misplaced::RegistrationToken),
    ("mcpinit_", Misplaced::InitialToken),
];

impl Kind {
    /// What `token` is.
    #[must_use]
    pub fn of(token: &Token) -> Self {
        if let Some((header, claims)) = token.decoded() {
            return misplaced_jwt(&header, &claims)
                .map_or_else(|| Self::Jwt(Peek::of(&header, &claims)), Self::Misplaced);
        }
        if token.is_encrypted() {
            return Self::Encrypted;
        }
        let known = PREFIXES.into_iter().find(|(prefix, _)| token.expose().starts_with(prefix));
        known.map_or(Self::Opaque, |(_, misplaced)| Self::Misplaced(misplaced))
    }
}

impl Misplaced {
    /// What it is, to be read behind "it is".
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::PersonalAccessToken => {
                "a personal access token (pat_…): it stands for its user at the provider, which exchanges it for an access \
                 token, and says nothing to a server"
            }
            Self::SubjectToken => {
                "a subject token (sub_…): the provider exchanges it once for an access token, and it says nothing to a \
                 server"
            }
            Self::RegistrationToken => {
                "a registration access token (mcpreg_…): it manages one client at the registrar, and stands for no user"
            }
            Self::InitialToken => {
                "an initial access token (mcpinit_…): it registers clients at the registrar, and stands for no user"
            }
            Self::IdToken => "an ID token by its looks: it tells the client who has signed in, and gives access to nothing",
            Self::RefreshToken => "a refresh token: it gets access tokens from the provider, and nobody else may see it",
            Self::OtherProfile(kind) => return format!("no access token: its typ is {}", crate::checks::quote(kind)),
        }
        .to_owned()
    }

    /// How to come by an access token for `resource`.
    #[must_use]
    pub fn mend(&self, resource: &str) -> String {
        let exchange = |kind: &str| {
            format!(
                "Exchange it, and give the doctor the access_token: POST to Logto's /oidc/token as an application that may \
                 exchange tokens, with grant_type=urn:ietf:params:oauth:grant-type:token-exchange, subject_token=<it>, \
                 subject_token_type={kind}, resource={resource} and scope=<what is needed>."
            )
        };
        match self {
            Self::PersonalAccessToken => exchange("urn:logto:token-type:personal_access_token"),
            Self::SubjectToken => exchange("urn:ietf:params:oauth:token-type:access_token"),
            Self::RegistrationToken => format!(
                "Use it at the registration_client_uri alone (RFC 7592). For an access token, sign in with the client that \
                 it belongs to, with resource={resource}."
            ),
            Self::InitialToken => format!(
                "Use it at the registration endpoint alone. For an access token, register a client and sign in with it, \
                 with resource={resource}."
            ),
            Self::IdToken | Self::RefreshToken | Self::OtherProfile(_) => format!(
                "Take access_token from the answer to the token request, and have that request name resource={resource}."
            ),
        }
    }
}

/// What a JWT is if it is no access token. `None` if it may be one.
fn misplaced_jwt(header: &Map<String, Value>, claims: &Map<String, Value>) -> Option<Misplaced> {
    let kind = text(header, "typ").unwrap_or_default().to_ascii_lowercase();
    let kind = kind.strip_prefix("application/").unwrap_or(&kind);
    if kind == "at+jwt" {
        return None;
    }
    // RFC 8725 §3.11: profiles name themselves so, to be told from each other.
    if kind.ends_with("+jwt") {
        return Some(Misplaced::OtherProfile(kind.to_owned()));
    }
    // Keycloak's "typ" and Cognito's "token_use" say it outright.
    let said = text(claims, "typ").or_else(|| text(claims, "token_use")).unwrap_or_default();
    match said.to_ascii_lowercase().as_str() {
        "id" => return Some(Misplaced::IdToken),
        "refresh" | "offline" => return Some(Misplaced::RefreshToken),
        "logout" => return Some(Misplaced::OtherProfile("Logout".to_owned())),
        _ => {}
    }
    let has = |names: &[&str]| names.iter().any(|name| claims.contains_key(*name));
    // Hashes of what was issued beside it (OpenID Connect Core §3.1.3.6 and §3.3.2.11).
    if has(&["at_hash", "c_hash"]) {
        return Some(Misplaced::IdToken);
    }
    // Many have none of these, Logto's among them: for a client, which is named by no URL, and without anything that says
    // what may be done by whom.
    let audience = text(claims, "aud").unwrap_or_default();
    let is_for_client = !audience.is_empty() && !audience.contains(':');
    let grants = has(&["scope", "scp", "client_id", "cid", "appid", "roles", "permissions"]);
    (is_for_client && !grants && has(&["sub"])).then_some(Misplaced::IdToken)
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;

    fn kind(text: &str) -> Kind {
        Kind::of(&Token::new(text).unwrap())
    }

    fn jwt(header: &Value, claims: &Value) -> Kind {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        kind(&format!("{}.{}.c2ln", encode(header), encode(claims)))
    }

    #[test]
    fn a_text_is_told_by_how_it_begins() {
        for (beginning, misplaced) in PREFIXES {
            assert_eq!(kind(&format!("{beginning}0123")), Kind::Misplaced(misplaced));
        }
        for text in ["0123456789abcdef", "path", "subject", "a.b.c", "e30.e30"] {
            assert_eq!(kind(text), Kind::Opaque, "{text}");
        }
    }

    #[test]
    fn a_jwe_is_told_by_its_five_parts_and_its_header() {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
        assert_eq!(kind(&format!("{header}..aXY.Y2lwaGVy.dGFn")), Kind::Encrypted);
        assert_eq!(kind("e30..aXY.Y2lwaGVy.dGFn"), Kind::Opaque);
        assert_eq!(kind(&format!("{header}.aXY.Y2lwaGVy")), Kind::Opaque);
    }

    #[test]
    fn id_refresh_and_other_tokens_are_no_access_tokens() {
        let logto_id = json!({ "iss": "https://i", "sub": "u", "aud": "nw586goxpxltbp7t0p27k", "name": "A", "exp": 1 });
        for (header, claims, expected) in [
            (json!({}), logto_id.clone(), Misplaced::IdToken),
            (json!({ "typ": "JWT" }), logto_id, Misplaced::IdToken),
            (json!({}), json!({ "aud": "https://rs", "sub": "u", "scope": "a", "at_hash": "x" }), Misplaced::IdToken),
            (json!({ "typ": "JWT" }), json!({ "typ": "ID", "aud": "app" }), Misplaced::IdToken),
            (json!({}), json!({ "token_use": "id", "aud": "app" }), Misplaced::IdToken),
            (json!({ "typ": "JWT" }), json!({ "typ": "Refresh", "aud": "https://i" }), Misplaced::RefreshToken),
            (json!({ "typ": "JWT" }), json!({ "typ": "Offline" }), Misplaced::RefreshToken),
            (json!({ "typ": "logout+jwt" }), json!({}), Misplaced::OtherProfile("logout+jwt".into())),
            (json!({ "typ": "application/dpop+jwt" }), json!({}), Misplaced::OtherProfile("dpop+jwt".into())),
        ] {
            assert_eq!(jwt(&header, &claims), Kind::Misplaced(expected), "{header} {claims}");
        }
    }

    #[test]
    fn access_tokens_of_many_providers_are_taken_for_such() {
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
            assert!(matches!(jwt(&header, &claims), Kind::Jwt(_)), "{header} {claims}");
        }
    }
}
