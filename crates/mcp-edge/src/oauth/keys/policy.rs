//! What to do about a key, decided without doing it: a state machine over plain data.
//!
//! [`KeyRing`] is what one isolate knows about one issuer's keys. A request asks [`KeyRing::next`] what to do, does it,
//! reports the outcome, and asks again until the answer is final. What the machine guarantees, whatever the provider
//! and the senders of bad tokens do:
//!
//! - a key is used only while the copy it comes from is younger than [`CEILING_SECONDS`];
//! - no two requests to the provider within [`COOL_DOWN_SECONDS`], failed ones included, except a small burst for
//!   tokens whose key may be newer than our copy, and retries every [`COLD_RETRY_SECONDS`] while nobody can be served;
//! - a copy that has grown old is used at once and renewed behind the request's back;
//! - a token is called bad only when a key set newer than the token proves it; when that cannot be known, the answer
//!   is "come back later";
//! - memory is bounded.
//!
//! Requests of one isolate run interleaved and share this state, never a promise: a request that finds another one
//! already asking waits a moment and looks again. An asker that dies silently (its client went away) loses its place
//! after [`LEASE_SECONDS`].

use std::{collections::VecDeque, rc::Rc};

use super::{
    super::{denial::Reason, provider::Provider, token::algorithm::Algorithm},
    jwk::{Key, Thumbprint},
    record::Record,
};

/// A copy this young is used without a second thought.
pub const FRESH_SECONDS: u64 = 600;

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

/// How long one request may hold the place of the asker before another takes over.
pub const LEASE_SECONDS: u64 = 2;

/// How many unknown `kid`s are remembered; a flood of invented ones pushes out the oldest.
pub const MAX_UNKNOWN_KIDS: usize = 256;

/// How long an unknown `kid` is remembered.
pub const UNKNOWN_KID_SECONDS: u64 = 30;

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
    unknown_kids: VecDeque<(String, u64)>,
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
            Ok(key) => {
                self.note_if_refresh_is_due(now, &copy);
                Step::Use(Rc::clone(key))
            }
            Err(Reason::UnknownKey) => self.unknown_key(now, wanted, &copy, done),
            Err(reason) => Step::Refuse(reason),
        }
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
        let kid = wanted.kid.unwrap_or_default();
        if (done.provider && self.provider_has_answered) || self.is_known_unknown(kid, now) {
            self.remember_unknown(kid, now);
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
        // Within the cool-down. A key set that was fetched after the token was issued has the last word; both times are
        // whole seconds, so within the same second it is open which came first.
        if wanted.issued_at.is_some_and(|issued_at| copy.keys_fetched_at > issued_at) {
            self.remember_unknown(kid, now);
            return Step::Refuse(Reason::UnknownKey);
        }
        if done.provider {
            return Step::Unavailable(ready.saturating_sub(now).max(1));
        }
        // The first token of a new key need not wait. After it, a request made once the second has passed settles the
        // matter for every token that was issued in it, which one made earlier would not.
        match self.burst.left(now) {
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

    /// Says yes once per cool-down, so that one request renews the copy behind its back.
    fn note_if_refresh_is_due(&mut self, now: u64, copy: &Record) {
        if copy.keys_age(now) >= FRESH_SECONDS && self.may_ask_provider(now) {
            self.take_the_place_of_the_asker(now);
            self.refresh_due = true;
        }
    }

    /// Decides what to do for the provider's endpoints alone.
    ///
    /// # Errors
    /// What to do first, if the copy does not have them.
    pub fn next_for_provider(&mut self, now: u64, done: &mut Done) -> Result<Provider, Step> {
        let Some(copy) = self.copy(now).cloned() else {
            return Err(self.without_copy(now, done));
        };
        self.note_if_refresh_is_due(now, &copy);
        Ok(copy.provider.clone())
    }

    /// Whether the copy should be renewed in the background.
    #[must_use]
    pub fn is_refresh_due(&self) -> bool {
        self.refresh_due
    }

    /// Whether somebody should renew the copy now; whoever asks has to do it and to report it.
    pub fn take_refresh(&mut self) -> bool {
        std::mem::take(&mut self.refresh_due)
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
        if let Some(record) = record {
            self.unknown_kids.retain(|(kid, _)| record.keys.iter().all(|key| key.kid.as_deref() != Some(kid)));
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

    fn is_known_unknown(&self, kid: &str, now: u64) -> bool {
        self.unknown_kids.iter().any(|(known, since)| known == kid && now < since + UNKNOWN_KID_SECONDS)
    }

    fn remember_unknown(&mut self, kid: &str, now: u64) {
        if kid.len() > MAX_KID_BYTES || self.is_known_unknown(kid, now) {
            return;
        }
        self.unknown_kids.retain(|(_, since)| now < since + UNKNOWN_KID_SECONDS);
        if self.unknown_kids.len() == MAX_UNKNOWN_KIDS {
            self.unknown_kids.pop_front();
        }
        self.unknown_kids.push_back((kid.to_owned(), now));
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
