//! What is remembered in an isolate, what is described at the provider, and what is said of a change.

use std::time::Duration;

use futures_util::{FutureExt, future::LocalBoxFuture};
use mcp_edge_runtime::ports::Runtime;

use super::{anyone, confidential, developer, metadata};
use crate::{
    audit::Event,
    clients::{register::RegisterError, submission::Submissions},
    ledger::{AdmissionError, Reconciled},
    policy::{Mode, Registrant},
    rate_window::{Window, Windows},
    storage::keys::REPEAT_SECONDS,
    testing::{MemoryRows, NOW, TestStore, World, block_on},
};

/// Nobody waits.
struct Awake;

impl Runtime for Awake {
    fn sleep(&self, _: Duration) -> LocalBoxFuture<'static, ()> {
        async { panic!("a form waits for one that has ended") }.boxed_local()
    }

    fn random(&self, buffer: &mut [u8]) {
        buffer.fill(1);
    }
}

#[test]
fn a_form_that_ended_without_a_client_is_begun_again_at_once() {
    let (submissions, store) = (Submissions::default(), TestStore::default());
    let begin = |now| block_on(submissions.begin("form".to_owned(), now, &Awake));
    drop(begin(NOW));
    let second = begin(NOW);
    block_on(second.led_to(&store, "app-1", NOW));
    // The isolate knows, also while the store does not.
    let elsewhere = TestStore::default();
    let known = |now| block_on(begin(now).client_id(&elsewhere)).unwrap();
    assert_eq!(known(NOW + REPEAT_SECONDS - 1).as_deref(), Some("app-1"));
    assert_eq!(known(NOW + REPEAT_SECONDS), None);
    assert_eq!(block_on(begin(NOW).client_id(&store)).unwrap().as_deref(), Some("app-1"));
}

#[test]
fn two_views_with_the_same_count_are_that_of_the_later_period() {
    let (early, late) = (Window { began: NOW, count: 2 }, Window { began: NOW + 1, count: 2 });
    assert_eq!((early.or(late), late.or(early)), (late, late));
}

#[test]
fn an_isolate_keeps_a_bounded_number_of_windows_and_those_that_last_first() {
    let count = |windows: &Windows, key: &str, now| windows.count(key, Window::default(), now, 1).is_ok();
    // Of those that have ended there may be many: what lasts is kept.
    let windows = Windows::default();
    for number in 0..9_999 {
        assert!(count(&windows, &format!("old-{number}"), NOW - 7_200));
    }
    assert!(count(&windows, "lasts", NOW));
    assert!(count(&windows, "another", NOW));
    assert!(!count(&windows, "lasts", NOW), "still at its limit");
    // Of those that last all are forgotten, rather than that memory fills up.
    let windows = Windows::default();
    for number in 0..=10_000 {
        assert!(count(&windows, &number.to_string(), NOW));
    }
    assert!(count(&windows, "1", NOW), "forgotten");
    assert!(!count(&windows, "10000", NOW), "counted since");
}

#[test]
fn the_provider_says_where_an_application_comes_from() {
    let world = World::new(Mode::Open);
    world.register(metadata("One"), anyone()).unwrap();
    world.register(metadata("Two"), developer("alice")).unwrap();
    let token = Registrant::InitialToken { name: "partner".to_owned(), id: "1".to_owned() };
    world.register(metadata("Three"), token).unwrap();
    let applications = world.provider.applications.borrow();
    let described: Vec<_> = applications.values().map(|application| application.description.as_str()).collect();
    assert_eq!(
        described,
        [
            "Registered itself (RFC 7591)",
            "Registered by the developer alice",
            "Registered itself with the initial access token \"partner\""
        ]
    );
}

#[test]
fn a_change_is_answered_with_what_is_there_now() {
    let world = World::new(Mode::Open);
    let registered = world.register(confidential("Agent"), anyone()).unwrap();
    let mut asked = confidential("Renamed");
    asked.scope = Some("whoami:read admin".to_owned());
    let changed =
        world.with(async |registry| registry.update("app-1", &registered.record, asked, "test").await).unwrap();
    assert_eq!(changed.metadata.client_name, "Renamed");
    assert_eq!(changed.metadata.scope.as_deref(), Some("whoami:read"), "what is granted, not what was asked for");
    assert_eq!(world.record("app-1"), Some(changed));
}

#[test]
fn a_removed_client_makes_room_at_once() {
    let world = World::new(Mode::Developers);
    let records: Vec<_> = (0..3)
        .map(|number| world.register(metadata(&format!("Agent {number}")), developer("alice")).unwrap().record)
        .collect();
    let full = world.register(metadata("Agent 3"), developer("alice"));
    assert!(matches!(full, Err(RegisterError::Admission(AdmissionError::DeveloperQuota { limit: 3 }))), "{full:?}");
    world.with(async |registry| registry.remove("app-1", &records[0], Event::ClientRemoved, "alice").await).unwrap();
    assert!(world.register(metadata("Agent 3"), developer("alice")).is_ok());
}

#[test]
fn strangers_who_found_no_room_are_refused_without_asking_for_a_minute() {
    let world = World::new(Mode::Open);
    let from = |number: u64| Registrant::Anyone { network: format!("192.0.2.{number}") };
    for number in 0..5 {
        world.register(metadata(&format!("Agent {number}")), from(number)).unwrap();
    }
    let refused = |number: u64, now: u64| {
        world.now.set(now);
        let before = world.ledger_calls.get();
        let outcome = world.register(metadata(&format!("Late {number}")), from(number));
        assert!(matches!(outcome, Err(RegisterError::Admission(AdmissionError::Full))), "{outcome:?}");
        world.ledger_calls.get() > before
    };
    assert!(refused(10, NOW), "asked");
    assert!(!refused(11, NOW + 59), "known");
    assert!(refused(12, NOW + 60), "asked again");
}

#[test]
fn a_developer_who_found_no_room_does_not_speak_for_strangers() {
    let world = World::new(Mode::Open);
    for number in 0..5 {
        let from = Registrant::Anyone { network: format!("192.0.2.{number}") };
        world.register(metadata(&format!("Agent {number}")), from).unwrap();
    }
    let full = world.register(metadata("Mine"), developer("alice"));
    assert!(matches!(full, Err(RegisterError::Admission(AdmissionError::Full))), "{full:?}");
    let before = world.ledger_calls.get();
    let _ = world.register(metadata("Late"), Registrant::Anyone { network: "198.51.100.1".to_owned() });
    assert!(world.ledger_calls.get() > before, "asked");
}

#[test]
fn clients_of_earlier_versions_are_new_as_long_as_they_were() {
    let mut world = World::new(Mode::Open);
    world.register(metadata("Agent"), anyone()).unwrap();
    // The ledger begins anew, and takes over what the store has.
    world.rows = MemoryRows::default();
    let reconcile = |world: &World, now: u64| {
        world.now.set(now);
        world.with(async |operations| operations.reconcile().await).unwrap()
    };
    assert_eq!(reconcile(&world, NOW), Reconciled::default());
    world.store.entries.borrow_mut().remove("client/app-1");
    assert_eq!(reconcile(&world, NOW + 3_599), Reconciled::default(), "the store may not show it yet");
    assert_eq!(reconcile(&world, NOW + 3_600), Reconciled { added: 0, removed: 1 });
}
