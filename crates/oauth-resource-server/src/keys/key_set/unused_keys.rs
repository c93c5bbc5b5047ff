//! The keys of a JWK Set that are not used although they were published to be, as the operator hears of them.

use std::fmt;

/// Begins the warning of private keys; their `kid`s follow.
const PRIVATE_KEYS: &str = "the provider published a private key, which is not used and must be replaced: kid ";

/// Begins the warning of keys that were not read; their number follows.
const UNREADABLE_KEYS: &str = "the provider published keys that are too long or malformed, keys skipped: ";

/// Likewise of those behind [`MAX_KEYS`](super::MAX_KEYS).
const IGNORED_KEYS: &str = "the provider published more keys than are read, keys ignored: ";

/// Names of private keys are added until the warning has this length: it is for reading.
const MAX_WARNING_BYTES: usize = 160;

/// What is wrong with the rest of a set. Displays as the warning to the operator, empty if nothing is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnusedKeys {
    /// `kid`s of the keys that are published with their private part; empty strings for those without one.
    pub private: Vec<String>,
    /// How many keys are too long, no JSON objects, or have a member twice.
    pub unreadable: usize,
    /// How many keys are behind [`MAX_KEYS`](super::MAX_KEYS).
    pub ignored: usize,
}

impl UnusedKeys {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.private.is_empty() && self.unreadable == 0 && self.ignored == 0
    }
}

impl fmt::Display for UnusedKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let mut length = PRIVATE_KEYS.len();
        for kid in &self.private {
            if length >= MAX_WARNING_BYTES {
                break;
            }
            let kid = &kid[..kid.floor_char_boundary(MAX_WARNING_BYTES)];
            length += ", ".len() + kid.len();
            write!(formatter, "{}{kid}", if separator.is_empty() { PRIVATE_KEYS } else { ", " })?;
            separator = "; ";
        }
        for (text, count) in [(UNREADABLE_KEYS, self.unreadable), (IGNORED_KEYS, self.ignored)] {
            if count > 0 {
                write!(formatter, "{separator}{text}{count}")?;
                separator = "; ";
            }
        }
        Ok(())
    }
}
