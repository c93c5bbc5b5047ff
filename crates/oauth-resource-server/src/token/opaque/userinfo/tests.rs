//! Responses of the userinfo endpoint, good and bad.

use serde_json::json;

use super::*;
use crate::denial::Reason;

const ISSUER: &str = "https://tenant.example/oidc";
const NOW: u64 = 1_795_000_000;

fn audiences() -> Vec<String> {
    vec!["https://mcp.example.com/mcp".to_owned()]
}

fn reason(outcome: Result<Claims, Denial>) -> Reason {
    outcome.unwrap_err().reason()
}

#[test]
fn userinfo_refuses_a_token_by_an_error_code_or_a_401_that_is_no_page() {
    let reason = |status, challenge: &str, body: &str| {
        let reply = HttpResponse { status, challenge: challenge.to_owned(), body: body.to_owned() };
        read_userinfo(&reply, &|_| true).unwrap_err().reason()
    };
    let html = "<!doctype html><title>Attention required</title>";
    for status in [400, 401, 403] {
        for body in [html, "", "Unauthorized", "{}", r#"{"error":"server_error"}"#, r#"{"error":"invalid_client"}"#] {
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
        let claims = claims_of_userinfo(profile, ISSUER, &audiences(), &TokenProfile::default(), NOW + 30);
        assert_eq!(reason(claims), Reason::IntrospectionUnavailable, "{body}");
    }
    let nobody = json!({"name": "Alice"}).as_object().unwrap().clone();
    assert_eq!(
        reason(claims_of_userinfo(nobody, ISSUER, &audiences(), &TokenProfile::default(), NOW + 30)),
        Reason::MissingSubject
    );
}

#[test]
fn userinfo_cannot_claim_a_client_or_scopes() {
    let profile = json!({"sub": "alice", "name": "Alice", "client_id": "first-party", "scope": "admin", "aud": "x"});
    let claims = claims_of_userinfo(
        profile.as_object().unwrap().clone(),
        ISSUER,
        &audiences(),
        &TokenProfile::default(),
        NOW + 30,
    )
    .unwrap();
    assert_eq!(claims.client_id, None);
    assert!(!claims.scopes.contains("admin"));
    assert_eq!(claims.audience, audiences());
}
