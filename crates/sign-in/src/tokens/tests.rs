//! What the provider is sent as our client, and which answers are taken.

use std::cell::RefCell;

use futures_util::FutureExt;
use serde_json::json;

use super::*;
use crate::{
    client::SecretMethod,
    testing::{client, provider},
};

/// A provider that answers everything alike.
struct Answering {
    answer: Result<(u16, String), FetchError>,
    /// URL, `authorization` and form of each request.
    received: RefCell<Vec<(String, Option<String>, String)>>,
}

impl Answering {
    fn new(status: u16, body: &(impl ToString + ?Sized)) -> Self {
        Self { answer: Ok((status, body.to_string())), received: RefCell::default() }
    }

    fn only_request(&self) -> (String, Option<String>, String) {
        let received = self.received.borrow();
        assert_eq!(received.len(), 1);
        received[0].clone()
    }
}

impl Fetch for Answering {
    async fn fetch(&self, request: HttpRequest<'_>) -> Result<HttpResponse, FetchError> {
        assert_eq!((request.method, request.timeout, request.max_body), (Method::POST, TIMEOUT, MAX_ANSWER_BYTES));
        let RequestContent::Form(form) = request.body else { panic!("no form") };
        let authorization = request.authorization.map(str::to_owned);
        self.received.borrow_mut().push((request.url.to_owned(), authorization, form.to_owned()));
        self.answer.clone().map(|(status, body)| HttpResponse { status, challenge: String::new(), body })
    }
}

fn redeemed(fetch: &Answering) -> Result<Tokens, TokenRequestError> {
    let code = Code(Secret::new("a/b"));
    redeem(&provider(|_| ()), &client(), &code, "verifier", Some("https://mcp.example.com/mcp"), fetch)
        .now_or_never()
        .expect("nothing waits")
}

fn refreshed(provider: &Provider, fetch: &Answering) -> Result<Tokens, TokenRequestError> {
    refresh(provider, &client(), &Secret::new("r&1"), Some("https://mcp.example.com/mcp"), Some("mcp:a mcp:b"), fetch)
        .now_or_never()
        .expect("nothing waits")
}

fn revoked(provider: &Provider, fetch: &Answering) -> Result<(), TokenRequestError> {
    revoke(provider, &client(), &Secret::new("r&1"), TokenKind::Refresh, fetch).now_or_never().expect("nothing waits")
}

const BASIC: &str = "Basic dmF1bHQ6cCUzQXclMjBk";

#[test]
fn requests_are_those_of_a_confidential_client() {
    let good = || Answering::new(200, &json!({"access_token": "a", "token_type": "Bearer"}));
    let fetch = good();
    redeemed(&fetch).expect("tokens");
    let form = "grant_type=authorization_code&code=a%2Fb&redirect_uri=https%3A%2F%2Fmcp.example.com%2Faccount%2Fcallback&code_verifier=verifier&resource=https%3A%2F%2Fmcp.example.com%2Fmcp";
    assert_eq!(fetch.only_request(), ("https://i.example/token".into(), Some(BASIC.into()), form.into()));

    let fetch = good();
    refreshed(&provider(|_| ()), &fetch).expect("tokens");
    let form = "grant_type=refresh_token&refresh_token=r%261&scope=mcp%3Aa%20mcp%3Ab&resource=https%3A%2F%2Fmcp.example.com%2Fmcp";
    assert_eq!(fetch.only_request(), ("https://i.example/token".into(), Some(BASIC.into()), form.into()));

    let fetch = Answering::new(200, "");
    revoked(&provider(|_| ()), &fetch).expect("revoked");
    let form = "token=r%261&token_type_hint=refresh_token";
    assert_eq!(fetch.only_request(), ("https://i.example/revoke".into(), Some(BASIC.into()), form.into()));
}

#[test]
fn a_secret_is_posted_where_only_that_is_taken() {
    let posting = provider(|it| it["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]));
    let secret = "&client_id=vault&client_secret=p%3Aw%20d";
    let fetch = Answering::new(200, &json!({"access_token": "a", "token_type": "Bearer"}));
    refreshed(&posting, &fetch).expect("tokens");
    let (_, authorization, form) = fetch.only_request();
    assert!(authorization.is_none() && form.ends_with(secret), "{form}");
    let fetch = Answering::new(200, "");
    revoked(&posting, &fetch).expect("revoked");
    let (_, authorization, form) = fetch.only_request();
    assert!(authorization.is_none() && form.ends_with(secret), "{form}");
}

#[test]
fn a_public_client_says_its_id_alone() {
    let public = Client { client_secret: None, ..client() };
    for method in [SecretMethod::AsSupported, SecretMethod::Basic, SecretMethod::Post] {
        let fetch = Answering::new(200, &json!({"access_token": "a", "token_type": "Bearer"}));
        let client = Client { method, ..public.clone() };
        let outcome = refresh(&provider(|_| ()), &client, &Secret::new("r"), None, None, &fetch).now_or_never();
        outcome.expect("nothing waits").expect("tokens");
        let form = "grant_type=refresh_token&refresh_token=r&client_id=vault";
        assert_eq!(fetch.only_request(), ("https://i.example/token".into(), None, form.into()));
    }
    let fetch = Answering::new(200, "");
    let outcome = revoke(&provider(|_| ()), &public, &Secret::new("t"), TokenKind::Unknown, &fetch).now_or_never();
    assert_eq!(outcome, Some(Ok(())));
    assert_eq!(fetch.only_request(), ("https://i.example/revoke".into(), None, "token=t&client_id=vault".into()));
}

#[test]
fn a_secret_is_sent_as_the_client_was_registered() {
    let posting = provider(|it| it["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]));
    for (method, is_posted) in
        [(SecretMethod::AsSupported, true), (SecretMethod::Basic, false), (SecretMethod::Post, true)]
    {
        let fetch = Answering::new(200, &json!({"access_token": "a", "token_type": "Bearer"}));
        let client = Client { method, ..client() };
        let outcome = refresh(&posting, &client, &Secret::new("r"), None, None, &fetch).now_or_never();
        outcome.expect("nothing waits").expect("tokens");
        let (_, authorization, form) = fetch.only_request();
        assert_eq!((authorization.is_none(), form.contains("client_secret=")), (is_posted, is_posted), "{method:?}");
    }
}

#[test]
fn lifetime_and_scopes_are_read_if_they_are_said() {
    let read = |member: &str, value: Value| {
        let mut body = json!({"access_token": "a", "token_type": "bearer"});
        body[member] = value;
        redeemed(&Answering::new(200, &body))
    };
    let tokens = read("expires_in", Value::Null).expect("tokens");
    assert_eq!((tokens.expires_in, tokens.scope), (None, Granted::AsAsked));
    for (value, seconds) in [
        (json!(3600), Some(3600)),
        (json!("3600"), Some(3600)),
        (json!(0), None),
        (json!("soon"), None),
        (json!(-1), None),
        (json!(u64::MAX), Some(MAX_LIFETIME_SECONDS)),
    ] {
        assert_eq!(read("expires_in", value.clone()).expect("tokens").expires_in, seconds, "{value}");
    }
    for text in ["a b", ""] {
        assert_eq!(read("scope", json!(text)).expect("tokens").scope, Granted::These(text.to_owned()));
    }
    for bad in [json!(1), json!(["a"]), json!("a\nb"), json!("ä"), json!("x".repeat(MAX_SCOPE_BYTES + 1))] {
        assert_eq!(read("scope", bad).expect("tokens").scope, Granted::Unreadable);
    }
}

#[test]
fn an_answer_with_tokens_is_read_strictly() {
    let read = |change: &dyn Fn(&mut Value)| {
        let mut body = json!({
            "access_token": "a", "token_type": "bearer", "refresh_token": "r", "id_token": "i", "expires_in": 60,
        });
        change(&mut body);
        redeemed(&Answering::new(200, &body))
    };
    let tokens = read(&|_| ()).expect("tokens");
    let all = [Some(tokens.access_token), tokens.refresh_token, tokens.id_token];
    let all: Vec<_> = all.iter().flatten().map(Secret::expose).collect();
    assert_eq!(all, ["a", "r", "i"]);
    let alone = read(&|it| (it["refresh_token"], it["id_token"]) = (Value::Null, Value::Null)).expect("tokens");
    assert!(alone.refresh_token.is_none() && alone.id_token.is_none());
    assert!(read(&|it| it["access_token"] = "x".repeat(16 * 1024).into()).is_ok());
    for (member, value) in [
        ("access_token", Value::Null),
        ("access_token", json!("")),
        ("access_token", json!(1)),
        ("access_token", json!("a\nb")),
        ("access_token", json!("ä")),
        ("access_token", json!("x".repeat(16 * 1024 + 1))),
        ("token_type", Value::Null),
        ("token_type", json!("DPoP")),
        ("token_type", json!("N_A")),
        ("token_type", json!(["Bearer"])),
        ("refresh_token", json!("")),
        ("refresh_token", json!({})),
        ("id_token", json!(false)),
        ("id_token", json!("")),
    ] {
        let error = read(&|it| it[member] = value.clone()).expect_err("refused");
        assert_eq!(error, TokenRequestError::NoTokens(member), "{value}");
        assert!(!error.to_string().contains("xxx"));
    }
    for body in ["", "[]", "null", r#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#] {
        let error = redeemed(&Answering::new(200, &body)).expect_err("refused");
        assert!(matches!(error, TokenRequestError::NoTokens(_)), "{body}");
    }
}

#[test]
fn errors_say_what_they_ask_for() {
    let error = |code: &str| json!({ "error": code }).to_string();
    for (status, body, remedy) in [
        (400, error("invalid_grant"), Remedy::AuthorizeAgain),
        (401, error("invalid_client"), Remedy::FixClient),
        (
            400,
            json!({"error": "invalid_request", "error_description": "client secret has expired"}).to_string(),
            Remedy::FixClient,
        ),
        (400, error("invalid_target"), Remedy::FixClient),
        (400, error("invalid_scope"), Remedy::FixClient),
        (400, error("unauthorized_client"), Remedy::FixClient),
        (400, error("temporarily_unavailable"), Remedy::TryAgain),
        (400, "<html>".to_owned(), Remedy::TryAgain),
        (404, String::new(), Remedy::TryAgain),
        (429, error("invalid_grant"), Remedy::TryAgain),
        (500, error("invalid_grant"), Remedy::TryAgain),
        (503, error("invalid_client"), Remedy::TryAgain),
        (201, error("invalid_grant"), Remedy::TryAgain),
        (200, "{}".to_owned(), Remedy::TryAgain),
        (200, error("invalid_grant"), Remedy::TryAgain),
        (200, error("bad_verification_code"), Remedy::TryAgain),
    ] {
        let found = refreshed(&provider(|_| ()), &Answering::new(status, &body)).expect_err("no tokens");
        assert_eq!(found.remedy(), remedy, "{status} {body}");
    }
    let down = FetchError::Timeout(TIMEOUT);
    let fetch = Answering { answer: Err(down.clone()), received: RefCell::default() };
    let found = refreshed(&provider(|_| ()), &fetch).expect_err("no answer");
    assert_eq!((found.remedy(), found), (Remedy::TryAgain, TokenRequestError::NoAnswer(down)));
}

#[test]
fn an_error_with_status_200_is_no_missing_answer() {
    let outcome = |body: Value| redeemed(&Answering::new(200, &body)).expect_err("no tokens");
    let error = TokenEndpointError::Other("bad_verification_code".to_owned());
    let found = outcome(json!({"error": "bad_verification_code", "error_description": "The code is incorrect."}));
    assert_eq!(found, TokenRequestError::RefusedWithSuccess(error));
    assert_eq!(outcome(json!({"token_type": "bearer"})), TokenRequestError::NoTokens("access_token"));
    assert!(redeemed(&Answering::new(200, &json!({"access_token": "a", "token_type": "bearer", "error": ""}))).is_ok());
}

#[test]
fn an_error_that_repeats_what_was_sent_is_not_repeated() {
    let token = Secret::new("v7Kq2-8sXo_aPzR4LmN0bTc1");
    let shown = |status: u16, body: &str| {
        let fetch = Answering::new(status, body);
        let error = refresh(&provider(|_| ()), &client(), &token, None, None, &fetch).now_or_never().unwrap();
        let error = format!("{:?}", error.expect_err("an error"));
        let fetch = Answering::new(status, body);
        let revoked = revoke(&provider(|_| ()), &client(), &token, TokenKind::Unknown, &fetch).now_or_never().unwrap();
        format!("{error} {:?}", revoked.err())
    };
    for (status, code) in
        [(400, token.expose()), (200, token.expose()), (400, "x.v7Kq2-8sXo_aPzR4LmN0bTc1"), (400, "v7Kq2-8sXo_aPzR4")]
    {
        let shown = shown(status, &json!({"error": code}).to_string());
        assert!(!shown.contains("v7Kq2"), "{shown}");
    }
    assert!(shown(400, r#"{"error":"unsupported_grant_type"}"#).contains("unsupported_grant_type"));
}

#[test]
fn what_is_revoked_already_is_revoked() {
    let answered = |status, body: Value| revoked(&provider(|_| ()), &Answering::new(status, &body));
    assert_eq!(answered(200, json!({"error": "anything"})), Ok(()));
    assert_eq!(answered(204, Value::Null), Ok(()));
    assert_eq!(answered(400, json!({"error": "invalid_token"})), Ok(()));
    let remedy = |outcome: Result<(), TokenRequestError>| outcome.map_err(|error| error.remedy());
    for (status, body, expected) in [
        (400, json!({"error": "unsupported_token_type"}), Remedy::FixClient),
        (401, json!({"error": "invalid_client"}), Remedy::FixClient),
        (400, json!({"error": "invalid_grant"}), Remedy::AuthorizeAgain),
        (503, json!({"error": "invalid_token"}), Remedy::TryAgain),
        (429, json!({"error": "invalid_token"}), Remedy::TryAgain),
        (404, json!({}), Remedy::TryAgain),
        (302, json!({}), Remedy::TryAgain),
    ] {
        assert_eq!(remedy(answered(status, body.clone())), Err(expected), "{status} {body}");
    }
}

#[test]
fn without_an_endpoint_nothing_is_sent() {
    let fetch = Answering::new(200, "");
    let without = provider(|it| {
        it["token_endpoint"] = "http://i.example/token".into();
        it["revocation_endpoint"] = Value::Null;
    });
    assert!(matches!(refreshed(&without, &fetch), Err(TokenRequestError::NoEndpoint)));
    assert_eq!(revoked(&without, &fetch), Err(TokenRequestError::NoEndpoint));
    assert!(fetch.received.borrow().is_empty());
}
