//! Links by which accounts are connected.

use super::{access, alice, confirm, name_of};
use crate::{
    connected::message::{Answer, Request},
    connection::agent::Agent,
    testing::world::World,
};

fn link(world: &World, request: Request) -> String {
    match world.accounts_now(request) {
        Answer::NotConnected { link } => link,
        other => panic!("{}", name_of(&other)),
    }
}

fn by(agent: &str, scopes: &str) -> Request {
    let mut request = access(scopes, None);
    let Request::Access { agent: asks, .. } = &mut request else { unreachable!() };
    *asks = Agent::Client(agent.to_owned());
    request
}

#[test]
fn a_link_is_the_same_for_ten_minutes_also_after_it_was_spent() {
    let world = World::new();
    let first = link(&world, by("agent", "read"));
    assert_eq!(link(&world, by("agent", "read")), first);
    assert_ne!(link(&world, by("another", "read")), first);
    assert_ne!(link(&world, by("agent", "write")), first);
    assert_eq!(name_of(&world.accounts_now(Request::Spend { id: first.clone() })), "done");
    assert_eq!(name_of(&world.accounts_now(Request::Spend { id: first.clone() })), "used");
    let Answer::Link(spent) = world.accounts_now(Request::Link { id: first.clone() }) else { panic!("a link") };
    assert!(spent.is_spent && spent.user_of_token == "list_issues");
    world.clock.pass(480);
    assert_eq!(link(&world, by("agent", "read")), first);
    world.clock.pass(1);
    let second = link(&world, by("agent", "read"));
    assert_ne!(second, first, "less than two minutes are left of the first");
    assert_eq!(name_of(&world.accounts_now(Request::Link { id: first.clone() })), "link", "which is still good");
    world.clock.pass(119);
    assert_eq!(name_of(&world.accounts_now(Request::Link { id: first.clone() })), "unknown");
    assert_eq!(name_of(&world.accounts_now(Request::Spend { id: first })), "unknown");
    assert_eq!(link(&world, by("agent", "read")), second);
}

#[test]
fn a_link_is_cancelled_only_after_it_was_used_and_stays_used() {
    let world = World::new();
    let id = link(&world, by("agent", "read"));
    let state = |request: fn(String) -> Request| {
        world.accounts_now(request(id.clone()));
        let Answer::Link(link) = world.accounts_now(Request::Link { id: id.clone() }) else { panic!("a link") };
        (link.is_spent, link.is_cancelled)
    };
    assert_eq!(state(|id| Request::CancelLink { id }), (false, false));
    assert_eq!(state(|id| Request::Spend { id }), (true, false));
    assert_eq!(state(|id| Request::CancelLink { id }), (true, true));
    assert_eq!(name_of(&world.accounts_now(Request::Spend { id })), "used");
}

#[test]
fn a_link_that_has_led_to_an_account_after_all_is_not_a_cancelled_one() {
    let world = World::new();
    let id = link(&world, by("agent", "read"));
    let cancelled = || {
        let Answer::Link(link) = world.accounts_now(Request::Link { id: id.clone() }) else { panic!("a link") };
        assert!(link.is_spent);
        link.is_cancelled
    };
    world.accounts_now(Request::Spend { id: id.clone() });
    world.accounts_now(Request::CancelLink { id: id.clone() });
    assert!(cancelled());
    let hold = world.hold("a", world.authorized("g", "octocat"));
    assert!(cancelled(), "nothing is connected yet");
    assert_eq!(name_of(&world.accounts_now(confirm(&hold, Some(&id)))), "done");
    assert!(!cancelled());
}

#[test]
fn a_link_means_nothing_to_another_user() {
    let world = World::new();
    let id = link(&world, by("agent", "read"));
    let bob = crate::owner::Owner { subject: "bob".to_owned(), ..alice() };
    for request in [Request::Link { id: id.clone() }, Request::Spend { id: id.clone() }] {
        let answer = world.clock.run(crate::connected::client::ask(&world, &bob, request)).unwrap();
        assert_eq!(name_of(&answer), "unknown");
    }
    let Answer::Link(link) = world.accounts_now(Request::Link { id }) else { panic!("it is Alice's") };
    assert!(!link.is_spent);
}

#[test]
fn a_user_has_fifty_links_and_the_oldest_goes() {
    let world = World::new();
    let ids: Vec<String> = (0..51).map(|number| link(&world, by(&format!("agent {number}"), "read"))).collect();
    assert_eq!(name_of(&world.accounts_now(Request::Link { id: ids[0].clone() })), "unknown");
    assert_eq!(name_of(&world.accounts_now(Request::Link { id: ids[1].clone() })), "link");
    assert_eq!(name_of(&world.accounts_now(Request::Link { id: ids[50].clone() })), "link");
}

#[test]
fn two_requests_at_once_are_given_one_link() {
    let world = World::new();
    let ask = || world.accounts(by("agent", "read"));
    let (one, other) = world.clock.run(futures_util::future::join(ask(), ask()));
    let (Answer::NotConnected { link: one }, Answer::NotConnected { link: other }) = (one, other) else { panic!() };
    assert_eq!(one, other);
}
