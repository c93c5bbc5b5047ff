//! The lease of a client that is being changed: kept as long as the change goes on, and lost soon when its isolate is gone.

use futures_util::future::join;
use mcp_edge_runtime::service_call::CallError;

use super::{
    anyone,
    ledger::{version, versions},
};
use crate::{
    clients::update::UpdateError,
    ledger::{ChangeError, LEASE_SECONDS, Ledger, rules},
    policy::Mode,
    record::Record,
    testing::{NOW, World, others_go_on},
};

async fn steps(count: usize) {
    for _ in 0..count {
        others_go_on().await;
    }
}

#[test]
fn a_change_whose_isolate_is_gone_holds_up_others_for_two_minutes() {
    let world = World::new(Mode::Open);
    let record = world.register(version("old"), anyone()).unwrap().record;
    let change = |record: &Record| {
        world.with(async |operations| operations.update("app-1", record, version("new"), "test").await).map(drop)
    };
    let begun = world.with(async |operations| operations.ledger().begin_change("gone", "app-1", NOW).await);
    assert_eq!(begun, Ok(None));
    world.now.set(NOW + LEASE_SECONDS - 1);
    assert_eq!(change(&record), Err(UpdateError::Change(ChangeError::Busy)));
    assert_eq!(versions(&world).0, "old", "nothing was begun");
    world.now.set(NOW + LEASE_SECONDS);
    assert_eq!(change(&record), Ok(()));
    // Should it come back all the same, it ends nobody else's change.
    world.with(async |operations| {
        let ledger = operations.ledger();
        ledger.begin_change("next", "app-1", NOW).await.unwrap();
        ledger.end_change("gone", "app-1", None, NOW).await;
        assert_eq!(ledger.begin_change("another", "app-1", NOW).await, Err(ChangeError::Busy));
    });
}

#[test]
fn a_change_that_takes_longer_than_its_lease_keeps_it() {
    let world = World::new(Mode::Open);
    let (here, there) = (world.location(), world.location());
    let record = world.register(version("old"), anyone()).unwrap().record;
    world.provider.slow_updates.set(200);
    let slow = here.act(async |operations| operations.update("app-1", &record, version("slow"), "test").await);
    let others = async {
        // Renewed a minute ago, again and again.
        for _ in 0..10 {
            steps(12).await;
            world.now.set(world.now.get() + LEASE_SECONDS / 2);
            let begun = there.act(async |operations| operations.ledger().begin_change("other", "app-1", NOW).await);
            assert_eq!(begun.await, Err(ChangeError::Busy));
        }
    };
    let (changed, ()) = crate::testing::block_on(join(slow, others));
    assert_eq!(changed.map(drop), Ok(()));
    assert_eq!(versions(&world), ("slow".to_owned(), "slow".to_owned()));
    let begun = world.with(async |operations| operations.ledger().begin_change("other", "app-1", NOW).await);
    assert!(begun.is_ok(), "it has ended");
}

#[test]
fn a_change_that_cannot_renew_its_lease_stops_before_another_can_begin() {
    let world = World::new(Mode::Open);
    let (here, there) = (world.location(), world.location());
    let record = world.register(version("old"), anyone()).unwrap().record;
    world.provider.slow_updates.set(200);
    let stopped = here.act(async |operations| operations.update("app-1", &record, version("stopped"), "test").await);
    let outage = async {
        steps(8).await;
        *world.ledger_fails_with.borrow_mut() = Some(CallError::Overloaded);
    };
    let (changed, ()) = crate::testing::block_on(join(stopped, outage));
    assert_eq!(changed.map(drop), Err(UpdateError::Change(ChangeError::Busy)));
    assert_eq!(world.provider.applications.borrow()["app-1"].name, "stopped", "it stopped half way");
    // What it left is written over by the next change, which begins when the lease has ended.
    *world.ledger_fails_with.borrow_mut() = None;
    world.provider.slow_updates.set(0);
    world.now.set(NOW + LEASE_SECONDS);
    let next = there.act(async |operations| operations.update("app-1", &record, version("next"), "test").await);
    crate::testing::block_on(next).unwrap();
    assert_eq!(versions(&world), ("next".to_owned(), "next".to_owned()));
}

#[test]
fn a_change_that_has_lost_its_lease_leaves_the_client_to_who_has_it() {
    let world = World::new(Mode::Open);
    let (here, there) = (world.location(), world.location());
    let record = world.register(version("old"), anyone()).unwrap().record;
    world.provider.slow_updates.set(200);
    let late = here.act(async |operations| operations.update("app-1", &record, version("late"), "test").await);
    let taken_over = async {
        steps(8).await;
        // Its isolate stood still for longer than the lease, and another change began meanwhile.
        *world.ledger_fails_with.borrow_mut() = Some(CallError::Overloaded);
        steps(1).await;
        world.now.set(NOW + LEASE_SECONDS);
        *world.ledger_fails_with.borrow_mut() = None;
        let rows = &world.rows;
        rules::begin_change(rows, "other", "app-1", world.now.get()).unwrap();
    };
    let (changed, ()) = crate::testing::block_on(join(late, taken_over));
    assert_eq!(changed.map(drop), Err(UpdateError::Change(ChangeError::Busy)));
    let begun = there.act(async |operations| operations.ledger().begin_change("third", "app-1", NOW).await);
    assert_eq!(crate::testing::block_on(begun), Err(ChangeError::Busy), "the other still has it");
    let key = crate::storage::keys::metadata_key("app-1");
    assert!(!world.store.entries.borrow().contains_key(&key), "and nothing was recorded");
}

#[test]
fn a_lease_that_was_lost_does_not_come_back_when_the_other_change_has_ended() {
    let world = World::new(Mode::Open);
    let here = world.location();
    let record = world.register(version("old"), anyone()).unwrap().record;
    world.provider.slow_updates.set(200);
    let late = here.act(async |operations| operations.update("app-1", &record, version("late"), "test").await);
    let written = serde_json::to_string(&version("other")).unwrap();
    let other = async {
        steps(8).await;
        // Its isolate stood still for longer than the lease, and another change took place meanwhile.
        let now = NOW + LEASE_SECONDS;
        world.now.set(now);
        rules::begin_change(&world.rows, "other", "app-1", now).unwrap();
        rules::end_change(&world.rows, "other", "app-1", Some(written.clone()), now).unwrap();
    };
    let (changed, ()) = crate::testing::block_on(join(late, other));
    assert_eq!(changed.map(drop), Err(UpdateError::Change(ChangeError::Busy)));
    let present = rules::begin_change(&world.rows, "third", "app-1", world.now.get()).unwrap();
    assert_eq!(present, Some(written), "what the other wrote, and no lock is left");
}

/// Whether another change may begin.
fn may_begin(world: &World, now: u64) -> bool {
    rules::begin_change(&world.rows, &now.to_string(), "app-1", now).is_ok()
}

#[test]
fn a_change_that_has_lost_its_lease_does_not_end_it_early() {
    let world = World::new(Mode::Open);
    let here = world.location();
    let record = world.register(version("old"), anyone()).unwrap().record;
    world.provider.slow_updates.set(200);
    let stopped = here.act(async |operations| operations.update("app-1", &record, version("stopped"), "test").await);
    let outage = async {
        steps(8).await;
        // Two renewals, each asked for twice. What comes after them is answered again.
        world.ledger_loses.set(4);
    };
    let (changed, ()) = crate::testing::block_on(join(stopped, outage));
    assert_eq!(changed.map(drop), Err(UpdateError::Change(ChangeError::Busy)));
    assert_eq!(world.ledger_loses.get(), 0, "the ledger is back");
    assert_eq!([NOW, NOW + LEASE_SECONDS].map(|now| may_begin(&world, now)), [false, true]);
}

#[test]
fn a_lease_ends_early_only_if_nothing_of_its_change_can_still_be_carried_out() {
    for (operation, prefix, is_free) in [
        // No answer: what was asked for may be done later.
        ("update", None, false),
        ("", Some("metadata/"), false),
        ("refused update", None, true),
        ("", None, true),
    ] {
        let world = World::new(Mode::Open);
        let record = world.register(version("old"), anyone()).unwrap().record;
        world.provider.broken.set(operation);
        world.store.broken_prefix.set(prefix);
        let changed =
            world.with(async |operations| operations.update("app-1", &record, version("new"), "test").await).is_ok();
        assert_eq!(changed, operation.is_empty() && prefix.is_none());
        let begun = [NOW, NOW + LEASE_SECONDS].map(|now| may_begin(&world, now));
        assert_eq!(begun, [is_free, true], "{operation} {prefix:?}");
    }
}
