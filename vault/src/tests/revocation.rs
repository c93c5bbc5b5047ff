//! Revocation: at once, for good, also during a refresh and after a backup was restored.

use std::time::Duration;

use futures_util::future::join;
use mcp_edge_runtime::ports::Runtime;

use super::name_of;
use crate::{
    key::message::{Answer, Request, State},
    testing::world::{Namespace, World},
};

fn end_grant(world: &World, key: &super::TestKey) -> Answer {
    world.clock.run(world.ask(key, Request::EndGrant)).unwrap()
}

/// Revokes a key after so many milliseconds of its use, and ends its grant after so many more.
fn revoke_during_use(world: &World, key: &super::TestKey, after: u64, end_after: Option<u64>) -> &'static str {
    let (answer, ()) = world.clock.run(join(world.use_key(key), async {
        world.sleep(Duration::from_millis(after)).await;
        let revoke = Request::Revoke { by: "user".to_owned(), secret: None };
        assert_eq!(name_of(&world.ask(key, revoke).await.unwrap()), "done");
        if let Some(end_after) = end_after {
            world.sleep(Duration::from_millis(end_after)).await;
            world.ask(key, Request::EndGrant).await.unwrap();
        }
    }));
    name_of(&answer)
}

#[test]
fn a_revoked_key_is_refused_at_once_and_its_use_reported_once_a_minute() {
    let world = World::new();
    let key = world.make("g");
    assert_eq!(world.using(&key), "token");
    assert_eq!((world.revoke(&key), world.revoke(&key)), ("done", "done"));
    assert_eq!((world.using(&key), world.using(&key)), ("report", "revoked"));
    world.clock.pass(60);
    assert_eq!((world.using(&key), world.using(&key)), ("report", "revoked"));
    let described = world.description(&key);
    assert_eq!((described.state, described.grant_is_pending), (State::Revoked, true));
    let dump = world.storage(Namespace::Keys, &key.id).dump();
    assert!(dump.contains("\"user\""), "who did it stays: {dump}");
}

#[test]
fn the_holder_of_a_key_may_revoke_it_and_nobody_else() {
    let world = World::new();
    let key = world.make("g");
    let revoke = |secret: &str| {
        let request = Request::Revoke { by: "holder".to_owned(), secret: Some(secret.to_owned()) };
        name_of(&world.clock.run(world.ask(&key, request)).unwrap())
    };
    assert_eq!(revoke(&world.planned("x").secret), "unknown");
    assert_eq!(world.using(&key), "token");
    assert_eq!((revoke(&key.secret), world.using(&key)), ("done", "report"));
}

#[test]
fn the_grant_of_a_revoked_key_is_revoked_once_and_that_of_a_working_one_never() {
    let world = World::new();
    let key = world.make("g");
    assert_eq!(name_of(&end_grant(&world, &key)), "key");
    world.using(&key);
    world.revoke(&key);
    assert_eq!((name_of(&end_grant(&world, &key)), name_of(&end_grant(&world, &key))), ("done", "done"));
    assert_eq!((world.provider.revocations.get(), world.provider.has_ended("g")), (1, true));
    assert!(!world.description(&key).grant_is_pending);
    let unknown = world.planned("x");
    assert_eq!(name_of(&end_grant(&world, &unknown)), "unknown");
}

#[test]
fn the_grant_of_a_key_that_has_expired_can_be_revoked() {
    let world = World::new();
    let key = world.planned("g");
    world.clock.run(world.create(&key, world.clock.now() + 10));
    world.clock.pass(10);
    assert_eq!(name_of(&end_grant(&world, &key)), "done");
    assert!(world.provider.has_ended("g"));
}

#[test]
fn while_the_provider_is_down_the_grant_waits() {
    let world = World::new();
    let key = world.make("g");
    world.revoke(&key);
    *world.provider.fails_with.borrow_mut() = Some("down".to_owned());
    assert_eq!(name_of(&end_grant(&world, &key)), "unavailable");
    assert!(world.description(&key).grant_is_pending);
    *world.provider.fails_with.borrow_mut() = None;
    assert_eq!(name_of(&end_grant(&world, &key)), "done");
}

#[test]
fn a_key_that_is_revoked_during_its_refresh_answers_nobody() {
    for (way_there, way_back, revoked_after) in [(500, 50, 100), (50, 500, 200)] {
        let world = World::new();
        let key = world.make("g");
        world.provider.way_there.set(way_there);
        world.provider.way_back.set(way_back);
        assert_eq!(revoke_during_use(&world, &key, revoked_after, None), "report");
        // The grant that the refresh has obtained is now the one to revoke.
        assert!(!world.provider.has_ended("g"));
        assert_eq!(name_of(&end_grant(&world, &key)), "done");
        assert!(world.provider.has_ended("g"));
        assert!(!world.description(&key).grant_is_pending);
    }
}

#[test]
fn what_a_refresh_obtains_after_the_grant_was_ended_is_given_back() {
    let world = World::new();
    let key = world.make("g");
    world.provider.way_back.set(2_000);
    assert_eq!(revoke_during_use(&world, &key, 200, Some(10)), "report");
    // Once for the refresh token of the row, and once more for the one that came with the answer.
    assert_eq!(world.provider.revocations.get(), 2);
    assert!(world.provider.has_ended("g") && !world.description(&key).grant_is_pending);
}

#[test]
fn a_restored_backup_does_not_revive_a_revoked_key() {
    let world = World::new();
    world.provider.rotates.set(false);
    let key = world.make("g");
    assert_eq!(world.using(&key), "token");
    let backup = world.storage(Namespace::Keys, &key.id).backup();
    world.clock.pass(60);
    assert_eq!(world.revoke(&key), "done");
    world.restore(&key, backup);
    assert_eq!((world.using(&key), world.using(&key)), ("report", "revoked"), "the provider would still refresh");
    assert_eq!(world.provider.refreshes.get(), 1);
    // The marker outlasts the key.
    world.clock.pass(89 * 86_400);
    assert!(world.store.get(&format!("revoked:{}", key.id), &world.clock).unwrap().is_some());
}

#[test]
fn a_restored_backup_of_a_working_key_ends_it_where_refresh_tokens_rotate() {
    let world = World::new();
    let key = world.make("g");
    let backup = world.storage(Namespace::Keys, &key.id).backup();
    assert_eq!(world.using(&key), "token");
    world.restore(&key, backup);
    assert_eq!(world.using(&key), "report the end", "its refresh token was used already");
}

#[test]
fn where_the_store_lags_a_restored_backup_is_refused_after_a_minute() {
    let world = World::new();
    world.provider.rotates.set(false);
    let key = world.make("g");
    let backup = world.storage(Namespace::Keys, &key.id).backup();
    world.store.lag.set(60);
    world.revoke(&key);
    world.restore(&key, backup);
    assert_eq!(world.using(&key), "token", "the bound of the store");
    world.clock.pass(60);
    assert_eq!(world.using(&key), "report");
}

#[test]
fn a_marker_that_the_store_did_not_take_is_written_later() {
    let world = World::new();
    let key = world.make("g");
    world.store.fails_to_write.set(true);
    assert_eq!(world.revoke(&key), "done", "the object refuses it at once");
    assert_eq!(world.using(&key), "report");
    assert_eq!(name_of(&end_grant(&world, &key)), "unavailable", "it is not over before the marker is there");
    world.store.fails_to_write.set(false);
    assert_eq!(name_of(&end_grant(&world, &key)), "done");
    assert_eq!(world.store.entries.borrow().len(), 1);
}

#[test]
fn a_key_that_the_provider_has_ended_can_still_be_revoked() {
    let world = World::new();
    let key = world.make("g");
    world.provider.end("g");
    assert_eq!(world.using(&key), "report the end");
    assert_eq!((world.revoke(&key), world.description(&key).state), ("done", State::Revoked));
    assert_eq!(world.store.entries.borrow().len(), 1);
}
