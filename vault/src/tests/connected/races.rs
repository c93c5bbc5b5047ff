//! What happens at the same moment, and what a crash leaves behind.

use std::time::Duration;

use futures_util::future::{join, join_all};
use mcp_edge_runtime::ports::Runtime as _;

use super::{access, name_of, object_name, token_of};
use crate::{
    connected::message::{Answer, Request, Revocation},
    testing::world::{Namespace, World},
};

#[test]
fn a_hundred_requests_with_an_expired_token_cause_one_refresh() {
    let world = World::new();
    world.connect_expired("g");
    let answers = world.clock.run(join_all((0..100).map(|_| world.accounts(access("read", None)))));
    assert!(answers.iter().all(|answer| token_of(answer) == "access token 1 of g"));
    assert_eq!((world.service.refreshes.get(), world.service.most_in_flight.get()), (1, 1));
}

#[test]
fn a_hundred_reports_of_a_refused_token_cause_one_refresh() {
    let world = World::new();
    world.connect("g", "octocat");
    let refused = token_of(&world.access("read")).to_owned();
    let answers = world.clock.run(join_all((0..100).map(|_| world.accounts(access("read", Some(&refused))))));
    assert!(answers.iter().all(|answer| token_of(answer) == "access token 1 of g"));
    assert_eq!(world.service.refreshes.get(), 1);
}

#[test]
fn before_the_service_has_the_request_a_crash_loses_nothing() {
    let world = World::new();
    world.connect_expired("g");
    world.service.way_there.set(1_000);
    assert!(world.clock.run_at_most(world.accounts(access("read", None)), 500).is_none());
    assert_eq!(name_of(&world.access("read")), "unavailable", "the attempt is not over yet");
    world.clock.pass(10);
    assert_eq!(name_of(&world.access("read")), "token");
    assert_eq!(world.service.refreshes.get(), 1);
}

#[test]
fn a_crash_between_the_answer_of_the_service_and_the_row_ends_the_account_and_says_so() {
    let world = World::new();
    world.connect_expired("g");
    world.service.way_back.set(1_000);
    assert!(world.clock.run_at_most(world.accounts(access("read", None)), 500).is_none());
    assert_eq!(world.service.refreshes.get(), 1);
    world.clock.pass(15);
    // The service takes the second use of the refresh token for theft.
    assert_eq!(name_of(&world.access("read")), "not connected");
    assert!(world.listed()[0].ended_at.is_some());
}

#[test]
fn without_rotation_the_same_crash_costs_nothing() {
    let world = World::new();
    world.service.rotates.set(false);
    world.connect_expired("g");
    world.service.way_back.set(1_000);
    assert!(world.clock.run_at_most(world.accounts(access("read", None)), 500).is_none());
    world.clock.pass(15);
    assert_eq!(name_of(&world.access("read")), "token");
}

#[test]
fn what_was_obtained_is_written_before_anybody_is_answered() {
    let world = World::new();
    world.connect_expired("g");
    let broken = async {
        world.sleep(Duration::from_millis(80)).await;
        world.storage(Namespace::ConnectedAccounts, &object_name()).is_broken.set(true);
    };
    let alice = super::alice();
    let request = crate::connected::client::ask(&world, &alice, access("read", None));
    let (answer, ()) = world.clock.run(join(request, broken));
    assert!(answer.is_err());
    assert_eq!(world.service.refreshes.get(), 1);
}

#[test]
fn a_disconnection_during_a_refresh_gives_nobody_a_token_and_leaves_none_at_the_service() {
    let world = World::new();
    world.connect_expired("g");
    world.service.way_back.set(2_000);
    let disconnect = async {
        world.sleep(Duration::from_millis(500)).await;
        world.accounts(Request::Disconnect { connection: "github".to_owned() }).await
    };
    let (used, disconnected) = world.clock.run(join(world.accounts(access("read", None)), disconnect));
    assert_eq!((name_of(&used), name_of(&disconnected)), ("not connected", "disconnected"));
    let revoked = world.service.revoked.borrow();
    for token in ["refresh token 0 of g", "refresh token 1 of g", "access token 1 of g"] {
        assert!(revoked.iter().any(|it| it == token), "{token}: {revoked:?}");
    }
    assert_eq!(world.listed(), []);
}

#[test]
fn the_access_token_of_such_a_refresh_is_revoked_also_if_the_refresh_token_is_the_same() {
    let world = World::new();
    world.service.rotates.set(false);
    world.connect_expired("g");
    world.service.way_back.set(2_000);
    let disconnect = async {
        world.sleep(Duration::from_millis(500)).await;
        world.accounts(Request::Disconnect { connection: "github".to_owned() }).await
    };
    let (used, disconnected) = world.clock.run(join(world.accounts(access("read", None)), disconnect));
    assert_eq!((name_of(&used), name_of(&disconnected)), ("not connected", "disconnected"));
    let revoked = world.service.revoked.borrow();
    assert_eq!(*revoked, ["refresh token 0 of g", "first access token of g", "access token 1 of g"]);
    let dump = world.dump();
    assert!(!dump.contains("pending") && !dump.contains("access token"), "{dump}");
}

#[test]
fn an_account_that_is_confirmed_during_the_refresh_of_another_is_the_one_that_stays() {
    let world = World::new();
    world.connect_expired("old");
    let hold = world.hold("second", world.authorized("new", "hubot"));
    world.service.way_back.set(2_000);
    let confirm = async {
        world.sleep(Duration::from_millis(500)).await;
        world.accounts(super::confirm(&hold, None)).await
    };
    let (used, confirmed) = world.clock.run(join(world.accounts(access("read", None)), confirm));
    assert_eq!(name_of(&confirmed), "done");
    assert_eq!(token_of(&used), "first access token of new");
    assert!(world.service.revoked.borrow().iter().any(|token| token == "access token 1 of old"));
    assert!(!world.service.has_ended("new"));
}

#[test]
fn a_refresh_that_takes_too_long_is_given_up_before_another_may_begin() {
    let world = World::new();
    world.connect_expired("g");
    world.service.way_there.set(60_000);
    let Answer::Unavailable { cause, .. } = world.access("read") else { panic!("no answer") };
    assert_eq!(cause, "no complete answer of the service within 12 s");
    world.service.way_there.set(50);
    world.clock.pass(5);
    assert_eq!(name_of(&world.access("read")), "token");
    assert_eq!(world.service.most_in_flight.get(), 1);
}

#[test]
fn a_clock_that_goes_back_does_not_make_tokens_last_longer() {
    let world = World::new();
    world.connect("g", "octocat");
    world.clock.skew(-86_400);
    assert_eq!(token_of(&world.access("read")), "access token 1 of g");
}

#[test]
fn a_clock_that_goes_back_ends_no_account_whose_token_cannot_be_refreshed() {
    for seconds in [-1, -86_400] {
        let world = World::new();
        let mut account = world.authorized("g", "octocat");
        account.refresh_token = None;
        let hold = world.hold("a", account);
        assert_eq!(world.confirm(&hold), "done");
        world.clock.skew(seconds);
        assert_eq!(token_of(&world.access("read")), "first access token of g", "{seconds}");
        assert_eq!(world.listed()[0].ended_at, None);
        world.clock.skew(-seconds);
        world.clock.pass(3_600);
        assert_eq!(name_of(&world.access("read")), "not connected", "it has ended by itself");
    }
}

#[test]
fn a_clock_that_goes_back_a_little_takes_no_link_and_no_hold_away() {
    let world = World::new();
    let Answer::NotConnected { link } = world.access("read") else { panic!("a link") };
    let hold = world.hold("a", world.authorized("g", "octocat"));
    world.clock.skew(-60);
    let Answer::NotConnected { link: same } = world.access("read") else { panic!("a link") };
    assert_eq!(same, link);
    // Another link sweeps the table.
    assert_eq!(name_of(&world.access("write")), "not connected");
    assert_eq!(name_of(&world.accounts_now(Request::Link { id: link.clone() })), "link");
    assert_eq!(name_of(&world.accounts_now(Request::Held { connection: "github".to_owned() })), "held");
    // What would last much longer than it can is over.
    world.clock.skew(-1);
    assert_eq!(name_of(&world.accounts_now(Request::Link { id: link })), "unknown");
    assert_eq!(world.confirm(&hold), "unknown");
}

#[test]
fn two_disconnections_say_the_same() {
    let world = World::new();
    world.connect("g", "octocat");
    let disconnect = || world.accounts(Request::Disconnect { connection: "github".to_owned() });
    let (one, other) = world.clock.run(join(disconnect(), disconnect()));
    assert!(matches!((&one, &other), (Answer::Disconnected(_), Answer::Disconnected(_))));
    assert!(matches!(world.disconnect(), Answer::Disconnected(Revocation::Revoked)));
}
