//! JWK Sets (RFC 7517 §5): lenient per key, strict in the choice.
//!
//! Keys that cannot be used are skipped, and the rest stays usable. The choice of a key for a token is strict: exactly one
//! key, of the kind that the algorithm needs.

use std::rc::Rc;

use serde::Deserialize;
use serde_json::Value;

use super::jwk::Key;
use mcp_edge_runtime::crypto::{Algorithm, VerificationKey};

/// More keys than any provider publishes (Logto: three; large ones: about ten). A longer set is not read to its end.
pub const MAX_KEYS: usize = 32;

/// The usable keys of a JWK Set, at least one, and the names of the others. Two sets are equal if they hold the same,
/// in any order.
#[derive(Debug, Clone, Eq)]
pub struct KeySet {
    keys: Vec<Rc<Key>>,
    /// `kid`s of published keys that cannot be used: a token that names one is bad, and nothing need be asked.
    unusable: Vec<String>,
}

impl PartialEq for KeySet {
    fn eq(&self, other: &Self) -> bool {
        fn same<T: PartialEq>(one: &[T], other: &[T]) -> bool {
            one.len() == other.len()
                && one.iter().all(|it| other.contains(it))
                && other.iter().all(|it| one.contains(it))
        }
        same(&self.keys, &other.keys) && same(&self.unusable, &other.unusable)
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Not JSON, or without a list `keys`.
    #[error("not a JWK Set")]
    Malformed,
    /// No key that could verify a token. An honest provider never publishes this; treating it as an outage keeps the
    /// old keys in use.
    #[error("no usable key in the JWK Set")]
    NoUsableKey,
}

impl KeySet {
    /// Reads a JWK Set, skipping every key that cannot be used.
    ///
    /// # Errors
    /// [`KeySetError`] if none is left.
    pub fn parse(document: &str) -> Result<Self, KeySetError> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document = serde_json::from_str(document).map_err(|_| KeySetError::Malformed)?;
        let (mut keys, mut unusable) = (Vec::new(), Vec::new());
        for jwk in document.keys.iter().take(MAX_KEYS) {
            match Key::from_jwk(jwk) {
                Some(key) => keys.push(Rc::new(key)),
                None => unusable.extend(jwk.get("kid").and_then(Value::as_str).map(str::to_owned)),
            }
        }
        if keys.is_empty() { Err(KeySetError::NoUsableKey) } else { Ok(Self { keys, unusable }) }
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
        self.unusable.iter().any(|unusable| unusable == kid)
            && self.keys.iter().all(|key| key.kid.as_deref() != Some(kid))
    }

    /// The keys.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().map(Rc::as_ref)
    }

    /// The usable keys as a JWK Set, for the store, and of the others the `kid`.
    #[must_use]
    pub fn to_document(&self) -> Value {
        let unusable = self.unusable.iter().map(|kid| serde_json::json!({ "kid": kid }));
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
            .collect();
        serde_json::json!({ "keys": keys })
    }
}

#[cfg(test)]
mod tests;
