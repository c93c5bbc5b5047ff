//! The vault dies in the middle of a refresh. With rotation, an answer that is lost is lost for good: the provider takes the
//! second use of the refresh token for theft and ends the grant, and the key says so. Before that point nothing is lost.

use futures_util::future::join_all;

use super::name_of;
use crate::{
    key::message::State,
    testing::{
        clock::NOW,
        world::{Namespace, World},
    },
};

#[test]
fn before_the_provider_has_the_request_nothing_is_lost() {
    let world = World::new();
    let key = world.make("g");
    world.provider.way_there.set(1_000);
    world.crash(&key, 500);
    assert_eq!(world.provider.refreshes.get(), 0);
    assert_eq!(world.using(&key), "unavailable", "the attempt is not over yet");
    world.clock.pass(10);
    assert_eq!(world.using(&key), "token");
    assert_eq!(world.provider.refreshes.get(), 1);
}

#[test]
fn uses_that_wait_for_a_crashed_one_take_over_with_one_refresh() {
    let world = World::new();
    let key = world.make("g");
    world.provider.way_there.set(1_000);
    world.crash(&key, 500);
    world.clock.pass(8);
    let answers = world.clock.run(join_all((0..20).map(|_| world.use_key(&key))));
    assert!(answers.iter().all(|answer| name_of(answer) == "token"));
    assert_eq!((world.provider.refreshes.get(), world.provider.most_in_flight.get()), (1, 1));
}

#[test]
fn after_the_provider_has_rotated_the_key_ends_and_says_so() {
    let world = World::new();
    let key = world.make("g");
    world.provider.way_back.set(1_000);
    world.crash(&key, 500);
    assert_eq!(world.provider.refreshes.get(), 1);
    world.clock.pass(15);
    assert_eq!((world.using(&key), world.using(&key)), ("report the end", "ended"));
    assert_eq!(world.description(&key).state, State::Ended);
}

#[test]
fn without_rotation_the_same_crash_costs_nothing() {
    let world = World::new();
    world.provider.rotates.set(false);
    let key = world.make("g");
    world.provider.way_back.set(1_000);
    world.crash(&key, 500);
    world.clock.pass(15);
    assert_eq!(world.using(&key), "token");
}

#[test]
fn an_answer_is_written_before_anybody_is_answered() {
    let world = World::new();
    let key = world.make("g");
    // The storage fails when the provider's answer has arrived: nobody may have the access token of a lost refresh token.
    let broken = async {
        mcp_edge_runtime::ports::Runtime::sleep(&world, std::time::Duration::from_millis(80)).await;
        world.storage(Namespace::Keys, &key.id).is_broken.set(true);
    };
    let use_key = world.ask(&key, crate::key::message::Request::Use { secret: key.secret.clone() });
    let (answer, ()) = world.clock.run(futures_util::future::join(use_key, broken));
    assert!(answer.is_err());
    assert_eq!(world.provider.refreshes.get(), 1);
}

#[test]
fn a_crash_after_the_answer_was_written_loses_nothing() {
    let world = World::new();
    let key = world.make("g");
    // The object has answered, and the answer is lost on the way: the call is repeated.
    world.loses.set(1);
    assert_eq!(world.using(&key), "token");
    assert_eq!((world.provider.refreshes.get(), world.calls.get()), (1, 3), "create, use, and use again");
    world.clock.pass(60);
    assert_eq!(world.using(&key), "token");
}

#[test]
fn a_refresh_that_takes_too_long_is_given_up_before_another_may_begin() {
    let world = World::new();
    let key = world.make("g");
    world.provider.way_there.set(60_000);
    let began = world.clock.now();
    assert_eq!(world.cause(&key), "no complete answer of the provider within 12 s");
    assert_eq!(world.clock.now() - began, 12);
    world.provider.way_there.set(50);
    assert_eq!(world.using(&key), "unavailable", "the provider is spared");
    world.clock.pass(5);
    assert_eq!(world.using(&key), "token");
    assert_eq!(world.provider.most_in_flight.get(), 1);
    assert!(world.clock.now() > NOW);
}
