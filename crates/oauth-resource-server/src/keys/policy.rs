//! What to do about a key, decided without doing it: a state machine over plain data.
//!
//! [`KeyRing`] is what one isolate knows about one issuer's keys. A request asks [`KeyRing::next`] what to do, does it,
//! reports the outcome, and asks again until the answer is final. What the machine guarantees, whatever the provider
//! and the senders of bad tokens do:
//!
//! - a key is used only while the copy it comes from is younger than [`CEILING_SECONDS`];
//! - no two requests to the provider within [`COOL_DOWN_SECONDS`], failed ones included, except a small burst for
//!   tokens whose key may be newer than our copy, and retries every [`COLD_RETRY_SECONDS`] while nobody can be served;
//! - a copy older than [`FRESH_SECONDS`] is used at once and renewed in the background; one older than
//!   [`REVALIDATE_SECONDS`] is used only after an attempt to renew it, and within the cool-down after one that failed:
//!   a withdrawn key outlives its withdrawal by an hour while the provider is up, by a day only in an outage;
//! - a token is called bad only when a key set newer than the token proves it; when that cannot be known, the answer
//!   is "come back later";
//! - memory is bounded.
//!
//! Requests of one isolate run interleaved and share this state, never a promise: a request that finds another one
//! already asking waits a moment and looks again. An asker that dies silently loses its place after [`LEASE_SECONDS`].

use std::{collections::VecDeque, rc::Rc};

use crate::{
    denial::Reason,
    keys::{jwk::Key, record::Record},
    provider::Provider,
};
use mcp_edge_runtime::crypto::{Algorithm, Thumbprint};

/// A copy this young is used without a second thought.
pub const FRESH_SECONDS: u64 = 600;

/// A copy this old is used only if the provider has just failed to renew it. An hour is six times [`FRESH_SECONDS`], so
/// where there is traffic the background has renewed the copy long before any request has to wait for it.
pub const REVALIDATE_SECONDS: u64 = 3600;

/// A copy older than this is never used: a key that the provider withdrew a day ago must not open any door.
pub const CEILING_SECONDS: u64 = 24 * 3600;

/// Pause between two requests to the provider.
pub const COOL_DOWN_SECONDS: u64 = 30;

/// Pause while there is no usable key at all, for the provider and for the store: every user is locked out, so it is
/// worth asking more often.
pub const COLD_RETRY_SECONDS: u64 = 5;

/// How many requests may be made within one cool-down because a token's key may be newer than our copy.
pub const BURST: u32 = 2;

/// The burst is granted again after this long.
pub const BURST_WINDOW_SECONDS: u64 = 60;

/// Pause between two looks into the store for a missing key: it is cheap, and another isolate may have been quicker.
pub const STORE_PAUSE_SECONDS: u64 = 10;

/// How long an asker may hold its place: a little more than the time limits of two documents together. What asks
/// outlives its request and always reports, so this matters only if the platform drops it.
pub const LEASE_SECONDS: u64 = 11;

/// How many unknown `kid`s are remembered; a flood of invented ones pushes out the oldest.
pub const MAX_UNKNOWN_KIDS: usize = 256;

/// How long an unknown `kid` is remembered.
pub const UNKNOWN_KID_SECONDS: u64 = 30;

/// A token issued this long before the last fetch is certainly older than the copy: clocks that differ by more make
/// tokens fail anyway.
pub const CLOCK_SKEW_SECONDS: u64 = 300;

/// A longer `kid` is not worth remembering: nobody publishes one.
const MAX_KID_BYTES: usize = 256;

/// What a token asks for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The token's `kid`.
    pub kid: Option<&'a str>,
    /// The token's `alg`.
    pub algorithm: Algorithm,
    /// The token's `iat`: a key set fetched later than that must contain its key.
    pub issued_at: Option<u64>,
    /// A key under which the token's signature did not verify: is it still the key of this name?
    pub disproved: Option<Thumbprint>,
}

/// What this request has done so far; makes sure that it does everything at most once.
#[derive(Debug, Clone, Copy, Default)]
pub struct Done {
    /// It asked the store.
    pub store: bool,
    /// It asked the provider.
    pub provider: bool,
    /// It has waited for others as long as it will while there is an old copy to fall back on.
    pub has_waited: bool,
}

/// How much a caller of [`KeyRing::next_for_provider`] trusts in the copy of the discovery document. Anybody who
/// can write to the store could otherwise choose where client secrets and users go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assurance {
    /// Any copy will do: nothing is sent to what it names.
    AnyCopy,
    /// Endpoints will receive credentials or users: they must be on the issuer's own origin, or the document must come
    /// from the issuer itself.
    Endpoints,
    /// The whole document will be passed on: all that it names must be on the issuer's own origin, or it must come from
    /// the issuer itself.
    WholeDocument,
}

impl Assurance {
    fn is_given_by(self, copy: &Record) -> bool {
        match self {
            Self::AnyCopy => true,
            Self::Endpoints => !copy.is_stored || copy.provider.has_own_endpoints(),
            Self::WholeDocument => !copy.is_stored || copy.provider.names_own_origin_only(),
        }
    }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Verify with this key.
    Use(Rc<Key>),
    /// Read the store and report with [`KeyRing::store_answered`].
    AskStore,
    /// Ask the provider and report with [`KeyRing::provider_answered`].
    AskProvider,
    /// The same, without waiting long for it: there is an old copy to fall back on.
    Renew,
    /// Another request of this isolate is asking: wait a moment, then call [`KeyRing::next`] again.
    Wait,
    /// The token is bad.
    Refuse(Reason),
    /// It cannot be known; worth another try after so many seconds.
    Unavailable(u64),
}

/// What one isolate knows about one issuer's keys.
#[derive(Debug, Default)]
pub struct KeyRing {
    copy: Option<Rc<Record>>,
    store_asked_at: Option<u64>,
    provider_asked_at: Option<u64>,
    /// Whether the last request to the provider brought a copy.
    provider_has_answered: bool,
    asking_until: Option<u64>,
    refresh_due: bool,
    burst: Burst,
    unknown_kids: VecDeque<UnknownKid>,
}

/// A `kid` that a token was refused for.
#[derive(Debug)]
struct UnknownKid {
    kid: String,
    /// When that was, in seconds since 1970.
    since: u64,
    /// Tokens issued up to then are refused as well. It is the issue time of that token, or the fetch that proved it
    /// wrong if that was earlier: a stranger's token must not speak for a key that is published later.
    up_to: u64,
}

#[derive(Debug, Default)]
struct Burst {
    since: u64,
    spent: u32,
}

impl KeyRing {
    /// The copy at hand, if it may still be used at `now`.
    #[must_use]
    pub fn copy(&self, now: u64) -> Option<&Rc<Record>> {
        self.copy.as_ref().filter(|copy| copy.keys_age(now) < CEILING_SECONDS)
    }

    /// Decides what to do for a token. Times are seconds since 1970.
    pub fn next(&mut self, now: u64, wanted: Wanted<'_>, done: &mut Done) -> Step {
        let Some(copy) = self.copy(now).cloned() else {
            return self.without_copy(now, done);
        };
        match copy.keys.select(wanted.kid, wanted.algorithm) {
            Ok(key) if wanted.disproved == Some(key.thumbprint) => self.after_bad_signature(now, done),
            Ok(key) => self.before_use(now, &copy, done).unwrap_or_else(|| Step::Use(Rc::clone(key))),
            Err(Reason::UnknownKey) => self.unknown_key(now, wanted, &copy, done),
            Err(reason) => self.before_use(now, &copy, done).unwrap_or(Step::Refuse(reason)),
        }
    }

    /// What to do before the copy has the last word, if anything: a copy past [`REVALIDATE_SECONDS`] has it only if it
    /// cannot be renewed now.
    fn before_use(&mut self, now: u64, copy: &Record, done: &mut Done) -> Option<Step> {
        if copy.keys_age(now) < REVALIDATE_SECONDS {
            self.note_if_refresh_is_due(now, copy);
            return None;
        }
        if done.provider {
            return None;
        }
        if self.is_somebody_asking(now) {
            return if done.has_waited { None } else { Some(Step::Wait) };
        }
        if !done.store && self.store_asked_at.is_none_or(|at| now >= at + STORE_PAUSE_SECONDS) {
            return Some(self.ask_store(now, done));
        }
        if self.provider_asked_at.is_some_and(|at| now < at + COOL_DOWN_SECONDS) {
            return None;
        }
        self.ask_provider(now, done);
        Some(Step::Renew)
    }

    /// Nobody can be served: the store, then the provider, then nothing.
    fn without_copy(&mut self, now: u64, done: &mut Done) -> Step {
        if self.is_somebody_asking(now) {
            return Step::Wait;
        }
        if !done.store && self.store_asked_at.is_none_or(|at| now >= at + COLD_RETRY_SECONDS) {
            return self.ask_store(now, done);
        }
        let ready = self.provider_asked_at.map_or(now, |at| at + COLD_RETRY_SECONDS);
        if done.provider || now < ready {
            return Step::Unavailable(ready.saturating_sub(now).max(1));
        }
        self.ask_provider(now, done)
    }

    /// The token names a key that the copy lacks: perhaps it is invented, perhaps it is newer than the copy.
    fn unknown_key(&mut self, now: u64, wanted: Wanted<'_>, copy: &Record, done: &mut Done) -> Step {
        let fetched_at = copy.keys_fetched_at;
        // A key set that was fetched after the token was issued has the last word, and so has one in which the key is
        // there and cannot be used: nothing need be asked.
        if wanted.issued_at.is_some_and(|issued_at| issued_at + CLOCK_SKEW_SECONDS < fetched_at)
            || wanted.kid.is_some_and(|kid| copy.keys.has_only_unusable(kid))
        {
            return self.before_use(now, copy, done).unwrap_or(Step::Refuse(Reason::UnknownKey));
        }
        if (done.provider && self.provider_has_answered) || self.is_known_unknown(wanted, now) {
            self.remember_unknown(wanted, fetched_at, now);
            return Step::Refuse(Reason::UnknownKey);
        }
        if self.is_somebody_asking(now) {
            return Step::Wait;
        }
        if !done.store && self.store_asked_at.is_none_or(|at| now >= at + STORE_PAUSE_SECONDS) {
            return self.ask_store(now, done);
        }
        let ready = self.provider_asked_at.map_or(now, |at| at + COOL_DOWN_SECONDS);
        if now >= ready && !done.provider {
            return self.ask_provider(now, done);
        }
        // Within the cool-down. A token that is older than the copy by our clock may be newer by the provider's: one more
        // look settles it, as long as looks are left. Both times are whole seconds, so within the same second
        // it is open which came first.
        let may_be_newer = wanted.issued_at.is_none_or(|issued_at| fetched_at <= issued_at);
        if done.provider {
            return Step::Unavailable(ready.saturating_sub(now).max(1));
        }
        // The first token of a new key need not wait. After it, a request made once the second has passed settles the
        // matter for every token that was issued in it, which one made earlier would not.
        match self.burst.left(now) {
            0 if !may_be_newer && self.provider_has_answered => {
                self.remember_unknown(wanted, fetched_at, now);
                Step::Refuse(Reason::UnknownKey)
            }
            0 => Step::Unavailable(ready.saturating_sub(now).max(1)),
            1..BURST if wanted.issued_at == Some(now) => Step::Wait,
            _ => {
                self.burst.spend();
                self.ask_provider(now, done)
            }
        }
    }

    /// The signature did not verify under a published key. A provider may have put a new key under an old name, so one
    /// look is worth it, at the usual pace; but the published key stands until then, and the token is bad under it.
    fn after_bad_signature(&mut self, now: u64, done: &mut Done) -> Step {
        if !done.provider && self.may_ask_provider(now) {
            self.ask_provider(now, done)
        } else {
            Step::Refuse(Reason::BadSignature)
        }
    }

    /// Says yes once per cool-down, so that one request renews the copy in the background.
    fn note_if_refresh_is_due(&mut self, now: u64, copy: &Record) {
        if copy.keys_age(now) >= FRESH_SECONDS && self.may_ask_provider(now) {
            self.take_the_place_of_the_asker(now);
            self.refresh_due = true;
        }
    }

    /// Decides what to do for the discovery document alone.
    ///
    /// # Errors
    /// What to do first, if the copy does not give the assurance.
    pub fn next_for_provider(&mut self, now: u64, assurance: Assurance, done: &mut Done) -> Result<Provider, Step> {
        let Some(copy) = self.copy(now).cloned() else {
            return Err(self.without_copy(now, done));
        };
        if assurance.is_given_by(&copy) {
            self.note_if_refresh_is_due(now, &copy);
            return Ok(copy.provider.clone());
        }
        if self.is_somebody_asking(now) {
            return Err(Step::Wait);
        }
        let ready = self.provider_asked_at.map_or(now, |at| at + COLD_RETRY_SECONDS);
        if done.provider || now < ready {
            return Err(Step::Unavailable(ready.saturating_sub(now).max(1)));
        }
        Err(self.ask_provider(now, done))
    }

    /// Whether the copy should be renewed in the background now. The caller must do it and
    /// report it: it holds the lease.
    pub fn take_refresh(&mut self) -> bool {
        std::mem::take(&mut self.refresh_due)
    }

    /// Reports that a request ended without an answer: releases its lease.
    pub fn asker_gave_up(&mut self) {
        self.asking_until = None;
    }

    /// Reports what the store had. An unusable, outdated or older value changes nothing.
    pub fn store_answered(&mut self, now: u64, record: Option<Record>) {
        self.asking_until = None;
        let Some(record) = record else { return };
        let newer = self.copy.as_ref().is_none_or(|copy| copy.keys_fetched_at < record.keys_fetched_at);
        if newer && record.keys_age(now) < CEILING_SECONDS {
            self.copy = Some(Rc::new(record));
        }
    }

    /// Reports what the provider answered; `None` if it failed, which keeps the old copy.
    pub fn provider_answered(&mut self, record: Option<Record>) {
        self.asking_until = None;
        self.provider_has_answered = record.is_some();
        // Two may have asked, the first of them slowly: what is older than the copy brings nothing.
        let is_older =
            |record: &Record| self.copy.as_ref().is_some_and(|copy| record.keys_fetched_at < copy.keys_fetched_at);
        if let Some(record) = record.filter(|record| !is_older(record)) {
            self.unknown_kids.retain(|it| record.keys.iter().all(|key| key.kid.as_ref() != Some(&it.kid)));
            self.copy = Some(Rc::new(record));
        }
    }

    fn ask_store(&mut self, now: u64, done: &mut Done) -> Step {
        done.store = true;
        self.store_asked_at = Some(now);
        self.asking_until = Some(now + LEASE_SECONDS);
        Step::AskStore
    }

    fn ask_provider(&mut self, now: u64, done: &mut Done) -> Step {
        done.provider = true;
        self.take_the_place_of_the_asker(now);
        Step::AskProvider
    }

    /// Counts the attempt when it begins: an attempt that fails, or whose client goes away, counts as well.
    fn take_the_place_of_the_asker(&mut self, now: u64) {
        self.provider_asked_at = Some(now);
        self.asking_until = Some(now + LEASE_SECONDS);
    }

    fn may_ask_provider(&self, now: u64) -> bool {
        !self.is_somebody_asking(now) && self.provider_asked_at.is_none_or(|at| now >= at + COOL_DOWN_SECONDS)
    }

    fn is_somebody_asking(&self, now: u64) -> bool {
        self.asking_until.is_some_and(|until| now < until)
    }

    /// Whether it was found out that no such key is published. That says nothing about a token that was issued later:
    /// somebody may have guessed the name of a key to come.
    fn is_known_unknown(&self, wanted: Wanted<'_>, now: u64) -> bool {
        wanted.kid.is_some_and(|kid| {
            self.unknown_kids.iter().any(|known| {
                known.kid == kid
                    && now < known.since + UNKNOWN_KID_SECONDS
                    && wanted.issued_at.is_none_or(|issued_at| issued_at <= known.up_to)
            })
        })
    }

    fn remember_unknown(&mut self, wanted: Wanted<'_>, fetched_at: u64, now: u64) {
        let Some(kid) = wanted.kid.filter(|kid| kid.len() <= MAX_KID_BYTES) else { return };
        if self.is_known_unknown(wanted, now) {
            return;
        }
        self.unknown_kids.retain(|known| known.kid != kid && now < known.since + UNKNOWN_KID_SECONDS);
        if self.unknown_kids.len() == MAX_UNKNOWN_KIDS {
            self.unknown_kids.pop_front();
        }
        let up_to = wanted.issued_at.map_or(fetched_at, |issued_at| issued_at.min(fetched_at));
        self.unknown_kids.push_back(UnknownKid { kid: kid.to_owned(), since: now, up_to });
    }
}

impl Burst {
    fn left(&mut self, now: u64) -> u32 {
        if now >= self.since + BURST_WINDOW_SECONDS {
            *self = Self { since: now, spent: 0 };
        }
        BURST - self.spent
    }

    fn spend(&mut self) {
        self.spent += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::keys::jwk::KeySet;
    use crate::provider::Provider;

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
            provider: Provider::parse(&document, ISSUER).unwrap(),
            provider_fetched_at: fetched_at,
            keys: KeySet::parse(&json!({ "keys": keys }).to_string()).unwrap(),
            keys_fetched_at: fetched_at,
            is_stored: false,
            writer: None,
        }
    }

    /// A token under `kid`, issued at `issued_at`.
    fn wanted(kid: &str, issued_at: u64) -> Wanted<'_> {
        Wanted { kid: Some(kid), algorithm: Algorithm::EdDSA, issued_at: Some(issued_at), disproved: None }
    }

    /// A ring whose copy, with the key `k`, was fetched at [`NOW`].
    fn ring() -> KeyRing {
        let (mut ring, mut done) = (KeyRing::default(), Done { store: true, ..Done::default() });
        assert_eq!(ring.next(NOW, wanted("k", NOW), &mut done), Step::AskProvider);
        ring.provider_answered(Some(record(&["k"], NOW)));
        ring
    }

    /// What a new request is told.
    fn first_step(ring: &mut KeyRing, now: u64, kid: &str) -> Step {
        ring.next(now, wanted(kid, now), &mut Done::default())
    }

    fn uses(step: &Step) -> bool {
        matches!(step, Step::Use(_))
    }

    #[test]
    fn a_cold_ring_asks_the_store_then_the_provider_then_gives_up() {
        let (mut ring, mut done) = (KeyRing::default(), Done::default());
        let mut next = |ring: &mut KeyRing, now| ring.next(now, wanted("k", NOW), &mut done);
        assert_eq!(next(&mut ring, NOW), Step::AskStore);
        ring.store_answered(NOW, None);
        assert_eq!(next(&mut ring, NOW), Step::AskProvider);
        ring.provider_answered(None);
        assert_eq!(next(&mut ring, NOW + 1), Step::Unavailable(COLD_RETRY_SECONDS - 1));
    }

    #[test]
    fn a_copy_is_used_up_to_the_ceiling_and_not_at_it() {
        let mut ring = ring();
        assert!(uses(&first_step(&mut ring, NOW + FRESH_SECONDS - 1, "k")));
        assert!(!ring.take_refresh());
        let now = NOW + CEILING_SECONDS - 1;
        let mut done = Done { store: true, ..Done::default() };
        assert_eq!(ring.next(now, wanted("k", now), &mut done), Step::Renew);
        ring.provider_answered(None);
        assert!(uses(&ring.next(now, wanted("k", now), &mut done)), "the provider failed");
        assert_eq!(first_step(&mut ring, NOW + CEILING_SECONDS + LEASE_SECONDS, "k"), Step::AskStore);
        assert!(ring.copy(NOW + CEILING_SECONDS).is_none());
    }

    #[test]
    fn one_request_renews_an_old_copy_and_the_next_one_after_the_cool_down() {
        let mut ring = ring();
        let now = NOW + FRESH_SECONDS;
        assert!(uses(&first_step(&mut ring, now, "k")) && ring.take_refresh());
        assert!(uses(&first_step(&mut ring, now, "k")) && !ring.take_refresh());
        ring.provider_answered(None);
        assert!(uses(&first_step(&mut ring, now + COOL_DOWN_SECONDS - 1, "k")) && !ring.take_refresh());
        assert!(uses(&first_step(&mut ring, now + COOL_DOWN_SECONDS, "k")) && ring.take_refresh());
    }

    #[test]
    fn past_an_hour_a_copy_is_used_only_after_an_attempt_to_renew_it() {
        let now = NOW + REVALIDATE_SECONDS;
        assert!(uses(&first_step(&mut ring(), now - 1, "k")));
        let (mut ring, mut done) = (ring(), Done::default());
        assert_eq!(ring.next(now, wanted("k", now), &mut done), Step::AskStore);
        ring.store_answered(now, None);
        assert_eq!(ring.next(now, wanted("k", now), &mut done), Step::Renew);
        // Others wait for the renewal, as long as their patience lasts.
        let mut others = Done::default();
        assert_eq!(ring.next(now + 1, wanted("k", now), &mut others), Step::Wait);
        others.has_waited = true;
        assert!(uses(&ring.next(now + 3, wanted("k", now), &mut others)));
        ring.provider_answered(None);
        assert!(uses(&ring.next(now + 4, wanted("k", now), &mut done)));
        let mut next = Done { store: true, ..Done::default() };
        assert!(uses(&ring.next(now + COOL_DOWN_SECONDS - 1, wanted("k", now), &mut next)), "within the cool-down");
        assert_eq!(ring.next(now + COOL_DOWN_SECONDS, wanted("k", now), &mut next), Step::Renew);
        ring.provider_answered(Some(record(&["other"], now + COOL_DOWN_SECONDS)));
        let step = ring.next(now + COOL_DOWN_SECONDS, wanted("k", NOW), &mut next);
        assert_eq!(step, Step::Refuse(Reason::UnknownKey), "withdrawn");
    }

    #[test]
    fn a_newer_copy_of_the_store_saves_the_renewal() {
        let (mut ring, mut done) = (ring(), Done::default());
        let now = NOW + REVALIDATE_SECONDS;
        assert_eq!(ring.next(now, wanted("k", now), &mut done), Step::AskStore);
        ring.store_answered(now, Some(record(&["k"], now - FRESH_SECONDS + 1)));
        assert!(uses(&ring.next(now, wanted("k", now), &mut done)));
        assert!(!ring.take_refresh());
    }

    #[test]
    fn credentials_go_to_a_stored_endpoint_only_if_it_is_the_issuers_own() {
        let stored = |endpoint: &str| {
            let document = json!({
                "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/jwks"), "token_endpoint": endpoint,
                "authorization_endpoint": format!("{ISSUER}/auth"), "introspection_endpoint": format!("{ISSUER}/x"),
                "userinfo_endpoint": format!("{ISSUER}/me"),
            });
            let provider = Provider::parse(&document.to_string(), ISSUER).unwrap();
            Record { provider, is_stored: true, ..record(&["k"], NOW) }
        };
        let next = |endpoint: &str, assurance, answer: Option<Record>| {
            let (mut ring, mut done) = (KeyRing::default(), Done { store: true, ..Done::default() });
            ring.store_answered(NOW, Some(stored(endpoint)));
            let first = ring.next_for_provider(NOW, assurance, &mut done);
            if first != Err(Step::AskProvider) {
                return first.map(|provider| provider.token_endpoint);
            }
            ring.provider_answered(answer);
            let then = ring.next_for_provider(NOW, assurance, &mut done);
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
                assert_eq!(next(foreign, assurance, None), Err(Step::Unavailable(COLD_RETRY_SECONDS)), "{foreign}");
                // What the issuer itself says now counts, wherever it leads.
                let answer = Record { is_stored: false, ..stored("https://elsewhere.example/token") };
                let elsewhere = Ok(Some("https://elsewhere.example/token".to_owned()));
                assert_eq!(next(foreign, assurance, Some(answer)), elsewhere, "{foreign}");
            }
        }
    }

    #[test]
    fn a_key_that_is_published_and_unusable_is_refused_without_asking() {
        let mut ring = KeyRing::default();
        let keys = json!({"keys": [jwk("k"), {"kty": "RSA", "kid": "short", "n": "AQAB", "e": "AQAB"}]}).to_string();
        let record = Record { keys: KeySet::parse(&keys).unwrap(), ..record(&["k"], NOW) };
        ring.store_answered(NOW, Some(record));
        assert_eq!(first_step(&mut ring, NOW + 1, "short"), Step::Refuse(Reason::UnknownKey));
    }

    #[test]
    fn a_token_that_is_older_than_the_copy_by_more_than_clocks_differ_is_refused_without_asking() {
        let mut ring = ring();
        let issued_at = NOW - CLOCK_SKEW_SECONDS;
        let now = NOW + COOL_DOWN_SECONDS;
        let mut next = |issued_at| ring.next(now, wanted("x", issued_at), &mut Done::default());
        assert_eq!(next(issued_at - 1), Step::Refuse(Reason::UnknownKey));
        assert_eq!(next(issued_at), Step::AskStore, "the provider's clock may be behind ours");
    }

    #[test]
    fn others_wait_for_the_asker_until_its_lease_ends() {
        let mut ring = KeyRing::default();
        assert_eq!(first_step(&mut ring, NOW, "k"), Step::AskStore);
        assert_eq!(first_step(&mut ring, NOW, "k"), Step::Wait);
        assert_eq!(first_step(&mut ring, NOW + LEASE_SECONDS - 1, "k"), Step::Wait);
        assert_ne!(first_step(&mut ring, NOW + LEASE_SECONDS, "k"), Step::Wait);
    }

    #[test]
    fn no_request_does_anything_twice() {
        let (mut ring, mut done) = (ring(), Done::default());
        let now = NOW + COOL_DOWN_SECONDS;
        assert_eq!(ring.next(now, wanted("x", now), &mut done), Step::AskStore);
        ring.store_answered(now, None);
        assert_eq!(ring.next(now, wanted("x", now), &mut done), Step::AskProvider);
        ring.provider_answered(Some(record(&["k"], now)));
        assert_eq!(ring.next(now, wanted("x", now), &mut done), Step::Refuse(Reason::UnknownKey));
    }

    #[test]
    fn an_attempt_that_failed_proves_nothing_about_an_unknown_key() {
        let (mut ring, mut done) = (ring(), Done { store: true, ..Done::default() });
        let now = NOW + COOL_DOWN_SECONDS;
        assert_eq!(ring.next(now, wanted("x", now), &mut done), Step::AskProvider);
        ring.provider_answered(None);
        assert_eq!(ring.next(now, wanted("x", now), &mut done), Step::Unavailable(COOL_DOWN_SECONDS));
        // Not even if the copy is of the second in which the attempt was made.
        let (mut ring, mut done) = (self::ring(), Done { store: true, ..Done::default() });
        assert_eq!(ring.next(NOW, wanted("x", NOW), &mut done), Step::AskProvider);
        ring.provider_answered(None);
        assert_eq!(ring.next(NOW, wanted("x", NOW), &mut done), Step::Unavailable(COOL_DOWN_SECONDS));
    }

    #[test]
    fn a_published_key_is_no_longer_unknown() {
        let mut ring = ring();
        let now = NOW + COOL_DOWN_SECONDS;
        ring.remember_unknown(wanted("x", now), now, now);
        assert_eq!(first_step(&mut ring, now, "x"), Step::Refuse(Reason::UnknownKey));
        ring.provider_answered(Some(record(&["k", "x"], now)));
        assert!(uses(&first_step(&mut ring, now, "x")));
        ring.provider_answered(Some(record(&["k"], now)));
        assert_ne!(
            first_step(&mut ring, now, "x"),
            Step::Refuse(Reason::UnknownKey),
            "forgotten, so asked about again"
        );
    }

    #[test]
    fn the_store_brings_a_newer_copy_and_never_an_older_one() {
        let mut ring = ring();
        ring.store_answered(NOW + 5, Some(record(&["other"], NOW - 1)));
        assert!(uses(&first_step(&mut ring, NOW + 5, "k")));
        ring.store_answered(NOW + 5, Some(record(&["other"], NOW + 1)));
        assert!(uses(&first_step(&mut ring, NOW + 5, "other")));
        let mut cold = KeyRing::default();
        cold.store_answered(NOW, Some(record(&["k"], NOW - CEILING_SECONDS)));
        assert!(cold.copy(NOW).is_none());
    }

    #[test]
    fn a_disproved_key_is_looked_up_once_for_each_cool_down() {
        let mut ring = ring();
        let disproved = Some(ring.copy(NOW).unwrap().keys.iter().next().unwrap().thumbprint);
        let wanted = |now| Wanted { disproved, ..wanted("k", now) };
        let now = NOW + COOL_DOWN_SECONDS;
        let mut done = Done::default();
        assert_eq!(ring.next(now, wanted(now), &mut done), Step::AskProvider);
        ring.provider_answered(Some(record(&["k"], now)));
        assert_eq!(ring.next(now, wanted(now), &mut done), Step::Refuse(Reason::BadSignature));
        let mut next = Done::default();
        assert_eq!(ring.next(now + 1, wanted(now), &mut next), Step::Refuse(Reason::BadSignature));
    }

    #[test]
    fn a_name_that_was_guessed_before_its_key_existed_does_not_shut_out_its_first_token() {
        let mut ring = ring();
        let now = NOW + COOL_DOWN_SECONDS;
        ring.provider_asked_at = Some(now);
        ring.remember_unknown(wanted("next", NOW), NOW, now);
        let mut done = Done { store: true, ..Done::default() };
        let before = ring.next(now + 1, wanted("next", NOW), &mut done);
        assert_eq!(before, Step::Refuse(Reason::UnknownKey), "issued before");
        assert_eq!(ring.next(now + 2, wanted("next", now + 1), &mut done), Step::AskProvider, "issued after");
    }

    #[test]
    fn a_strangers_token_does_not_speak_for_a_key_that_is_published_later() {
        let mut ring = ring();
        ring.burst = Burst { since: NOW, spent: BURST };
        let next = |ring: &mut KeyRing, issued_at| {
            ring.next(NOW + 5, wanted("next", issued_at), &mut Done { store: true, ..Done::default() })
        };
        assert_eq!(next(&mut ring, NOW - 60), Step::Refuse(Reason::UnknownKey), "older than the copy");
        let honest = next(&mut ring, NOW + 2);
        assert_eq!(honest, Step::Unavailable(COOL_DOWN_SECONDS - 5), "perhaps newer than the copy");
    }

    #[test]
    fn a_flood_of_invented_names_is_remembered_within_bounds() {
        let mut ring = ring();
        ring.burst = Burst { since: NOW, spent: BURST };
        for number in 0..10 * MAX_UNKNOWN_KIDS {
            // Issued before the copy was fetched, and no looks are left: called unknown without asking.
            let step =
                ring.next(NOW, wanted(&number.to_string(), NOW - 1), &mut Done { store: true, ..Done::default() });
            assert_eq!(step, Step::Refuse(Reason::UnknownKey));
            assert!(ring.unknown_kids.len() <= MAX_UNKNOWN_KIDS);
        }
        assert!(ring.is_known_unknown(wanted(&(10 * MAX_UNKNOWN_KIDS - 1).to_string(), NOW - 1), NOW));
        assert!(!ring.is_known_unknown(wanted("0", NOW - 1), NOW), "the oldest is forgotten first");
        ring.remember_unknown(wanted(&"x".repeat(MAX_KID_BYTES + 1), NOW), NOW, NOW);
        assert!(ring.unknown_kids.iter().all(|it| it.kid.len() <= MAX_KID_BYTES));
        ring.remember_unknown(wanted("late", NOW), NOW, NOW + UNKNOWN_KID_SECONDS);
        assert_eq!(ring.unknown_kids.len(), 1, "the old ones have had their time");
    }

    /// What may happen among four interleaved requests. Any of them may stop for good after any step.
    #[derive(Debug, Clone)]
    enum Event {
        Wait(u64),
        Begin { slot: usize, kid: &'static str, age: u64, forged: bool },
        Continue { slot: usize, answers: bool },
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let kid = prop::sample::select(vec!["k", "k", "next", "x", "y", "z"]);
        let event = prop_oneof![
            2 => (0_u64..4).prop_map(Event::Wait),
            2 => prop_oneof![4_u64..60, 60_u64..700, CEILING_SECONDS - 700..CEILING_SECONDS + 10].prop_map(Event::Wait),
            6 => (0_usize..4, kid, 0_u64..90, prop::bool::weighted(0.2))
                .prop_map(|(slot, kid, age, forged)| Event::Begin { slot, kid, age, forged }),
            10 => (0_usize..4, any::<bool>()).prop_map(|(slot, answers)| Event::Continue { slot, answers }),
        ];
        prop::collection::vec(event, 1..120)
    }

    struct Request {
        wanted: Wanted<'static>,
        done: Done,
        step: Step,
    }

    proptest! {
        #[test]
        fn however_requests_interleave_and_die_the_budget_holds_and_no_old_key_is_used(events in events()) {
            let (mut ring, mut now) = (KeyRing::default(), NOW);
            let mut slots: [Option<Request>; 4] = [None, None, None, None];
            let (mut asked, mut extra) = (Vec::new(), Vec::new());
            for event in events {
                let (slot, request) = match event {
                    Event::Wait(seconds) => { now += seconds; continue }
                    Event::Begin { slot, kid, age, forged } => {
                        let disproved = forged.then(|| record(&["k"], now).keys.iter().next().unwrap().thumbprint);
                        let wanted = Wanted { disproved, ..wanted(kid, now - age) };
                        (slot, Some(Request { wanted, done: Done::default(), step: Step::Wait }))
                    }
                    Event::Continue { slot, answers } => {
                        let request = slots[slot].take();
                        let keys: &[&str] = if now % 3 == 0 { &["k", "next"] } else { &["k"] };
                        match request.as_ref().map(|request| &request.step) {
                            Some(Step::AskStore) => ring.store_answered(now, answers.then(|| record(keys, now - 7))),
                            Some(Step::AskProvider | Step::Renew) => ring.provider_answered(answers.then(|| record(keys, now))),
                            _ => {}
                        }
                        (slot, request)
                    }
                };
                let Some(Request { wanted, mut done, .. }) = request else { continue };
                let (was_warm, had_done) = (ring.copy(now).is_some(), done);
                let step = ring.next(now, wanted, &mut done);
                match &step {
                    Step::Use(key) => {
                        prop_assert!(was_warm && key.kid.as_deref() == wanted.kid && wanted.disproved != Some(key.thumbprint));
                        if ring.take_refresh() { asked.push(now); }
                    }
                    Step::AskStore => prop_assert!(!had_done.store),
                    Step::AskProvider | Step::Renew => {
                        prop_assert!(!had_done.provider && (was_warm || step == Step::AskProvider));
                        let pause = asked.last().map_or(u64::MAX, |last| now - last);
                        let is_regular = pause >= COOL_DOWN_SECONDS || (!was_warm && pause >= COLD_RETRY_SECONDS);
                        if !is_regular {
                            prop_assert!(was_warm, "cold, and asked {pause} seconds ago");
                            extra.retain(|at| now - at < BURST_WINDOW_SECONDS);
                            extra.push(now);
                            // Two windows may touch.
                            prop_assert!(extra.len() <= 2 * BURST as usize);
                        }
                        asked.push(now);
                    }
                    Step::Unavailable(seconds) => prop_assert!((1..=COOL_DOWN_SECONDS).contains(seconds)),
                    Step::Refuse(reason) => {
                        let forged = wanted.disproved.is_some();
                        prop_assert!(*reason == Reason::UnknownKey || (forged && *reason == Reason::BadSignature));
                        prop_assert!(was_warm, "nobody is called bad without a copy of the keys");
                    }
                    Step::Wait => {}
                }
                prop_assert!(ring.unknown_kids.len() <= MAX_UNKNOWN_KIDS);
                slots[slot] = match step {
                    Step::Use(_) | Step::Refuse(_) | Step::Unavailable(_) => None,
                    step => Some(Request { wanted, done, step }),
                };
            }
        }
    }
}
