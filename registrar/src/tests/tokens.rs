//! Registration access tokens and initial access tokens.

use futures_util::future::join_all;
use serde_json::Value;

use super::{HERE, anyone, confidential, metadata};
use crate::{
    clients::{
        authenticate::AuthenticateError,
        register::{Registration, Via},
    },
    failed_attempts::{MAX_FAILED_ATTEMPTS_PER_HOUR, TooManyFailedAttempts},
    initial_token::{InitialToken, InitialTokenError},
    policy::Mode,
    storage::{
        StorageError,
        keys::{client_key, initial_token_key},
    },
    testing::{HeldUse, NOW, World},
};

#[test]
fn a_token_opens_its_own_client_only() {
    let world = World::new(Mode::Open);
    let one = world.register(metadata("One"), anyone()).unwrap().token.unwrap();
    let two = world.register(metadata("Two"), anyone()).unwrap().token.unwrap();
    let opens = |client_id: &str, token: &str| {
        world.with(async |registry| registry.find_by_token(HERE, client_id, token).await).unwrap().is_some()
    };
    assert!(opens("app-1", one.expose()) && opens("app-2", two.expose()));
    assert!(!opens("app-1", two.expose()) && !opens("app-2", one.expose()) && !opens("app-3", one.expose()));
}

/// An initial access token for so many uses, in the store.
fn initial_token(world: &World, token: &str, uses: u32) {
    let state = InitialToken { name: "partner".into(), expires_at: NOW + 100, uses: Some(uses) };
    let text = serde_json::to_string(&state).unwrap();
    world.store.entries.borrow_mut().insert(initial_token_key(token), (text, Value::Null));
}

#[test]
fn initial_access_tokens_are_used_up() {
    let mut world = World::new(Mode::Token);
    initial_token(&world, "mcpinit_x", 2);
    let spend = |world: &World, token: &str| {
        world.with(async |registry| {
            let Some(initial_use) = registry.take_use(HERE, token).await.unwrap() else { return false };
            let client_id = format!("app-{}", world.store.entries.borrow().len());
            registry.spend(initial_use, &client_id).await.is_ok()
        })
    };
    assert!(!spend(&world, "mcpinit_y") && spend(&world, "mcpinit_x") && spend(&world, "mcpinit_x"));
    assert!(!spend(&world, "mcpinit_x"));
    world.forget();
    assert!(!spend(&world, "mcpinit_x"), "nor in another isolate");
}

#[test]
fn a_registration_that_fails_at_the_end_gives_the_use_of_its_token_back() {
    for (operation, prefix) in [("confirm", None), ("", Some("client/"))] {
        let world = World::new(Mode::Token);
        initial_token(&world, "mcpinit_x", 1);
        let register = || {
            world.with(async |registry| {
                let HeldUse { registrant, reservation, .. } = registry.take_use(HERE, "mcpinit_x").await.unwrap()?;
                let (metadata, via, reservation) = (confidential("Agent"), Via::Endpoint, Some(reservation));
                registry.register(Registration { metadata, registrant, via, reservation }).await.ok()
            })
        };
        world.provider.broken.set(operation);
        world.store.broken_prefix.set(prefix);
        assert!(register().is_none(), "{operation} {prefix:?}");
        world.provider.broken.set("");
        world.store.broken_prefix.set(None);
        assert!(register().is_some(), "{operation} {prefix:?}: the provider's failure is not the developer's");
        assert!(register().is_none(), "it is used up now");
    }
}

#[test]
fn uses_that_an_earlier_version_counted_off_are_gone() {
    let world = World::new(Mode::Token);
    let key = initial_token_key("mcpinit_x");
    let text = format!(r#"{{"name":"partner","expires_at":{},"uses_left":1}}"#, NOW + 100);
    world.store.entries.borrow_mut().insert(key.clone(), (text.clone(), Value::Null));
    world.with(async |registry| {
        let held = registry.take_use(HERE, "mcpinit_x").await.unwrap().unwrap();
        registry.spend(held, "app-1").await.unwrap();
        assert!(registry.take_use(HERE, "mcpinit_x").await.unwrap().is_none());
    });
    assert_eq!(world.store.entries.borrow()[&key].0, text, "which is the operator's");
}

#[test]
fn records_of_earlier_versions_are_read_and_stay_as_they_are() {
    let world = World::new(Mode::Open);
    let registered = world.register(metadata("Agent"), anyone()).unwrap();
    let token = registered.token.unwrap();
    let old = format!(
        r#"{{"metadata":{{"redirect_uris":["http://127.0.0.1/cb"],"client_name":"Changed by an earlier version",
            "token_endpoint_auth_method":"none","grant_types":["authorization_code"],"response_types":["code"],
            "application_type":"native"}},"token_hash":"{}","owner":{{"kind":"anyone"}},"created_at":1}}"#,
        crate::record::hash_of(token.expose())
    );
    world.store.entries.borrow_mut().insert(client_key("app-1"), (old.clone(), Value::Null));
    let find =
        || world.with(async |registry| registry.find_by_token(HERE, "app-1", token.expose()).await).unwrap().unwrap();
    let record = find();
    assert_eq!(record.metadata.client_name, "Changed by an earlier version");
    world.with(async |registry| registry.update("app-1", &record, metadata("Renamed"), "test").await).unwrap();
    assert_eq!(find().metadata.client_name, "Renamed");
    assert_eq!(world.store.entries.borrow()[&client_key("app-1")].0, old);
}

#[test]
fn a_use_is_one_use_also_of_requests_at_the_same_moment() {
    let world = World::new(Mode::Token);
    initial_token(&world, "mcpinit_x", 3);
    world.with(async |registry| {
        let took = join_all((0..20).map(|_| registry.take_use(HERE, "mcpinit_x"))).await;
        let mut held: Vec<_> = took.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(held.len(), 3);
        // One leads to a client, the others to nothing.
        registry.spend(held.remove(0), "app-1").await.unwrap();
        assert!(registry.take_use(HERE, "mcpinit_x").await.unwrap().is_none(), "they may still lead to one");
        for held in held {
            registry.give_back(held).await;
        }
        let took = join_all((0..20).map(|_| registry.take_use(HERE, "mcpinit_x"))).await;
        assert_eq!(took.into_iter().filter_map(Result::unwrap).count(), 2);
    });
}

#[test]
fn uses_that_are_held_here_are_not_free_if_others_spend_the_rest() {
    let world = World::new(Mode::Token);
    initial_token(&world, "mcpinit_x", 3);
    world.with(async |registry| {
        let held = (registry.take_use(HERE, "mcpinit_x").await, registry.take_use(HERE, "mcpinit_x").await);
        // Another isolate spends one, and the store knows nothing of those two yet.
        initial_token(&world, "mcpinit_x", 2);
        assert!(registry.take_use(HERE, "mcpinit_x").await.unwrap().is_none());
        for held in [held.0, held.1] {
            registry.give_back(held.unwrap().unwrap()).await;
        }
        assert!(registry.take_use(HERE, "mcpinit_x").await.unwrap().is_some());
    });
}

#[test]
fn two_tokens_of_one_name_are_two_registrants() {
    let world = World::new(Mode::Token);
    initial_token(&world, "mcpinit_x", 9);
    initial_token(&world, "mcpinit_y", 9);
    let register = |token: &str| {
        let who = world.with(async |registry| registry.take_use(HERE, token).await.unwrap().unwrap().registrant);
        world.register(confidential("Agent"), who).unwrap()
    };
    let (one, other) = (register("mcpinit_x"), register("mcpinit_y"));
    assert_ne!(one.client_id, other.client_id, "and none gets the secret of the other");
    assert_ne!(register("mcpinit_x").client_id, one.client_id, "nor does the bearer of the same one");
    assert!(world.audit.borrow()[0].contains("\"by\":\"token:partner\""));
}

#[test]
fn guesses_are_refused_from_the_limit_on_without_being_looked_up() {
    let world = World::new(Mode::Open);
    let token = world.register(metadata("Agent"), anyone()).unwrap().token.unwrap();
    let limit = MAX_FAILED_ATTEMPTS_PER_HOUR as usize;
    world.with(async |registry| {
        // The right ones are not counted, however many there are.
        for found in join_all((0..limit).map(|_| registry.find_by_token(HERE, "app-1", token.expose()))).await {
            assert!(found.unwrap().is_some());
        }
        let reads = world.store.reads.get();
        let unknown: Vec<String> = (0..3 * limit).map(|n| format!("app-{}", n % 2 + 1)).collect();
        let guesses = join_all(unknown.iter().map(|it| registry.find_by_token(HERE, it, "mcpreg_guess"))).await;
        assert_eq!(guesses.iter().filter(|it| **it == Ok(None)).count(), limit, "of clients that exist or not");
        let is_limit = |it: &&Result<_, _>| {
            matches!(it, Err(AuthenticateError::TooManyFailedAttempts(TooManyFailedAttempts { retry_after: 1..=3600 })))
        };
        assert_eq!(guesses.iter().filter(is_limit).count(), 2 * limit);
        assert_eq!(world.store.reads.get() - reads, limit, "one read for each that was refuted, none for the others");
        // Nor does any other token from there, not even the right one.
        assert!(matches!(registry.take_use(HERE, "mcpinit_x").await, Err(InitialTokenError::TooManyFailedAttempts(_))));
        assert!(matches!(
            registry.find_by_token(HERE, "app-1", token.expose()).await,
            Err(AuthenticateError::TooManyFailedAttempts(_))
        ));
        assert!(registry.find_by_token("192.0.2.2", "app-1", token.expose()).await.unwrap().is_some(), "elsewhere");
    });
    world.now.set(NOW + 3600);
    assert!(
        world.with(async |registry| registry.find_by_token(HERE, "app-1", token.expose()).await).unwrap().is_some()
    );
}

#[test]
fn what_cannot_be_a_token_is_refuted_without_a_look_and_does_not_count() {
    let world = World::new(Mode::Open);
    world.register(metadata("Agent"), anyone()).unwrap();
    let reads = world.store.reads.get();
    for _ in 0..3 * MAX_FAILED_ATTEMPTS_PER_HOUR {
        for text in ["", "eyJhbGciOiJSUzI1NiJ9.e30.x", "mcpinit_x"] {
            let found = world.with(async |registry| registry.find_by_token(HERE, "app-1", text).await);
            assert_eq!(found, Ok(None), "{text}");
        }
        assert!(world.with(async |registry| registry.take_use(HERE, "mcpreg_x").await.unwrap().is_none()));
    }
    assert_eq!(world.store.reads.get(), reads);
}

#[test]
fn an_outage_of_the_store_is_nobodys_guess() {
    let world = World::new(Mode::Open);
    world.store.is_down.set(true);
    for _ in 0..3 * MAX_FAILED_ATTEMPTS_PER_HOUR {
        let found = world.with(async |registry| registry.find_by_token(HERE, "app-1", "mcpreg_x").await);
        assert!(matches!(found, Err(AuthenticateError::Storage(StorageError::Unavailable(_)))), "{found:?}");
    }
}
