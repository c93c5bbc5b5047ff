//! Personal access tokens: few exchanges, and nothing stored for strangers.

use futures_util::future::join_all;
use mcp_edge_runtime::secret::Secret;

use crate::{
    personal_token::{client, message::Answer, object::PersonalTokenObject},
    testing::{
        clock::NOW,
        world::{Namespace, PAT_SECONDS, World},
    },
};

async fn exchange(world: &World, token: &str) -> Answer {
    let token = Secret::new(token);
    let name = world.secrets.personal_token_name(&token);
    client::ask(world, &name, &token).await.unwrap()
}

fn exchanged(world: &World, token: &str) -> Option<(String, u64)> {
    match world.clock.run(exchange(world, token)) {
        Answer::Token { access_token, until } => Some((access_token, until)),
        Answer::Refused | Answer::Unavailable { .. } => None,
    }
}

fn tables(world: &World, token: &str) -> Vec<String> {
    let name = world.secrets.personal_token_name(&Secret::new(token));
    world.storage(Namespace::PersonalTokens, &name).tables()
}

#[test]
fn a_hundred_uses_at_once_are_one_exchange() {
    let world = World::new();
    let answers = world.clock.run(join_all((0..100).map(|_| exchange(&world, "pat_1"))));
    assert!(answers.iter().all(|answer| matches!(answer, Answer::Token { .. })));
    assert_eq!(world.provider.exchanges.get(), 1);
}

#[test]
fn the_access_token_is_kept_for_pat_seconds_and_no_longer_than_it_is_good() {
    let world = World::new();
    let (first, until) = exchanged(&world, "pat_1").unwrap();
    assert_eq!(until, NOW + PAT_SECONDS);
    world.clock.pass(PAT_SECONDS - 1);
    assert_eq!(exchanged(&world, "pat_1"), Some((first.clone(), until)));
    world.clock.pass(1);
    assert_ne!(exchanged(&world, "pat_1").unwrap().0, first);
    world.provider.lifetime.set(20);
    assert_eq!(exchanged(&world, "pat_2").unwrap().1, world.clock.now() + 20);
    let dump =
        world.storage(Namespace::PersonalTokens, &world.secrets.personal_token_name(&Secret::new("pat_1"))).dump();
    assert!(!dump.contains("pat_1") && !dump.contains(&first), "sealed under the personal access token");
}

#[test]
fn a_refusal_is_remembered_for_ten_seconds_and_never_stored() {
    let world = World::new();
    world.provider.knows_personal_token.set(false);
    let answers = world.clock.run(join_all((0..100).map(|_| exchange(&world, "pat_1"))));
    assert!(answers.iter().all(|answer| matches!(answer, Answer::Refused)));
    assert_eq!((world.provider.exchanges.get(), tables(&world, "pat_1").len()), (1, 0));
    world.clock.pass(11);
    world.provider.knows_personal_token.set(true);
    assert!(exchanged(&world, "pat_1").is_some());
}

#[test]
fn a_token_that_is_refused_later_leaves_nothing_behind() {
    let world = World::new();
    exchanged(&world, "pat_1").unwrap();
    assert_eq!(tables(&world, "pat_1"), ["token"]);
    world.clock.pass(PAT_SECONDS);
    world.provider.knows_personal_token.set(false);
    assert!(exchanged(&world, "pat_1").is_none());
    assert!(tables(&world, "pat_1").is_empty());
}

#[test]
fn a_token_that_nobody_uses_any_more_leaves_nothing_behind() {
    let world = World::new();
    exchanged(&world, "pat_1").unwrap();
    let storage = world.storage(Namespace::PersonalTokens, &world.secrets.personal_token_name(&Secret::new("pat_1")));
    let at = storage.alarm.get().unwrap() / 1000;
    world.clock.pass(at - world.clock.now());
    let object = PersonalTokenObject::new(&*storage, &world.provider, &world, &world.flights, PAT_SECONDS);
    world.clock.run(object.wake(world.clock.now())).unwrap();
    assert!(storage.tables().is_empty());
}

#[test]
fn an_outage_is_no_refusal_and_spares_the_provider() {
    let world = World::new();
    *world.provider.fails_with.borrow_mut() = Some("down".to_owned());
    let answers = world.clock.run(join_all((0..100).map(|_| exchange(&world, "pat_1"))));
    assert!(answers.iter().all(|answer| matches!(answer, Answer::Unavailable { cause, .. } if cause == "down")));
    *world.provider.fails_with.borrow_mut() = None;
    assert!(exchanged(&world, "pat_1").is_none(), "not yet");
    world.clock.pass(6);
    assert!(exchanged(&world, "pat_1").is_some());
}

#[test]
fn a_crash_in_the_middle_blocks_nobody() {
    let world = World::new();
    world.provider.way_back.set(1_000);
    assert!(world.clock.run_at_most(exchange(&world, "pat_1"), 500).is_none());
    assert!(exchanged(&world, "pat_1").is_some());
}
