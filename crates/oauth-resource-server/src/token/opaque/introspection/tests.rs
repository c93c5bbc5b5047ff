//! Responses of the introspection endpoint, good and bad.

use serde_json::json;

use super::*;
use crate::denial::Reason;

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
    read_introspection(&reply, "us", ISSUER, &audiences(), &TokenProfile::default(), NOW, &|_| true)
}

fn reason(outcome: Result<Claims, Denial>) -> Reason {
    outcome.unwrap_err().reason()
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
    assert_eq!(
        claims::check_audience(&claims, &audiences()).map_err(|denial| denial.reason()),
        Err(Reason::WrongAudience)
    );
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
    read_introspection(&reply, "us", ISSUER, &audiences(), &TokenProfile::default(), NOW, &|_| true).unwrap_err()
}

#[test]
fn a_deleted_app_concerns_the_token_and_a_wrong_secret_concerns_us() {
    assert_eq!(error(400, "invalid_client", "invalid client agent").reason(), Reason::Inactive);
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
        assert_eq!(denial.reason(), expected, "{code}: {description}");
        assert_eq!(denial.retry_after().is_some(), expected.is_outage());
        let detail = denial.detail().unwrap_or_default();
        assert!(description.is_empty() || !detail.contains(description), "{detail}");
        let is_about_us = expected == Reason::IntrospectionRefused;
        assert_eq!(detail.contains("INTROSPECTION_CLIENT_SECRET"), is_about_us, "{detail}");
    }
    for body in ["<!doctype html><h1>400 Bad Request</h1>", "", "null", r#"{"error":{"code":"invalid_token"}}"#] {
        let reply = HttpResponse { status: 400, challenge: String::new(), body: body.to_owned() };
        let denial = read_introspection(&reply, "us", ISSUER, &audiences(), &TokenProfile::default(), NOW, &|_| true)
            .unwrap_err();
        assert_eq!(denial.reason(), Reason::IntrospectionUnavailable, "{body}");
    }
}

#[test]
fn an_answer_with_a_member_twice_is_unusable() {
    let body = r#"{"active":false,"active":true,"sub":"alice","token_type":"Bearer"}"#;
    let reply = HttpResponse { status: 200, challenge: String::new(), body: body.to_owned() };
    let outcome = read_introspection(&reply, "us", ISSUER, &audiences(), &TokenProfile::default(), NOW, &|_| true);
    assert_eq!(reason(outcome), Reason::IntrospectionUnavailable);
}

#[test]
fn an_audience_that_is_null_is_none_that_names_us_and_other_nulls_count_as_absent() {
    let body = json!({
        "active": true, "sub": "alice", "client_id": "agent", "exp": NOW + 100, "iss": ISSUER, "token_type": "Bearer",
        "iat": null, "nbf": null, "scope": null,
    });
    let read = |body: &Value| {
        let reply = HttpResponse { status: 200, challenge: String::new(), body: body.to_string() };
        read_introspection(&reply, "us", ISSUER, &audiences(), &TokenProfile::default(), NOW, &|_| true)
    };
    let claims = read(&body).unwrap();
    assert_eq!((claims.issued_at, claims.not_before), (None, None));
    let mut without_audience = body;
    without_audience["aud"] = Value::Null;
    assert_eq!(reason(read(&without_audience)), Reason::WrongAudience);
}

#[test]
fn a_secret_has_expired_only_if_both_is_said() {
    let expired = |description: &str| {
        let body = json!({"error": "invalid_client", "error_description": description}).to_string();
        let reply = HttpResponse { status: 400, challenge: String::new(), body };
        match read_introspection(&reply, "us", ISSUER, &audiences(), &TokenProfile::default(), NOW, &|_| true) {
            Err(Denial::IntrospectionRefused { is_secret_expired, .. }) => is_secret_expired,
            other => panic!("{other:?}"),
        }
    };
    assert!(expired("client secret has expired"));
    assert!(!expired("the session has expired") && !expired("wrong client secret"));
}

#[test]
fn a_code_in_the_log_is_a_short_word_in_lower_case() {
    let detail = |code: &str| {
        let body = json!({ "error": code }).to_string();
        let reply = HttpResponse { status: 400, challenge: String::new(), body };
        let denial = read_introspection(&reply, "us", ISSUER, &audiences(), &TokenProfile::default(), NOW, &|_| true)
            .unwrap_err();
        denial.detail().unwrap_or_default()
    };
    assert!(detail("slow_down").ends_with("400 slow_down"), "{}", detail("slow_down"));
    assert!(detail(&"x".repeat(40)).ends_with(&"x".repeat(40)));
    for other in ["Slow", "two words", "\"quoted\"", &"x".repeat(41)] {
        assert!(detail(other).ends_with("answered 400"), "{}", detail(other));
    }
}
