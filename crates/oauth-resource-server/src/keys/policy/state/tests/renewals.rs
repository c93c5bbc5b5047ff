//! When and by whom a copy is renewed in the background.

use super::*;
use crate::keys::policy::{CONFIRM_SECONDS, LEAD_STEP_SECONDS};

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

#[test]
fn the_provider_is_asked_within_the_hour_although_the_store_is_always_fresh() {
    let stored = |at| Some(Record { is_stored: true, ..record(&["k"], at) });
    let mut state = JwksState::default();
    state.store_answered(NOW, stored(NOW));
    state.schedule_renewal(0, NOW);
    let mut now = NOW;
    let asked_at = loop {
        now += 60;
        assert!(uses(&first_action(&mut state, now, "k")));
        match state.take_refresh() {
            Some(Refresh::Store) => {
                // Somebody puts his keys there again and again.
                state.store_answered(now, stored(now));
                state.schedule_renewal(0, now);
                if state.goes_on_to_provider(now) {
                    break now;
                }
            }
            Some(Refresh::Provider) => break now,
            None => {}
        }
        assert!(now < NOW + CEILING_SECONDS, "never asked");
    };
    assert_eq!(asked_at, NOW + CONFIRM_SECONDS);
    state.provider_answered(Some(record(&["other"], now)));
    assert!(!uses(&first_action(&mut state, now, "k")), "what the provider says counts");
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
