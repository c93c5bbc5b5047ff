//! A limit on unsuccessful lookups of registration access tokens and initial access tokens, for each network.
//!
//! Each isolate counts for itself and writes nothing: a token has 256 random bits, and what the limit saves is reads of
//! the store.

use crate::rate_window::{Window, Windows};

/// A client that was given a token does not get it wrong, so these are errors of a program or guesses. Each costs a
/// read of the store.
pub const MAX_FAILED_ATTEMPTS_PER_HOUR: u32 = 60;

/// The network has tried too many tokens that were not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many failed attempts in an hour; there may be more in {retry_after} seconds")]
pub struct TooManyFailedAttempts {
    /// Seconds until there may be another.
    pub retry_after: u64,
}

/// The counts of an isolate.
#[derive(Default)]
pub struct FailedAttempts(Windows);

impl FailedAttempts {
    /// Begins a lookup for a sender at `network`.
    ///
    /// # Errors
    /// [`TooManyFailedAttempts`].
    pub fn begin(&self, network: &str, now: u64) -> Result<FailedAttempt<'_>, TooManyFailedAttempts> {
        let counted = self.0.count(network, Window::default(), now, MAX_FAILED_ATTEMPTS_PER_HOUR);
        counted.map_err(|retry_after| TooManyFailedAttempts { retry_after })?;
        Ok(FailedAttempt { attempts: self, network: network.to_owned(), has_failed: false })
    }
}

/// A lookup in progress. It counts as failed from the beginning, so that many at once cannot pass the limit, and no
/// longer once this is dropped, unless it [`failed`](FailedAttempt::failed) indeed.
pub struct FailedAttempt<'a> {
    attempts: &'a FailedAttempts,
    network: String,
    has_failed: bool,
}

impl FailedAttempt<'_> {
    /// The token was not valid.
    pub fn failed(mut self) {
        self.has_failed = true;
    }
}

impl Drop for FailedAttempt<'_> {
    fn drop(&mut self) {
        if !self.has_failed {
            self.attempts.0.take_back(&self.network);
        }
    }
}
