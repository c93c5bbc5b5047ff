//! The kinds of Logto. The answers are those of a real one.

use mcp_edge_runtime::base64::URL_SAFE_NO_PAD;

use super::*;
use crate::connection::{
    logto::{broker, secret_vault, subject::MachineToken},
    source::{IssuedToken, NoToken},
};

const RESOURCE: &str = "https://api.example/";

fn management() -> Management {
    Management {
        api: "https://tenant.example/api".to_owned(),
        resource: "https://default.logto.app/api".to_owned(),
        client: client("machine"),
    }
}

fn jwt(sub: &str, aud: &Value) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(json!({"sub": sub, "aud": aud, "exp": NOW + 3600}).to_string()))
}

fn machine_token() -> (u16, Value) {
    (200, json!({"access_token": "machine-t0ken", "expires_in": 3600, "scope": "all", "token_type": "Bearer"}))
}

fn minted() -> (u16, Value) {
    (201, json!({"subjectToken": "sub_0ne", "expiresIn": 600}))
}

fn issued(token: &str, scope: &str) -> (u16, Value) {
    (200, json!({"access_token": token, "expires_in": 3600, "scope": scope, "token_type": "Bearer"}))
}

fn broker_with(answers: &Answers, machine: &MachineToken) -> Result<IssuedToken, NoToken> {
    let settings = LogtoBroker { resource: RESOURCE.to_owned(), client: client("exchanger"), management: management() };
    let (ada, read) = (caller("t0ken"), scopes(&["read"]));
    block_on(broker::token(&settings, &ada, &read, (&provider(), machine), answers, NOW))
}

#[test]
fn a_subject_token_is_minted_for_the_verified_user_and_exchanged_for_the_narrow_scope() {
    let token = jwt("ada", &json!(RESOURCE));
    let answers = Answers::new(&[machine_token(), minted(), issued(&token, "read"), minted(), issued(&token, "read")]);
    let machine = MachineToken::default();
    assert_eq!(broker_with(&answers, &machine).unwrap().token.expose(), token);
    let asked = answers.asked();
    assert_eq!(asked[1].1, "https://tenant.example/api/subject-tokens");
    assert_eq!((asked[1].2.as_str(), asked[1].3.as_str()), ("Bearer machine-t0ken", r#"{"userId":"ada"}"#));
    let exchange = parameters(&asked[2].3);
    for expected in [("subject_token", "sub_0ne"), ("resource", RESOURCE), ("scope", "read")] {
        assert!(exchange.contains(&(expected.0.to_owned(), expected.1.to_owned())), "{exchange:?}");
    }
    // The caller's token is sent nowhere, and the machine token is used again.
    assert!(asked.iter().all(|asked| !format!("{asked:?}").contains("\"t0ken")));
    assert!(broker_with(&answers, &machine).is_ok());
    assert_eq!(answers.asked().len(), 5);
}

#[test]
fn a_token_of_another_user_or_resource_is_not_handed_out() {
    for (sub, aud) in [
        ("bob", json!(RESOURCE)),
        ("ada", json!("https://default.logto.app/api")),
        ("ada", json!([RESOURCE, "https://default.logto.app/api"])),
        ("ada", json!([])),
    ] {
        let answers = Answers::new(&[machine_token(), minted(), issued(&jwt(sub, &aud), "read")]);
        let outcome = broker_with(&answers, &MachineToken::default());
        assert!(matches!(outcome, Err(NoToken::Misconfigured(_))), "{sub} {aud}: {outcome:?}");
    }
    let answers = Answers::new(&[machine_token(), minted(), issued("opaque", "read")]);
    assert!(matches!(broker_with(&answers, &MachineToken::default()), Err(NoToken::Misconfigured(_))));
    let answers = Answers::new(&[machine_token(), minted(), issued(&jwt("ada", &json!(RESOURCE)), "read all")]);
    assert!(matches!(broker_with(&answers, &MachineToken::default()), Err(NoToken::Misconfigured(_))));
}

#[test]
fn refusals_of_the_management_api_are_not_all_the_same() {
    let gone = (404, json!({"code": "entity.relation_foreign_key_not_found", "message": "x"}));
    let answers = Answers::new(&[machine_token(), gone]);
    assert!(matches!(broker_with(&answers, &MachineToken::default()), Err(NoToken::Refused(_))));
    // A machine token whose key was rotated away is replaced once.
    let token = jwt("ada", &json!(RESOURCE));
    let answers = Answers::new(&[machine_token(), (401, json!({})), machine_token(), minted(), issued(&token, "read")]);
    assert!(broker_with(&answers, &MachineToken::default()).is_ok());
    let answers = Answers::new(&[machine_token(), (401, json!({})), machine_token(), (401, json!({}))]);
    assert!(matches!(broker_with(&answers, &MachineToken::default()), Err(NoToken::Misconfigured(_))));
    let no_role = (200, json!({"access_token": "m", "expires_in": 3600, "scope": "", "token_type": "Bearer"}));
    let answers = Answers::new(&[no_role]);
    assert!(matches!(broker_with(&answers, &MachineToken::default()), Err(NoToken::Misconfigured(_))));
    let answers = Answers::new(&[machine_token(), (503, json!({}))]);
    assert!(matches!(broker_with(&answers, &MachineToken::default()), Err(NoToken::Unavailable(_))));
}

fn vault_with(answers: &Answers, names: &[&str]) -> Result<(String, String), NoToken> {
    let settings = LogtoVault {
        target: "github".to_owned(),
        link_url: Some("https://tenant.example/account".to_owned()),
        client: client("exchanger"),
        management: management(),
    };
    let machine = MachineToken::default();
    let (ada, read) = (caller("t0ken"), scopes(names));
    let issued = block_on(secret_vault::token(&settings, &ada, &read, (&provider(), &machine), answers, NOW))?;
    Ok((issued.token.expose().to_owned(), issued.scopes))
}

#[test]
fn the_token_of_an_identity_is_read_with_a_token_of_the_user() {
    let kept =
        (200, json!({"access_token": "gho_1", "scope": "repo,read:user", "token_type": "bearer", "expires_in": 60}));
    let answers = Answers::new(&[machine_token(), minted(), issued("0paque", "openid identities"), kept]);
    assert_eq!(vault_with(&answers, &["repo"]), Ok(("gho_1".to_owned(), "repo read:user".to_owned())));
    let (method, url, authorization, _) = &answers.asked()[3];
    assert_eq!(method, "GET");
    assert_eq!(url, "https://tenant.example/api/my-account/identities/github/access-token");
    assert_eq!(authorization, "Bearer 0paque");
    assert!(!answers.asked()[2].3.contains("resource"));
}

#[test]
fn what_is_not_linked_is_to_be_linked_and_nothing_else() {
    let link = || NoToken::NotLinked(Some("https://tenant.example/account".to_owned()));
    let outcome = |status, body: Value| {
        let answers = Answers::new(&[machine_token(), minted(), issued("0paque", "openid identities"), (status, body)]);
        vault_with(&answers, &["repo"])
    };
    let kept = |scope: &str| json!({"access_token": "gho_1", "scope": scope});
    assert_eq!(outcome(404, json!({"code": "secrets.third_party_token_set.token_not_found"})), Err(link()));
    assert_eq!(outcome(401, json!({"code": "secrets.third_party_token_set.access_token_expired"})), Err(link()));
    assert_eq!(outcome(400, json!({"code": "connector.general"})), Err(link()));
    assert_eq!(outcome(200, kept("read:user")), Err(link()));
    assert!(matches!(outcome(401, json!({"code": "auth.unauthorized"})), Err(NoToken::Refused(_))));
    assert!(matches!(outcome(403, json!({"code": "auth.forbidden"})), Err(NoToken::Misconfigured(_))));
    assert!(matches!(outcome(400, json!({"code": "account_center.not_enabled"})), Err(NoToken::Misconfigured(_))));
    assert!(matches!(outcome(500, json!({})), Err(NoToken::Unavailable(_))));
    assert!(matches!(outcome(200, json!({"access_token": ""})), Err(NoToken::Misconfigured(_))));
    assert!(matches!(outcome(200, json!({"access_token": "a", "token_type": "mac"})), Err(NoToken::Misconfigured(_))));
}
