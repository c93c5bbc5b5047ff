//! The kind `exchange`.

use super::*;
use crate::connection::{exchange::exchange, source::NoToken, token_answer::ACCESS_TOKEN};

fn settings() -> Exchange {
    Exchange {
        resource: Some("https://api.example/".to_owned()),
        audience: Some("billing".to_owned()),
        client: client("vault"),
    }
}

fn issued() -> Value {
    json!({"access_token": "other", "token_type": "Bearer", "issued_token_type": ACCESS_TOKEN, "expires_in": 60, "scope": "read"})
}

async fn run(answers: &Answers, names: &[&str]) -> Result<String, NoToken> {
    let issued = exchange(&settings(), &caller("t0ken"), &scopes(names), &provider(), answers, NOW).await?;
    Ok(issued.token.expose().to_owned())
}

#[test]
fn the_callers_token_goes_to_the_issuers_token_endpoint_alone() {
    let answers = Answers::new(&[(200, issued())]);
    assert_eq!(block_on(run(&answers, &["read", "write"])), Ok("other".to_owned()));
    let asked = answers.asked();
    let [(method, url, authorization, body)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((method.as_str(), url.as_str()), ("POST", TOKEN_ENDPOINT));
    assert!(authorization.starts_with("Basic "));
    let expected = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", "t0ken"),
        ("subject_token_type", ACCESS_TOKEN),
        ("requested_token_type", ACCESS_TOKEN),
        ("resource", "https://api.example/"),
        ("audience", "billing"),
        ("scope", "read write"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(parameters(body), expected);
}

#[test]
fn without_scopes_none_is_asked_for() {
    let mut answer = issued();
    answer.as_object_mut().unwrap().remove("scope");
    let answers = Answers::new(&[(200, answer)]);
    assert!(block_on(run(&answers, &[])).is_ok());
    assert!(!answers.asked()[0].3.contains("scope"));
}

#[test]
fn a_client_without_a_secret_names_itself_in_the_form() {
    let answers = Answers::new(&[(200, issued())]);
    let public = RegisteredClient { client_id: "pub lic".to_owned(), client_secret: None };
    let settings = Exchange { client: public, ..settings() };
    let (ada, read) = (caller("t0ken"), scopes(&["read"]));
    assert!(block_on(exchange(&settings, &ada, &read, &provider(), &answers, NOW)).is_ok());
    let (_, _, authorization, body) = &answers.asked()[0];
    assert!(authorization.is_empty() && body.ends_with("&client_id=pub%20lic"), "{body}");
}

#[test]
fn an_outage_is_no_refusal() {
    let answers = Answers::new(&[]);
    assert!(matches!(block_on(run(&answers, &[])), Err(NoToken::Unavailable(_))));
    let answers = Answers::new(&[(502, json!({}))]);
    assert!(matches!(block_on(run(&answers, &[])), Err(NoToken::Unavailable(_))));
}

#[test]
fn what_was_asked_for_is_the_limit() {
    let answers = Answers::new(&[(200, issued())]);
    assert!(matches!(block_on(run(&answers, &["write"])), Err(NoToken::Misconfigured(_))));
}

#[test]
fn a_provider_that_takes_the_secret_in_the_form_alone_gets_it_there() {
    let answers = Answers::new(&[(200, issued())]);
    let document = json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]}).to_string();
    let mut provider = provider();
    provider.document = Some(document.into());
    assert!(block_on(exchange(&settings(), &caller("t0ken"), &scopes(&["read"]), &provider, &answers, NOW)).is_ok());
    let (_, _, authorization, body) = &answers.asked()[0];
    assert!(authorization.is_empty() && body.ends_with("&client_id=vault&client_secret=s3cret"), "{body}");
}
