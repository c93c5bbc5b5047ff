//! The names of accounts.

use mcp_edge_runtime::{ports::FetchError, secret::Secret};
use serde_json::{Value, json};

use super::world::{ISSUER, World, connection, jwt, response, words};
use crate::{
    connection::settings::{AccountSource, Connection},
    service::{Provenance, ServiceError, ServiceTokens},
};

const USERINFO: &str = "https://login.service.example/userinfo";
const USER: &str = "https://api.service.example/user";

fn tokens(claims: Option<Value>) -> ServiceTokens {
    ServiceTokens {
        access_token: Secret::new("t0ken"),
        until: None,
        refresh_token: None,
        id_token: claims.map(|claims| Secret::new(jwt(&claims))),
        scopes: "read openid".to_owned(),
        client_id: "us".to_owned(),
        from: Provenance { issuer: ISSUER.to_owned(), service: "https://api.service.example".to_owned() },
    }
}

fn by_document(url: &str) -> Connection {
    let source = AccountSource { url: url.to_owned(), member: "login".to_owned() };
    connection(|_, service| service.account = Some(source))
}

fn name(world: &World, connection: &Connection, tokens: &ServiceTokens) -> Result<Option<String>, ServiceError> {
    let account = world.account(&world.clients(connection), tokens)?;
    Ok(Some(account.name).filter(|name| !name.is_empty()))
}

fn id(world: &World, connection: &Connection, tokens: &ServiceTokens) -> Option<(String, String)> {
    world.account(&world.clients(connection), tokens).unwrap().id.map(|id| (id.member, id.value))
}

fn at(member: &str, value: &str) -> (String, String) {
    (member.to_owned(), value.to_owned())
}

#[test]
fn a_document_of_the_service_names_the_account() {
    let world = World::new();
    world.serve(USER, response(200, json!({"login": "octo\u{202e}cat", "id": 1})));
    assert_eq!(name(&world, &by_document(USER), &tokens(None)), Ok(Some("octocat".to_owned())));
    let sent = world.sent_to(USER);
    assert_eq!((sent.len(), sent[0].authorization.as_deref()), (1, Some("Bearer t0ken")));
    world.serve(USER, response(200, json!({"id": 1})));
    assert_eq!(name(&world, &by_document(USER), &tokens(None)), Ok(None));
    for answer in [
        response(401, ""),
        response(200, "<html>"),
        response(200, r#"{"login":"a","login":"b"}"#),
        Err(FetchError::Redirect(301)),
        Err(FetchError::TooLarge(65_536)),
    ] {
        world.serve(USER, answer);
        let error = name(&world, &by_document(USER), &tokens(None)).expect_err("no name");
        assert!(matches!(&error, ServiceError::Unavailable(why) if !why.contains("t0ken")), "{error}");
    }
}

#[test]
fn the_access_token_goes_to_hosts_of_the_connection_alone() {
    for url in ["https://evil.example/user", "http://api.service.example/user", "https://10.0.0.1/user"] {
        let world = World::new();
        let error = name(&world, &by_document(url), &tokens(None)).expect_err(url);
        assert!(matches!(error, ServiceError::ForeignEndpoint(_)) && world.sent.borrow().is_empty(), "{error}");
    }
    let world = World::new();
    world.publish(|it| it["userinfo_endpoint"] = "https://evil.example/userinfo".into());
    assert_eq!(name(&world, &connection(|_, _| ()), &tokens(None)), Ok(None));
    assert!(world.sent.borrow().iter().all(|sent| sent.authorization.is_none()));
}

#[test]
fn claims_name_the_account_and_userinfo_does_where_they_do_not() {
    let usual = connection(|connection, _| connection.scopes = words("read openid"));
    let world = World::new();
    let claims = json!({"sub": "1", "email": "a@x.example", "email_verified": true, "name": "Alice"});
    assert_eq!(name(&world, &usual, &tokens(Some(claims))), Ok(Some("a@x.example".to_owned())));
    assert!(world.sent.borrow().is_empty());
    world.serve(USERINFO, response(200, json!({"sub": "1", "preferred_username": "alice"})));
    assert_eq!(name(&world, &usual, &tokens(Some(json!({"sub": "1"})))), Ok(Some("alice (id 1)".to_owned())));
    assert_eq!(name(&world, &usual, &tokens(None)), Ok(Some("alice (id 1)".to_owned())));
    // Of another subject: of somebody else.
    for sub in [json!("2"), Value::Null] {
        world.serve(USERINFO, response(200, json!({"sub": sub, "preferred_username": "mallory"})));
        let error = name(&world, &usual, &tokens(Some(json!({"sub": "1"})))).expect_err("another subject");
        assert!(error.to_string().contains("another subject"), "{error}");
    }
    world.serve(USERINFO, response(503, ""));
    assert_eq!(name(&world, &usual, &tokens(Some(json!({"sub": "1"})))), Ok(Some("1".to_owned())));
    assert!(matches!(name(&world, &usual, &tokens(None)), Err(ServiceError::Unavailable(_))));
    // Without openid there is nothing to ask.
    let asked = world.sent_to(USERINFO).len();
    let plain = ServiceTokens { scopes: "read".to_owned(), ..tokens(None) };
    assert_eq!(name(&world, &usual, &plain), Ok(None));
    assert_eq!(world.sent_to(USERINFO).len(), asked);
}

#[test]
fn an_account_is_identified_by_its_subject_and_by_its_name_if_the_service_says_no_other() {
    let usual = connection(|connection, _| connection.scopes = words("read openid"));
    let world = World::new();
    world.serve(USER, response(200, json!({"login": "octo\u{202e}cat"})));
    assert_eq!(id(&world, &by_document(USER), &tokens(None)), Some(at("login", "octo\u{202e}cat")), "as it is written");
    assert_eq!(id(&world, &by_document(USER), &tokens(Some(json!({"sub": "1"})))), Some(at("sub", "1")));
    let named = json!({"sub": "1", "email": "a@x.example", "email_verified": true});
    assert_eq!(id(&world, &usual, &tokens(Some(named))), Some(at("sub", "1")));
    world.serve(USERINFO, response(200, json!({"sub": "1", "preferred_username": "alice"})));
    for claims in [Some(json!({"sub": "1"})), None] {
        assert_eq!(id(&world, &usual, &tokens(claims)), Some(at("sub", "1")));
    }
    world.serve(USERINFO, response(503, ""));
    assert_eq!(id(&world, &usual, &tokens(Some(json!({"sub": "1"})))), Some(at("sub", "1")));
    let plain = ServiceTokens { scopes: "read".to_owned(), ..tokens(None) };
    assert_eq!(id(&world, &usual, &plain), None);
}
