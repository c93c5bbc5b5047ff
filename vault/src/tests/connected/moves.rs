//! A connection that leads to another service than when an account was connected.

use super::{access, name_of, object_name};
use crate::{
    connected::message::{Answer, Request, Revocation},
    service::{Provenance, ServiceError},
    testing::world::World,
};

impl World {
    /// The table leads to another issuer from now on.
    fn moves(&self) -> Provenance {
        let moved = Provenance { issuer: "https://another.example".to_owned(), ..self.service.place.borrow().clone() };
        self.service.place.replace(moved)
    }
}

const WARNING: &str = r#"{"warning":"the tokens of a disconnected account were not revoked: CONNECTIONS leads to another service, or another issuer, by now","connection":"github"}"#;

#[test]
fn an_account_of_another_service_is_not_used_and_counts_as_ended() {
    let world = World::new();
    world.connect("g", "octocat");
    let before = world.moves();
    let Answer::NotConnected { link } = world.access("read") else { panic!("its access token is still good") };
    let Answer::Link(link) = world.accounts_now(Request::Link { id: link }) else { panic!("a link") };
    assert_eq!(link.scopes, ["read"], "what another service has granted is not asked for");
    assert_eq!(world.listed()[0].ended_at, Some(world.clock.now()));
    world.clock.pass(3_600);
    assert_eq!(name_of(&world.access("read")), "not connected");
    assert_eq!((world.service.refreshes.get(), world.service.revoked.borrow().len()), (0, 0));
    // The operator corrects the table.
    *world.service.place.borrow_mut() = before;
    assert_eq!(name_of(&world.access("read")), "token");
    assert_eq!(world.listed()[0].ended_at, None);
}

#[test]
fn what_only_the_service_says_does_not_end_an_account_either() {
    let world = World::new();
    world.connect_expired("g");
    world.service.was_moved.set(true);
    assert_eq!(name_of(&world.access("read")), "not connected");
    assert_eq!(name_of(&world.access("read")), "not connected", "nobody waits for an attempt");
    world.service.was_moved.set(false);
    assert_eq!(name_of(&world.access("read")), "token");
}

#[test]
fn tokens_are_not_revoked_at_another_service() {
    let world = World::new();
    world.connect("g", "octocat");
    world.moves();
    world.audit.take();
    let Answer::Disconnected(Revocation::NotOffered) = world.accounts_now(disconnect()) else { panic!("not offered") };
    assert!(world.service.revoked.borrow().is_empty());
    assert_eq!(world.audit.take(), [WARNING]);
    // What was to be revoked later is dropped as well.
    for is_known in [true, false] {
        let world = World::new();
        world.connect("g", "octocat");
        *world.service.fails_with.borrow_mut() = Some(ServiceError::Unavailable("down".to_owned()));
        world.accounts_now(disconnect());
        *world.service.fails_with.borrow_mut() = None;
        if is_known {
            world.moves();
        } else {
            world.service.was_moved.set(true);
        }
        world.audit.take();
        world.clock.pass(30);
        assert!(world.wake_accounts(&object_name()));
        assert!(world.service.revoked.borrow().is_empty());
        assert_eq!(world.audit.take(), [WARNING]);
        world.clock.pass(86_400);
        assert!(world.wake_accounts(&object_name()));
        assert_eq!(world.audit.take(), [""; 0], "once");
    }
}

#[test]
fn what_is_held_of_another_service_is_not_confirmed() {
    let world = World::new();
    let hold = world.hold("a", world.authorized("g", "octocat"));
    world.moves();
    assert_eq!(world.confirm(&hold), "unknown");
    assert_eq!(name_of(&world.accounts_now(Request::Held { connection: "github".to_owned() })), "unknown");
    assert_eq!(name_of(&world.accounts_now(access("read", None))), "not connected");
    // Another account takes its place, and it is sent nowhere.
    let other = world.hold("b", world.authorized("h", "hubot"));
    assert_eq!(world.confirm(&other), "done");
    assert_eq!(name_of(&world.access("read")), "token");
    world.clock.pass(30);
    world.wake_accounts(&object_name());
    assert!(world.service.revoked.borrow().is_empty());
}

fn disconnect() -> Request {
    Request::Disconnect { connection: "github".to_owned() }
}
