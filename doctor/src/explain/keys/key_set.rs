//! A set of keys (RFC 7517 §5), and the one for a token.

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::jwk::Jwk;
use crate::explain::jwt::Members;

/// Of longer sets the Worker reads the first keys.
const MAX_KEYS: usize = 256;

/// The longest key. A longer one is skipped.
const MAX_KEY_BYTES: usize = 32 * 1024;

/// The keys of a provider.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    /// Those that can verify.
    pub keys: Vec<Jwk>,
    /// The others, by `kid`, each with the reason.
    pub unusable: Vec<(Option<String>, &'static str)>,
}

/// Why there is no key for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoKey {
    /// No key has the `kid`, or none fits a token without.
    Unknown,
    /// The key of this `kid` cannot be used, for this reason.
    Unusable(&'static str),
    /// Several keys fit.
    Ambiguous,
    /// The key of this `kid` is not for this `alg`.
    Mismatch,
}

impl KeySet {
    /// Reads a key set.
    ///
    /// # Errors
    /// What is wrong with the document.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        #[derive(Deserialize)]
        struct Document<'a> {
            #[serde(borrow)]
            keys: Vec<&'a RawValue>,
        }
        let document: Document<'_> = serde_json::from_str(text).map_err(|_| "it is not JSON with an array \"keys\"")?;
        let mut set = Self::default();
        for text in document.keys.into_iter().take(MAX_KEYS).map(RawValue::get) {
            match read(text) {
                Ok(key) => set.keys.push(key),
                Err(reason) => {
                    let key: Value = serde_json::from_str(text).unwrap_or_default();
                    set.unusable.push((key["kid"].as_str().map(str::to_owned), reason));
                }
            }
        }
        Ok(set)
    }

    /// The key for a token.
    ///
    /// # Errors
    /// [`NoKey`] if there is none, or more than one.
    pub fn select(&self, kid: Option<&str>, algorithm: &str) -> Result<&Jwk, NoKey> {
        let named: Vec<_> = self.keys.iter().filter(|key| kid.is_none() || key.kid.as_deref() == kid).collect();
        let fitting: Vec<_> = named.iter().copied().filter(|key| key.fits(algorithm)).collect();
        match fitting[..] {
            // The same key twice is one key.
            [key, ref others @ ..] if others.iter().all(|other| other.material == key.material) => Ok(key),
            [_, ..] => Err(NoKey::Ambiguous),
            [] if kid.is_some() && !named.is_empty() => Err(NoKey::Mismatch),
            [] => Err(self
                .unusable
                .iter()
                .find(|(unusable, _)| kid.is_some() && unusable.as_deref() == kid)
                .map_or(NoKey::Unknown, |(_, reason)| NoKey::Unusable(reason))),
        }
    }

    /// The `kid`s, for a message.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.keys.iter().map(|key| key.kid.clone().unwrap_or_else(|| "a key without kid".to_owned())).collect()
    }
}

/// Reads a key, in which no name may occur twice (RFC 7517 §4).
fn read(text: &str) -> Result<Jwk, &'static str> {
    if text.len() > MAX_KEY_BYTES {
        return Err("is longer than 32 KB");
    }
    let members: Members = serde_json::from_str(text).map_err(|_| "is no JSON object")?;
    let members = members.once().map_err(|_| "has a member twice")?;
    Jwk::parse(&Value::Object(members))
}
