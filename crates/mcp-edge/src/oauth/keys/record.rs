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

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://tenant.example/oidc";

    const NOW: u64 = 1_795_000_000;

    /// A stored record of an hour ago, with one change.
    fn parse(change: impl FnOnce(&mut Value)) -> Option<Record> {
        let mut stored = json!({
            "provider": {"issuer": ISSUER, "jwks_uri": "https://tenant.example/oidc/jwks"},
            "provider_fetched_at": NOW - 3600,
            "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]},
            "jwks_fetched_at": NOW - 3600,
        });
        change(&mut stored);
        Record::parse(&stored.to_string(), ISSUER, NOW)
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let record = parse(|_| ()).unwrap();
        assert_eq!((record.keys_age(NOW), record.provider_age(NOW)), (3600, 3600));
        assert_eq!(Record::parse(&record.serialize(), ISSUER, NOW), Some(record));
    }

    #[test]
    fn another_issuers_record_is_not_taken() {
        for other in ["https://evil.example", "https://tenant.example/oidc/", ""] {
            assert_eq!(parse(|it| it["provider"]["issuer"] = other.into()), None, "{other}");
        }
    }

    #[test]
    fn a_record_from_the_future_is_not_taken() {
        for name in ["provider_fetched_at", "jwks_fetched_at"] {
            assert!(parse(|it| it[name] = json!(NOW + CLOCK_SKEW_SECONDS)).is_some());
            for bad in [json!(NOW + CLOCK_SKEW_SECONDS + 1), json!(-1), json!("1"), json!(1.5), Value::Null] {
                assert_eq!(parse(|it| it[name] = bad.clone()), None, "{name} {bad}");
            }
        }
    }

    #[test]
    fn what_the_provider_may_not_say_the_store_may_not_say_either() {
        assert_eq!(parse(|it| it["jwks"] = json!({"keys": []})), None);
        assert_eq!(parse(|it| it["jwks"]["keys"][0]["d"] = "secret".into()), None);
        assert_eq!(parse(|it| it["provider"]["jwks_uri"] = "http://tenant.example/jwks".into()), None);
        for text in ["", "null", "[]", "1", "\"x\"", "{}", "{\"provider\":1}"] {
            assert_eq!(Record::parse(text, ISSUER, NOW), None, "{text}");
        }
    }

    #[test]
    fn an_age_is_never_negative() {
        assert_eq!(parse(|_| ()).unwrap().keys_age(0), 0);
    }
}
