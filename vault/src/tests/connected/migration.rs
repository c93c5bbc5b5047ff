//! Objects whose tables were created by an earlier version.

use mcp_edge_runtime::sql::{SqlStorage as _, Statement};

use super::{name_of, object_name, token_of};
use crate::testing::world::{Namespace, World};

/// Gives the object the tables, and the rows, of the time before accounts had ids.
fn go_back(world: &World) {
    let storage = world.storage(Namespace::ConnectedAccounts, &object_name());
    let drops = ["account", "hold", "departure"].map(|table| {
        let drop: &'static str = Box::leak(format!("ALTER TABLE {table} DROP COLUMN service_account").into_boxed_str());
        Statement::new(drop)
    });
    storage.transaction(Vec::from(drops)).unwrap();
    assert!(!storage.dump().contains("id of"), "{}", storage.dump());
}

#[test]
fn an_account_of_an_earlier_version_works_on_and_is_not_revoked_beside_what_may_be_the_same() {
    let world = World::new();
    world.connect("g", "alice");
    let hold = world.hold("b", world.authorized("h", "alice"));
    go_back(&world);
    assert_eq!(token_of(&world.access("read")), "first access token of g");
    assert_eq!(world.confirm(&hold), "done");
    assert_eq!(token_of(&world.access("read")), "first access token of h");
    // Its id is known from now on; that of the earlier one, with the name in its earlier form, is not.
    let mut again = world.authorized("i", "alice");
    again.name = "alice (id 1)".to_owned();
    assert_eq!(world.confirm(&world.hold("c", again)), "done");
    world.clock.pass(60);
    world.wake_accounts(&object_name());
    assert_eq!(*world.service.revoked.borrow(), Vec::<String>::new());
    world.connect("j", "bob");
    world.clock.pass(60);
    assert!(world.wake_accounts(&object_name()));
    assert!(world.service.has_ended("i") && !world.service.has_ended("j"));
}

#[test]
fn the_alarm_of_an_earlier_version_does_its_work() {
    let world = World::new();
    world.hold("a", world.authorized("g", "alice"));
    go_back(&world);
    world.clock.pass(600);
    assert!(world.wake_accounts(&object_name()));
    assert!(world.service.has_ended("g"));
    assert_eq!(name_of(&world.access("read")), "not connected");
}
