//! The list of a user's keys: room for new ones, grants that are shared, and repair.

use std::time::Duration;

use futures_util::future::join;
use mcp_edge_runtime::{ports::Runtime, service_call::CallError};

use super::{DAY, EXPIRES, reserve};
use crate::{
    account::message::{Answer, GrantOutcome, Request},
    secrets::account_name,
    testing::{
        clock::NOW,
        world::{ISSUER, Namespace, World},
    },
};

fn alice() -> String {
    account_name(ISSUER, "alice")
}

/// Lets alarms go off until there is none within a day.
fn wake_all(world: &World) {
    for _ in 0..100 {
        if !world.wake(&alice()) {
            world.clock.pass(600);
        }
    }
}

#[test]
fn two_requests_that_race_for_the_last_place_get_one() {
    let world = World::new();
    world.make_listed("a", None, EXPIRES);
    let (one, other) = (world.planned("b"), world.planned("c"));
    let answers = world
        .clock
        .run(join(world.account(reserve(&one, "b", EXPIRES, 2)), world.account(reserve(&other, "c", EXPIRES, 2))));
    assert_eq!(answers, (Answer::Done, Answer::Full));
}

#[test]
fn an_authorization_is_used_once_also_by_two_tabs_at_once() {
    let world = World::new();
    let (one, other) = (world.planned("a"), world.planned("b"));
    let answers = world.clock.run(join(
        world.account(reserve(&one, "same", EXPIRES, 20)),
        world.account(reserve(&other, "same", EXPIRES, 20)),
    ));
    assert_eq!(answers, (Answer::Done, Answer::Used));
    world.clock.run(world.account(Request::Release { id: one.id.clone() }));
    assert_eq!(world.clock.run(world.account(reserve(&one, "same", EXPIRES, 20))), Answer::Used, "released or not");
}

#[test]
fn keys_that_work_no_longer_take_no_place() {
    let world = World::new();
    let expired = world.make_listed("a", None, NOW + DAY);
    let revoked = world.make_listed("b", None, EXPIRES);
    let ended = world.make_listed("c", None, EXPIRES);
    world.clock.pass(DAY);
    world.revoke_listed(&revoked);
    // The list has not heard of this one.
    world.provider.end("c");
    assert_eq!(world.using(&ended), "report the end");
    let new = world.planned("d");
    assert_eq!(world.clock.run(world.account(reserve(&new, "d", EXPIRES, 1))), Answer::Done);
    assert_eq!(world.ids(), [new.id, ended.id, revoked.id, expired.id], "those that may work first");
}

#[test]
fn a_grant_that_keys_share_goes_with_the_last_of_them() {
    let world = World::new();
    let (one, other) = (world.make_listed("g", None, EXPIRES), world.make_listed("g", None, EXPIRES));
    assert_eq!(world.revoke_listed(&one), GrantOutcome::Shared);
    assert_eq!(world.using(&other), "token");
    assert!(!world.provider.has_ended("g"));
    assert_eq!(world.revoke_listed(&other), GrantOutcome::Revoked);
    assert_eq!(world.provider.revocations.get(), 2, "all that were pending go");
    assert!(!world.description(&one).grant_is_pending);
    assert_eq!(world.revoke_listed(&one), GrantOutcome::Revoked, "again, the same");
}

#[test]
fn a_grant_that_is_known_to_be_another_goes_at_once() {
    let world = World::new();
    let (one, other) = (world.make_listed("g", Some("g"), EXPIRES), world.make_listed("h", Some("h"), EXPIRES));
    assert_eq!(world.revoke_listed(&one), GrantOutcome::Revoked);
    assert_eq!((world.provider.has_ended("g"), world.using(&other)), (true, "token"));
}

#[test]
fn a_grant_waits_for_a_provider_that_is_down() {
    let world = World::new();
    let key = world.make_listed("g", None, EXPIRES);
    *world.provider.fails_with.borrow_mut() = Some("down".to_owned());
    assert_eq!(world.revoke_listed(&key), GrantOutcome::Pending);
    world.clock.pass(60);
    assert!(world.wake(&alice()));
    assert!(!world.provider.has_ended("g"));
    *world.provider.fails_with.borrow_mut() = None;
    world.clock.pass(60);
    assert!(!world.wake(&alice()), "the pauses grow");
    world.clock.pass(180);
    assert!(world.wake(&alice()) && world.provider.has_ended("g"));
    assert_eq!(world.provider.revocations.get(), 1);
}

#[test]
fn a_grant_that_the_provider_never_takes_is_given_up_after_30_days() {
    let world = World::new();
    let key = world.make_listed("g", None, EXPIRES);
    *world.provider.fails_with.borrow_mut() = Some("down".to_owned());
    world.revoke_listed(&key);
    for _ in 0..35 {
        world.clock.pass(DAY);
        world.wake(&alice());
    }
    assert!(world.ids().is_empty());
    assert_eq!(world.storage(Namespace::Accounts, &alice()).alarm.get(), None, "and nothing is left to be done");
}

#[test]
fn a_key_that_expires_takes_its_grant_along() {
    let world = World::new();
    world.make_listed("g", None, NOW + DAY);
    world.clock.pass(DAY + 600);
    wake_all(&world);
    assert!(world.provider.has_ended("g"));
}

#[test]
fn a_reservation_that_nobody_confirmed_is_settled_by_the_key() {
    let world = World::new();
    let (made, not_made) = (world.planned("a"), world.planned("b"));
    world.clock.run(async {
        world.account(reserve(&made, "a", EXPIRES, 2)).await;
        world.account(reserve(&not_made, "b", EXPIRES, 2)).await;
        world.create(&made, EXPIRES).await;
    });
    assert!(!world.wake(&alice()), "not before ten minutes");
    world.clock.pass(600);
    assert!(world.wake(&alice()));
    assert_eq!(world.ids(), [made.id]);
    assert_eq!(world.clock.run(world.account(reserve(&not_made, "c", EXPIRES, 2))), Answer::Done, "its place is free");
}

#[test]
fn a_reservation_stays_while_the_key_cannot_be_asked() {
    let world = World::new();
    let key = world.planned("a");
    world.clock.run(async {
        world.account(reserve(&key, "a", EXPIRES, 2)).await;
        world.create(&key, EXPIRES).await;
    });
    world.clock.pass(600);
    *world.calls_fail_with.borrow_mut() = Some(CallError::Overloaded);
    assert!(world.wake(&alice()));
    *world.calls_fail_with.borrow_mut() = None;
    assert_eq!(world.ids(), std::slice::from_ref(&key.id), "it may work");
    world.clock.pass(60);
    assert!(world.wake(&alice()));
    assert_eq!(world.ids(), [key.id]);
}

#[test]
fn an_alarm_that_crashes_is_repeated_without_harm() {
    use crate::account::object::AccountObject;
    let world = World::new();
    let (one, other) = (world.make_listed("g", None, NOW + DAY), world.make_listed("h", None, NOW + DAY));
    world.clock.pass(DAY);
    let storage = world.storage(Namespace::Accounts, &alice());
    for milliseconds in [1, 30, 60, 110, 150, 210] {
        storage.alarm.set(None);
        let object = AccountObject::new(&*storage, &world);
        world.clock.run_at_most(object.wake(&|| world.clock.now()), milliseconds);
        assert!(storage.alarm.get().is_some(), "the next one is set before anything is done");
    }
    world.clock.pass(600);
    wake_all(&world);
    for (key, grant) in [(&one, "g"), (&other, "h")] {
        assert!(world.provider.has_ended(grant) && !world.description(key).grant_is_pending);
    }
}

#[test]
fn without_an_alarm_nothing_is_reserved() {
    let world = World::new();
    world.storage(Namespace::Accounts, &alice()).has_no_alarm.set(true);
    let key = world.planned("a");
    let request = reserve(&key, "a", EXPIRES, 20);
    let answer = world.clock.run(crate::account::client::ask(&world, ISSUER, "alice", &request));
    assert!(answer.is_err());
    world.storage(Namespace::Accounts, &alice()).has_no_alarm.set(false);
    assert_eq!(world.clock.run(world.account(request)), Answer::Done, "and the authorization is not used");
}

#[test]
fn a_key_is_not_made_while_a_grant_is_being_revoked_that_it_would_share() {
    let world = World::new();
    let old = world.make_listed("g", None, EXPIRES);
    world.provider.way_there.set(2_000);
    assert_eq!(world.revoke(&old), "done");
    let new = world.planned("h");
    let began = world.clock.now();
    let (_, answer) = world.clock.run(join(world.account(Request::Gone { id: old.id.clone() }), async {
        world.sleep(Duration::from_millis(100)).await;
        let answer = world.account(reserve(&new, "h", EXPIRES, 20)).await;
        assert!(world.provider.has_ended("g"), "the code is redeemed after that");
        answer
    }));
    assert_eq!((answer, world.clock.now() - began), (Answer::Done, 2));
}

#[test]
fn while_it_is_not_known_whether_a_grant_is_being_revoked_no_authorization_is_used() {
    let world = World::new();
    let old = world.make_listed("g", None, EXPIRES);
    *world.provider.fails_with.borrow_mut() = Some("no answer".to_owned());
    assert_eq!(world.revoke_listed(&old), GrantOutcome::Pending);
    let request = reserve(&world.planned("h"), "h", EXPIRES, 20);
    let ask = || world.clock.run(crate::account::client::ask(&world, ISSUER, "alice", &request));
    assert!(ask().is_err());
    world.clock.pass(30);
    assert_eq!(ask(), Ok(Answer::Done), "the same round trip goes on");
}

#[test]
fn keys_that_work_come_before_all_that_are_gone() {
    let world = World::new();
    let working = world.make_listed("a", None, EXPIRES);
    for number in 0..3 {
        world.clock.pass(1);
        let gone = world.make_listed(&format!("gone {number}"), None, EXPIRES);
        world.revoke_listed(&gone);
    }
    assert_eq!(world.ids()[0], working.id);
}

#[test]
fn the_list_does_not_take_a_working_key_for_gone() {
    let world = World::new();
    let key = world.make_listed("g", None, EXPIRES);
    let answer = world.clock.run(world.account(Request::Gone { id: key.id.clone() }));
    assert_eq!((answer, world.using(&key)), (Answer::Done, "token"), "the key's object decides");
    assert!(!world.provider.has_ended("g"));
    assert_eq!(world.clock.run(world.account(Request::Gone { id: world.planned("x").id })), Answer::Done);
}

#[test]
fn who_only_asks_leaves_nothing_in_storage() {
    let world = World::new();
    assert!(world.ids().is_empty());
    world.clock.run(world.account(Request::Release { id: "x".to_owned() }));
    assert!(world.storage(Namespace::Accounts, &alice()).tables().is_empty());
}
