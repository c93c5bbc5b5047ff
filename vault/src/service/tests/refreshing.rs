//! Refresh tokens: what is asked for, and what is taken.

use mcp_edge_runtime::secret::Secret;
use serde_json::{Value, json};

use super::{
    round_trips::text,
    world::{World, connection, words},
};
use crate::service::{Narrowing, ServiceError};

#[test]
fn a_refresh_keeps_to_what_was_granted() {
    let world = World::new();
    world.issue(200, json!({"access_token": "t0ken2", "token_type": "bearer", "id_token": "x"}));
    let with_resource = connection(|_, service| service.resource = Some("https://api.service.example".to_owned()));
    let clients = world.clients(&with_resource);
    let tokens = world.refresh(&clients, "us", "read").expect("tokens");
    assert_eq!((tokens.scopes.as_str(), tokens.refresh_token, tokens.id_token), ("read", None, None));
    let body = "grant_type=refresh_token&refresh_token=r3fresh&resource=https%3A%2F%2Fapi.service.example";
    assert_eq!(world.sent_tokens()[0].body, body);
    world.issue(200, json!({"access_token": "t0ken2", "token_type": "bearer", "scope": "read write"}));
    assert!(matches!(world.refresh(&clients, "us", "read"), Err(ServiceError::WiderScopes(_))));
    let error = world.refresh(&clients, "another client", "read").expect_err("of another client");
    assert!(matches!(error, ServiceError::Superseded(_)) && text(&error).contains("connected anew"), "{error}");
}

#[test]
fn a_refresh_asks_for_less_once_the_operator_has_taken_a_scope_away() {
    let refreshed = |scope: Value, status: u16, wanted: &str| {
        let world = World::new();
        let error = if status == 200 { Value::Null } else { "invalid_scope".into() };
        world.issue(status, json!({"access_token": "t0ken2", "token_type": "bearer", "scope": scope, "error": error}));
        let scopes = Narrowing { granted: "read write", wanted };
        let outcome = world.refresh_narrowed(&world.clients(&connection(|_, _| ())), "us", scopes);
        (outcome.map(|tokens| tokens.scopes), world.sent_tokens())
    };
    for scope in [Value::Null, json!("read")] {
        let (outcome, sent) = refreshed(scope, 200, "read");
        assert_eq!(outcome, Ok("read".to_owned()));
        assert_eq!(sent[0].body, "grant_type=refresh_token&refresh_token=r3fresh&scope=read");
    }
    let (outcome, sent) = refreshed(json!("write read"), 200, "write read");
    assert!(outcome.is_ok() && !sent[0].body.contains("scope="), "as much as was granted");
    // A service that gives nothing narrower: the account has to be connected anew, and that is no outage.
    for (scope, status) in [(json!("read write"), 200), (Value::Null, 400)] {
        let (outcome, _) = refreshed(scope, status, "read");
        assert!(matches!(outcome, Err(ServiceError::Superseded(_))), "{outcome:?}");
    }
    let (outcome, sent) = refreshed(json!("read write"), 200, "");
    assert!(matches!(outcome, Err(ServiceError::Superseded(_))) && sent.is_empty(), "nothing is left to ask for");
    assert!(matches!(refreshed(json!("admin"), 200, "read write").0, Err(ServiceError::WiderScopes(_))));
}

#[test]
fn the_refresh_token_beside_an_access_token_that_is_refused_is_handed_on() {
    for (scope, wanted) in
        [(json!("read write admin"), "read write"), (json!("read write"), "read"), (json!(1), "read")]
    {
        let world = World::new();
        let answer =
            json!({"access_token": "t0ken2", "token_type": "bearer", "scope": scope, "refresh_token": "r0tated"});
        world.issue(200, answer);
        let scopes = Narrowing { granted: "read write", wanted };
        world.refresh_narrowed(&world.clients(&connection(|_, _| ())), "us", scopes).expect_err("refused");
        assert_eq!(world.kept.take().as_ref().map(Secret::expose), Some("r0tated"), "{scope}");
    }
}

#[test]
fn without_scopes_in_the_settings_the_service_says_what_it_grants() {
    let world = World::new();
    let clients = world.clients(&connection(|connection, _| connection.scopes.clear()));
    world.issue(200, json!({"access_token": "t0ken", "token_type": "bearer", "scope": "repo,user"}));
    assert_eq!(world.redeem(&clients, "us", "").map(|tokens| tokens.scopes), Ok("repo user".to_owned()));
    assert_eq!(world.refresh(&clients, "us", "").map(|tokens| tokens.scopes), Ok("repo user".to_owned()));
    assert!(matches!(world.refresh(&clients, "us", "repo"), Err(ServiceError::WiderScopes(_))));
    // The operator has listed scopes since the user was sent there.
    let clients = world.clients(&connection(|connection, _| connection.scopes = words("repo")));
    assert!(matches!(world.redeem(&clients, "us", ""), Err(ServiceError::WiderScopes(_))));
}
