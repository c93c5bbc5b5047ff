//! JWK Sets (RFC 7517 §5): lenient per key, strict in the choice.
//!
//! Keys that cannot be used are skipped, and the rest stays usable. The choice of a key for a token is strict: exactly one
//! key, of the kind that the algorithm needs.

use std::rc::Rc;

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::jwk::{Jwk, Key};
use crate::denial::Publication;
use mcp_edge_runtime::crypto::{Algorithm, VerificationKey};

/// How many keys of a set are read. Most providers publish two to ten; one with a key for each of its tenants publishes
/// over a hundred. Those behind are ignored, and the log has a warning: a choice among 256 takes a microsecond, and in
/// memory they take 150 KB with RSA keys of 2,048 bits.
pub const MAX_KEYS: usize = 256;

/// A longer key is skipped. One with a chain of certificates has up to 10 KB; what is built of it takes up to seventy
/// times its length in memory, for one key at a time.
const MAX_KEY_BYTES: usize = 32 * 1024;

/// Begins the warning of private keys; their `kid`s follow.
const PRIVATE_KEY: &str = "the provider published a private key, which is not used and must be replaced: kid ";

/// Names are added to a warning until it has this length: it is for reading.
const MAX_WARNING_BYTES: usize = 160;

/// The usable keys of a JWK Set, at least one, and the names of the others. Two sets are equal if they hold the same,
/// in any order.
#[derive(Debug, Clone, Eq)]
pub struct KeySet {
    keys: Vec<Rc<Key>>,
    /// `kid`s of published keys that cannot be used: a token that names one is bad, and nothing need be asked.
    unusable: Vec<String>,
    /// Likewise of those that are published with their private part.
    private: Vec<String>,
    /// What the operator should know of the set; empty if nothing is wrong with it.
    warning: String,
}

impl PartialEq for KeySet {
    fn eq(&self, other: &Self) -> bool {
        fn same<T: PartialEq>(one: &[T], other: &[T]) -> bool {
            one.len() == other.len()
                && one.iter().all(|it| other.contains(it))
                && other.iter().all(|it| one.contains(it))
        }
        same(&self.keys, &other.keys) && same(&self.unusable, &other.unusable) && same(&self.private, &other.private)
    }
}

/// Why a set has no key for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// No key has the token's `kid`, or without a `kid` none fits the algorithm.
    #[error("no key of this name")]
    Unknown,
    /// The key with this `kid` is of another kind than the algorithm needs.
    #[error("the key of this name is of another kind")]
    Mismatch,
    /// Several keys fit.
    #[error("more than one key fits")]
    Ambiguous,
}

/// The document is not a JWK Set with a usable key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Not JSON, or without a list `keys`.
    #[error("not a JWK Set")]
    Malformed,
    /// No key that could verify a token. An honest provider never publishes this; treating it as an outage keeps the
    /// old keys in use. What the operator should know of the others follows.
    #[error("no usable key in the JWK Set. {0}")]
    NoUsableKey(String),
}

impl KeySet {
    /// Reads a JWK Set, skipping every key that cannot be used.
    ///
    /// # Errors
    /// [`KeySetError`] if none is left.
    pub fn parse(document: &str) -> Result<Self, KeySetError> {
        #[derive(Deserialize)]
        struct Document<'a> {
            #[serde(borrow)]
            keys: Vec<&'a RawValue>,
        }
        let document: Document<'_> = serde_json::from_str(document).map_err(|_| KeySetError::Malformed)?;
        let ignored = document.keys.len().saturating_sub(MAX_KEYS);
        let mut set = Self { keys: Vec::new(), unusable: Vec::new(), private: Vec::new(), warning: String::new() };
        for text in document.keys.into_iter().take(MAX_KEYS).map(RawValue::get) {
            let jwk = if text.len() > MAX_KEY_BYTES { None } else { Jwk::parse(text) };
            let Some(jwk) = jwk else { continue };
            let kid = jwk.kid();
            if jwk.is_private() {
                if set.warning.len() < MAX_WARNING_BYTES {
                    set.warning.push_str(if set.warning.is_empty() { PRIVATE_KEY } else { ", " });
                    set.warning.push_str(&kid[..kid.floor_char_boundary(MAX_WARNING_BYTES)]);
                }
                set.private.push(kid.to_owned());
            } else if let Some(key) = jwk.to_key() {
                set.keys.push(Rc::new(key));
            } else if !kid.is_empty() {
                set.unusable.push(kid.to_owned());
            }
        }
        if ignored > 0 {
            set.warning.push_str(if set.warning.is_empty() { "" } else { "; " });
            set.warning.push_str("the provider published more keys than are read, keys ignored: ");
            set.warning.push_str(&ignored.to_string());
        }
        if set.keys.is_empty() { Err(KeySetError::NoUsableKey(set.warning)) } else { Ok(set) }
    }

    /// Chooses the one key for a token that names `kid` and `algorithm`.
    ///
    /// # Errors
    /// [`SelectionError`].
    pub fn select(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&Rc<Key>, SelectionError> {
        let mut named = self.keys.iter().filter(|key| kid.is_none() || key.kid.as_deref() == kid).peekable();
        if named.peek().is_none() {
            return Err(SelectionError::Unknown);
        }
        let mut fitting = named.filter(|key| key.fits(algorithm));
        match fitting.next() {
            // The same key published twice is one key.
            Some(key) if fitting.all(|other| other.thumbprint == key.thumbprint) => Ok(key),
            Some(_) => Err(SelectionError::Ambiguous),
            None if kid.is_some() => Err(SelectionError::Mismatch),
            None => Err(SelectionError::Unknown),
        }
    }

    /// Whether a key of this name is published that cannot be used, and no other: another request would not help.
    #[must_use]
    pub fn has_only_unusable(&self, kid: &str) -> bool {
        self.publication(kid) != Publication::No
    }

    /// In which way the key of a token for which there is none is published.
    #[must_use]
    pub fn publication(&self, kid: &str) -> Publication {
        let is_in = |names: &[String]| names.iter().any(|name| name == kid);
        if self.keys.iter().any(|key| key.kid.as_deref() == Some(kid)) {
            Publication::No
        } else if is_in(&self.private) {
            Publication::Private
        } else if is_in(&self.unusable) {
            Publication::Unusable
        } else {
            Publication::No
        }
    }

    /// What the operator should know of the set; empty if nothing is wrong with it.
    #[must_use]
    pub fn warning(&self) -> &str {
        &self.warning
    }

    /// The keys.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().map(Rc::as_ref)
    }

    /// The usable keys as a JWK Set, for the store, and of the others the `kid`. An empty `d` marks those that came with
    /// their private part.
    #[must_use]
    pub fn to_document(&self) -> Value {
        let unusable = self.unusable.iter().map(|kid| serde_json::json!({ "kid": kid }));
        let private = self.private.iter().map(|kid| serde_json::json!({ "kid": kid, "d": "" }));
        let keys: Vec<Value> = self
            .iter()
            .filter_map(|key| {
                let mut jwk: Value = serde_json::from_str(&key.to_jwk()).ok()?;
                let members = jwk.as_object_mut()?;
                if let Some(kid) = &key.kid {
                    members.insert("kid".to_owned(), kid.as_str().into());
                }
                if let Some(algorithm) = key.algorithm {
                    members.insert("alg".to_owned(), algorithm.name().into());
                }
                Some(jwk)
            })
            .chain(unusable)
            .chain(private)
            .collect();
        serde_json::json!({ "keys": keys })
    }
}

#[cfg(test)]
mod tests;
