//! How often something may be done in an hour, and what the store is told of it.
//!
//! | what | counted for | limit | other isolates learn |
//! |---|---|---|---|
//! | registrations of strangers | a network, and the site around it | the operator's, and [`SITE_FACTOR`] times that | of each that goes on to make a client |
//! | tokens that are none | a network | [`MAX_REFUTED_TOKENS_PER_HOUR`] | nothing |
//! | calls with a registration access token (RFC 7592) | a client | [`MAX_CALLS_PER_CLIENT_AND_HOUR`] | when the limit is reached |
//!
//! An isolate counts exactly, also what arrives at once. It tells the others as little as will do: the store takes a
//! thousand writes a day on Cloudflare's free plan, and a stranger must not be able to use them up. So a flood that
//! reaches several isolates gets so many times the limit at most.
//!
//! A network is what can be told of a sender. Whoever shares one with an attacker is held up with them, for an hour at
//! most, but only in what the attacker overdoes.

use std::{cell::RefCell, collections::HashMap, time::Duration};

use mcp_edge::ports::Runtime;

use crate::{
    policy::{Mode, WINDOW_SECONDS, Window, site_of},
    registry::{Failure, Registry},
    store::{RegistrationStore, rate_key},
};

/// A server or a household has a site (an IPv6 /48 or a part of one) of up to 65536 networks and could pass for as many
/// strangers. Some sites are many households, of a mobile operator for example.
pub const SITE_FACTOR: u32 = 5;

/// A client that was given a token does not get it wrong, so these are mistakes of a program or guesses. Each costs a
/// read of the store.
pub const MAX_REFUTED_TOKENS_PER_HOUR: u32 = 60;

/// An agent reads or changes its registration a few times in its life. A change takes up to seven calls of the Management
/// API: with all of 500 places a stranger gets to 19 calls a second, and Logto Cloud allows 20.
pub const MAX_CALLS_PER_CLIENT_AND_HOUR: u32 = 20;

/// What is counted at once in an isolate: a megabyte. Beyond that the store's counts have to do.
const MAX_WINDOWS: usize = 10_000;

/// What there was too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Registrations of strangers from one place.
    Registrations,
    /// Tokens from one place that were none.
    RefutedTokens,
    /// Calls for one client.
    Calls,
}

impl Activity {
    /// In keys and in the log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Registrations => "registrations",
            Self::RefutedTokens => "refuted-tokens",
            Self::Calls => "calls",
        }
    }
}

/// The counts of an isolate, by their keys.
#[derive(Default)]
pub struct Limiter(RefCell<HashMap<String, Window>>);

impl Limiter {
    /// Counts one more at `now`. `stored` is what others have counted.
    ///
    /// # Errors
    /// The seconds until there may be another, if `limit` is reached.
    fn count(&self, key: &str, stored: Window, now: u64, limit: u32) -> Result<Window, u64> {
        let mut windows = self.0.borrow_mut();
        if windows.len() >= MAX_WINDOWS {
            windows.retain(|_, window| window.is_current(now));
            if windows.len() >= MAX_WINDOWS {
                windows.clear();
            }
        }
        let counted = windows.get(key).copied().unwrap_or_default().or(stored).count(now, limit)?;
        windows.insert(key.to_owned(), counted);
        Ok(counted)
    }

    /// Counts one less: it did not come to it.
    fn take_back(&self, key: &str) {
        if let Some(window) = self.0.borrow_mut().get_mut(key) {
            window.count = window.count.saturating_sub(1);
        }
    }
}

/// Counts that others have not been told of yet.
#[must_use]
pub struct Untold(Vec<(String, Window)>);

/// A token that is being looked up. It counts as refuted from the beginning, so that many at once cannot be more than the
/// limit, and no longer as soon as this is dropped, unless it was [`refuted`](Guess::refuted) indeed.
pub struct Guess<'a> {
    limiter: &'a Limiter,
    key: String,
    is_refuted: bool,
}

impl Guess<'_> {
    /// It was no token.
    pub fn refuted(mut self) {
        self.is_refuted = true;
    }
}

impl Drop for Guess<'_> {
    fn drop(&mut self) {
        if !self.is_refuted {
            self.limiter.take_back(&self.key);
        }
    }
}

impl<A, S: RegistrationStore, R: Runtime + ?Sized> Registry<'_, A, S, R> {
    /// Counts a registration of a stranger.
    ///
    /// # Errors
    /// [`Failure::TooMany`], [`Failure::Store`].
    pub(crate) async fn count_registration(&self, network: &str) -> Result<Untold, Failure> {
        if self.policy.mode != Mode::Open {
            return Ok(Untold(Vec::new()));
        }
        let limit = self.policy.limits.per_address_and_hour;
        let mut counts = vec![(network.to_owned(), limit)];
        counts.extend(site_of(network).map(|site| (site, limit.saturating_mul(SITE_FACTOR))));
        let mut known = Vec::new();
        for (place, limit) in counts {
            let key = rate_key(Activity::Registrations.name(), &place);
            known.push((self.stored_window(&key).await?, key, limit));
        }
        // No await from here on: two requests must not take the same number.
        let mut counted = Vec::new();
        for (stored, key, limit) in known {
            match self.memory.limiter.count(&key, stored, self.now, limit) {
                Ok(window) => counted.push((key, window)),
                Err(seconds) => {
                    for (key, _) in &counted {
                        self.memory.limiter.take_back(key);
                    }
                    return Err(Failure::TooMany(Activity::Registrations, seconds));
                }
            }
        }
        Ok(Untold(counted))
    }

    /// Tells the other isolates. One write per second and key is all that the store takes; what is lost is in memory
    /// still.
    pub(crate) async fn tell(&self, Untold(counts): Untold) {
        for (key, window) in counts {
            let text = serde_json::to_string(&window).unwrap_or_default();
            let _ = self.store.put(&key, &text, None, Some(Duration::from_secs(WINDOW_SECONDS))).await;
        }
    }

    /// Lets a sender have a token looked up.
    ///
    /// # Errors
    /// [`Failure::TooMany`].
    pub(crate) fn guess(&self, network: &str) -> Result<Guess<'_>, Failure> {
        let key = rate_key(Activity::RefutedTokens.name(), network);
        let limiter = &self.memory.limiter;
        let counted = limiter.count(&key, Window::default(), self.now, MAX_REFUTED_TOKENS_PER_HOUR);
        counted.map_err(|seconds| Failure::TooMany(Activity::RefutedTokens, seconds))?;
        Ok(Guess { limiter, key, is_refuted: false })
    }

    /// Counts a call with the registration access token of a client.
    ///
    /// # Errors
    /// [`Failure::TooMany`], [`Failure::Store`].
    pub async fn count_call(&self, client_id: &str) -> Result<(), Failure> {
        let key = rate_key(Activity::Calls.name(), client_id);
        let stored = self.stored_window(&key).await?;
        let counted = self.memory.limiter.count(&key, stored, self.now, MAX_CALLS_PER_CLIENT_AND_HOUR);
        let window = counted.map_err(|seconds| Failure::TooMany(Activity::Calls, seconds))?;
        if window.count == MAX_CALLS_PER_CLIENT_AND_HOUR {
            self.tell(Untold(vec![(key, window)])).await;
        }
        Ok(())
    }

    async fn stored_window(&self, key: &str) -> Result<Window, Failure> {
        let stored = self.store.get(key).await?;
        Ok(stored.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }
}
