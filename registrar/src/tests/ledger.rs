//! What two locations can do to the limits and to each other's changes, and what happens while the ledger is down.

use futures_util::future::{join, join_all};
use mcp_edge_runtime::service_call::CallError;
use serde_json::{Value, json};

use super::{HERE, anyone, developer, metadata, request};
use crate::{
    client_metadata::ClientMetadata,
    clients::{register::RegisterError, update::UpdateError},
    initial_token::InitialToken,
    ledger::{
        self, AdmissionError, ChangeError, Ledger, LedgerError, MAX_CALLS_PER_CLIENT_AND_HOUR, RESERVATION_SECONDS,
        Reconciled,
    },
    policy::{Mode, Registrant},
    storage::{
        RegistrationStore,
        keys::{initial_token_key, rate_key},
    },
    testing::{CACHE_SECONDS, Location, NOW, World, block_on, others_go_on},
};

/// Registers so many clients at a location, all at once, and gives how many there are then.
async fn flood(location: &Location<'_>, count: usize, who: impl Fn(usize) -> Registrant) -> usize {
    let outcomes = location.act(async |operations| {
        join_all((0..count).map(|n| operations.register(request(metadata(&format!("Agent {n}")), who(n))))).await
    });
    outcomes.await.into_iter().flatten().count()
}

fn token(world: &World, token: &str, uses: u32) {
    let state = InitialToken { name: "partner".into(), expires_at: NOW + 86_400, uses: Some(uses) };
    let text = serde_json::to_string(&state).unwrap();
    world.store.entries.borrow_mut().insert(initial_token_key(token), (text, Value::Null));
}

/// Metadata of which every part says whose it is.
pub fn version(name: &str) -> ClientMetadata {
    let body = json!({
        "client_name": name, "redirect_uris": [format!("http://127.0.0.1/{name}")],
        "token_endpoint_auth_method": "none", "scope": "whoami:read",
    });
    ClientMetadata::parse(&body.to_string(), &[]).unwrap()
}

/// The one version that the client consists of at the provider, and its record's.
pub fn versions(world: &World) -> (String, String) {
    let application = world.provider.applications.borrow()["app-1"].clone();
    assert_eq!(application.redirect_uris, [format!("http://127.0.0.1/{}", application.name)], "of two versions");
    world.now.set(world.now.get() + CACHE_SECONDS);
    let record = world.location().with(async |operations| operations.find("app-1").await).unwrap().unwrap();
    (application.name, record.metadata.client_name)
}

#[test]
fn registrations_of_a_network_have_one_limit_at_all_locations() {
    let mut world = World::new(Mode::Open);
    world.policy.limits.clients = 100;
    let (here, there) = (world.location(), world.location());
    let (one, other) = block_on(join(flood(&here, 10, |_| anyone()), flood(&there, 10, |_| anyone())));
    assert_eq!(one + other, 3);
}

#[test]
fn a_site_has_one_limit() {
    let mut world = World::new(Mode::Open);
    world.policy.limits.clients = 100;
    let of = |from: usize| move |n: usize| Registrant::Anyone { network: format!("2001:db8:1:{:x}::", from + n) };
    let (here, there) = (world.location(), world.location());
    let (one, other) = block_on(join(flood(&here, 20, of(0)), flood(&there, 20, of(100))));
    assert_eq!(one + other, 15);
}

#[test]
fn no_two_locations_pass_max_clients() {
    let world = World::new(Mode::Open);
    let of = |from: usize| move |n: usize| Registrant::Anyone { network: format!("192.0.2.{}", from + n) };
    let (here, there) = (world.location(), world.location());
    let (one, other) = block_on(join(flood(&here, 20, of(0)), flood(&there, 20, of(100))));
    assert_eq!((one + other, world.provider.ids().len()), (5, 5));
}

#[test]
fn no_two_locations_pass_the_quota_of_a_developer() {
    let mut world = World::new(Mode::Developers);
    world.policy.limits.clients = 100;
    let (here, there) = (world.location(), world.location());
    let alice = |_| developer("alice");
    let (one, other) = block_on(join(flood(&here, 10, alice), flood(&there, 10, alice)));
    assert_eq!(one + other, 3);
    assert_eq!(block_on(flood(&there, 1, |_| developer("bob"))), 1, "which is nobody else's affair");
}

#[test]
fn uses_of_an_initial_access_token_have_one_limit_at_all_locations() {
    let world = World::new(Mode::Token);
    token(&world, "mcpinit_x", 3);
    let (here, there) = (world.location(), world.location());
    let spend = async |location: &Location<'_>, at: &str| {
        let outcomes = location.act(async |operations| {
            let one = async |n: usize| match operations.take_use(HERE, "mcpinit_x").await.unwrap() {
                Some(held) => operations.spend(held, &format!("app-{at}{n}")).await.is_ok(),
                None => false,
            };
            join_all((0..5).map(one)).await
        });
        outcomes.await.into_iter().filter(|is_spent| *is_spent).count()
    };
    let (one, other) = block_on(join(spend(&here, "a"), spend(&there, "b")));
    assert_eq!(one + other, 3);
    assert_eq!(block_on(spend(&world.location(), "c")), 0);
}

#[test]
fn calls_for_a_client_have_one_limit_at_all_locations() {
    let world = World::new(Mode::Open);
    let count = async |location: &Location<'_>| {
        let counted = location.act(async |operations| {
            join_all((0..MAX_CALLS_PER_CLIENT_AND_HOUR).map(|_| operations.count_call("app-1"))).await
        });
        counted.await.into_iter().flatten().count()
    };
    let (here, there) = (world.location(), world.location());
    let (one, other) = block_on(join(count(&here), count(&there)));
    assert_eq!(one + other, MAX_CALLS_PER_CLIENT_AND_HOUR as usize);
}

#[test]
fn two_changes_at_once_leave_one_of_them_whole() {
    for steps in 0..20 {
        let world = World::new(Mode::Open);
        let (here, there) = (world.location(), world.location());
        let record = here.with(async |operations| operations.register(request(version("old"), anyone())).await);
        let record = record.unwrap().record;
        let change = async |location: &Location<'_>, name: &str, steps: usize| {
            for _ in 0..steps {
                others_go_on().await;
            }
            let changed =
                location.act(async |operations| operations.update("app-1", &record, version(name), "test").await);
            changed.await.map(drop)
        };
        let outcomes = block_on(join(change(&here, "one", 0), change(&there, "two", steps)));
        assert_eq!(outcomes, (Ok(()), Ok(())), "{steps}: the second waits for the first");
        let (at_provider, recorded) = versions(&world);
        assert_eq!(at_provider, recorded, "{steps}");
    }
}

#[test]
fn a_change_that_fails_restores_what_the_last_one_wrote_though_this_location_has_read_older() {
    let world = World::new(Mode::Open);
    let (here, there) = (world.location(), world.location());
    let record = here.with(async |operations| operations.register(request(version("old"), anyone())).await);
    let record = record.unwrap().record;
    let read = there.with(async |operations| operations.find("app-1").await).unwrap().unwrap();
    here.with(async |operations| operations.update("app-1", &record, version("new"), "test").await).unwrap();
    world.store.broken_prefix.set(Some("metadata/"));
    there.with(async |operations| operations.update("app-1", &read, version("newer"), "test").await).unwrap_err();
    assert_eq!(versions(&world), ("new".to_owned(), "new".to_owned()), "not the redirect URI that was removed");
}

#[test]
fn a_registration_whose_isolate_is_gone_leaves_its_place_after_a_quarter_of_an_hour() {
    let mut world = World::new(Mode::Open);
    world.policy.limits.clients = 1;
    let admission = ledger::Admission::of(&anyone(), &world.policy);
    world.with(async |operations| operations.ledger().admit("gone", &admission, NOW).await).unwrap();
    let full = Err(RegisterError::Admission(AdmissionError::Full));
    assert_eq!(world.register(metadata("Agent"), developer("alice")).map(drop), full);
    world.now.set(NOW + RESERVATION_SECONDS);
    world.register(metadata("Agent"), developer("alice")).unwrap();
    // Should it come back all the same, it has no place any more, and takes its client back.
    let settled = world.with(async |operations| operations.ledger().settle("gone", "app-2", NOW).await);
    assert_eq!(settled, Err(LedgerError("the reservation has ended".to_owned())));
}

#[test]
fn an_answer_that_is_lost_is_asked_for_again_and_nothing_counts_twice() {
    let mut world = World::new(Mode::Open);
    world.policy.limits.per_address_and_hour = 2;
    for name in ["One", "Two"] {
        world.ledger_loses.set(1);
        world.register(metadata(name), anyone()).unwrap();
    }
    assert!(matches!(
        world.register(metadata("Three"), anyone()),
        Err(RegisterError::Admission(AdmissionError::TooManyRegistrations { .. }))
    ));
    token(&world, "mcpinit_x", 1);
    world.ledger_loses.set(1);
    world.with(async |operations| {
        let held = operations.take_use(HERE, "mcpinit_x").await.unwrap().unwrap();
        world.ledger_loses.set(1);
        operations.spend(held, "app-9").await.unwrap_err();
        assert!(operations.take_use(HERE, "mcpinit_x").await.unwrap().is_none());
    });
}

#[test]
fn while_the_ledger_is_down_nothing_is_made_or_changed_and_nothing_needs_an_operator_afterwards() {
    for error in [CallError::Overloaded, CallError::Failed(500), CallError::Network("reset".to_owned())] {
        let world = World::new(Mode::Open);
        let client = world.register(version("old"), anyone()).unwrap();
        *world.ledger_fails_with.borrow_mut() = Some(error.clone());
        let unavailable = LedgerError(error.to_string());
        let refused = world.register(metadata("Agent"), anyone()).unwrap_err();
        assert_eq!(refused, RegisterError::Admission(AdmissionError::Unavailable(unavailable.clone())));
        let refused =
            world.with(async |operations| operations.update("app-1", &client.record, version("new"), "test").await);
        assert_eq!(refused, Err(UpdateError::Change(ChangeError::Unavailable(unavailable.clone()))));
        let refused = world.with(async |operations| operations.count_call("app-1").await);
        assert_eq!(refused, Err(ledger::CallError::Unavailable(unavailable)));
        assert_eq!(world.provider.created.get(), 1);
        *world.ledger_fails_with.borrow_mut() = None;
        assert_eq!(versions(&world), ("old".to_owned(), "old".to_owned()));
        assert_eq!((0..3).filter(|_| world.register(metadata("Agent"), anyone()).is_ok()).count(), 2);
    }
}

#[test]
fn a_client_that_cannot_be_counted_is_taken_back() {
    let world = World::new(Mode::Open);
    for calls in 0..6 {
        let left = world.provider.ids().len();
        // The ledger fails from the call with this number on.
        let outcome = world.with(async |operations| {
            world.ledger_calls.set(0);
            let fails = async {
                for _ in 0..100 {
                    if world.ledger_calls.get() >= calls {
                        *world.ledger_fails_with.borrow_mut() = Some(CallError::Overloaded);
                    }
                    others_go_on().await;
                }
            };
            join(operations.register(request(metadata("Agent"), anyone())), fails).await.0.is_ok()
        });
        *world.ledger_fails_with.borrow_mut() = None;
        assert_eq!(world.provider.ids().len(), left + usize::from(outcome), "{calls}");
        let records = world.store.entries.borrow().keys().filter(|key| key.starts_with("client/")).count();
        assert_eq!(records, world.provider.ids().len(), "{calls}");
    }
}

#[test]
fn clients_and_uses_of_earlier_versions_count_from_the_first_request_on() {
    let mut world = World::new(Mode::Open);
    world.policy.limits.per_address_and_hour = 100;
    for n in 0..2 {
        world.register(metadata(&format!("Agent {n}")), developer("alice")).unwrap();
    }
    world.register(metadata("Agent"), anyone()).unwrap();
    token(&world, "mcpinit_x", 2);
    world.with(async |operations| {
        let held = operations.take_use(HERE, "mcpinit_x").await.unwrap().unwrap();
        operations.spend(held, "app-1").await.unwrap();
    });
    // As after the deployment of this version: a store, and an empty ledger.
    world.rows = crate::testing::MemoryRows::default();
    world.forget();
    let (one, other) = world.with(async |operations| {
        let register = |name: &str| operations.register(request(metadata(name), developer("alice")));
        join(register("Agent 3"), register("Agent 4")).await
    });
    let quota = RegisterError::Admission(AdmissionError::DeveloperQuota { limit: 3 });
    assert_eq!([one, other].into_iter().filter_map(Result::err).collect::<Vec<_>>(), [quota], "alice had two of three");
    world.with(async |operations| {
        assert!(operations.take_use(HERE, "mcpinit_x").await.unwrap().is_some());
        assert!(operations.take_use(HERE, "mcpinit_x").await.unwrap().is_none());
    });
    world.register(metadata("Fifth"), anyone()).unwrap();
    let full = Err(RegisterError::Admission(AdmissionError::Full));
    assert_eq!(world.register(metadata("Sixth"), developer("bob")).map(drop), full);
    // Without the lists nothing is admitted.
    world.rows = crate::testing::MemoryRows::default();
    world.store.lists_fail.set(true);
    let refused = world.register(metadata("Agent"), developer("bob")).map(drop);
    assert!(matches!(refused, Err(RegisterError::Admission(AdmissionError::Unavailable(_)))), "{refused:?}");
}

#[test]
fn counts_of_an_earlier_version_go_on() {
    let world = World::new(Mode::Open);
    let count = |key: &str, text: &str| {
        world.store.entries.borrow_mut().insert(key.to_owned(), (text.to_owned(), Value::Null));
    };
    count(&rate_key("registrations", HERE), &format!(r#"{{"began":{},"count":2}}"#, NOW - 60));
    count(&rate_key("calls", "app-1"), "unreadable");
    let made = (0..5).filter(|_| world.register(metadata("Agent"), anyone()).is_ok()).count();
    assert_eq!(made, 1, "two of three were counted before");
}

#[test]
fn what_the_ledger_has_missed_is_corrected_by_the_next_run() {
    let mut world = World::new(Mode::Open);
    world.policy.limits.per_address_and_hour = 100;
    for n in 0..5 {
        world.register(metadata(&format!("Agent {n}")), anyone()).unwrap();
    }
    let reconcile = |world: &World| world.with(async |operations| operations.reconcile().await).unwrap();
    assert_eq!(reconcile(&world), Reconciled::default());
    // An operator removes two by hand, and an earlier version, which is still at work, registers one.
    let forget = |id: &str| drop(world.store.entries.borrow_mut().remove(&format!("client/{id}")));
    forget("app-1");
    forget("app-2");
    assert_eq!(reconcile(&world), Reconciled::default(), "they are so new that the store may not show them yet");
    let (text, listed) = world.store.entries.borrow()["client/app-3"].clone();
    world.store.entries.borrow_mut().insert("client/app-9".to_owned(), (text, listed));
    world.now.set(NOW + 3_600);
    assert_eq!(reconcile(&world), Reconciled { added: 1, removed: 2 });
    assert_eq!(reconcile(&world), Reconciled::default());
    world.register(metadata("One more"), anyone()).unwrap();
    world.forget();
    let full = Err(RegisterError::Admission(AdmissionError::Full));
    assert_eq!(world.register(metadata("Too many"), anyone()).map(drop), full);
}

#[test]
fn a_list_that_lacks_a_client_does_not_say_that_it_is_gone() {
    let world = World::new(Mode::Open);
    world.register(metadata("Agent"), anyone()).unwrap();
    world.store.unlisted.borrow_mut().push("client/app-1".to_owned());
    world.now.set(NOW + 86_400);
    let reconciled = world.with(async |operations| operations.reconcile().await);
    assert_eq!(reconciled, Ok(Reconciled::default()));
}

#[test]
fn a_flood_that_was_refused_does_not_reach_the_ledger() {
    let world = World::new(Mode::Open);
    let here = world.location();
    assert_eq!(block_on(flood(&here, 5, |_| anyone())), 3);
    let calls = world.ledger_calls.get();
    assert_eq!(block_on(flood(&here, 50, |_| anyone())), 0);
    assert_eq!(world.ledger_calls.get(), calls, "of one network");
    let of = |n: usize| Registrant::Anyone { network: format!("198.51.100.{n}") };
    assert_eq!(block_on(flood(&here, 3, of)), 2);
    let calls = world.ledger_calls.get();
    assert_eq!(block_on(flood(&here, 50, of)), 0);
    assert_eq!(world.ledger_calls.get(), calls, "of all networks, once there is no room");
    assert!(block_on(here.get("client/app-1")).unwrap().is_some());
}
