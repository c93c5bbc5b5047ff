//! The rules of the ledger, one after the other: how long what it grants lasts, and whose it is.

use crate::{
    ledger::{
        LEASE_SECONDS, RESERVATION_SECONDS, TokenUses,
        rows::{Rows, Write},
        rules::{Refusal, VISIBLE_SECONDS, begin_change, end_change, renew_change, take_use},
    },
    testing::{MemoryRows, NOW},
};

/// The rows of a ledger in use.
fn rows() -> MemoryRows {
    let rows = MemoryRows::default();
    rows.write(vec![Write::Imported]).unwrap();
    rows
}

#[test]
fn a_use_that_led_to_nothing_is_free_again_when_its_reservation_ends() {
    let (rows, uses) = (rows(), TokenUses { token: "t/".to_owned(), total: 1, expires_at: NOW + 86_400 });
    let take = |id: &str, now| take_use(&rows, id, &uses, now).unwrap();
    assert!(take("one", NOW));
    assert!(take("one", NOW), "the same request, repeated");
    assert!(!take("other", NOW + RESERVATION_SECONDS - 1));
    assert!(take("other", NOW + RESERVATION_SECONDS));
}

#[test]
fn a_reservation_lasts_a_quarter_of_an_hour_and_the_store_shows_changes_within_ten_minutes() {
    assert_eq!((RESERVATION_SECONDS, VISIBLE_SECONDS), (900, 600));
}

#[test]
fn a_change_locks_its_client_for_a_while() {
    let rows = rows();
    let begin = |id: &str, now| begin_change(&rows, id, "app-1", now);
    assert_eq!(begin("one", NOW).unwrap(), None);
    assert_eq!(begin("one", NOW + 1).unwrap(), None, "the same request, repeated");
    assert!(matches!(begin("other", NOW + LEASE_SECONDS), Err(Refusal::Busy)));
    assert_eq!(begin("other", NOW + 1 + LEASE_SECONDS).unwrap(), None);
    // The first one has lost its lease: what it does now counts for nothing.
    end_change(&rows, "one", "app-1", Some("{}".to_owned()), NOW + 2 + LEASE_SECONDS).unwrap();
    assert!(matches!(begin("third", NOW + 3 + LEASE_SECONDS), Err(Refusal::Busy)));
}

#[test]
fn only_the_change_that_is_in_progress_renews_its_lease() {
    let rows = rows();
    let (begin, renew) = (
        |id: &str, now| begin_change(&rows, id, "app-1", now).is_ok(),
        |id: &str, now| renew_change(&rows, id, "app-1", now).is_ok(),
    );
    assert!(!renew("one", NOW), "it has not begun");
    assert!(begin("one", NOW) && renew("one", NOW + 10) && !renew("other", NOW + 10));
    assert!(!begin("other", NOW + 9 + LEASE_SECONDS));
    // It has run out, and nobody has noticed.
    assert!(renew("one", NOW + 10 + LEASE_SECONDS));
    assert!(!begin("other", NOW + 11 + LEASE_SECONDS));
    // Another change has begun, and has ended.
    let later = NOW + 10 + 2 * LEASE_SECONDS;
    assert!(begin("other", later) && !renew("one", later));
    end_change(&rows, "other", "app-1", Some("{}".to_owned()), later).unwrap();
    assert!(!renew("one", later) && !renew("other", later), "a renewal that arrives late");
    assert_eq!(begin_change(&rows, "third", "app-1", later).unwrap().as_deref(), Some("{}"), "locks nobody out");
    assert!(renew("third", later + 1));
    end_change(&rows, "third", "app-1", None, later + 1).unwrap();
    let kept = begin_change(&rows, "fourth", "app-1", later + 1).unwrap();
    assert_eq!(kept.as_deref(), Some("{}"), "a renewal leaves the metadata as it is");
}

#[test]
fn what_a_change_has_written_is_given_until_the_store_shows_it() {
    let rows = rows();
    let begin = |id: &str, now| begin_change(&rows, id, "app-1", now).unwrap();
    begin("one", NOW);
    end_change(&rows, "one", "app-1", Some("{\"a\":1}".to_owned()), NOW).unwrap();
    assert_eq!(begin("two", NOW + VISIBLE_SECONDS - 1).as_deref(), Some("{\"a\":1}"));
    // A change that fails leaves it as it was, and makes room.
    end_change(&rows, "two", "app-1", None, NOW + VISIBLE_SECONDS - 1).unwrap();
    assert_eq!(begin("three", NOW + VISIBLE_SECONDS), None);
}

#[test]
fn a_change_that_failed_makes_room_and_its_id_is_nobodys() {
    let rows = rows();
    begin_change(&rows, "one", "app-1", NOW).unwrap();
    end_change(&rows, "one", "app-1", None, NOW).unwrap();
    assert_eq!(rows.change("app-1").unwrap().id, "");
    assert_eq!(begin_change(&rows, "two", "app-1", NOW).unwrap(), None);
    // The answer was lost, and the first one ends once more.
    end_change(&rows, "one", "app-1", Some("{}".to_owned()), NOW).unwrap();
    assert!(matches!(begin_change(&rows, "three", "app-1", NOW), Err(Refusal::Busy)));
}
