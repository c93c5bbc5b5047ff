//! Revocation at the service of what was disconnected.

use std::time::Duration;

use futures_util::future::join;
use mcp_edge_runtime::{
    ports::Runtime as _,
    sql::{SqlStorage as _, Statement},
};

use super::{name_of, object_name};
use crate::{
    connected::message::{Answer, Request, Revocation},
    service::ServiceError,
    testing::world::{Namespace, World},
};

fn down(world: &World) {
    *world.service.fails_with.borrow_mut() = Some(ServiceError::Unavailable("down".to_owned()));
}

fn outcome(answer: &Answer) -> Revocation {
    match answer {
        Answer::Disconnected(outcome) => *outcome,
        other => panic!("{}", name_of(other)),
    }
}

#[test]
fn a_disconnected_account_is_revoked_at_once_the_refresh_token_first() {
    let world = World::new();
    world.connect("g", "octocat");
    assert_eq!(outcome(&world.disconnect()), Revocation::Revoked);
    assert_eq!(*world.service.revoked.borrow(), ["refresh token 0 of g", "first access token of g"]);
    assert_eq!(name_of(&world.access("read")), "not connected");
    assert_eq!(world.listed(), []);
}

#[test]
fn what_is_held_goes_with_its_account() {
    let world = World::new();
    world.connect("g", "octocat");
    let hold = world.hold("b", world.authorized("h", "hubot"));
    world.disconnect();
    assert_eq!(world.confirm(&hold), "unknown");
    assert!(world.service.has_ended("g") && world.service.has_ended("h"));
}

#[test]
fn while_the_service_is_down_the_account_is_gone_and_the_alarm_revokes_later() {
    let world = World::new();
    world.connect("g", "octocat");
    down(&world);
    assert_eq!(outcome(&world.disconnect()), Revocation::Pending);
    assert_eq!(name_of(&world.access("read")), "not connected", "from the first moment on");
    world.clock.pass(30);
    assert!(world.wake_accounts(&object_name()));
    assert!(!world.service.has_ended("g"));
    *world.service.fails_with.borrow_mut() = None;
    world.clock.pass(120);
    assert!(world.wake_accounts(&object_name()));
    assert!(world.service.has_ended("g"));
    assert_eq!(outcome(&world.disconnect()), Revocation::Revoked, "what has become of it is remembered for a while");
}

#[test]
fn an_alarm_that_is_lost_is_set_by_the_next_request() {
    let world = World::new();
    world.connect("g", "octocat");
    down(&world);
    world.disconnect();
    let storage = world.storage(Namespace::ConnectedAccounts, &object_name());
    storage.alarm.set(None);
    *world.service.fails_with.borrow_mut() = None;
    world.clock.pass(3_600);
    assert_eq!(world.listed(), []);
    assert!(world.wake_accounts(&object_name()));
    assert!(world.service.has_ended("g"));
}

#[test]
fn nobody_waits_for_the_revocation_of_something_else() {
    let world = World::new();
    for name in ["a", "b", "c", "d"] {
        let hold = world.hold(name, world.authorized(name, name));
        world.accounts_now(Request::Discard { connection: "github".to_owned(), hold });
    }
    world.connect("g", "octocat");
    world.hold("h", world.authorized("h", "hubot"));
    world.service.way_there.set(3_000);
    let request = Request::Disconnect { connection: "github".to_owned() };
    assert!(world.clock.run_at_most(world.accounts(request), 13_000).is_some());
    assert!(world.service.has_ended("g") && world.service.has_ended("h") && !world.service.has_ended("a"));
    assert!(world.wake_accounts(&object_name()));
    assert!(world.service.has_ended("a"));
}

#[test]
fn a_crash_between_disconnection_and_revocation_is_repaired_by_the_alarm() {
    let world = World::new();
    world.connect("g", "octocat");
    world.service.way_there.set(1_000);
    let request = crate::connected::message::Request::Disconnect { connection: "github".to_owned() };
    assert!(world.clock.run_at_most(world.accounts(request), 500).is_none());
    assert_eq!(name_of(&world.access("read")), "not connected");
    assert!(world.wake_accounts(&object_name()));
    assert!(world.service.has_ended("g"));
}

#[test]
fn revocation_is_given_up_after_a_day_and_the_operator_reads_of_it() {
    let world = World::new();
    world.connect("g", "octocat");
    down(&world);
    world.disconnect();
    world.audit.take();
    for _ in 0..200 {
        world.clock.pass(900);
        world.wake_accounts(&object_name());
    }
    let lines = world.audit.take();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("could not be revoked") && lines[0].contains("github") && !lines[0].contains("token 0"));
    let storage = world.storage(Namespace::ConnectedAccounts, &object_name());
    assert_eq!(storage.alarm.get(), None, "nothing wakes the object any more");
    let select = Statement::new("SELECT id FROM departure");
    assert!(storage.execute(select).unwrap().is_empty(), "{}", storage.dump());
}

#[test]
fn a_service_without_revocation_is_said_to_be_one() {
    let world = World::new();
    world.connect("g", "octocat");
    world.service.revokes.set(false);
    assert_eq!(outcome(&world.disconnect()), Revocation::NotOffered);
}

#[test]
fn a_service_that_revokes_refresh_tokens_alone_has_ended_the_grant() {
    let world = World::new();
    world.connect("g", "octocat");
    world.service.revokes_access.set(false);
    assert_eq!(outcome(&world.disconnect()), Revocation::Revoked);
    assert_eq!(*world.service.revoked.borrow(), ["refresh token 0 of g"]);
    // Without a refresh token, nothing was ended.
    let mut account = world.authorized("h", "octocat");
    account.refresh_token = None;
    let hold = world.hold("h", account);
    assert_eq!(world.confirm(&hold), "done");
    assert_eq!(outcome(&world.disconnect()), Revocation::NotOffered);
}

#[test]
fn that_the_refresh_token_was_revoked_is_remembered_until_the_access_token_can_be_asked_about() {
    let world = World::new();
    world.connect("g", "octocat");
    world.service.revokes_access.set(false);
    let fails = async {
        world.sleep(Duration::from_millis(75)).await;
        down(&world);
    };
    let request = crate::connected::message::Request::Disconnect { connection: "github".to_owned() };
    let (answer, ()) = world.clock.run(join(world.accounts(request), fails));
    assert_eq!(outcome(&answer), Revocation::Pending);
    assert!(world.service.has_ended("g"));
    *world.service.fails_with.borrow_mut() = None;
    world.clock.pass(120);
    assert!(world.wake_accounts(&object_name()));
    assert_eq!(outcome(&world.disconnect()), Revocation::Revoked);
}

#[test]
fn what_cannot_be_opened_any_more_is_not_said_to_be_revoked() {
    let world = World::new();
    world.connect("g", "octocat");
    down(&world);
    assert_eq!(outcome(&world.disconnect()), Revocation::Pending);
    *world.service.fails_with.borrow_mut() = None;
    world.replace_secret("the second secret", None);
    world.clock.pass(120);
    assert!(world.wake_accounts(&object_name()));
    assert_eq!(outcome(&world.disconnect()), Revocation::NotOffered);
    assert!(!world.service.has_ended("g"));
}

#[test]
fn an_account_that_is_connected_again_survives_the_revocation_of_the_earlier_one() {
    let world = World::new();
    world.connect("g", "octocat");
    down(&world);
    world.disconnect();
    *world.service.fails_with.borrow_mut() = None;
    world.connect("h", "octocat");
    world.clock.pass(60);
    assert!(world.wake_accounts(&object_name()));
    assert_eq!(*world.service.revoked.borrow(), Vec::<String>::new(), "it might end the new one as well");
    assert_eq!(name_of(&world.access("read")), "token");
}

#[test]
fn an_alarm_that_cannot_be_set_disconnects_nothing() {
    let world = World::new();
    world.connect("g", "octocat");
    let storage = world.storage(Namespace::ConnectedAccounts, &object_name());
    storage.alarm.set(None);
    storage.has_no_alarm.set(true);
    let request = crate::connected::message::Request::Disconnect { connection: "github".to_owned() };
    let answer = world.clock.run(crate::connected::client::ask(&world, &super::alice(), request));
    assert!(answer.is_err());
    storage.has_no_alarm.set(false);
    assert_eq!(name_of(&world.access("read")), "token");
}
