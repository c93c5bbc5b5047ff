//! What two locations can do to each other.

use futures_util::future::join;
use serde_json::json;

use crate::{
    audit::Event,
    client_metadata::ClientMetadata,
    clients::{
        register::{Registration, Via},
        update::UpdateError,
    },
    initial_token::InitialToken,
    policy::{Mode, Registrant},
    record::Record,
    storage::{
        RegistrationStore,
        keys::{client_key, initial_token_key},
    },
    testing::{CACHE_SECONDS, Location, NOW, World, block_on, others_go_on},
};

const HERE: &str = "192.0.2.1";

fn metadata(redirect_uri: &str) -> ClientMetadata {
    let body = json!({"client_name": "Agent", "redirect_uris": [redirect_uri], "token_endpoint_auth_method": "none"});
    ClientMetadata::parse(&body.to_string(), &[]).unwrap()
}

fn request() -> Registration<'static> {
    let registrant = Registrant::Anyone { network: HERE.to_owned() };
    Registration { metadata: metadata("http://127.0.0.1/cb"), registrant, via: Via::Endpoint, reservation: None }
}

/// The client, for the holder of this token.
fn find(location: &Location<'_>, client_id: &str, token: &str) -> Option<Record> {
    location.with(async |registry| registry.find_by_token(HERE, client_id, token).await).unwrap()
}

#[test]
fn a_stranger_is_never_given_somebody_elses_client() {
    let world = World::new(Mode::Open);
    let (here, there) = (world.location(), world.location());
    // Mallory registers what a well-known agent sends, from the victim's network. At another place her client's record
    // is read, which a wrong token does.
    let mallory = here.with(async |registry| registry.register(request()).await).unwrap();
    let token = mallory.token.unwrap();
    assert!(find(&there, &mallory.client_id, "mcpreg_wrong").is_none());
    let victim = here.with(async |registry| registry.register(request()).await).unwrap();
    assert_ne!(victim.client_id, mallory.client_id);
    assert!(find(&here, &victim.client_id, victim.token.unwrap().expose()).is_some(), "and can manage it");

    let evil = metadata("https://evil.example/cb");
    if let Some(record) = find(&there, &mallory.client_id, token.expose()) {
        let _ = there.with(async |registry| registry.update(&mallory.client_id, &record, evil, "mallory").await);
    }
    world.now.set(NOW + 61);
    assert!(find(&world.location(), &victim.client_id, token.expose()).is_none());
    assert_eq!(world.provider.applications.borrow()[&victim.client_id].redirect_uris, ["http://127.0.0.1/cb"]);
}

#[test]
fn a_token_that_has_ended_stays_ended_in_spite_of_writes_elsewhere() {
    for steps in 0..20 {
        let world = World::new(Mode::Open);
        let (here, there) = (world.location(), world.location());
        let client = here.with(async |registry| registry.register(request()).await).unwrap();
        let (client_id, token) = (client.client_id.as_str(), client.token.unwrap());
        let record = find(&there, client_id, token.expose()).unwrap();
        there.delay.set(10);
        let change = there.act(async |registry| {
            registry.update(client_id, &record, metadata("http://127.0.0.1/changed"), "test").await
        });
        let remove = here.act(async |registry| {
            for _ in 0..steps {
                others_go_on().await;
            }
            registry.remove(client_id, &record, Event::ClientRemoved, "test").await
        });
        let (_, removed) = block_on(join(change, remove));
        removed.unwrap();
        assert!(find(&here, client_id, token.expose()).is_none(), "{steps}: where it was removed, at once");
        world.now.set(NOW + CACHE_SECONDS);
        for location in [&here, &there, &world.location()] {
            assert!(find(location, client_id, token.expose()).is_none(), "{steps}: everywhere after a minute");
        }
        // Nor does a change by somebody who still sees it.
        let late = there.with(async |registry| {
            registry.update(client_id, &record, metadata("http://127.0.0.1/changed"), "test").await
        });
        assert_eq!(late, Err(UpdateError::Gone), "{steps}");
        assert!(find(&there, client_id, token.expose()).is_none(), "{steps}");
    }
}

#[test]
fn a_change_writes_nothing_back_that_others_have_changed() {
    // Two locations have read the same record. The one ends the token by hand, as an operator does, the other changes
    // the metadata from what it has read.
    let world = World::new(Mode::Open);
    let (here, there) = (world.location(), world.location());
    let client = here.with(async |registry| registry.register(request()).await).unwrap();
    let (client_id, token) = (client.client_id.as_str(), client.token.unwrap());
    let record = find(&there, client_id, token.expose()).unwrap();
    let without_token = Record { token_hash: Some(String::new()), ..record.clone() };
    let text = serde_json::to_string(&without_token).unwrap();
    block_on(here.put(&client_key(client_id), &text, None, None)).unwrap();
    let changed = metadata("http://127.0.0.1/changed");
    there.with(async |registry| registry.update(client_id, &record, changed, "test").await).unwrap();
    world.now.set(NOW + CACHE_SECONDS);
    for location in [&here, &there] {
        assert!(find(location, client_id, token.expose()).is_none());
        let kept = location.with(async |registry| registry.find(client_id).await).unwrap().unwrap();
        assert_eq!(kept.metadata.redirect_uris, ["http://127.0.0.1/changed"]);
    }
}

#[test]
fn a_revoked_initial_access_token_stays_revoked_if_it_is_used_at_that_moment() {
    for steps in 0..12 {
        let world = World::new(Mode::Token);
        let here = world.location();
        let key = initial_token_key("mcpinit_x");
        let state = InitialToken { name: "partner".into(), expires_at: NOW + 86_400, uses: Some(5) };
        block_on(here.put(&key, &serde_json::to_string(&state).unwrap(), None, None)).unwrap();
        let spend = here.act(async |registry| {
            let held = registry.take_use(HERE, "mcpinit_x").await.unwrap().unwrap();
            for _ in 0..5 {
                others_go_on().await;
            }
            registry.spend(held, "app-1").await.unwrap();
        });
        let there = world.location();
        let revoke = async {
            for _ in 0..=steps {
                others_go_on().await;
            }
            there.delete(&key).await.unwrap();
        };
        block_on(join(spend, revoke));
        world.now.set(NOW + CACHE_SECONDS);
        let again =
            world.location().with(async |registry| registry.take_use(HERE, "mcpinit_x").await.unwrap().is_some());
        assert!(!again, "{steps}");
    }
}

#[test]
fn the_list_shows_the_present_name_and_what_has_ended_is_not_listed_for_good() {
    let world = World::new(Mode::Developers);
    let (here, there) = (world.location(), world.location());
    let by = || Registrant::Developer { issuer: "https://i.example".to_owned(), subject: "alice".to_owned() };
    let register = || Registration {
        metadata: metadata("http://127.0.0.1/cb"),
        registrant: by(),
        via: Via::Endpoint,
        reservation: None,
    };
    let client = here.with(async |registry| registry.register(register()).await).unwrap();
    world.now.set(NOW + CACHE_SECONDS);
    let record = client.record;
    let renamed = ClientMetadata { client_name: "Renamed".to_owned(), ..record.metadata.clone() };
    here.with(async |registry| registry.update(&client.client_id, &record, renamed.clone(), "alice").await).unwrap();
    let names = |location: &Location<'_>| {
        let list = location.with(async |registry| registry.list("https://i.example", "alice").await).unwrap();
        list.into_iter().map(|(_, listed)| listed.name).collect::<Vec<_>>()
    };
    assert_eq!((names(&here), names(&there)), (vec!["Renamed".to_owned()], vec!["Renamed".to_owned()]));
    // It is removed at one place while a change is on its way at the other.
    there.delay.set(10);
    let change = there.act(async |registry| registry.update(&client.client_id, &record, renamed, "alice").await);
    let remove = here.act(async |registry| {
        others_go_on().await;
        registry.remove(&client.client_id, &record, Event::ClientRemoved, "alice").await
    });
    let (_, removed) = block_on(join(change, remove));
    removed.unwrap();
    world.now.set(NOW + 3 * CACHE_SECONDS);
    assert!(names(&here).is_empty() && names(&there).is_empty());
    world.now.set(NOW + 2 * 86_400);
    there.with(async |registry| registry.clean_up(false).await);
    world.now.set(NOW + 2 * 86_400 + CACHE_SECONDS);
    assert!(world.store.entries.borrow().keys().all(|key| !key.contains(&client.client_id)), "nothing is left");
}
