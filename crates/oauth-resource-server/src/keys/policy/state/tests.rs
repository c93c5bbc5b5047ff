//! The key policy, decision by decision.

mod interleaving;
mod pauses;
mod renewals;

use mcp_edge_runtime::crypto::Algorithm;
use serde_json::{Value, json};

use super::*;
use crate::{
    keys::{
        key_set::KeySet,
        policy::unknown_kids::{MAX_KID_BYTES, MAX_UNKNOWN_KIDS, UNKNOWN_KID_SECONDS},
    },
    provider::ProviderLocation,
};

impl JwksState {
    /// The next action of a request, which counts as carried out.
    fn step(&mut self, now: u64, query: KeyQuery<'_>, attempted: &mut Attempted) -> Action {
        let action = self.next(now, query, *attempted);
        *attempted = attempted.and(&action);
        action
    }

    fn step_for_document(
        &mut self,
        now: u64,
        assurance: Assurance,
        attempted: &mut Attempted,
    ) -> Result<Provider, Action> {
        self.next_for_document(now, assurance, *attempted).inspect_err(|action| *attempted = attempted.and(action))
    }
}

const ISSUER: &str = "https://tenant.example/oidc";

const NOW: u64 = 1_795_000_000;

fn jwk(kid: &str) -> Value {
    let x = if kid == "other" {
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    } else {
        "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA"
    };
    json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x})
}

/// What the provider publishes: these keys, as of `fetched_at`.
fn record(kids: &[&str], fetched_at: u64) -> Record {
    let keys: Vec<_> = kids.iter().map(|kid| jwk(kid)).collect();
    let document = json!({"issuer": ISSUER, "jwks_uri": format!("{ISSUER}/jwks")}).to_string();
    Record {
        provider: Provider::parse(&document, &ProviderLocation::of_issuer(ISSUER)).unwrap(),
        provider_fetched_at: fetched_at,
        keys: KeySet::parse(&json!({ "keys": keys }).to_string()).unwrap().into(),
        keys_fetched_at: fetched_at,
        is_stored: false,
        writer: None,
    }
}

/// A token under `kid`, issued at `issued_at`.
fn query(kid: &str, issued_at: u64) -> KeyQuery<'_> {
    KeyQuery { kid: Some(kid), algorithm: Algorithm::EdDSA, issued_at: Some(issued_at), disproved: None }
}

/// A state whose copy, with the key `k`, was fetched at [`NOW`].
fn state() -> JwksState {
    let (mut state, mut attempted) = (JwksState::default(), Attempted { store: true, ..Attempted::default() });
    assert_eq!(state.step(NOW, query("k", NOW), &mut attempted), Action::AskProvider);
    state.provider_answered(Some(record(&["k"], NOW)));
    state
}

/// What a new request gets.
fn first_action(state: &mut JwksState, now: u64, kid: &str) -> Action {
    state.step(now, query(kid, now), &mut Attempted::default())
}

fn uses(action: &Action) -> bool {
    matches!(action, Action::Use(_))
}

#[test]
fn a_cold_ring_asks_the_store_then_the_provider_then_gives_up() {
    let (mut state, mut attempted) = (JwksState::default(), Attempted::default());
    let mut next = |state: &mut JwksState, now| state.step(now, query("k", NOW), &mut attempted);
    assert_eq!(next(&mut state, NOW), Action::ReadStore);
    state.store_answered(NOW, None);
    assert_eq!(next(&mut state, NOW), Action::AskProvider);
    state.provider_answered(None);
    assert_eq!(next(&mut state, NOW + 1), Action::Unavailable(COLD_RETRY_SECONDS - 1));
}

#[test]
fn a_copy_is_used_up_to_the_ceiling_and_not_at_it() {
    let mut state = state();
    assert!(uses(&first_action(&mut state, NOW + FRESH_SECONDS - 1, "k")));
    assert_eq!(state.take_refresh(), None);
    let now = NOW + CEILING_SECONDS - 1;
    let mut attempted = Attempted { store: true, ..Attempted::default() };
    assert_eq!(state.step(now, query("k", now), &mut attempted), Action::Renew);
    state.provider_answered(None);
    assert!(uses(&state.step(now, query("k", now), &mut attempted)), "the provider failed");
    assert_eq!(first_action(&mut state, NOW + CEILING_SECONDS + LEASE_SECONDS, "k"), Action::ReadStore);
    assert!(state.copy(NOW + CEILING_SECONDS).is_none());
}

#[test]
fn past_an_hour_a_copy_is_used_only_after_an_attempt_to_renew_it() {
    let now = NOW + REVALIDATE_SECONDS;
    assert!(uses(&first_action(&mut state(), now - 1, "k")));
    let (mut state, mut attempted) = (state(), Attempted::default());
    assert_eq!(state.step(now, query("k", now), &mut attempted), Action::ReadStore);
    state.store_answered(now, None);
    assert_eq!(state.step(now, query("k", now), &mut attempted), Action::Renew);
    // Others wait for the renewal, as long as their patience lasts.
    let mut others = Attempted::default();
    assert_eq!(state.step(now + 1, query("k", now), &mut others), Action::Wait);
    others.has_waited = true;
    assert!(uses(&state.step(now + 3, query("k", now), &mut others)));
    state.provider_answered(None);
    assert!(uses(&state.step(now + 4, query("k", now), &mut attempted)));
    let mut next = Attempted { store: true, ..Attempted::default() };
    assert!(uses(&state.step(now + COOL_DOWN_SECONDS - 1, query("k", now), &mut next)), "within the cool-down");
    assert_eq!(state.step(now + COOL_DOWN_SECONDS, query("k", now), &mut next), Action::Renew);
    state.provider_answered(Some(record(&["other"], now + COOL_DOWN_SECONDS)));
    let action = state.step(now + COOL_DOWN_SECONDS, query("k", NOW), &mut next);
    assert_eq!(action, Action::Refuse(KeyRefusal::UNKNOWN_KEY), "withdrawn");
}

#[test]
fn a_newer_copy_of_the_store_saves_the_renewal() {
    let (mut state, mut attempted) = (state(), Attempted::default());
    let now = NOW + REVALIDATE_SECONDS;
    assert_eq!(state.step(now, query("k", now), &mut attempted), Action::ReadStore);
    state.store_answered(now, Some(record(&["k"], now - FRESH_SECONDS + 1)));
    assert!(uses(&state.step(now, query("k", now), &mut attempted)));
    assert_eq!(state.take_refresh(), None);
}

#[test]
fn credentials_go_to_a_stored_endpoint_only_if_it_is_the_issuers_own() {
    let stored = |endpoint: &str| {
        let document = json!({
            "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/jwks"), "token_endpoint": endpoint,
            "authorization_endpoint": format!("{ISSUER}/auth"), "introspection_endpoint": format!("{ISSUER}/x"),
            "userinfo_endpoint": format!("{ISSUER}/me"),
        });
        let provider = Provider::parse(&document.to_string(), &ProviderLocation::of_issuer(ISSUER)).unwrap();
        Record { provider, is_stored: true, ..record(&["k"], NOW) }
    };
    let next = |endpoint: &str, assurance, answer: Option<Record>| {
        let (mut state, mut attempted) = (JwksState::default(), Attempted { store: true, ..Attempted::default() });
        state.store_answered(NOW, Some(stored(endpoint)));
        let first = state.step_for_document(NOW, assurance, &mut attempted);
        if first != Err(Action::AskProvider) {
            return first.map(|provider| provider.token_endpoint);
        }
        state.provider_answered(answer);
        let then = state.step_for_document(NOW, assurance, &mut attempted);
        then.map(|provider| provider.token_endpoint)
    };
    let own = format!("{ISSUER}/token");
    for assurance in [Assurance::AnyCopy, Assurance::Endpoints, Assurance::WholeDocument] {
        assert_eq!(next(&own, assurance, None), Ok(Some(own.clone())), "{assurance:?}");
    }
    for foreign in
        ["https://evil.example/oidc/token", "https://tenant.example.evil/token", "https://tenant.example:8443/"]
    {
        assert_eq!(next(foreign, Assurance::AnyCopy, None), Ok(Some(foreign.to_owned())), "nothing is sent there");
        for assurance in [Assurance::Endpoints, Assurance::WholeDocument] {
            assert_eq!(next(foreign, assurance, None), Err(Action::Unavailable(COLD_RETRY_SECONDS)), "{foreign}");
            // What the issuer itself says now counts, regardless of where it leads.
            let answer = Record { is_stored: false, ..stored("https://elsewhere.example/token") };
            let elsewhere = Ok(Some("https://elsewhere.example/token".to_owned()));
            assert_eq!(next(foreign, assurance, Some(answer)), elsewhere, "{foreign}");
        }
    }
}

#[test]
fn a_key_that_is_published_and_unusable_is_refused_without_asking() {
    let mut state = JwksState::default();
    let keys = json!({"keys": [jwk("k"), {"kty": "RSA", "kid": "short", "n": "AQAB", "e": "AQAB"}]}).to_string();
    let record = Record { keys: KeySet::parse(&keys).unwrap().into(), ..record(&["k"], NOW) };
    state.store_answered(NOW, Some(record));
    assert_eq!(first_action(&mut state, NOW + 1, "short"), Action::Refuse(KeyRefusal::UNKNOWN_KEY));
}

#[test]
fn a_token_that_is_older_than_the_copy_by_more_than_clocks_differ_is_refused_without_asking() {
    let mut state = state();
    let issued_at = NOW - CLOCK_SKEW_SECONDS;
    let now = NOW + COOL_DOWN_SECONDS;
    let mut next = |issued_at| state.step(now, query("x", issued_at), &mut Attempted::default());
    assert_eq!(next(issued_at - 1), Action::Refuse(KeyRefusal::UNKNOWN_KEY));
    assert_eq!(next(issued_at), Action::ReadStore, "the provider's clock may be behind ours");
}

#[test]
fn others_wait_for_the_lease_until_it_ends() {
    let mut state = JwksState::default();
    assert_eq!(first_action(&mut state, NOW, "k"), Action::ReadStore);
    assert_eq!(first_action(&mut state, NOW, "k"), Action::Wait);
    assert_eq!(first_action(&mut state, NOW + LEASE_SECONDS - 1, "k"), Action::Wait);
    assert_ne!(first_action(&mut state, NOW + LEASE_SECONDS, "k"), Action::Wait);
}

#[test]
fn no_request_does_anything_twice() {
    let (mut state, mut attempted) = (state(), Attempted::default());
    let now = NOW + COOL_DOWN_SECONDS;
    assert_eq!(state.step(now, query("x", now), &mut attempted), Action::ReadStore);
    state.store_answered(now, None);
    assert_eq!(state.step(now, query("x", now), &mut attempted), Action::AskProvider);
    state.provider_answered(Some(record(&["k"], now)));
    assert_eq!(state.step(now, query("x", now), &mut attempted), Action::Refuse(KeyRefusal::UNKNOWN_KEY));
}

#[test]
fn an_attempt_that_failed_proves_nothing_about_an_unknown_key() {
    let (mut state, mut attempted) = (state(), Attempted { store: true, ..Attempted::default() });
    let now = NOW + COOL_DOWN_SECONDS;
    assert_eq!(state.step(now, query("x", now), &mut attempted), Action::AskProvider);
    state.provider_answered(None);
    assert_eq!(state.step(now, query("x", now), &mut attempted), Action::Unavailable(COOL_DOWN_SECONDS));
    // Not even if the copy is of the second in which the attempt was made.
    let (mut state, mut attempted) = (self::state(), Attempted { store: true, ..Attempted::default() });
    assert_eq!(state.step(NOW, query("x", NOW), &mut attempted), Action::AskProvider);
    state.provider_answered(None);
    assert_eq!(state.step(NOW, query("x", NOW), &mut attempted), Action::Unavailable(COOL_DOWN_SECONDS));
}

#[test]
fn a_published_key_is_no_longer_unknown() {
    let mut state = state();
    let now = NOW + COOL_DOWN_SECONDS;
    state.unknown_kids.insert(query("x", now), now, now);
    assert_eq!(first_action(&mut state, now, "x"), Action::Refuse(KeyRefusal::UNKNOWN_KEY));
    state.provider_answered(Some(record(&["k", "x"], now)));
    assert!(uses(&first_action(&mut state, now, "x")));
    state.provider_answered(Some(record(&["k"], now)));
    assert_ne!(
        first_action(&mut state, now, "x"),
        Action::Refuse(KeyRefusal::UNKNOWN_KEY),
        "forgotten, so asked about again"
    );
}

#[test]
fn the_store_brings_a_newer_copy_and_never_an_older_one() {
    let mut state = state();
    state.store_answered(NOW + 5, Some(record(&["other"], NOW - 1)));
    assert!(uses(&first_action(&mut state, NOW + 5, "k")));
    state.store_answered(NOW + 5, Some(record(&["other"], NOW + 1)));
    assert!(uses(&first_action(&mut state, NOW + 5, "other")));
    let mut cold = JwksState::default();
    cold.store_answered(NOW, Some(record(&["k"], NOW - CEILING_SECONDS)));
    assert!(cold.copy(NOW).is_none());
}

#[test]
fn a_disproved_key_is_looked_up_once_for_each_cool_down() {
    let mut state = state();
    let disproved = Some(state.copy(NOW).unwrap().keys.iter().next().unwrap().thumbprint);
    let query = |now| KeyQuery { disproved, ..query("k", now) };
    let now = NOW + COOL_DOWN_SECONDS;
    let mut attempted = Attempted::default();
    assert_eq!(state.step(now, query(now), &mut attempted), Action::AskProvider);
    state.provider_answered(Some(record(&["k"], now)));
    assert_eq!(state.step(now, query(now), &mut attempted), Action::Refuse(KeyRefusal::BadSignature));
    let mut next = Attempted::default();
    assert_eq!(state.step(now + 1, query(now), &mut next), Action::Refuse(KeyRefusal::BadSignature));
}

#[test]
fn a_name_that_was_guessed_before_its_key_existed_does_not_shut_out_its_first_token() {
    let mut state = state();
    let now = NOW + COOL_DOWN_SECONDS;
    state.provider_asked_at = Some(now);
    state.unknown_kids.insert(query("next", NOW), NOW, now);
    let mut attempted = Attempted { store: true, ..Attempted::default() };
    let before = state.step(now + 1, query("next", NOW), &mut attempted);
    assert_eq!(before, Action::Refuse(KeyRefusal::UNKNOWN_KEY), "issued before");
    assert_eq!(state.step(now + 2, query("next", now + 1), &mut attempted), Action::AskProvider, "issued after");
}

#[test]
fn a_strangers_token_does_not_speak_for_a_key_that_is_published_later() {
    let mut state = state();
    state.burst = Burst { since: NOW, spent: BURST };
    let next = |state: &mut JwksState, issued_at| {
        state.step(NOW + 5, query("next", issued_at), &mut Attempted { store: true, ..Attempted::default() })
    };
    assert_eq!(next(&mut state, NOW - 60), Action::Refuse(KeyRefusal::UNKNOWN_KEY), "older than the copy");
    let honest = next(&mut state, NOW + 2);
    assert_eq!(honest, Action::Unavailable(COOL_DOWN_SECONDS - 5), "perhaps newer than the copy");
}

#[test]
fn a_flood_of_invented_names_is_remembered_within_bounds() {
    let mut state = state();
    state.burst = Burst { since: NOW, spent: BURST };
    for number in 0..10 * MAX_UNKNOWN_KIDS {
        // Issued before the copy was fetched, and no looks are left: called unknown without asking.
        let action = state.step(
            NOW,
            query(&number.to_string(), NOW - 1),
            &mut Attempted { store: true, ..Attempted::default() },
        );
        assert_eq!(action, Action::Refuse(KeyRefusal::UNKNOWN_KEY));
        assert!(state.unknown_kids.len() <= MAX_UNKNOWN_KIDS);
    }
    assert!(state.unknown_kids.contains(query(&(10 * MAX_UNKNOWN_KIDS - 1).to_string(), NOW - 1), NOW));
    assert!(!state.unknown_kids.contains(query("0", NOW - 1), NOW), "the oldest is forgotten first");
    state.unknown_kids.insert(query(&"x".repeat(MAX_KID_BYTES + 1), NOW), NOW, NOW);
    assert!(state.unknown_kids.longest() <= MAX_KID_BYTES);
    state.unknown_kids.insert(query("late", NOW), NOW, NOW + UNKNOWN_KID_SECONDS);
    assert_eq!(state.unknown_kids.len(), 1, "the old ones have had their time");
}
