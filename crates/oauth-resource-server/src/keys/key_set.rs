//! JWK Sets (RFC 7517 §5): lenient per key, strict in the choice.
//!
//! Keys that cannot be used are skipped, and the rest stays usable. The choice of a key for a token is strict: exactly one
//! key, of the kind that the algorithm needs.

mod unused_keys;

use std::rc::Rc;

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

pub use unused_keys::UnusedKeys;

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

/// The usable keys of a JWK Set, at least one, and the names of the others. Two sets are equal if they hold the same,
/// in any order.
#[derive(Debug, Clone, Eq)]
pub struct KeySet {
    keys: Vec<Rc<Key>>,
    /// `kid`s of published keys that cannot be used: a token that names one is bad, and nothing need be asked.
    unusable: Vec<String>,
    /// What the operator should know of the others. Its numbers are not compared and not stored: they are reported when
    /// the set was fetched.
    unused: UnusedKeys,
}

impl PartialEq for KeySet {
    fn eq(&self, other: &Self) -> bool {
        fn same<T: PartialEq>(one: &[T], other: &[T]) -> bool {
            one.len() == other.len()
                && one.iter().all(|it| other.contains(it))
                && other.iter().all(|it| one.contains(it))
        }
        same(&self.keys, &other.keys)
            && same(&self.unusable, &other.unusable)
            && same(&self.unused.private, &other.unused.private)
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
    /// old keys in use.
    #[error("no usable key in the JWK Set{separator}{0}", separator = if .0.is_empty() { "" } else { ": " })]
    NoUsableKey(UnusedKeys),
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
        let unused = UnusedKeys { ignored: document.keys.len().saturating_sub(MAX_KEYS), ..UnusedKeys::default() };
        let mut set = Self { keys: Vec::new(), unusable: Vec::new(), unused };
        for text in document.keys.into_iter().take(MAX_KEYS).map(RawValue::get) {
            let jwk = if text.len() > MAX_KEY_BYTES { None } else { Jwk::parse(text) };
            let Some(jwk) = jwk else {
                set.unused.unreadable += 1;
                continue;
            };
            let kid = jwk.kid();
            if jwk.is_private() {
                set.unused.private.push(kid.to_owned());
            } else if let Some(key) = jwk.to_key() {
                set.keys.push(Rc::new(key));
            } else if !kid.is_empty() {
                set.unusable.push(kid.to_owned());
            }
        }
        if set.keys.is_empty() { Err(KeySetError::NoUsableKey(set.unused)) } else { Ok(set) }
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
        } else if is_in(&self.unused.private) {
            Publication::Private
        } else if is_in(&self.unusable) {
            Publication::Unusable
        } else {
            Publication::No
        }
    }

    /// What the operator should know of the keys that are not used.
    #[must_use]
    pub fn unused(&self) -> &UnusedKeys {
        &self.unused
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
        let private = self.unused.private.iter().map(|kid| serde_json::json!({ "kid": kid, "d": "" }));
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
                if let Some(issuer) = &key.issuer {
                    members.insert("issuer".to_owned(), issuer.as_str().into());
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
