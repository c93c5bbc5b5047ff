//! A set of keys (RFC 7517 §5), and the one for a token.

use serde_json::Value;

use super::jwk::Jwk;

/// Of longer sets the Worker reads the first keys.
const MAX_KEYS: usize = 256;

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
        let document: Value = serde_json::from_str(text).map_err(|_| "it is not JSON")?;
        let keys = document["keys"].as_array().ok_or("it has no array \"keys\"")?;
        let mut set = Self::default();
        for key in keys.iter().take(MAX_KEYS) {
            match Jwk::parse(key) {
                Ok(key) => set.keys.push(key),
                Err(reason) => set.unusable.push((key["kid"].as_str().map(str::to_owned), reason)),
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
