//! Which grants may be revoked, if keys may share them; and what is due when.

use super::DAY;
use crate::{
    account::{
        repair::{Work, due, next_wake, pause},
        rows::{Entry, State},
        siblings::may_end,
    },
    testing::clock::NOW,
};

fn entry(id: &str, state: State, grant_id: Option<&str>) -> Entry {
    Entry {
        id: id.to_owned(),
        name: id.to_owned(),
        created_at: NOW,
        expires_at: NOW + 90 * DAY,
        state,
        grant_id: grant_id.map(str::to_owned),
        gone_at: (state == State::Gone).then_some(NOW),
        is_pending: state == State::Gone,
        tries: 0,
        next_try: 0,
        ending_until: 0,
    }
}

#[test]
fn a_key_that_works_and_may_share_the_grant_keeps_it_alive() {
    let gone = |grant_id| entry("gone", State::Gone, grant_id);
    let with = |gone: Entry, other: Entry| may_end(&gone, &[gone.clone(), other], NOW);
    for state in [State::Active, State::Reserved] {
        for (own, others) in [(None, None), (Some("g"), None), (None, Some("g")), (Some("g"), Some("g"))] {
            assert!(!with(gone(own), entry("other", state, others)), "{own:?} {others:?}");
        }
        assert!(with(gone(Some("g")), entry("other", state, Some("h"))), "grants that are known and different");
    }
    assert!(may_end(&gone(None), &[gone(None)], NOW), "the last one");
}

#[test]
fn keys_that_work_no_longer_keep_nothing_alive() {
    let gone = entry("gone", State::Gone, None);
    let expired = Entry { expires_at: NOW, ..entry("expired", State::Active, None) };
    assert!(may_end(&gone, &[gone.clone(), expired, entry("other", State::Gone, None)], NOW));
    let done = Entry { is_pending: false, ..gone.clone() };
    assert!(!may_end(&done, std::slice::from_ref(&done), NOW), "there is nothing left to do");
}

#[test]
fn a_grant_is_tried_again_with_growing_pauses_and_forgotten() {
    let pauses: Vec<u64> = (0..8).map(pause).collect();
    assert_eq!(pauses, [60, 240, 960, 3_840, 15_360, 61_440, DAY, DAY]);
    let failing = Entry { tries: 5, next_try: NOW + 100, ..entry("gone", State::Gone, None) };
    let at = |now| due(&failing, std::slice::from_ref(&failing), now);
    assert_eq!(at(NOW), Some((Work::EndGrant, NOW + 100)));
    assert_eq!(at(NOW + 30 * DAY), Some((Work::Forget, NOW + 30 * DAY)));
}

#[test]
fn a_grant_that_waits_for_a_sibling_is_not_forgotten_before_it_was_tried() {
    let gone = entry("gone", State::Gone, None);
    let sibling = entry("sibling", State::Active, None);
    let all = [gone.clone(), sibling.clone()];
    assert_eq!(due(&gone, &all, NOW + 40 * DAY), None);
    assert_eq!(next_wake(&all, NOW + 40 * DAY), Some(sibling.expires_at), "its turn comes when that expires");
    assert_eq!(due(&gone, &all, sibling.expires_at), Some((Work::EndGrant, 0)));
}
