//! When and by whom a copy is renewed in the background.

use super::*;
use crate::keys::policy::{CONFIRM_SECONDS, LEAD_STEP_SECONDS, MAX_RENEWAL_PAUSE_SECONDS};

#[test]
fn one_request_renews_an_old_copy_and_the_next_one_after_the_cool_down() {
    let mut state = state();
    let now = NOW + FRESH_SECONDS;
    let mut refresh_at = |now| {
        assert!(uses(&first_action(&mut state, now, "k")));
        let refresh = state.take_refresh();
        if refresh == Some(Refresh::Store) {
            assert!(uses(&first_action(&mut state, now, "k")) && state.take_refresh().is_none(), "one at a time");
            state.store_answered(now, None);
            assert!(state.goes_on_to_provider(now), "the store has no newer one");
            assert!(uses(&first_action(&mut state, now, "k")) && state.take_refresh().is_none(), "one at a time");
            state.provider_answered(None);
        }
        refresh
    };
    assert_eq!(refresh_at(now), Some(Refresh::Store));
    assert_eq!(refresh_at(now + COOL_DOWN_SECONDS - 1), None);
    assert_eq!(refresh_at(now + COOL_DOWN_SECONDS), Some(Refresh::Store));
}

#[test]
fn a_copy_that_another_isolate_has_renewed_is_taken_without_asking_the_provider() {
    let mut state = state();
    let now = NOW + FRESH_SECONDS;
    assert!(uses(&first_action(&mut state, now, "k")));
    assert_eq!(state.take_refresh(), Some(Refresh::Store));
    state.store_answered(now, Some(record(&["other"], now - 60)));
    assert!(!state.goes_on_to_provider(now));
    assert!(uses(&first_action(&mut state, now, "other")) && state.take_refresh().is_none());
    // It is as old as the other isolate says: the next renewal is not ten minutes from now.
    let next = now - 60 + FRESH_SECONDS;
    assert!(uses(&first_action(&mut state, next - 1, "other")) && state.take_refresh().is_none());
    assert!(uses(&first_action(&mut state, next, "other")));
    assert_eq!(state.take_refresh(), Some(Refresh::Store));
}

#[test]
fn a_copy_is_renewed_ahead_of_its_time_by_what_was_drawn_for_it() {
    let mut state = state();
    state.schedule_renewal(1 << 63, NOW);
    let now = NOW + FRESH_SECONDS - LEAD_STEP_SECONDS;
    assert!(uses(&first_action(&mut state, now - 1, "k")) && state.take_refresh().is_none());
    assert!(uses(&first_action(&mut state, now, "k")));
    assert_eq!(state.take_refresh(), Some(Refresh::Store));
    // Nothing is drawn for the copy that takes its place.
    state.store_answered(now, Some(record(&["k"], now)));
    let now = now + FRESH_SECONDS;
    assert!(uses(&first_action(&mut state, now - 1, "k")) && state.take_refresh().is_none());
}

/// When the provider is asked by a state whose copy is of [`NOW`], while somebody puts his keys into the store again and again.
fn asked_at(state: &mut JwksState) -> u64 {
    state.schedule_renewal(0, NOW);
    for now in (NOW..NOW + CEILING_SECONDS).step_by(60).skip(1) {
        assert!(uses(&first_action(state, now, "k")));
        match state.take_refresh() {
            Some(Refresh::Store) => {
                state.store_answered(now, Some(stored(now)));
                state.schedule_renewal(0, now);
                if state.goes_on_to_provider(now) {
                    return now;
                }
            }
            Some(Refresh::Provider) => return now,
            None => {}
        }
    }
    panic!("never asked");
}

fn stored(fetched_at: u64) -> Record {
    Record { is_stored: true, ..record(&["k"], fetched_at) }
}

#[test]
fn the_provider_is_asked_within_the_hour_although_the_store_is_always_fresh() {
    let mut from_store = JwksState::default();
    from_store.store_answered(NOW, Some(stored(NOW)));
    let mut with_search = state();
    with_search.search_answered(Some(record(&["k"], NOW).provider), NOW);
    for (mut state, whose) in [(from_store, "of the store"), (state(), "own"), (with_search, "of an own search")] {
        let now = asked_at(&mut state);
        assert_eq!(now, NOW + CONFIRM_SECONDS, "the document at first: {whose}");
        state.provider_answered(Some(record(&["other"], now)));
        assert!(!uses(&first_action(&mut state, now, "k")), "what the provider says counts");
    }
}

#[test]
fn what_a_search_has_found_takes_the_place_of_a_stored_document_for_a_day() {
    let stored_at = |now| {
        let mut state = JwksState::default();
        assert!(state.begin_search(NOW));
        state.search_answered(Some(record(&["k"], NOW).provider), NOW);
        state.store_answered(now, Some(stored(now)));
        Rc::clone(state.copy(now).unwrap())
    };
    let copy = stored_at(NOW + CEILING_SECONDS - 1);
    assert_eq!((copy.is_stored, copy.provider_fetched_at), (false, NOW));
    let copy = stored_at(NOW + CEILING_SECONDS);
    assert_eq!((copy.is_stored, copy.provider_fetched_at), (true, NOW + CEILING_SECONDS));
}

#[test]
fn an_own_document_stays_for_a_day_beside_newer_stored_keys_if_theirs_says_the_same() {
    let assurance = |now, stored: Record| {
        let mut state = state();
        state.store_answered(now, Some(stored));
        assert!(uses(&first_action(&mut state, now, "other")), "the keys are the newer ones");
        state.step_for_document(now, Assurance::Endpoints, &mut Attempted::default()).map(|provider| provider.document)
    };
    let same = |now| Record { is_stored: true, ..record(&["other"], now) };
    let own = record(&["k"], NOW).provider;
    let last = NOW + CEILING_SECONDS - 1;
    assert_eq!(assurance(last, same(last)), Ok(own.document.clone()));
    assert_eq!(assurance(last + 1, same(last + 1)), Err(Action::AskProvider), "too old");
    let mut other = own;
    other.token_endpoint = Some("https://evil.example/token".to_owned());
    assert_eq!(assurance(last, Record { provider: other, ..same(last) }), Err(Action::AskProvider), "not the same");
}

#[test]
fn in_an_outage_a_request_does_not_wait_for_the_store_each_time() {
    let (mut state, now) = (state(), NOW + REVALIDATE_SECONDS);
    let mut attempted = Attempted::default();
    assert_eq!(state.step(now, query("k", now), &mut attempted), Action::ReadStore);
    state.store_answered(now, None);
    assert_eq!(state.step(now, query("k", now), &mut attempted), Action::Renew);
    state.provider_answered(None);
    for later in [now + STORE_PAUSE_SECONDS, now + COOL_DOWN_SECONDS - 1] {
        assert!(uses(&first_action(&mut state, later, "k")), "the provider has just failed");
    }
    assert_eq!(first_action(&mut state, now + COOL_DOWN_SECONDS, "k"), Action::ReadStore);
}

/// The seconds after which a request renews the copy again that is `age` old, from one failure to the next.
fn pauses(state: &mut JwksState, age: u64, count: usize) -> Vec<u64> {
    let mut at = Vec::new();
    for now in NOW + age.. {
        let mut attempted = Attempted::default();
        loop {
            let action = state.step(now, query("k", NOW), &mut attempted);
            let asks = match (&action, state.take_refresh()) {
                (Action::ReadStore, None) => {
                    state.store_answered(now, None);
                    continue;
                }
                (Action::Renew, None) => true,
                (_, Some(Refresh::Store)) => {
                    state.store_answered(now, None);
                    state.goes_on_to_provider(now)
                }
                (_, refresh) => refresh.is_some(),
            };
            if asks {
                state.provider_answered(None);
                at.push(now);
            }
            if action != Action::Renew {
                assert!(uses(&action), "{action:?}");
                break;
            }
        }
        if at.len() > count {
            break;
        }
    }
    at.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn each_failure_in_turn_doubles_the_pause_up_to_the_longest() {
    let longest = MAX_RENEWAL_PAUSE_SECONDS;
    for age in [FRESH_SECONDS, REVALIDATE_SECONDS] {
        let mut state = state();
        assert_eq!(pauses(&mut state, age, 7), [30, 60, 120, 240, longest, longest, longest], "at the age of {age}");
    }
    let mut state = state();
    let hours = pauses(&mut state, FRESH_SECONDS, 100);
    assert_eq!(hours.last(), Some(&longest));
    let now = NOW + FRESH_SECONDS + hours.iter().sum::<u64>() + longest;
    state.provider_answered(Some(record(&["k"], now)));
    assert_eq!(pauses(&mut state, now - NOW + FRESH_SECONDS, 2), [COOL_DOWN_SECONDS, 60], "an answer ends it");
}

#[test]
fn after_many_failures_a_token_with_a_new_key_waits_no_longer_than_after_one() {
    let mut state = state();
    let now = NOW + FRESH_SECONDS;
    let failed_at = now + pauses(&mut state, FRESH_SECONDS, 6).iter().sum::<u64>();
    let later = failed_at + COOL_DOWN_SECONDS;
    assert!(uses(&first_action(&mut state, later, "k")) && state.take_refresh().is_none(), "the usual renewal waits");
    let mut attempted = Attempted::default();
    assert_eq!(state.step(later, query("new", later), &mut attempted), Action::ReadStore);
    state.store_answered(later, None);
    assert_eq!(state.step(later, query("new", later), &mut attempted), Action::AskProvider);
    state.provider_answered(Some(record(&["k", "new"], later)));
    assert!(uses(&state.step(later, query("new", later), &mut attempted)));
}

/// What is done for a token whose signature does not verify under the published key.
fn forged(state: &mut JwksState, now: u64) -> Action {
    let disproved = state.copy(now).unwrap().keys.iter().next().map(|key| key.thumbprint);
    state.step(now, KeyQuery { disproved, ..query("k", now) }, &mut Attempted::default())
}

#[test]
fn what_is_asked_for_other_tokens_neither_makes_the_pause_longer_nor_keeps_newer_copies_of_the_store_away() {
    for age in [FRESH_SECONDS, REVALIDATE_SECONDS] {
        let mut state = state();
        let began = NOW + age;
        for number in 0..20 {
            let now = began + number * COOL_DOWN_SECONDS;
            assert_eq!(forged(&mut state, now), Action::AskProvider);
            state.provider_answered(None);
        }
        let now = began + 20 * COOL_DOWN_SECONDS - 1;
        assert_eq!(state.renewal_pause(), COOL_DOWN_SECONDS, "none of them was a renewal");
        let looked = match first_action(&mut state, now, "k") {
            Action::ReadStore => true,
            action => uses(&action) && state.take_refresh() == Some(Refresh::Store),
        };
        assert!(looked, "although the provider was asked a moment ago, at the age of {age}");
        state.store_answered(now, Some(stored(now)));
        assert_eq!(pauses(&mut state, now - NOW + FRESH_SECONDS, 2), [COOL_DOWN_SECONDS, 60]);
    }
}

#[test]
fn a_newer_copy_of_the_store_ends_the_growing_pause() {
    let mut state = state();
    let failed_at = NOW + FRESH_SECONDS + pauses(&mut state, FRESH_SECONDS, 6).iter().sum::<u64>();
    assert_eq!(state.renewal_pause(), MAX_RENEWAL_PAUSE_SECONDS);
    state.store_answered(failed_at, Some(stored(failed_at - 60)));
    assert_eq!(state.renewal_pause(), MAX_RENEWAL_PAUSE_SECONDS, "of before the last failure");
    state.store_answered(failed_at + 60, Some(stored(failed_at + 30)));
    assert_eq!(state.renewal_pause(), COOL_DOWN_SECONDS, "the provider has answered somebody since");
}

#[test]
fn a_look_into_the_store_in_vain_asks_nobody_within_the_pause() {
    for age in [FRESH_SECONDS, REVALIDATE_SECONDS] {
        let mut state = state();
        let failed_at = NOW + age + pauses(&mut state, age, 3).iter().sum::<u64>();
        let again = failed_at + state.renewal_pause();
        // It moves the moment at which the provider was asked, and not that of the store.
        assert_eq!(forged(&mut state, again - 1), Action::AskProvider);
        state.provider_answered(None);
        let mut attempted = Attempted::default();
        let action = state.step(again, query("k", NOW), &mut attempted);
        if state.take_refresh() == Some(Refresh::Store) {
            state.store_answered(again, None);
            assert!(uses(&action) && !state.goes_on_to_provider(again), "in the background");
        } else {
            assert_eq!(action, Action::ReadStore);
            state.store_answered(again, None);
            assert!(uses(&state.step(again, query("k", NOW), &mut attempted)), "before it is used");
        }
        assert!(
            uses(&first_action(&mut state, again + 1, "k")) && state.take_refresh().is_none(),
            "at the age of {age}"
        );
    }
}
