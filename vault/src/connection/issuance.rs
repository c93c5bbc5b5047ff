//! Tokens that were issued a moment ago, and issuances in flight: one for all requests that want the same.
//!
//! They are in the memory of the isolate: tokens of exchanges are short-lived, can be had again, and belong in no storage. An
//! exchange is worth sparing, since some providers keep a grant of each.

use std::{cell::RefCell, collections::HashMap};

use mcp_edge_runtime::ports::Runtime;
use sha2::{Digest, Sha256};

use super::source::{IssuedToken, NoToken};
use crate::{
    lease::{Patience, is_within},
    secrets::length_prefixed,
};

/// The longest time for which a token is used again, in seconds: so long a user who was suspended keeps it at most.
const KEPT_SECONDS: u64 = 300;

/// A token must be good for so many seconds more, or another is obtained.
const LEAST_SECONDS: u64 = 10;

/// How long a request waits for another one's issuance, and how often it looks, in milliseconds.
const PATIENCE_MILLISECONDS: u64 = 10_000;
const POLL_MILLISECONDS: u64 = 20;

/// How long an issuance may take, in seconds: one that was cut off never ends.
const LEASE_SECONDS: u64 = 15;

/// More tokens than one isolate needs in five minutes; beyond, all are forgotten but those in flight.
const MAX_ENTRIES: usize = 2_000;

/// What tells issuances apart: a digest of the connection, the caller's token and the scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Purpose([u8; 32]);

impl Purpose {
    /// The purpose of a token of `connection` with `scopes` in place of `subject`.
    #[must_use]
    pub fn new(connection: &str, subject: &str, scopes: &[String]) -> Self {
        let mut parts = vec![connection, subject];
        parts.extend(scopes.iter().map(String::as_str));
        Self(Sha256::digest(length_prefixed(&parts)).into())
    }
}

#[derive(Debug)]
enum Entry {
    InFlight { until: u64 },
    Issued { token: IssuedToken, from: u64, until: u64 },
}

/// What was issued in an isolate.
#[derive(Debug, Default)]
pub struct Issuances(RefCell<HashMap<Purpose, Entry>>);

impl Issuances {
    /// The token for a purpose: one of a moment ago, that of the issuance in flight, or a new one. A request that waited for one
    /// that failed begins its own.
    ///
    /// # Errors
    /// What `issue` says; [`NoToken::Unavailable`] if another one's issuance takes too long.
    pub async fn token(
        &self,
        purpose: Purpose,
        now: u64,
        runtime: &impl Runtime,
        issue: impl AsyncFnOnce() -> Result<IssuedToken, NoToken>,
    ) -> Result<IssuedToken, NoToken> {
        let mut patience = Patience::new(PATIENCE_MILLISECONDS, POLL_MILLISECONDS);
        loop {
            let now = now + patience.seconds();
            match self.0.borrow().get(&purpose) {
                Some(Entry::Issued { token, from, until }) if (*from..*until).contains(&now) => {
                    return Ok(token.clone());
                }
                Some(Entry::InFlight { until }) if is_within(*until, LEASE_SECONDS, now) => {}
                _ => break,
            }
            if !patience.wait(runtime).await {
                return Err(NoToken::Unavailable("another request waits for the same token".to_owned()));
            }
        }
        let now = now + patience.seconds();
        self.begin(purpose, now);
        let _flight = Flight { issuances: self, purpose };
        let token = issue().await?;
        let until = token.until.saturating_sub(LEAST_SECONDS).min(now + KEPT_SECONDS);
        self.0.borrow_mut().insert(purpose, Entry::Issued { token: token.clone(), from: now, until });
        Ok(token)
    }

    /// Forgets the token for a purpose: the service has refused it.
    pub fn forget(&self, purpose: Purpose, refused: &str) {
        let mut entries = self.0.borrow_mut();
        let is_refused =
            |entry: &Entry| matches!(entry, Entry::Issued { token, .. } if token.token.expose() == refused);
        if entries.get(&purpose).is_some_and(is_refused) {
            entries.remove(&purpose);
        }
    }

    fn begin(&self, purpose: Purpose, now: u64) {
        let mut entries = self.0.borrow_mut();
        entries.retain(|_, entry| match entry {
            Entry::Issued { until, .. } | Entry::InFlight { until } => now < *until,
        });
        if entries.len() >= MAX_ENTRIES {
            entries.retain(|_, entry| matches!(entry, Entry::InFlight { .. }));
        }
        entries.insert(purpose, Entry::InFlight { until: now + LEASE_SECONDS });
    }
}

/// An issuance in flight. It has ended when this is dropped, also without a token.
struct Flight<'i> {
    issuances: &'i Issuances,
    purpose: Purpose,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut entries = self.issuances.0.borrow_mut();
        if matches!(entries.get(&self.purpose), Some(Entry::InFlight { .. })) {
            entries.remove(&self.purpose);
        }
    }
}
