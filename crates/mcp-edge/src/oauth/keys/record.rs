//! A copy of what an issuer publishes: its discovery document and its keys, each with the time it was fetched.
//!
//! The same record lies in memory and, as JSON, in the store under [`store_key`]. A stored value is input like any
//! other: it is read with the same checks as the provider's own answer.

use serde_json::{Value, json};

use super::{super::provider::Provider, jwk::KeySet};

/// How far ahead of our clock another machine's may be. A record from further in the future would never grow old.
const CLOCK_SKEW_SECONDS: u64 = 60;

/// What an issuer publishes, as of some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The discovery document.
    pub provider: Provider,
    /// When the discovery document was fetched, in seconds since 1970.
    pub provider_fetched_at: u64,
    /// The usable keys.
    pub keys: KeySet,
    /// When the keys were fetched.
    pub keys_fetched_at: u64,
}

/// The store's key for an issuer. Readable, so that an operator can look it up by hand.
#[must_use]
pub fn store_key(issuer: &str) -> String {
    format!("provider:{issuer}")
}

impl Record {
    /// Seconds since the keys were fetched.
    #[must_use]
    pub fn keys_age(&self, now: u64) -> u64 {
        now.saturating_sub(self.keys_fetched_at)
    }

    /// Seconds since the discovery document was fetched.
    #[must_use]
    pub fn provider_age(&self, now: u64) -> u64 {
        now.saturating_sub(self.provider_fetched_at)
    }

    /// The stored form. Inverse of [`Record::parse`].
    #[must_use]
    pub fn serialize(&self) -> String {
        json!({
            "provider": self.provider.to_document(),
            "provider_fetched_at": self.provider_fetched_at,
            "jwks": self.keys.to_document(),
            "jwks_fetched_at": self.keys_fetched_at,
        })
        .to_string()
    }

    /// Reads the stored form; `None` for anything that is not a record of this issuer from the past.
    #[must_use]
    pub fn parse(text: &str, issuer: &str, now: u64) -> Option<Self> {
        let stored: Value = serde_json::from_str(text).ok()?;
        let time = |name: &str| stored[name].as_u64().filter(|at| *at <= now + CLOCK_SKEW_SECONDS);
        Some(Self {
            provider: Provider::parse(&stored["provider"].to_string(), issuer).ok()?,
            provider_fetched_at: time("provider_fetched_at")?,
            keys: KeySet::parse(&stored["jwks"].to_string()).ok()?,
            keys_fetched_at: time("jwks_fetched_at")?,
        })
    }
}
