use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::{
    audit::Event,
    initial_token::InitialToken,
    limiter::{Activity, MAX_CALLS_PER_CLIENT_AND_HOUR, MAX_REFUTED_TOKENS_PER_HOUR},
    policy::{Mode, Registrant, network_of},
    record::{Owner, Record},
    registration::metadata::ClientMetadata,
    registry::{Failure, Registered, Request, Via},
    store::{client_key, initial_token_key},
    testing::{NOW, World, others_go_on},
};

/// Where everything comes from, if it does not matter.
const HERE: &str = "192.0.2.1";

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
    Registrant::Anyone { network: HERE.to_owned() }
}

fn developer(subject: &str) -> Registrant {
    Registrant::Developer { issuer: "https://tenant.example/oidc".to_owned(), subject: subject.to_owned() }
}

fn request(metadata: ClientMetadata, registrant: Registrant) -> Request<'static> {
    Request { metadata, registrant, via: Via::Endpoint }
}

/// From a form of the portal with this number.
fn form(number: &'static str, metadata: ClientMetadata, subject: &str) -> Request<'static> {
    Request { metadata, registrant: developer(subject), via: Via::Portal { form: number } }
}

impl World {
    fn register(&self, metadata: ClientMetadata, registrant: Registrant) -> Result<Registered, Failure> {
        self.with(async |registry| registry.register(request(metadata, registrant)).await)
    }

    fn record(&self, client_id: &str) -> Option<Record> {
        self.with(async |registry| registry.find(client_id).await).unwrap()
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
fn the_same_form_twice_makes_one_client() {
    let mut world = World::new(Mode::Developers);
    let send = |world: &World, subject: &str| {
        world.with(async |registry| registry.register(form("1", confidential("Agent"), subject)).await).unwrap()
    };
    assert_eq!(send(&world, "alice").client_id, "app-1");
    assert_eq!(send(&world, "alice").client_id, "app-1");
    assert_eq!(send(&world, "bob").client_id, "app-2", "somebody else's form of the same number");
    world.forget();
    let elsewhere = send(&world, "alice");
    assert!(elsewhere.is_repeated && elsewhere.client_id == "app-1", "in another isolate");
    // Ten minutes later the store has forgotten as well.
    world.now.set(NOW + 601);
    world.store.entries.borrow_mut().retain(|key, _| !key.starts_with("form/"));
    assert_eq!(send(&world, "alice").client_id, "app-3");
}

#[test]
fn the_same_form_twice_at_the_same_moment_makes_one_client() {
    let world = World::new(Mode::Open);
    let (one, other) = world.with(async |registry| {
        let register = || registry.register(form("1", metadata("Agent"), "alice"));
        join(register(), register()).await
    });
    assert_eq!((one.unwrap().client_id, other.unwrap().client_id), ("app-1".to_owned(), "app-1".to_owned()));
    assert_eq!(world.provider.created.get(), 1);
}

#[test]
fn whoever_asks_for_the_same_at_the_endpoint_gets_a_client_of_their_own() {
    let token = || Registrant::InitialToken { name: "partner".to_owned(), id: "1".to_owned() };
    for (mode, registrant) in [(Mode::Open, anyone()), (Mode::Token, token()), (Mode::Developers, developer("alice"))] {
        for metadata in [metadata("Agent"), confidential("Agent")] {
            let world = World::new(mode);
            let (one, other) = world.with(async |registry| {
                let register = || registry.register(request(metadata.clone(), registrant.clone()));
                join(register(), register()).await
            });
            let later = world.register(metadata, registrant.clone()).unwrap();
            let clients = [one.unwrap(), other.unwrap(), later];
            assert_eq!(world.provider.ids().len(), 3, "{registrant:?}");
            for client in &clients {
                let record = world.record(&client.client_id).unwrap();
                let theirs = clients.iter().filter(|it| record.is_token(it.token.as_ref().unwrap().expose()));
                assert_eq!(theirs.count(), 1, "{registrant:?}");
                assert_eq!(clients.iter().filter(|it| it.client_id == client.client_id).count(), 1, "{registrant:?}");
            }
        }
    }
}

#[test]
fn what_was_never_begun_is_not_undone() {
    let world = World::new(Mode::Developers);
    world.provider.broken.set("begin");
    let failure = world.register(metadata("Agent"), developer("alice")).unwrap_err();
    assert_eq!(failure.to_string(), "the provider is not available: on purpose");
    assert!(world.audit.borrow().is_empty(), "{:?}", world.audit.borrow());
    world.provider.broken.set("create");
    world.register(metadata("Agent"), developer("alice")).unwrap_err();
    let audit = world.audit.borrow();
    assert!(audit.len() == 1 && audit[0].contains(r#""client_id":"app-0""#), "{audit:?}");
}

#[test]
fn the_log_is_written_in_words() {
    for failure in [
        Failure::TooMany(Activity::RefutedTokens, 60),
        Failure::Full,
        Failure::Quota(3),
        Failure::Provider(crate::provider::ProviderError::Misconfigured("check X".to_owned())),
        Failure::Store(mcp_edge::ports::StoreError("on fire".to_owned())),
        Failure::Gone,
    ] {
        let (text, debug) = (failure.to_string(), format!("{failure:?}"));
        assert!(!text.contains(['(', '{']) && text != debug && text.contains(' '), "{text}");
    }
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
    assert!(
        outcomes.iter().all(|it| matches!(it, Ok(_) | Err(Failure::TooMany(Activity::Registrations, 1..=3600)))),
        "{outcomes:?}"
    );
    world.forget();
    let refused = world.register(metadata("Agent X"), anyone());
    assert!(matches!(refused, Err(Failure::TooMany(..))), "another isolate knows: {refused:?}");
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
fn a_flood_from_a_whole_site_stops_as_well() {
    let mut world = World::new(Mode::Open);
    world.policy.limits.clients = 1000;
    let register = |address: String| {
        let registrant = Registrant::Anyone { network: network_of(&address, None) };
        world.register(metadata(&address), registrant)
    };
    // A household or a server has 256 networks at least, and each would be somebody else.
    let outcomes: Vec<_> = (0..256).map(|n| register(format!("2001:db8:1:{n:x}::1"))).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 15, "five times the limit of a network");
    assert!(outcomes.iter().all(|it| matches!(it, Ok(_) | Err(Failure::TooMany(..)))), "{outcomes:?}");
    assert!(register("2001:db8:2::1".to_owned()).is_ok() && register("192.0.2.9".to_owned()).is_ok());
}

#[test]
fn strangers_leave_places_for_developers() {
    let mut world = World::new(Mode::Open);
    world.policy.limits.clients = 20;
    let from = |n: usize| Registrant::Anyone { network: format!("192.0.2.{n}") };
    let made = (0..30).filter(|n| world.register(metadata(&format!("Flood {n}")), from(*n)).is_ok()).count();
    assert_eq!(made, 18);
    assert!(matches!(world.register(metadata("Agent"), from(99)), Err(Failure::Full)));
    let by = |subject: &str| world.register(metadata("Agent"), developer(subject)).map(|_| ());
    assert_eq!((by("alice"), by("bob"), by("carol")), (Ok(()), Ok(()), Err(Failure::Full)));
}

#[test]
fn whoever_asks_for_the_same_again_gets_no_place_beyond_the_last() {
    let mut world = World::new(Mode::Open);
    world.policy.limits.per_address_and_hour = 100;
    // Clients with a secret are not shared, so this is a client of its own each time.
    for _ in 0..5 {
        world.register(confidential("Agent"), anyone()).unwrap();
    }
    assert!(matches!(world.register(confidential("Agent"), anyone()), Err(Failure::Full)));
    world.policy.limits.clients = 8;
    world.now.set(NOW + 100);
    let at_once = world.with(async |registry| {
        join_all((0..20).map(|_| registry.register(request(confidential("Agent"), anyone())))).await
    });
    assert!(at_once.iter().all(|it| matches!(it, Ok(_) | Err(Failure::Full))), "{at_once:?}");
    assert!(world.provider.ids().len() <= 8, "{:?}", world.provider.ids());
}

#[test]
fn what_was_removed_at_the_provider_is_not_given_again() {
    let world = World::new(Mode::Developers);
    world.register(confidential("Agent"), developer("alice")).unwrap();
    world.provider.applications.borrow_mut().clear();
    assert_eq!(world.register(confidential("Agent"), developer("alice")).unwrap().client_id, "app-2");
}

#[test]
fn a_flood_that_is_refused_costs_the_store_nothing() {
    let mut world = World::new(Mode::Open);
    for n in 0..30 {
        let registrant = Registrant::Anyone { network: format!("192.0.2.{n}") };
        let _ = world.register(metadata("Agent"), registrant);
    }
    // Also in an isolate that has not found out yet.
    world.forget();
    let writes = world.store.writes.get();
    for n in 0..30 {
        let registrant = Registrant::Anyone { network: format!("198.51.100.{n}") };
        assert!(matches!(world.register(metadata("Agent"), registrant), Err(Failure::Full)));
    }
    assert_eq!(world.store.writes.get(), writes);
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
fn a_use_is_one_use_whatever_is_asked_for_at_once() {
    let world = World::new(Mode::Token);
    initial_token(&world, "mcpinit_x", 3);
    world.with(async |registry| {
        let took = join_all((0..20).map(|_| registry.take_use(HERE, "mcpinit_x"))).await;
        let mut held: Vec<_> = took.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(held.len(), 3);
        // One leads to a client, the others to nothing.
        registry.spend(held.remove(0), "app-1").await.unwrap();
        assert!(registry.take_use(HERE, "mcpinit_x").await.unwrap().is_none(), "they may still lead to one");
        drop(held);
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
        drop(held);
        assert!(registry.take_use(HERE, "mcpinit_x").await.unwrap().is_some());
    });
}

#[test]
fn two_tokens_of_one_name_are_two_registrants() {
    let world = World::new(Mode::Token);
    initial_token(&world, "mcpinit_x", 9);
    initial_token(&world, "mcpinit_y", 9);
    let register = |token: &str| {
        let who = world.with(async |registry| registry.take_use(HERE, token).await.unwrap().unwrap().registrant(token));
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
    let limit = MAX_REFUTED_TOKENS_PER_HOUR as usize;
    world.with(async |registry| {
        // The right ones are not counted, however many there are.
        for found in join_all((0..limit).map(|_| registry.find_by_token(HERE, "app-1", token.expose()))).await {
            assert!(found.unwrap().is_some());
        }
        let reads = world.store.reads.get();
        let unknown: Vec<String> = (0..3 * limit).map(|n| format!("app-{}", n % 2 + 1)).collect();
        let guesses = join_all(unknown.iter().map(|it| registry.find_by_token(HERE, it, "mcpreg_guess"))).await;
        assert_eq!(guesses.iter().filter(|it| **it == Ok(None)).count(), limit, "of clients that exist or not");
        let is_limit = |it: &&Result<_, _>| matches!(it, Err(Failure::TooMany(Activity::RefutedTokens, 1..=3600)));
        assert_eq!(guesses.iter().filter(is_limit).count(), 2 * limit);
        assert_eq!(world.store.reads.get() - reads, limit, "one read for each that was refuted, none for the others");
        // Nor does any other token from there, not even the right one.
        assert!(matches!(registry.take_use(HERE, "mcpinit_x").await, Err(Failure::TooMany(..))));
        assert!(matches!(registry.find_by_token(HERE, "app-1", token.expose()).await, Err(Failure::TooMany(..))));
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
    for _ in 0..3 * MAX_REFUTED_TOKENS_PER_HOUR {
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
    for _ in 0..3 * MAX_REFUTED_TOKENS_PER_HOUR {
        let found = world.with(async |registry| registry.find_by_token(HERE, "app-1", "mcpreg_x").await);
        assert!(matches!(found, Err(Failure::Store(_))), "{found:?}");
    }
}

#[test]
fn a_client_is_called_for_so_often_and_no_more() {
    let mut world = World::new(Mode::Open);
    let limit = MAX_CALLS_PER_CLIENT_AND_HOUR as usize;
    let call = |world: &World, count: usize| {
        let calls = world.with(async |registry| join_all((0..count).map(|_| registry.count_call("app-1"))).await);
        calls.iter().filter(|it| it.is_ok()).count()
    };
    assert_eq!((call(&world, limit - 1), world.store.writes.get()), (limit - 1, 0));
    assert_eq!((call(&world, limit), world.store.writes.get()), (1, 1), "the others are told once");
    assert_eq!(world.with(async |registry| registry.count_call("app-2").await), Ok(()), "another client");
    world.forget();
    assert_eq!(call(&world, limit), 0, "in another isolate");
    world.now.set(NOW + 3600);
    assert_eq!(call(&world, limit), limit);
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
    let register = |number: &'static str| {
        world.with(async |registry| registry.register(form(number, confidential("Agent"), "alice")).await)
    };
    let first = register("form 1").unwrap();
    assert!(first.secret.is_some() && first.token.is_none() && first.record.is_made_by_hand());
    let again = register("form 1").unwrap();
    assert!(again.is_repeated && again.client_id == first.client_id && again.secret.is_none());
    assert_ne!(register("form 2").unwrap().client_id, first.client_id, "a second form is a second wish");
}
