//! Clocks that jump, waits that take long, and providers that repeat the refresh token that they were sent.

use std::time::Duration;

use futures_util::future::join3;
use mcp_edge_runtime::ports::Runtime;

use super::{DAY, name_of};
use crate::{
    key::message::{Answer, Request, State},
    testing::{clock::NOW, world::World},
};

#[test]
fn two_refreshes_in_flight_revoke_nothing_of_a_key_that_works() {
    for repeats in [false, true] {
        let world = World::new();
        world.provider.rotates.set(false);
        world.provider.repeats.set(repeats);
        let key = world.make("g");
        world.provider.way_back.set(5_000);
        let (one, two, ()) = world.clock.run(join3(
            world.use_key(&key),
            async {
                world.sleep(Duration::from_millis(1_500)).await;
                world.use_key(&key).await
            },
            async {
                world.sleep(Duration::from_secs(1)).await;
                world.clock.skew(20);
            },
        ));
        assert_eq!((name_of(&one), name_of(&two)), ("token", "token"));
        assert_eq!(world.provider.most_in_flight.get(), 2, "the clock says that the first is over");
        assert_eq!((world.provider.revocations.get(), world.provider.has_ended("g")), (0, false), "{repeats}");
        assert_eq!(world.description(&key).state, State::Active);
    }
}

#[test]
fn who_waits_for_a_failure_spares_the_provider_like_everybody() {
    let world = World::new();
    let key = world.make("g");
    world.provider.way_there.set(60_000);
    let (first, second, ()) = world.clock.run(join3(
        world.use_key(&key),
        async {
            world.sleep(Duration::from_millis(4_900)).await;
            world.use_key(&key).await
        },
        async {
            world.sleep(Duration::from_millis(11_900)).await;
            world.provider.way_there.set(50);
        },
    ));
    assert_eq!((name_of(&first), name_of(&second)), ("unavailable", "unavailable"));
    assert_eq!(world.provider.refreshes.get(), 0, "nobody asks again at once");
}

#[test]
fn a_refresh_token_that_is_repeated_lasts_no_longer_for_being_used() {
    let world = World::new();
    world.provider.rotates.set(false);
    world.provider.repeats.set(true);
    let key = world.make("g");
    world.clock.pass(DAY);
    assert_eq!(world.using(&key), "token");
    assert_eq!(world.description(&key).refreshed_at, NOW);
    world.provider.rotates.set(true);
    world.clock.pass(DAY);
    assert_eq!(world.using(&key), "token");
    assert_eq!(world.description(&key).refreshed_at, NOW + 2 * DAY);
}

#[test]
fn a_key_of_another_client_at_the_provider_is_not_sent_and_does_not_end() {
    let world = World::new();
    let key = world.make("g");
    world.rules.borrow_mut().client_id = "another".to_owned();
    assert_eq!(world.cause(&key), "the key was made with another VAULT_CLIENT_ID");
    assert_eq!(world.provider.refreshes.get(), 0);
    world.revoke(&key);
    let ended = world.clock.run(world.ask(&key, Request::EndGrant)).unwrap();
    assert!(matches!(ended, Answer::Unavailable { .. }) && world.provider.revocations.get() == 0);
    let other = world.make("h");
    world.clock.pass(6);
    assert_eq!(world.using(&other), "token", "the clock goes on for keys of this client");
}
