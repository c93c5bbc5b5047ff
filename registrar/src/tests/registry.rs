use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::{
    audit::Event,
    policy::{InitialToken, Mode, Registrant},
    record::{Owner, Record},
    registration::metadata::ClientMetadata,
    registry::{Failure, Registered, Request, Via},
    store::{client_key, initial_token_key},
    testing::{NOW, World, others_go_on},
};

fn metadata(name: &str) -> ClientMetadata {
    let body = json!({
        "client_name": name, "redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "none",
        "scope": "whoami:read admin",
    });
    ClientMetadata::parse(&body.to_string(), &[]).unwrap()
}

fn confidential(name: &str) -> ClientMetadata {
    let body = json!({"client_name": name, "redirect_uris": ["https://agent.example.com/cb"]});
    ClientMetadata::parse(&body.to_string(), &[]).unwrap()
}

fn anyone() -> Registrant {
    Registrant::Anyone { network: "192.0.2.1".to_owned() }
}

fn developer(subject: &str) -> Registrant {
    Registrant::Developer { issuer: "https://tenant.example/oidc".to_owned(), subject: subject.to_owned() }
}

fn request(metadata: ClientMetadata, registrant: Registrant) -> Request<'static> {
    Request { metadata, registrant, seed: "agent/1", via: Via::Endpoint }
}

impl World {
    fn register(&self, metadata: ClientMetadata, registrant: Registrant) -> Result<Registered, Failure> {
        self.with(async |registry| registry.register(request(metadata, registrant)).await)
    }

    fn record(&self, client_id: &str) -> Option<Record> {
        let entries = self.store.entries.borrow();
        entries.get(&client_key(client_id)).map(|(text, _)| serde_json::from_str(text).unwrap())
    }
}

#[test]
fn a_client_is_made_recorded_and_confirmed() {
    let world = World::new(Mode::Open);
    let registered = world.register(metadata("Agent"), anyone()).unwrap();
    assert_eq!(world.provider.ids(), ["app-1"]);
    assert_eq!(*world.provider.confirmed.borrow(), ["app-1"]);
    let record = world.record("app-1").unwrap();
    assert_eq!(record.metadata.scope.as_deref(), Some("whoami:read"), "never more than the operator allows");
    assert!(record.is_token(registered.token.unwrap().expose()));
    assert_eq!((record.owner, record.created_at), (Owner::Anyone, NOW));
    assert_eq!(world.provider.applications.borrow()["app-1"].ceiling.to_string(), "whoami:read");
    let line: Value = serde_json::from_str(&world.audit.borrow()[0]).unwrap();
    assert_eq!((&line["audit"], &line["client_id"]), (&json!("client_registered"), &json!("app-1")));
    assert_eq!(line["detail"], "native application, answers go to 127.0.0.1");
}

#[test]
fn no_secret_and_no_token_is_kept_or_logged() {
    let world = World::new(Mode::Open);
    let registered = world.register(confidential("Agent"), anyone()).unwrap();
    let (secret, token) = (registered.secret.unwrap(), registered.token.unwrap());
    let kept = format!("{:?}{:?}", world.store.entries.borrow(), world.audit.borrow());
    assert!(!kept.contains(secret.expose()) && !kept.contains(token.expose()), "{kept}");
}

#[test]
fn the_same_request_twice_makes_one_client() {
    let mut world = World::new(Mode::Developers);
    let first = world.register(confidential("Agent"), developer("alice")).unwrap();
    let second = world.register(confidential("Agent"), developer("alice")).unwrap();
    assert_eq!((first.client_id.as_str(), second.client_id.as_str()), ("app-1", "app-1"));
    assert_eq!(first.secret, second.secret);
    assert!(second.is_repeated && world.record("app-1").unwrap().is_token(second.token.unwrap().expose()));
    world.forget();
    let elsewhere = world.register(confidential("Agent"), developer("alice")).unwrap();
    assert_eq!(elsewhere.client_id, "app-1", "in another isolate");
    // Ten minutes later the store has forgotten as well.
    world.now.set(NOW + 601);
    world.store.entries.borrow_mut().retain(|key, _| !key.starts_with("request/"));
    assert_eq!(world.register(confidential("Agent"), developer("alice")).unwrap().client_id, "app-2");
}

#[test]
fn a_stranger_who_repeats_another_ones_request_cannot_take_the_client_over() {
    let world = World::new(Mode::Open);
    let first = world.register(metadata("Agent"), anyone()).unwrap();
    let second = world.register(metadata("Agent"), anyone()).unwrap();
    assert!(second.is_repeated && second.client_id == first.client_id);
    assert!(second.token.is_none() && second.secret.is_none(), "nothing to change the client with");
    assert!(!world.record("app-1").unwrap().is_token(first.token.unwrap().expose()), "nor has the first one");

    let elsewhere = || Registrant::Anyone { network: "192.0.2.2".to_owned() };
    let first = world.register(confidential("Server"), elsewhere()).unwrap();
    let second = world.register(confidential("Server"), elsewhere()).unwrap();
    assert_ne!(second.client_id, first.client_id, "a secret is not shared");
    assert_ne!(second.secret, first.secret);
}

#[test]
fn the_same_request_twice_at_the_same_moment_makes_one_client() {
    let world = World::new(Mode::Open);
    let (one, other) = world.with(async |registry| {
        let register = || registry.register(request(metadata("Agent"), anyone()));
        join(register(), register()).await
    });
    assert_eq!((one.unwrap().client_id, other.unwrap().client_id), ("app-1".to_owned(), "app-1".to_owned()));
    assert_eq!(world.provider.created.get(), 1);
}

#[test]
fn a_request_like_somebody_elses_is_not_a_repetition() {
    let world = World::new(Mode::Open);
    let first = world.register(metadata("Agent"), anyone()).unwrap();
    // Its token has come back, so the answer has arrived.
    let token = first.token.unwrap();
    world.with(async |registry| registry.find_by_token("app-1", token.expose()).await).unwrap().unwrap();
    assert_eq!(world.register(metadata("Agent"), anyone()).unwrap().client_id, "app-2");
    let elsewhere = Registrant::Anyone { network: "192.0.2.2".to_owned() };
    assert_eq!(world.register(metadata("Agent"), elsewhere).unwrap().client_id, "app-3");
}

#[test]
fn a_failure_leaves_nothing_behind_and_the_next_try_succeeds() {
    for (operation, prefix) in [("create", None), ("confirm", None), ("", Some("client/")), ("", Some("owner/"))] {
        let world = World::new(Mode::Developers);
        world.provider.broken.set(operation);
        world.store.broken_prefix.set(prefix);
        world.register(metadata("Agent"), developer("alice")).unwrap_err();
        assert!(world.provider.ids().is_empty(), "{operation} {prefix:?}");
        assert!(world.store.entries.borrow().is_empty(), "{operation} {prefix:?}: {:?}", world.store.entries.borrow());
        assert!(world.audit.borrow().iter().any(|line| line.contains("registration_undone")), "{operation} {prefix:?}");
        world.provider.broken.set("");
        world.store.broken_prefix.set(None);
        assert!(world.register(metadata("Agent"), developer("alice")).is_ok(), "{operation} {prefix:?}");
    }
}

#[test]
fn a_flood_from_one_address_stops_at_the_limit() {
    let mut world = World::new(Mode::Open);
    let outcomes = world.with(async |registry| {
        join_all((0..20).map(|n| registry.register(request(metadata(&format!("Agent {n}")), anyone())))).await
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
    assert!(outcomes.iter().all(|it| matches!(it, Ok(_) | Err(Failure::TooMany(1..=3600)))), "{outcomes:?}");
    world.forget();
    let refused = world.register(metadata("Agent X"), anyone());
    assert!(matches!(refused, Err(Failure::TooMany(_))), "another isolate knows: {refused:?}");
    assert_eq!(world.provider.created.get(), 3);
    world.now.set(NOW + 3600);
    assert!(world.register(metadata("Agent Y"), anyone()).is_ok());
}

#[test]
fn a_flood_from_everywhere_stops_when_all_places_are_taken() {
    let mut world = World::new(Mode::Open);
    for is_list_behind in [true, false] {
        world.store.lists_nothing.set(is_list_behind);
        let outcomes = world.with(async |registry| {
            let from = |n: usize| Registrant::Anyone { network: format!("192.0.2.{n}") };
            join_all((0..30).map(|n| registry.register(request(metadata(&format!("Agent {n}")), from(n))))).await
        });
        assert!(outcomes.iter().any(|outcome| matches!(outcome, Err(Failure::Full))));
        assert!(world.provider.ids().len() <= 5, "{}", world.provider.ids().len());
    }
    // One after the other, the last place is taken as well.
    world.now.set(NOW + 10_000);
    world.store.lists_nothing.set(false);
    world.forget();
    for n in 0..10 {
        let _ =
            world.register(metadata(&format!("Late {n}")), Registrant::Anyone { network: format!("198.51.100.{n}") });
    }
    assert_eq!(world.provider.ids().len(), 5);
}

#[test]
fn what_was_removed_at_the_provider_is_not_given_again() {
    let world = World::new(Mode::Developers);
    world.register(confidential("Agent"), developer("alice")).unwrap();
    world.provider.applications.borrow_mut().clear();
    assert_eq!(world.register(confidential("Agent"), developer("alice")).unwrap().client_id, "app-2");
}

#[test]
fn a_developer_has_so_many_clients_and_no_more() {
    let mut world = World::new(Mode::Developers);
    for n in 0..3 {
        world.register(metadata(&format!("Agent {n}")), developer("alice")).unwrap();
    }
    world.forget();
    assert!(matches!(world.register(metadata("Agent 4"), developer("alice")), Err(Failure::Quota(3))));
    assert!(world.register(metadata("Agent 4"), developer("bob")).is_ok());
}

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
    // Two identifiers that run into each other are still two developers.
    let other = world.with(async |registry| registry.list("https://tenant.example/oidca", "lice").await).unwrap();
    assert!(other.is_empty());
}

#[test]
fn a_token_opens_its_own_client_only() {
    let world = World::new(Mode::Open);
    let one = world.register(metadata("One"), anyone()).unwrap().token.unwrap();
    let two = world.register(metadata("Two"), anyone()).unwrap().token.unwrap();
    let opens = |client_id: &str, token: &str| {
        world.with(async |registry| registry.find_by_token(client_id, token).await).unwrap().is_some()
    };
    assert!(opens("app-1", one.expose()) && opens("app-2", two.expose()));
    assert!(!opens("app-1", two.expose()) && !opens("app-2", one.expose()) && !opens("app-3", one.expose()));
}

#[test]
fn an_update_changes_both_places_or_none() {
    let world = World::new(Mode::Open);
    let registered = world.register(metadata("Agent"), anyone()).unwrap();
    let update = |new: ClientMetadata| {
        world.with(async |registry| registry.update("app-1", &registered.record, new, "test").await)
    };
    for (operation, prefix) in [("update", None), ("", Some("client/"))] {
        world.provider.broken.set(operation);
        world.store.broken_prefix.set(prefix);
        update(metadata("Renamed")).unwrap_err();
        assert_eq!(world.provider.applications.borrow()["app-1"].name, "Agent", "{operation} {prefix:?}");
        assert_eq!(world.record("app-1").unwrap().metadata.client_name, "Agent", "{operation} {prefix:?}");
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
    // Whoever comes in with the token while a change is on its way has read what was there before.
    for steps in 0..12 {
        let world = World::new(Mode::Open);
        let registered = world.register(metadata("Agent"), anyone()).unwrap();
        let token = registered.token.unwrap();
        world.with(async |registry| {
            let read = async {
                for _ in 0..steps {
                    others_go_on().await;
                }
                registry.find_by_token("app-1", token.expose()).await.unwrap().unwrap()
            };
            let (changed, _) =
                join(registry.update("app-1", &registered.record, metadata("Renamed"), "test"), read).await;
            changed.unwrap();
        });
        assert_eq!(world.record("app-1").unwrap().metadata.client_name, "Renamed", "{steps}");
    }
}

#[test]
fn a_change_does_not_bring_back_a_token_that_has_ended() {
    let world = World::new(Mode::Open);
    let registered = world.register(metadata("Agent"), anyone()).unwrap();
    // Read before somebody else asked for the same, written after.
    let before = registered.record;
    assert!(world.register(metadata("Agent"), anyone()).unwrap().is_repeated);
    world.with(async |registry| registry.update("app-1", &before, metadata("Renamed"), "test").await).unwrap();
    let record = world.record("app-1").unwrap();
    assert!(!record.is_token(registered.token.unwrap().expose()) && record.metadata.client_name == "Renamed");
}

#[test]
fn the_type_of_a_client_stays() {
    let world = World::new(Mode::Open);
    let registered = world.register(metadata("Agent"), anyone()).unwrap();
    let outcome =
        world.with(async |registry| registry.update("app-1", &registered.record, confidential("Agent"), "test").await);
    let Err(Failure::Metadata(error)) = outcome else { panic!("{outcome:?}") };
    assert!(error.to_string().contains("native application"), "{error}");
}

#[test]
fn an_update_of_a_client_that_is_gone_does_not_bring_it_back() {
    let world = World::new(Mode::Open);
    let registered = world.register(metadata("Agent"), anyone()).unwrap();
    world
        .with(async |registry| registry.remove("app-1", &registered.record, Event::ClientRemoved, "test").await)
        .unwrap();
    let outcome =
        world.with(async |registry| registry.update("app-1", &registered.record, metadata("Zombie"), "test").await);
    assert_eq!(outcome, Err(Failure::Gone));
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

#[test]
fn initial_access_tokens_are_used_up() {
    let world = World::new(Mode::Token);
    let state = InitialToken { name: "partner".into(), expires_at: NOW + 100, uses_left: Some(1) };
    let text = serde_json::to_string(&state).unwrap();
    world.store.entries.borrow_mut().insert(initial_token_key("mcpinit_x"), (text, Value::Null));
    let look = |token: &str| world.with(async |registry| registry.initial_token(token).await).unwrap();
    assert_eq!((look("mcpinit_y"), look("mcpinit_x")), (None, Some(state.clone())));
    world.with(async |registry| registry.use_initial_token("mcpinit_x", &state).await).unwrap();
    assert_eq!(look("mcpinit_x"), None);
}

#[test]
fn a_developer_does_not_pass_the_limit_by_asking_for_all_at_once() {
    let world = World::new(Mode::Developers);
    let limit = world.policy.limits.per_developer as usize;
    let made = world.with(async |registry| {
        let names: Vec<String> = (0..4 * limit).map(|number| format!("Agent {number}")).collect();
        join_all(names.iter().map(|name| registry.register(request(metadata(name), developer("alice"))))).await
    });
    assert_eq!(made.iter().filter(|it| it.is_ok()).count(), limit);
    assert!(made.iter().all(|it| matches!(it, Ok(_) | Err(Failure::Quota(_)))));
    assert!(world.register(metadata("One more"), developer("alice")).is_err(), "nor by asking again");
    assert!(world.register(metadata("Another"), developer("bob")).is_ok(), "which is nobody else's affair");
}

#[test]
fn the_portal_shows_a_secret_once() {
    let world = World::new(Mode::Developers);
    let register = |seed: &'static str| {
        world.with(async |registry| {
            let request =
                Request { metadata: confidential("Agent"), registrant: developer("alice"), seed, via: Via::Portal };
            registry.register(request).await
        })
    };
    let first = register("form 1").unwrap();
    assert!(first.secret.is_some() && first.token.is_none() && first.record.is_made_by_hand());
    let again = register("form 1").unwrap();
    assert!(again.is_repeated && again.client_id == first.client_id && again.secret.is_none());
    assert_ne!(register("form 2").unwrap().client_id, first.client_id, "a second form is a second wish");
}
