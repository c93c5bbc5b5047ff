//! The pauses between two reads of the store, and between two requests to the provider.

use super::*;

/// What a request gets that has read the store in vain.
fn after_store(state: &mut JwksState, now: u64, kid: &str, issued_at: u64) -> Action {
    let action = state.step(now, query(kid, issued_at), &mut Attempted { store: true, ..Attempted::default() });
    if action == Action::AskProvider {
        state.provider_answered(Some(record(&["k"], now)));
    }
    action
}

/// What a request gets at `now`, after another one read the store in vain at `before` and went away.
fn after_a_read(mut state: JwksState, before: u64, now: u64, kid: &str) -> Action {
    assert_eq!(first_action(&mut state, before, kid), Action::ReadStore);
    state.store_answered(before, None);
    first_action(&mut state, now, kid)
}

#[test]
fn without_a_copy_the_store_is_read_again_after_the_pause_of_cold_isolates() {
    let next = |now| after_a_read(JwksState::default(), NOW, now, "k");
    assert_eq!(next(NOW + COLD_RETRY_SECONDS - 1), Action::AskProvider);
    assert_eq!(next(NOW + COLD_RETRY_SECONDS), Action::ReadStore);
}

#[test]
fn for_an_unknown_key_the_store_is_read_again_after_its_pause() {
    let before = NOW + COOL_DOWN_SECONDS;
    let next = |now| after_a_read(state(), before, now, "x");
    assert_eq!(next(before + STORE_PAUSE_SECONDS - 1), Action::AskProvider);
    assert_eq!(next(before + STORE_PAUSE_SECONDS), Action::ReadStore);
}

#[test]
fn for_an_old_copy_the_store_is_read_again_after_the_pause_of_renewals() {
    let before = NOW + REVALIDATE_SECONDS;
    let next = |now| after_a_read(state(), before, now, "k");
    assert_eq!(next(before + COOL_DOWN_SECONDS - 1), Action::Renew);
    assert_eq!(next(before + COOL_DOWN_SECONDS), Action::ReadStore);
}

#[test]
fn without_a_copy_the_provider_is_asked_again_after_the_pause_of_cold_isolates() {
    let mut state = JwksState::default();
    assert_eq!(after_store(&mut state, NOW, "k", NOW), Action::AskProvider);
    state = JwksState { copy: None, ..state };
    assert_eq!(after_store(&mut state, NOW + COLD_RETRY_SECONDS - 1, "k", NOW), Action::Unavailable(1));
    assert_eq!(after_store(&mut state, NOW + COLD_RETRY_SECONDS, "k", NOW), Action::AskProvider);
}

#[test]
fn the_second_request_within_a_cool_down_is_made_when_the_second_of_the_token_is_over() {
    let mut state = state();
    assert_eq!(after_store(&mut state, NOW + 1, "x", NOW + 1), Action::AskProvider);
    assert_eq!(after_store(&mut state, NOW + 2, "y", NOW + 2), Action::Wait);
    assert_eq!(after_store(&mut state, NOW + 3, "y", NOW + 2), Action::AskProvider);
}

#[test]
fn requests_within_a_cool_down_are_granted_again_after_their_window() {
    let mut state = state();
    // Issued a second ahead of our clock: perhaps newer than the copy.
    let mut next = |now, kid: &str| after_store(&mut state, now, kid, now + 1);
    for number in 1..=u64::from(BURST) {
        assert_eq!(next(NOW + number, &number.to_string()), Action::AskProvider);
    }
    let last = NOW + u64::from(BURST);
    let ready = last + COOL_DOWN_SECONDS;
    assert_eq!(next(last + 1, "y"), Action::Unavailable(COOL_DOWN_SECONDS - 1));
    assert_eq!(next(ready - 1, "y"), Action::Unavailable(1));
    assert_eq!(next(ready, "y"), Action::AskProvider, "the usual pace");
    let again = NOW + 1 + BURST_WINDOW_SECONDS;
    assert!(again < ready + COOL_DOWN_SECONDS, "still within a cool-down");
    assert_eq!(next(again - 1, "z"), Action::Unavailable(ready + COOL_DOWN_SECONDS - again + 1));
    assert_eq!(next(again, "z"), Action::AskProvider);
}

#[test]
fn the_provider_is_asked_for_its_document_after_the_pause_of_cold_isolates() {
    // A stored document without endpoints of the issuer's own gives no assurance.
    let mut state = JwksState::default();
    state.store_answered(NOW, Some(Record { is_stored: true, ..record(&["k"], NOW) }));
    let next = |state: &mut JwksState, now| {
        state.step_for_document(now, Assurance::Endpoints, &mut Attempted::default()).map(drop)
    };
    assert_eq!(next(&mut state, NOW), Err(Action::AskProvider));
    assert_eq!(next(&mut state, NOW), Err(Action::Wait), "for the first one");
    state.provider_answered(None);
    assert_eq!(next(&mut state, NOW + 1), Err(Action::Unavailable(COLD_RETRY_SECONDS - 1)));
    assert_eq!(next(&mut state, NOW + COLD_RETRY_SECONDS), Err(Action::AskProvider));
}

#[test]
fn a_stored_copy_of_the_same_second_does_not_replace_ours() {
    let mut state = state();
    state.store_answered(NOW, Some(record(&["other"], NOW)));
    assert!(uses(&first_action(&mut state, NOW, "k")));
}
