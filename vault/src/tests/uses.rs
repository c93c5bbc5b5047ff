//! Uses of a key: one refresh at a time, how long what is kept counts, who is refused.

use futures_util::future::join_all;

use super::{EXPIRES, name_of};
use crate::{
    key::message::{Answer, Request, State},
    testing::{
        clock::NOW,
        world::{Namespace, World},
    },
};

fn token(answer: Answer) -> (String, u64) {
    match answer {
        Answer::Token { access_token, until, .. } => (access_token, until),
        other => panic!("{}", name_of(&other)),
    }
}

#[test]
fn a_hundred_uses_at_once_are_one_refresh() {
    let world = World::new();
    let key = world.make("g");
    let answers = world.clock.run(join_all((0..100).map(|_| world.use_key(&key))));
    let tokens: Vec<_> = answers.into_iter().map(token).collect();
    assert!(tokens.iter().all(|(token, _)| *token == tokens[0].0), "all have the same access token");
    assert_eq!((world.provider.refreshes.get(), world.provider.most_in_flight.get()), (1, 1));
    assert!(!world.provider.has_ended("g"));
}

#[test]
fn uses_over_hours_never_send_a_refresh_token_twice() {
    let world = World::new();
    let key = world.make("g");
    for _ in 0..50 {
        let answers = world.clock.run(join_all((0..10).map(|_| world.use_key(&key))));
        assert!(answers.iter().all(|answer| name_of(answer) == "token"));
        world.clock.pass(61);
    }
    assert_eq!((world.provider.refreshes.get(), world.provider.most_in_flight.get()), (50, 1));
}

#[test]
fn the_scopes_of_the_key_are_asked_for() {
    let world = World::new();
    let key = world.make("g");
    assert_eq!(world.using(&key), "token");
    assert_eq!(*world.provider.scopes.borrow(), "whoami:read notes:write");
}

#[test]
fn an_access_token_is_kept_for_a_minute_and_handed_out_for_another() {
    let world = World::new();
    let key = world.make("g");
    let (first, until) = token(world.clock.run(world.use_key(&key)));
    assert_eq!(until, NOW + 60);
    world.clock.pass(59);
    let (second, until) = token(world.clock.run(world.use_key(&key)));
    assert_eq!((second == first, until), (true, NOW + 59 + 60));
    world.clock.pass(1);
    assert_ne!(token(world.clock.run(world.use_key(&key))).0, first);
    // What the endpoint has of the first one ends 119 seconds after the provider gave it.
    assert!(until < NOW + 120);
}

#[test]
fn an_access_token_is_kept_no_longer_than_it_is_good() {
    let world = World::new();
    world.provider.lifetime.set(20);
    let key = world.make("g");
    let (first, until) = token(world.clock.run(world.use_key(&key)));
    assert_eq!(until, NOW + 20);
    world.clock.pass(19);
    assert_eq!(token(world.clock.run(world.use_key(&key))), (first.clone(), NOW + 20));
    world.clock.pass(1);
    assert_ne!(token(world.clock.run(world.use_key(&key))).0, first);
}

#[test]
fn an_access_token_without_an_expiry_is_not_kept_and_the_key_lives_on() {
    let world = World::new();
    world.provider.is_opaque.set(true);
    let key = world.make("g");
    assert_eq!(world.cause(&key), "the provider's access token is no JWT with an expiry");
    assert_eq!(world.using(&key), "unavailable");
    assert_eq!(world.provider.refreshes.get(), 1, "and the provider is spared");
    world.provider.is_opaque.set(false);
    world.clock.pass(6);
    assert_eq!(world.using(&key), "token");
}

#[test]
fn a_key_expires_also_during_its_refresh() {
    let world = World::new();
    let key = world.planned("g");
    world.clock.run(world.create(&key, NOW + 10));
    assert_eq!(token(world.clock.run(world.use_key(&key))).1, NOW + 10, "nothing is good for longer than the key");
    world.clock.pass(10);
    assert_eq!(world.using(&key), "expired");
    // The provider takes longer than the key has left.
    let other = world.planned("h");
    let expires_at = world.clock.now() + 2;
    world.clock.run(world.create(&other, expires_at));
    world.provider.way_back.set(3_000);
    assert_eq!(world.using(&other), "expired");
    assert_eq!(world.description(&other).state, State::Active, "expiry is no state");
}

#[test]
fn an_unknown_id_and_a_wrong_secret_are_one_answer_and_leave_nothing() {
    let world = World::new();
    let (key, unknown) = (world.make("g"), world.planned("h"));
    let wrong = super::TestKey { secret: unknown.secret.clone(), ..key.clone() };
    assert_eq!((world.using(&unknown), world.using(&wrong)), ("unknown", "unknown"));
    assert_eq!(world.provider.refreshes.get(), 0);
    assert!(world.storage(Namespace::Keys, &unknown.id).tables().is_empty());
}

#[test]
fn a_key_is_made_once() {
    let world = World::new();
    let key = world.make("g");
    let other = super::TestKey { secret: world.planned("g").secret, ..key.clone() };
    assert_eq!(name_of(&world.clock.run(world.create(&key, EXPIRES))), "done", "its answer was lost");
    assert_eq!(name_of(&world.clock.run(world.create(&other, EXPIRES))), "exists");
    assert_eq!((world.using(&key), world.using(&other)), ("token", "unknown"));
    world.revoke(&key);
    assert_eq!(name_of(&world.clock.run(world.create(&key, EXPIRES))), "exists");
}

#[test]
fn storage_has_neither_secrets_nor_tokens() {
    let world = World::new();
    let key = world.make("g");
    let (access_token, _) = token(world.clock.run(world.use_key(&key)));
    let dump = world.storage(Namespace::Keys, &key.id).dump();
    for secret in [key.secret.as_str(), "refresh token", &access_token] {
        assert!(!dump.contains(secret), "{secret}");
    }
    assert!(dump.contains("alice"));
}

#[test]
fn rows_of_another_key_open_nothing() {
    let world = World::new();
    let (one, other) = (world.make("g"), world.make("h"));
    let copy = world.storage(Namespace::Keys, &one.id).backup();
    world.restore(&other, copy);
    assert_eq!((world.using(&one), world.using(&other)), ("token", "unknown"));
}

#[test]
fn a_clock_that_goes_back_makes_nothing_last_longer() {
    let world = World::new();
    let key = world.make("g");
    let (first, _) = token(world.clock.run(world.use_key(&key)));
    world.clock.skew(-3_600);
    let (second, until) = token(world.clock.run(world.use_key(&key)));
    assert_ne!(first, second, "kept for an hour, it would be");
    assert_eq!(until, world.clock.now() + 60);
    assert!(!world.provider.has_ended("g"));
}

#[test]
fn a_clock_that_goes_back_during_a_refresh_causes_no_second_one_at_once() {
    let world = World::new();
    let key = world.make("g");
    world.provider.way_back.set(5_000);
    let answers = world.clock.run(async {
        let first = world.use_key(&key);
        let second = async {
            mcp_edge_runtime::ports::Runtime::sleep(&world, std::time::Duration::from_secs(1)).await;
            world.clock.skew(-3_600);
            world.use_key(&key).await
        };
        futures_util::future::join(first, second).await
    });
    assert_eq!((name_of(&answers.0), name_of(&answers.1)), ("token", "token"));
    assert_eq!(world.provider.most_in_flight.get(), 1);
    assert!(!world.provider.has_ended("g"));
}

#[test]
fn keys_that_were_made_before_a_moment_are_revoked() {
    let world = World::new();
    let old = world.make("g");
    world.clock.pass(100);
    let new = world.make("h");
    world.rules.borrow_mut().not_before = Some(NOW + 100);
    assert_eq!((world.using(&old), world.using(&old), world.using(&new)), ("report", "revoked", "token"));
    let described = world.description(&old);
    assert_eq!((described.state, described.since, described.grant_is_pending), (State::Revoked, NOW + 100, true));
    assert_eq!(name_of(&world.clock.run(world.ask(&old, Request::EndGrant)).unwrap()), "done");
    assert!(world.provider.has_ended("g"));
}

#[test]
fn a_refresh_token_is_not_sent_to_another_issuer() {
    let world = World::new();
    let key = world.make("g");
    world.rules.borrow_mut().issuers = vec!["https://other.example".to_owned()];
    assert_eq!(world.cause(&key), "the key is of another issuer");
    assert_eq!(world.provider.refreshes.get(), 0);
}

#[test]
fn the_day_of_the_last_use_is_noted() {
    let world = World::new();
    let key = world.make("g");
    assert_eq!(world.description(&key).last_used_day, None);
    world.using(&key);
    let noted = world.description(&key);
    assert_eq!((noted.last_used_day, noted.refreshed_at), (Some(NOW / 86_400), NOW));
    assert_eq!(noted.tools.as_deref(), Some(&["whoami".to_owned()][..]));
}
