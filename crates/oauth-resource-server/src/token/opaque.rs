//! Tokens that are no JWT: the provider is asked what they are (RFC 7662), or whose they are (userinfo).
//!
//! Such a token usually names no audience, so it proves only that *some* client of the tenant obtained it. It is
//! accepted under an explicit policy alone: [`OpaquePolicy`] lists the clients that may come with one.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::client_authentication::{basic, form_encode};
use crate::{
    client_policy::ClientList,
    denial::{Denial, Reason},
    token::{
        claims::{CLIENT, Claims},
        members,
    },
};
use mcp_edge_runtime::{
    ports::{self, HttpRequest, HttpResponse, RequestContent},
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

/// How Logto describes an `invalid_client`; the client's id follows.
const UNKNOWN_CLIENT: &str = "invalid client ";

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
pub fn call<'a>(url: &'a str, authorization: &'a str, form: Option<&'a str>) -> HttpRequest<'a> {
    HttpRequest {
        method: if form.is_some() { ports::Method::Post } else { ports::Method::Get },
        url,
        authorization: Some(authorization),
        body: form.map_or(RequestContent::Empty, RequestContent::Form),
        timeout: TIMEOUT,
        max_body: MAX_ANSWER_BYTES,
    }
}

/// Reads the answer to an introspection request of ours, as the client `client_id`, about a token of `issuer`. Of its
/// members those are built whose names are `wanted`.
///
/// | answer | meaning |
/// |---|---|
/// | 200, `active: true`, `token_type: Bearer` | the claims |
/// | 200, `active: false` | [`Reason::Inactive`] |
/// | 200, `active: true`, another `token_type` or none | [`Reason::NotAnAccessToken`] |
/// | 400 `unsupported_token_type`, `invalid_token` | [`Reason::Inactive`] |
/// | 400 `invalid_client` that names another client than ours | [`Reason::Inactive`]: the token's client is gone (Logto) |
/// | 400 `invalid_client` else, or an error that speaks of a client's secret or authentication; 401, 403 | [`Reason::IntrospectionRefused`]: it concerns our own client |
/// | anything else | [`Reason::IntrospectionUnavailable`] |
///
/// Logto answers `active: true` for refresh tokens, but without `token_type`; since every provider that follows RFC
/// 7662 may send `token_type`, its absence is taken for "not an access token".
///
/// # Errors
/// As in the table.
pub fn read_introspection(
    reply: &HttpResponse,
    client_id: &str,
    issuer: &str,
    audiences: &[String],
    now: u64,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Claims, Denial> {
    match reply.status {
        200 => {}
        400 => return Err(introspection_error(reply, client_id)),
        // A firewall in front of the provider has no challenge and shows a page.
        401 | 403 if !reply.challenge.is_empty() || !reply.body.trim_start().starts_with('<') => {
            return Err(refused(reply.status, ""));
        }
        status => return Err(unavailable(format!("introspection answered {status}"))),
    }
    let all = members::read(reply.body.as_bytes(), wanted);
    let mut all = all.map_err(|error| unavailable(format!("introspection: {error}")))?;
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
    crate::token::claims::read(all).map_err(Denial::from)
}

/// What a 400 to an introspection request means. By RFC 6749 §5.2 `invalid_client` is about whoever asks; Logto has it
/// for the token's client as well and names the one that it does not know. Not knowing it is one thing, not being able
/// to fetch its metadata document another: that may be over in a minute.
fn introspection_error(reply: &HttpResponse, client_id: &str) -> Denial {
    // A challenge would be about our own client, whatever it says.
    let (code, description) = oauth_error(&reply.body, "");
    // An id is one word. "invalid client secret" and the like speak of ours.
    let unknown_client = description.strip_prefix(UNKNOWN_CLIENT);
    let unknown_client = unknown_client.filter(|id| !matches!(*id, "secret" | "credentials" | "authentication" | "id"));
    match (code.as_str(), unknown_client) {
        ("unsupported_token_type" | "invalid_token", _) => inactive("introspection", reply.status, &code),
        ("invalid_client", Some(client)) if client != client_id => inactive("introspection", reply.status, &code),
        ("invalid_client", None) if description.contains("metadata document") => {
            unavailable("introspection answered 400: the provider cannot fetch the client's metadata document".into())
        }
        (_, None) if description.contains("expired") && description.contains("client secret") => {
            refused(reply.status, ", the secret has expired")
        }
        ("invalid_client" | "unauthorized_client" | "access_denied", _) => refused(reply.status, ""),
        ("invalid_request", _) if description.contains("client") => refused(reply.status, ""),
        _ => unavailable(format!("introspection answered 400 {code}")),
    }
}

/// Reads the answer to a userinfo request as a profile, of whose members those are built whose names are `wanted`.
///
/// # Errors
/// [`Reason::Inactive`] if a 400, 401 or 403 carries, in its body or its challenge, the code of an error that concerns
/// the token (RFC 6750 §3.1; `invalid_client`: at Logto its client is gone), and for a 401 without any code that is no
/// web page: some providers say no more of a token that has expired. Otherwise [`Reason::IntrospectionUnavailable`]: a
/// web page says nothing of the token, whatever its status.
pub fn read_userinfo(reply: &HttpResponse, wanted: &dyn Fn(&str) -> bool) -> Result<Map<String, Value>, Denial> {
    let code = match reply.status {
        200 => {
            let profile = members::read(reply.body.as_bytes(), wanted);
            return profile.map_err(|error| unavailable(format!("userinfo: {error}")));
        }
        400 | 401 | 403 => {
            let (code, description) = oauth_error(&reply.body, &reply.challenge);
            let is_of_bearer = reply.challenge.is_empty() || reply.challenge.to_ascii_lowercase().contains("bearer");
            let is_plain_401 = reply.status == 401 && is_of_bearer && !reply.body.trim_start().starts_with('<');
            if matches!(code.as_str(), "invalid_token" | "insufficient_scope")
                || (code.is_empty() && is_plain_401)
                || (code == "invalid_client" && description.starts_with(UNKNOWN_CLIENT))
            {
                return Err(inactive("userinfo", reply.status, &code));
            }
            code
        }
        _ => String::new(),
    };
    Err(unavailable(format!("userinfo answered {} {code}", reply.status)))
}

/// What a userinfo answer alone establishes: a subject, for as long as the answer may be used.
///
/// # Errors
/// [`Reason::MissingSubject`]; [`Reason::IntrospectionUnavailable`] if nothing is said of a user at all: then it is no
/// answer of this endpoint, and says nothing of the token.
pub fn claims_of_userinfo(
    mut profile: Map<String, Value>,
    issuer: &str,
    audiences: &[String],
    expires_at: u64,
) -> Result<Claims, Denial> {
    if profile.values().all(Value::is_null) {
        return Err(unavailable("userinfo answered without a profile".to_owned()));
    }
    // Members of the same names would be the user's data, not statements about the token.
    for statement in CLIENT.iter().chain(&["scope", "scopes", "scp", "nbf", "iat"]) {
        profile.remove(*statement);
    }
    // The endpoint answers tokens with this scope only (OpenID Connect Core §5.3). Of others nothing is known.
    profile.insert("scope".to_owned(), "openid".into());
    profile.insert("iss".to_owned(), issuer.into());
    profile.insert("aud".to_owned(), audiences.iter().map(String::as_str).collect());
    profile.insert("exp".to_owned(), expires_at.into());
    crate::token::claims::read(profile).map_err(Denial::from)
}

/// An outage of the provider's endpoints for opaque tokens.
#[must_use]
pub fn unavailable(detail: String) -> Denial {
    Denial::unavailable(Reason::IntrospectionUnavailable, RETRY_SECONDS, detail)
}

/// What the provider said is about the token.
fn inactive(endpoint: &str, status: u16, code: &str) -> Denial {
    Denial::new(Reason::Inactive, format!("{endpoint} answered {status} {code}"))
}

/// What the provider said is about our own client.
fn refused(status: u16, why: &str) -> Denial {
    let detail =
        format!("introspection answered {status}{why}: check INTROSPECTION_CLIENT_ID and INTROSPECTION_CLIENT_SECRET");
    Denial::unavailable(Reason::IntrospectionRefused, RETRY_SECONDS, detail)
}

/// Code and description of an OAuth error (RFC 6749 §5.2), from the body or else from the challenge. The code is a
/// short word in lower case, or empty; the description may hold ids and is not for the log.
fn oauth_error(body: &str, challenge: &str) -> (String, String) {
    let body = members::read(body.as_bytes(), &|name| matches!(name, "error" | "error_description"));
    let body = body.unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_of_code = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
    let in_challenge = challenge.split_once("error=").map_or("", |(_, rest)| rest);
    let in_challenge = in_challenge.strip_prefix('"').unwrap_or(in_challenge);
    let in_challenge = &in_challenge[..in_challenge.bytes().take_while(is_of_code).count()];
    // What a challenge says of the token counts beside another word in the body: Google's is `invalid_request`.
    let code = match (in_challenge, text("error")) {
        ("invalid_token" | "insufficient_scope", _) | (_, "") => in_challenge,
        (_, code) => code,
    };
    let is_code = code.len() <= 40 && code.bytes().all(|byte| is_of_code(&byte));
    (if is_code { code.to_owned() } else { String::new() }, text("error_description").to_owned())
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
        let reply = HttpResponse { status, challenge: String::new(), body: body.to_string() };
        read_introspection(&reply, "us", ISSUER, &audiences(), NOW, &|_| true)
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
        assert_eq!(crate::token::claims::check_audience(&claims, &audiences()), Err(Reason::WrongAudience));
    }

    #[test]
    fn another_issuer_is_refused() {
        assert_eq!(reason(introspected(200, "iss", json!("https://evil.example"))), Reason::WrongIssuer);
        assert!(introspected(200, "iss", json!(null)).is_ok());
    }

    /// An error of the introspection endpoint, which our client `us` asked.
    fn error(status: u16, code: &str, description: &str) -> Denial {
        let body = json!({ "code": "oidc.x", "message": "x", "error": code, "error_description": description });
        let reply = HttpResponse { status, challenge: String::new(), body: body.to_string() };
        read_introspection(&reply, "us", ISSUER, &audiences(), NOW, &|_| true).unwrap_err()
    }

    #[test]
    fn a_deleted_app_concerns_the_token_and_a_wrong_secret_concerns_us() {
        assert_eq!(error(400, "invalid_client", "invalid client agent").reason, Reason::Inactive);
        assert_eq!(reason(introspected(401, "error", json!("invalid_client"))), Reason::IntrospectionRefused);
        for status in [302, 404, 429, 500, 503] {
            assert_eq!(reason(introspected(status, "x", json!(1))), Reason::IntrospectionUnavailable, "{status}");
        }
    }

    #[test]
    fn an_error_is_a_verdict_only_if_it_is_surely_about_the_token() {
        for (code, description, expected) in [
            ("invalid_client", "invalid client agent", Reason::Inactive),
            ("invalid_client", "invalid client https://agents.example/client.json", Reason::Inactive),
            ("invalid_client", "invalid client us2", Reason::Inactive),
            ("unsupported_token_type", "Structured JWT Tokens cannot be introspected", Reason::Inactive),
            ("invalid_token", "", Reason::Inactive),
            // Ours, or nobody knows whose (RFC 6749 §5.2).
            ("invalid_client", "invalid client us", Reason::IntrospectionRefused),
            ("invalid_client", "invalid client secret", Reason::IntrospectionRefused),
            ("invalid_client", "invalid client credentials", Reason::IntrospectionRefused),
            ("invalid_client", "client authentication failed", Reason::IntrospectionRefused),
            ("invalid_client", "", Reason::IntrospectionRefused),
            ("unauthorized_client", "", Reason::IntrospectionRefused),
            ("access_denied", "", Reason::IntrospectionRefused),
            ("invalid_request", "client secret has expired", Reason::IntrospectionRefused),
            ("invalid_request", "no client authentication mechanism provided", Reason::IntrospectionRefused),
            // Nothing is known.
            ("invalid_client", "client_id metadata document fetch failed", Reason::IntrospectionUnavailable),
            ("invalid_request", "missing required parameter(s)", Reason::IntrospectionUnavailable),
            ("server_error", "", Reason::IntrospectionUnavailable),
            ("Bad Request", "", Reason::IntrospectionUnavailable),
            ("", "", Reason::IntrospectionUnavailable),
        ] {
            let denial = error(400, code, description);
            assert_eq!(denial.reason, expected, "{code}: {description}");
            assert_eq!(denial.retry_after.is_some(), expected.is_outage());
            let detail = denial.detail.unwrap_or_default();
            assert!(description.is_empty() || !detail.contains(description), "{detail}");
            let is_about_us = expected == Reason::IntrospectionRefused;
            assert_eq!(detail.contains("INTROSPECTION_CLIENT_SECRET"), is_about_us, "{detail}");
        }
        for body in ["<!doctype html><h1>400 Bad Request</h1>", "", "null", r#"{"error":{"code":"invalid_token"}}"#] {
            let reply = HttpResponse { status: 400, challenge: String::new(), body: body.to_owned() };
            let denial = read_introspection(&reply, "us", ISSUER, &audiences(), NOW, &|_| true).unwrap_err();
            assert_eq!(denial.reason, Reason::IntrospectionUnavailable, "{body}");
        }
    }

    #[test]
    fn an_answer_with_a_member_twice_is_unusable() {
        let body = r#"{"active":false,"active":true,"sub":"alice","token_type":"Bearer"}"#;
        let reply = HttpResponse { status: 200, challenge: String::new(), body: body.to_owned() };
        let outcome = read_introspection(&reply, "us", ISSUER, &audiences(), NOW, &|_| true);
        assert_eq!(reason(outcome), Reason::IntrospectionUnavailable);
    }

    #[test]
    fn userinfo_refuses_a_token_by_an_error_code_or_a_401_that_is_no_page() {
        let reason = |status, challenge: &str, body: &str| {
            let reply = HttpResponse { status, challenge: challenge.to_owned(), body: body.to_owned() };
            read_userinfo(&reply, &|_| true).unwrap_err().reason
        };
        let html = "<!doctype html><title>Attention required</title>";
        for status in [400, 401, 403] {
            for body in [html, "", "Unauthorized", "{}", r#"{"error":"server_error"}"#, r#"{"error":"invalid_client"}"#]
            {
                for challenge in
                    ["", "Basic realm=\"x\"", "Bearer realm=\"x\"", "Bearer error_description=\"invalid_token\""]
                {
                    let is_plain = status == 401 && !challenge.starts_with("Basic") && !body.starts_with('<');
                    let expected = if is_plain && !body.contains("error") {
                        Reason::Inactive
                    } else {
                        Reason::IntrospectionUnavailable
                    };
                    assert_eq!(reason(status, challenge, body), expected, "{status} {challenge} {body}");
                }
            }
            let by_body = r#"{"code":"oidc.invalid_token","error":"invalid_token"}"#;
            assert_eq!(reason(status, "", by_body), Reason::Inactive, "{status}");
            assert_eq!(reason(status, "", r#"{"error":"insufficient_scope"}"#), Reason::Inactive);
            for challenge in [
                r#"Bearer realm="Users", error="invalid_token", error_description="x""#,
                "Bearer error=invalid_token",
                r#"Bearer error="insufficient_scope""#,
            ] {
                assert_eq!(reason(status, challenge, ""), Reason::Inactive, "{status} {challenge}");
                assert_eq!(reason(status, challenge, "Unauthorized"), Reason::Inactive, "{status} {challenge}");
            }
        }
        let gone = r#"{"error":"invalid_client","error_description":"invalid client agent"}"#;
        assert_eq!(reason(400, "", gone), Reason::Inactive);
        // An error code makes no verdict of an outage.
        assert_eq!(reason(500, "", r#"{"error":"invalid_token"}"#), Reason::IntrospectionUnavailable);
    }

    #[test]
    fn a_userinfo_answer_that_is_no_profile_is_no_verdict() {
        for body in ["{}", r#"{"status":"maintenance"}"#, r#"{"error":"server_error"}"#, r#"{"sub":null}"#] {
            let reply = HttpResponse { status: 200, challenge: String::new(), body: body.to_owned() };
            let profile = read_userinfo(&reply, &|name| matches!(name, "sub" | "name")).unwrap();
            let claims = claims_of_userinfo(profile, ISSUER, &audiences(), NOW + 30);
            assert_eq!(reason(claims), Reason::IntrospectionUnavailable, "{body}");
        }
        let nobody = json!({"name": "Alice"}).as_object().unwrap().clone();
        assert_eq!(reason(claims_of_userinfo(nobody, ISSUER, &audiences(), NOW + 30)), Reason::MissingSubject);
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
