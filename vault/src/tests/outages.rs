//! An outage never ends a key, nor does trouble with our own client.

use futures_util::future::join_all;

use super::name_of;
use crate::{
    key::message::{Answer, State},
    testing::world::World,
};

#[test]
fn no_failure_but_a_refusal_ends_a_key() {
    for cause in [
        "no complete answer within 5s",
        "the provider answered with status 503",
        "the provider answered with status 429",
        "VAULT_CLIENT_SECRET has expired: make a new one",
    ] {
        let world = World::new();
        let key = world.make("g");
        *world.provider.fails_with.borrow_mut() = Some(cause.to_owned());
        assert_eq!(world.cause(&key), cause);
        *world.provider.fails_with.borrow_mut() = None;
        world.clock.pass(6);
        assert_eq!(world.using(&key), "token", "{cause}");
    }
}

#[test]
fn a_provider_that_fails_is_asked_once_in_five_seconds() {
    let world = World::new();
    let key = world.make("g");
    *world.provider.fails_with.borrow_mut() = Some("down".to_owned());
    let answers = world.clock.run(join_all((0..100).map(|_| world.use_key(&key))));
    assert!(
        answers.iter().all(|answer| matches!(answer, Answer::Unavailable { retry_after: 5, cause } if cause == "down"))
    );
    world.clock.pass(3);
    let Answer::Unavailable { retry_after, .. } = world.clock.run(world.use_key(&key)) else { panic!("it is down") };
    assert_eq!(retry_after, 2);
    *world.provider.fails_with.borrow_mut() = None;
    world.clock.pass(2);
    assert_eq!(world.using(&key), "token");
    assert_eq!((world.provider.refreshes.get(), world.provider.most_in_flight.get()), (1, 1));
}

#[test]
fn a_key_works_again_after_an_outage_of_days() {
    let world = World::new();
    let key = world.make("g");
    assert_eq!(world.using(&key), "token");
    *world.provider.fails_with.borrow_mut() = Some("down".to_owned());
    for _ in 0..100 {
        world.clock.pass(3_600);
        assert_eq!(world.using(&key), "unavailable");
    }
    assert_eq!(world.description(&key).state, State::Active);
    *world.provider.fails_with.borrow_mut() = None;
    world.clock.pass(6);
    assert_eq!(world.using(&key), "token");
}

#[test]
fn an_answer_that_the_network_loses_is_asked_for_again_and_then_the_key_ends() {
    let world = World::new();
    let key = world.make("g");
    world.provider.loses_answers.set(true);
    assert_eq!(world.using(&key), "unavailable");
    world.provider.loses_answers.set(false);
    world.clock.pass(6);
    assert_eq!(world.using(&key), "report the end", "with rotation the provider takes it for theft");
}

#[test]
fn a_user_who_is_suspended_has_no_key_any_more_after_a_minute() {
    let world = World::new();
    let key = world.make("g");
    assert_eq!(world.using(&key), "token");
    world.provider.end("g");
    world.clock.pass(59);
    assert_eq!(world.using(&key), "token", "the bound of the object");
    world.clock.pass(1);
    let answers = world.clock.run(join_all((0..10).map(|_| world.use_key(&key))));
    let names: Vec<_> = answers.iter().map(name_of).collect();
    assert_eq!(names.iter().filter(|name| **name == "report the end").count(), 1);
    assert_eq!(names.iter().filter(|name| **name == "ended").count(), 9);
    assert_eq!(world.provider.refreshes.get(), 2, "and nobody asks again");
}

#[test]
fn a_store_that_fails_is_an_outage_and_neither_a_refusal_nor_an_acceptance() {
    let world = World::new();
    let key = world.make("g");
    world.store.fails_to_read.set(true);
    assert_eq!(world.cause(&key), "the store of revoked keys: out to lunch");
    assert_eq!(world.provider.refreshes.get(), 0);
    world.store.fails_to_read.set(false);
    world.clock.pass(6);
    assert_eq!(world.using(&key), "token");
}
