//! Tokens that are no JWT: the provider is asked what they are (RFC 7662), or whose they are (userinfo).
//!
//! Such a token usually names no audience, so it proves only that *some* client of the tenant obtained it. It is
//! accepted under an explicit policy alone: [`OpaquePolicy`] lists the clients that may come with one.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{
    super::{
        access::client::ClientList,
        denial::{Denial, Reason},
    },
    claims::Claims,
};
use crate::{
    oauth::client_authentication::{basic, form_encode},
    ports::{self, Content, Outgoing, Reply},
    secret::Secret,
};

/// Introspection sits in a user's request: a provider that needs longer is treated as down.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Real answers have below 2 KB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Opaque tokens are short (Logto: 43 characters); what is longer is not sent to the provider.
pub const MAX_OPAQUE_BYTES: usize = 512;

/// How long a token whose expiry the provider does not tell is taken to live before it is asked about again.
const UNKNOWN_EXPIRY_SECONDS: u64 = 60;

/// After a failed call, worth another try.
pub const RETRY_SECONDS: u64 = 5;

/// How opaque tokens are checked, if at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpaquePolicy {
    /// Which clients' tokens are accepted.
    pub clients: AcceptedClients,
    /// Whom to ask.
    pub method: Method,
    /// How long a positive answer may be used, which is how long a revoked token lives on.
    pub positive_ttl_seconds: u64,
    /// How long a negative answer may be used.
    pub negative_ttl_seconds: u64,
}

/// Whose opaque tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcceptedClients {
    /// The operator accepts that any client of the tenant may come.
    Any,
    /// These and no others.
    Listed(ClientList),
}

/// Whom to ask about an opaque token.
#[derive(Clone, PartialEq, Eq)]
pub enum Method {
    /// The introspection endpoint, with our own client's credentials.
    Introspection {
        /// Our client id.
        client_id: String,
        /// Its secret.
        client_secret: Secret,
    },
    /// The userinfo endpoint. Tells neither client nor scopes nor expiry.
    Userinfo,
}

impl std::fmt::Debug for Method {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Introspection { .. } => "Introspection",
            Self::Userinfo => "Userinfo",
        })
    }
}

/// The form and the `Authorization` of an introspection request (RFC 7662 §2.1, RFC 6749 §2.3.1).
#[must_use]
pub fn introspection_parts(token: &str, client_id: &str, client_secret: &Secret) -> (String, String) {
    let form = format!("token={}&token_type_hint=access_token", form_encode(token));
    (form, basic(client_id, client_secret.expose()))
}

/// A call to `url` within the limits for opaque tokens.
#[must_use]
pub fn call<'a>(url: &'a str, authorization: &'a str, form: Option<&'a str>) -> Outgoing<'a> {
    Outgoing {
        method: if form.is_some() { ports::Method::Post } else { ports::Method::Get },
        url,
        authorization: Some(authorization),
        content: form.map_or(Content::Empty, Content::Form),
        timeout: TIMEOUT,
        max_body: MAX_ANSWER_BYTES,
    }
}

/// Reads the answer to an introspection request.
///
/// | answer | meaning |
/// |---|---|
/// | 200, `active: true`, `token_type: Bearer` | the claims |
/// | 200, `active: false` | [`Reason::Inactive`] |
/// | 200, `active: true`, another `token_type` or none | [`Reason::NotAnAccessToken`] |
/// | 400 | [`Reason::Inactive`]: it concerns the token (Logto: its app is gone, or it is a JWT) |
/// | 401, 403 | [`Reason::IntrospectionRefused`]: our own credentials are wrong |
/// | anything else | [`Reason::IntrospectionUnavailable`] |
///
/// Logto answers `active: true` for refresh tokens, but without `token_type`; since every provider that follows RFC
/// 7662 may send `token_type`, its absence is taken for "not an access token".
///
/// # Errors
/// As in the table.
pub fn read_introspection(reply: &Reply, issuer: &str, audiences: &[String], now: u64) -> Result<Claims, Denial> {
    match reply.status {
        200 => {}
        400 => return Err(Denial::new(Reason::Inactive, format!("introspection answered 400 {}", error_code(reply)))),
        status @ (401 | 403) => {
            let detail = format!(
                "introspection answered {status}: check INTROSPECTION_CLIENT_ID and INTROSPECTION_CLIENT_SECRET"
            );
            return Err(Denial::unavailable(Reason::IntrospectionRefused, RETRY_SECONDS, detail));
        }
        status => return Err(unavailable(format!("introspection answered {status}"))),
    }
    let Ok(Value::Object(mut all)) = serde_json::from_str(&reply.body) else {
        return Err(unavailable("introspection answered no JSON object".to_owned()));
    };
    match all.get("active") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Err(Reason::Inactive.into()),
        _ => return Err(unavailable("introspection answered without a boolean `active`".to_owned())),
    }
    // Some providers write what they do not know as null. An audience that is null is still none that names us.
    all.retain(|name, value| name == "aud" || !value.is_null());
    let is_bearer = |value: &Value| value.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
    if !all.get("token_type").is_some_and(is_bearer) {
        return Err(Reason::NotAnAccessToken.into());
    }
    if all.get("iss").is_some_and(|value| value != issuer) {
        return Err(Reason::WrongIssuer.into());
    }
    all.entry("iss").or_insert_with(|| issuer.into());
    // Both are optional in RFC 7662. Without an audience, the policy on clients stands in for its check.
    all.entry("exp").or_insert_with(|| (now + UNKNOWN_EXPIRY_SECONDS).into());
    all.entry("aud").or_insert_with(|| audiences.iter().map(String::as_str).collect());
    super::claims::read(all).map_err(Denial::from)
}

/// Reads the answer to a userinfo request as a profile.
///
/// # Errors
/// [`Reason::Inactive`] for 400, 401 and 403 (they concern the token), otherwise
/// [`Reason::IntrospectionUnavailable`].
pub fn read_userinfo(reply: &Reply) -> Result<Map<String, Value>, Denial> {
    match reply.status {
        200 => match serde_json::from_str(&reply.body) {
            Ok(Value::Object(profile)) => Ok(profile),
            _ => Err(unavailable("userinfo answered no JSON object".to_owned())),
        },
        status @ (400 | 401 | 403) => Err(Denial::new(Reason::Inactive, format!("userinfo answered {status}"))),
        status => Err(unavailable(format!("userinfo answered {status}"))),
    }
}

/// What a userinfo answer alone establishes: a subject, for as long as the answer may be used.
///
/// # Errors
/// [`Reason::MissingSubject`].
pub fn claims_of_userinfo(
    mut profile: Map<String, Value>,
    issuer: &str,
    audiences: &[String],
    expires_at: u64,
) -> Result<Claims, Denial> {
    // Members of the same names would be the user's data, not statements about the token.
    for statement in ["client_id", "azp", "scope", "scopes", "scp", "nbf", "iat"] {
        profile.remove(statement);
    }
    // The endpoint answers tokens with this scope only (OpenID Connect Core §5.3). Of others nothing is known.
    profile.insert("scope".to_owned(), "openid".into());
    profile.insert("iss".to_owned(), issuer.into());
    profile.insert("aud".to_owned(), audiences.iter().map(String::as_str).collect());
    profile.insert("exp".to_owned(), expires_at.into());
    super::claims::read(profile).map_err(Denial::from)
}

/// An outage of the provider's endpoints for opaque tokens.
#[must_use]
pub fn unavailable(detail: String) -> Denial {
    Denial::unavailable(Reason::IntrospectionUnavailable, RETRY_SECONDS, detail)
}

/// The OAuth error code of an answer, for the log: only if it is one (short, lower case), since the rest of the body
/// may name ids.
fn error_code(reply: &Reply) -> String {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let code = body["error"].as_str().unwrap_or_default();
    let is_code = code.len() <= 40 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_code { code.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://tenant.example/oidc";
    const NOW: u64 = 1_795_000_000;

    fn audiences() -> Vec<String> {
        vec!["https://mcp.example.com/mcp".to_owned()]
    }

    /// The good answer, with one member changed; `null` removes it.
    #[allow(clippy::needless_pass_by_value, reason = "every caller makes the value in place")]
    fn introspected(status: u16, name: &str, value: Value) -> Result<Claims, Denial> {
        let mut body = json!({
            "active": true, "sub": "alice", "client_id": "agent", "exp": NOW + 100, "iat": NOW, "iss": ISSUER,
            "scope": "openid profile", "token_type": "Bearer",
        });
        body[name] = value.clone();
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        }
        read_introspection(&Reply { status, body: body.to_string() }, ISSUER, &audiences(), NOW)
    }

    fn reason(outcome: Result<Claims, Denial>) -> Reason {
        outcome.unwrap_err().reason
    }

    #[test]
    fn an_active_token_has_claims() {
        let claims = introspected(200, "extra", json!(1)).unwrap();
        assert_eq!((claims.subject.as_str(), claims.client_id.as_deref()), ("alice", Some("agent")));
        assert_eq!(claims.audience, audiences());
    }

    #[test]
    fn active_is_the_boolean_true() {
        assert_eq!(reason(introspected(200, "active", json!(false))), Reason::Inactive);
        for odd in [json!("true"), json!(1), json!(null)] {
            assert_eq!(reason(introspected(200, "active", odd)), Reason::IntrospectionUnavailable);
        }
    }

    #[test]
    fn a_refresh_token_is_active_and_refused() {
        assert_eq!(reason(introspected(200, "token_type", json!(null))), Reason::NotAnAccessToken);
        assert_eq!(reason(introspected(200, "token_type", json!("refresh_token"))), Reason::NotAnAccessToken);
        assert!(introspected(200, "token_type", json!("bearer")).is_ok());
    }

    #[test]
    fn an_audience_that_is_named_counts() {
        let claims = introspected(200, "aud", json!("https://other.example")).unwrap();
        assert_eq!(super::super::claims::check_audience(&claims, &audiences()), Err(Reason::WrongAudience));
    }

    #[test]
    fn another_issuer_is_refused() {
        assert_eq!(reason(introspected(200, "iss", json!("https://evil.example"))), Reason::WrongIssuer);
        assert!(introspected(200, "iss", json!(null)).is_ok());
    }

    #[test]
    fn a_deleted_app_concerns_the_token_and_a_wrong_secret_concerns_us() {
        assert_eq!(reason(introspected(400, "error", json!("invalid_client"))), Reason::Inactive);
        assert_eq!(reason(introspected(401, "error", json!("invalid_client"))), Reason::IntrospectionRefused);
        for status in [302, 404, 429, 500, 503] {
            assert_eq!(reason(introspected(status, "x", json!(1))), Reason::IntrospectionUnavailable, "{status}");
        }
    }

    #[test]
    fn userinfo_cannot_claim_a_client_or_scopes() {
        let profile =
            json!({"sub": "alice", "name": "Alice", "client_id": "first-party", "scope": "admin", "aud": "x"});
        let claims = claims_of_userinfo(profile.as_object().unwrap().clone(), ISSUER, &audiences(), NOW + 30).unwrap();
        assert_eq!(claims.client_id, None);
        assert!(!claims.scopes.contains("admin"));
        assert_eq!(claims.audience, audiences());
    }
}
