use serde_json::{Value, json};

use super::*;

fn exchange() -> TokenExchange {
    TokenExchange {
        client_id: "us".to_owned(),
        client_secret: Secret::new("s3cret"),
        subject_token_type: LOGTO_TOKEN_TYPE.to_owned(),
        resource: "http://localhost:24100/mcp".to_owned(),
        scopes: Scopes::parse("whoami:read"),
        scope: "whoami:read".to_owned(),
    }
}

fn answer(status: u16, body: &str) -> Result<String, ExchangeError> {
    let reply = HttpResponse { status, challenge: String::new(), body: body.to_owned() };
    read(&reply).map(|token| token.expose().to_owned())
}

fn recorded(name: &str) -> (Result<String, ExchangeError>, Value) {
    let all: Value = serde_json::from_str(include_str!("../../../tests/logto/pat-exchange.json")).unwrap();
    let status = all[name]["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap();
    (answer(status, &all[name]["body"].to_string()), all[name].clone())
}

/// The settings that the operator is pointed to.
fn own_client(name: &str) -> String {
    match recorded(name).0 {
        Err(ExchangeError::OwnClient(text)) => text,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn the_form_is_that_of_the_recorded_request() {
    let (_, machine) = recorded("machine");
    let form = exchange().form("pat_PLACEHOLDER");
    let expected = machine["form"].as_object().unwrap();
    assert_eq!(form.split('&').count(), expected.len());
    for (name, value) in expected {
        let pair = format!("{name}={}", form_encode(value.as_str().unwrap()));
        assert_eq!(form.split('&').filter(|part| *part == pair).count(), 1, "{pair} in {form}");
    }
}

#[test]
fn a_token_cannot_add_parameters() {
    let form = exchange().form("pat_a&resource=https://evil.example/");
    assert_eq!(form.matches("&resource=").count(), 1, "{form}");
}

#[test]
fn recorded_answers() {
    let (token, machine) = recorded("machine");
    assert_eq!(token.as_deref(), Ok(machine["body"]["access_token"].as_str().unwrap()));
    // A user without the scopes is no error of ours: the checks of scopes refuse the request.
    assert!(recorded("no_scope").0.is_ok());
    for name in
        ["unknown_pat", "expired_pat", "deleted_pat", "deleted_user", "suspended_user", "wrong_type_access_token"]
    {
        assert_eq!(recorded(name).0, Err(ExchangeError::Refused), "{name}");
    }
}

#[test]
fn what_is_wrong_with_our_own_client_or_our_settings_is_not_the_callers_fault() {
    for (name, setting) in [
        ("machine_wrong_secret", "PAT_CLIENT_SECRET"),
        ("expired_client_secret", "PAT_CLIENT_SECRET"),
        ("machine_without_setting", "PAT_CLIENT_ID"),
        ("third_party", "PAT_CLIENT_ID"),
        ("no_type", "PAT_TOKEN_TYPE"),
        ("unknown_resource", "RESOURCE"),
        ("no_resource", "RESOURCE"),
        ("two_resources", "RESOURCE"),
        ("organization_not_member", "PAT_CLIENT_ID"),
    ] {
        assert!(own_client(name).contains(setting), "{name}: {}", own_client(name));
    }
    assert!(own_client("expired_client_secret").contains("expired"));
    let dpop = json!({"access_token": recorded("machine").1["body"]["access_token"], "token_type": "DPoP"});
    assert!(matches!(answer(200, &dpop.to_string()), Err(ExchangeError::OwnClient(_))));
}

#[test]
fn everything_else_is_an_outage() {
    for (status, body) in [
        (200, ""),
        (200, "<html>"),
        (200, "{}"),
        (200, r#"{"access_token":null}"#),
        (200, r#"["eyJ"]"#),
        (201, "{}"),
        (204, ""),
        (400, "<html>"),
        (400, "{}"),
        (429, r#"{"error":"invalid_grant"}"#),
        (500, r#"{"error":"invalid_grant"}"#),
        (503, ""),
    ] {
        assert!(matches!(answer(status, body), Err(ExchangeError::Unavailable(_))), "{status} {body}");
    }
}

#[test]
fn no_error_holds_what_was_sent() {
    let body = json!({"error": "invalid_request", "error_description": "pat_secret is wrong"}).to_string();
    assert!(!format!("{:?}", answer(400, &body)).contains("pat_secret"));
    assert!(!format!("{:?}", exchange()).contains("s3cret"));
}
