//! What endpoints ask, and what they are answered.

use std::rc::Rc;

use mcp_edge_access_keys::{
    format,
    vault_call::{Answer, Refusal, Request},
};
use mcp_edge_runtime::{
    secret::Secret,
    service_call::{CallError, Props, Service},
};

use super::{EXPIRES, TestKey};
use crate::{
    connection::{
        caller::Caller,
        settings::Connection,
        source::{IssuedToken, NoToken, TokenSource},
    },
    credentials::{Credentials, InternalSettings},
    internal::Internal,
    testing::world::{ISSUER, World},
};

/// No connection is asked for here.
struct NoSource;

impl TokenSource for NoSource {
    async fn token(&self, _: &Connection, _: &Caller, _: &[String], _: u64) -> Result<IssuedToken, NoToken> {
        Err(NoToken::Misconfigured("there is none".to_owned()))
    }

    fn refused(&self, _: &Connection, _: &Caller, _: &[String], _: &str) {}
}

fn internal(world: &World) -> Internal<World, NoSource> {
    let settings = InternalSettings {
        key_prefix: "mcpk".to_owned(),
        personal_token_scopes: Some("whoami:read".to_owned()),
        logs_subjects: true,
    };
    let credentials = Credentials::new(Rc::new(world.clone()), world.secrets.clone(), settings);
    let clock = world.clone();
    Internal::new(Rc::new(credentials), Rc::new(move || clock.clock.now()))
}

fn ask(world: &World, request: &Request) -> Answer {
    let internal = internal(world);
    let endpoint = internal.authorize(&Props::from_json(r#"{"role":"endpoint"}"#)).unwrap();
    Answer::from_json(&world.clock.run(internal.answer(endpoint, request.to_json())).unwrap()).unwrap()
}

fn use_key(world: &World, key: &Secret) -> Answer {
    ask(world, &Request::UseKey { key: key.clone() })
}

fn refusal(answer: Answer) -> Refusal {
    match answer {
        Answer::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_endpoints_may_ask() {
    let internal = internal(&World::new());
    for props in ["{}", "", r#"{"role":"admin"}"#, r#"{"role":["endpoint"]}"#, r#"{"Role":"endpoint"}"#] {
        assert!(internal.authorize(&Props::from_json(props)).is_none(), "{props}");
    }
}

#[test]
fn a_key_is_answered_with_the_access_token_and_what_it_allows() {
    let world = World::new();
    let key = world.make("g");
    let Answer::Key(token) = use_key(&world, &key.text()) else { panic!("it is good") };
    assert_eq!((token.id, token.issuer.as_str(), token.subject.as_str()), (key.id, ISSUER, "alice"));
    assert_eq!((token.scopes.as_str(), token.tools), ("whoami:read notes:write", Some(vec!["whoami".to_owned()])));
    assert_eq!(token.until, world.clock.now() + 60);
}

#[test]
fn typing_errors_and_ids_of_strangers_reach_no_object() {
    let world = World::new();
    let key = world.planned("g");
    let text = key.text().expose().to_owned();
    for mistyped in ["", "mcpk_", &text[1..], &text[..text.len() - 1], &format!("{text}0"), &text.to_uppercase()] {
        assert_eq!(refusal(use_key(&world, &Secret::new(mistyped))), Refusal::Malformed, "{mistyped}");
    }
    let stranger = TestKey { id: "0123456789abcdef".to_owned(), ..key };
    assert_eq!(refusal(use_key(&world, &stranger.text())), Refusal::Unknown);
    assert_eq!((world.addressed(), world.calls.get()), (0, 0));
}

#[test]
fn every_reason_has_an_answer_of_its_own() {
    let world = World::new();
    let (unknown, revoked, ended, expired) = (world.planned("a"), world.make("b"), world.make("c"), world.planned("d"));
    world.clock.run(world.create(&expired, world.clock.now() + 1));
    world.clock.pass(1);
    world.revoke(&revoked);
    world.provider.end("c");
    for (key, reason) in [
        (&unknown, Refusal::Unknown),
        (&revoked, Refusal::Revoked),
        (&ended, Refusal::Ended),
        (&ended, Refusal::Ended),
        (&expired, Refusal::Expired),
    ] {
        assert_eq!(refusal(use_key(&world, &key.text())), reason);
    }
}

#[test]
fn the_end_of_a_key_and_the_use_of_a_revoked_one_are_in_the_audit_log() {
    let world = World::new();
    let (revoked, ended) = (world.make_listed("a", None, EXPIRES), world.make_listed("b", None, EXPIRES));
    world.revoke(&revoked);
    world.provider.end("b");
    for _ in 0..5 {
        use_key(&world, &revoked.text());
        use_key(&world, &ended.text());
    }
    world.clock.settle();
    let line = |event: &str, key: &TestKey, by: &str| {
        format!(r#"{{"audit":"{event}","key":"{}","sub":"alice","by":"{by}"}}"#, key.id)
    };
    let lines = world.audit.take();
    assert_eq!(lines, [line("revoked_key_used", &revoked, "holder"), line("key_ended", &ended, "provider")]);
    assert!(lines.iter().all(|line| !line.contains(&revoked.secret) && !line.contains(&ended.secret)));
    // The list has learned of both, and no key that works may share their grants.
    assert!(!world.description(&revoked).grant_is_pending && !world.description(&ended).grant_is_pending);
    world.clock.pass(60);
    use_key(&world, &revoked.text());
    assert_eq!(world.audit.borrow().len(), 1, "once a minute");
}

#[test]
fn an_object_that_does_not_answer_is_an_outage() {
    let world = World::new();
    let key = world.make("g");
    for error in [CallError::Failed(500), CallError::Overloaded, CallError::Network("lost".to_owned())] {
        *world.calls_fail_with.borrow_mut() = Some(error.clone());
        let Answer::Unavailable { cause, .. } = use_key(&world, &key.text()) else { panic!("{error}") };
        assert!(cause.starts_with("the object of the key: "), "{cause}");
    }
    *world.calls_fail_with.borrow_mut() = None;
    world.loses.set(1);
    assert!(matches!(use_key(&world, &key.text()), Answer::Key(_)), "one answer that is lost is asked for again");
}

#[test]
fn a_personal_access_token_is_exchanged() {
    let world = World::new();
    let request = Request::ExchangePersonalToken { token: Secret::new("pat_1") };
    assert!(matches!(ask(&world, &request), Answer::PersonalToken { scopes, .. } if scopes == "whoami:read"));
    world.provider.knows_personal_token.set(false);
    let other = Request::ExchangePersonalToken { token: Secret::new("pat_2") };
    assert_eq!(refusal(ask(&world, &other)), Refusal::PersonalToken);
    assert!(format::has_prefix("mcpk_1", "mcpk"));
}
