//! Changing, listing and removing clients.

use futures_util::future::join;

use super::{HERE, anyone, confidential, developer, metadata};
use crate::{
    audit::Event,
    client_metadata::ClientMetadata,
    clients::update::UpdateError,
    ledger::LEASE_SECONDS,
    policy::Mode,
    testing::{NOW, World, others_go_on},
};

#[test]
fn developers_see_their_own_clients_only() {
    let world = World::new(Mode::Developers);
    world.register(metadata("One"), developer("alice")).unwrap();
    world.now.set(NOW + 1);
    world.register(metadata("Two"), developer("alice")).unwrap();
    world.register(metadata("Three"), developer("bob")).unwrap();
    let names = |subject: &str| {
        let list = world.with(async |registry| registry.list("https://tenant.example/oidc", subject).await).unwrap();
        list.into_iter().map(|(_, listed)| listed.name).collect::<Vec<_>>()
    };
    assert_eq!(
        (names("alice"), names("bob"), names("")),
        (vec!["Two".to_owned(), "One".to_owned()], vec!["Three".to_owned()], vec![])
    );
    world.with(async |registry| {
        let record = registry.find("app-1").await.unwrap().unwrap();
        registry.update("app-1", &record, metadata("Renamed"), "alice").await.unwrap();
    });
    assert_eq!(names("alice"), ["Two", "Renamed"]);
    // Two identifiers that run into each other are still two developers.
    let other = world.with(async |registry| registry.list("https://tenant.example/oidca", "lice").await).unwrap();
    assert!(other.is_empty());
}

#[test]
fn an_update_changes_both_places_or_none() {
    let world = World::new(Mode::Open);
    let registered = world.register(metadata("Agent"), anyone()).unwrap();
    let update = |new: ClientMetadata| {
        world.with(async |registry| registry.update("app-1", &registered.record, new, "test").await)
    };
    for (operation, prefix) in [("update", None), ("", Some("metadata/"))] {
        world.provider.broken.set(operation);
        world.store.broken_prefix.set(prefix);
        update(metadata("Renamed")).unwrap_err();
        assert_eq!(world.provider.applications.borrow()["app-1"].name, "Agent", "{operation} {prefix:?}");
        assert_eq!(world.record("app-1").unwrap().metadata.client_name, "Agent", "{operation} {prefix:?}");
        // What had no answer may still be carried out, so its lease is not ended.
        world.now.set(world.now.get() + LEASE_SECONDS);
    }
    world.provider.broken.set("");
    world.store.broken_prefix.set(None);
    update(metadata("Renamed")).unwrap();
    assert_eq!(world.provider.applications.borrow()["app-1"].name, "Renamed");
    assert_eq!(world.record("app-1").unwrap().metadata.client_name, "Renamed");
    // What the token is, and whose the client is, no update changes.
    assert!(world.record("app-1").unwrap().is_token(registered.token.unwrap().expose()));
}

#[test]
fn what_one_location_changes_no_other_undoes() {
    // A request that comes in with the token while a change is on its way has read what was there before.
    for steps in 0..12 {
        let world = World::new(Mode::Open);
        let registered = world.register(metadata("Agent"), anyone()).unwrap();
        let token = registered.token.unwrap();
        world.with(async |registry| {
            let read = async {
                for _ in 0..steps {
                    others_go_on().await;
                }
                registry.find_by_token(HERE, "app-1", token.expose()).await.unwrap().unwrap()
            };
            let (changed, _) =
                join(registry.update("app-1", &registered.record, metadata("Renamed"), "test"), read).await;
            changed.unwrap();
        });
        assert_eq!(world.record("app-1").unwrap().metadata.client_name, "Renamed", "{steps}");
    }
}

#[test]
fn the_type_of_a_client_stays() {
    let world = World::new(Mode::Open);
    let registered = world.register(metadata("Agent"), anyone()).unwrap();
    let outcome =
        world.with(async |registry| registry.update("app-1", &registered.record, confidential("Agent"), "test").await);
    let Err(UpdateError::Metadata(error)) = outcome else { panic!("{outcome:?}") };
    assert!(error.to_string().contains("native application"), "{error}");
}

#[test]
fn an_update_of_a_client_that_is_gone_does_not_restore_it() {
    let world = World::new(Mode::Open);
    let registered = world.register(metadata("Agent"), anyone()).unwrap();
    world
        .with(async |registry| registry.remove("app-1", &registered.record, Event::ClientRemoved, "test").await)
        .unwrap();
    let outcome =
        world.with(async |registry| registry.update("app-1", &registered.record, metadata("Zombie"), "test").await);
    assert_eq!(outcome, Err(UpdateError::Gone));
    assert!(world.record("app-1").is_none() && world.provider.ids().is_empty());
}

#[test]
fn a_removal_that_failed_half_way_can_be_repeated() {
    let world = World::new(Mode::Developers);
    let registered = world.register(metadata("Agent"), developer("alice")).unwrap();
    let remove = || {
        world.with(async |registry| registry.remove("app-1", &registered.record, Event::ClientRemoved, "alice").await)
    };
    world.provider.broken.set("remove");
    remove().unwrap_err();
    assert!(world.record("app-1").is_some(), "what still works at the provider is still known");
    world.provider.broken.set("");
    remove().unwrap();
    remove().unwrap();
    assert!(world.provider.ids().is_empty());
    let left: Vec<_> =
        world.store.entries.borrow().keys().filter(|key| !key.starts_with("request/")).cloned().collect();
    assert!(left.is_empty(), "{left:?}");
}
