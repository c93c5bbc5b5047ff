//! Tokens that were verified before, remembered by their SHA-256.
//!
//! An entry remembers one fact that does not change: that a token's signature verified under a certain key, and what
//! the token says. It does not remember that the token is *good*: time, audience, the key's presence in the current
//! set and the policy on clients are looked at again at every use, so a remembered answer cannot differ from what full
//! verification would say. The token itself is not kept.
//!
//! The memory is bounded by two generations: when the young one is full the old one is forgotten, and an entry that is
//! used moves to the young one. That is a least-recently-used order good enough for a cache, at the price of a hash
//! map look-up.

use std::{collections::HashMap, rc::Rc};

use sha2::{Digest, Sha256};

use super::{algorithm::Algorithm, claims::Claims};
use crate::oauth::{access::identity::Identity, keys::jwk::Thumbprint};

/// Entries of one generation. Two of them hold the agents that one isolate serves within minutes.
const GENERATION_ENTRIES: usize = 2048;

/// Bytes of one generation, counted by the length of the tokens: an isolate has 128 MB for everything.
const GENERATION_BYTES: usize = 8 * 1024 * 1024;

/// Identifies a token without being one.
pub type TokenDigest = [u8; 32];

/// The SHA-256 of the whole token.
#[must_use]
pub fn digest(token: &str) -> TokenDigest {
    Sha256::digest(token).into()
}

/// What was established when the token was verified.
#[derive(Debug)]
pub struct VerifiedJwt {
    /// Which of the configured issuers.
    pub issuer_index: usize,
    /// `kid`.
    pub kid: Option<String>,
    /// `alg`.
    pub algorithm: Algorithm,
    /// The key that verified it.
    pub key: Thumbprint,
    /// What the token says.
    pub claims: Claims,
    /// Who it stands for.
    pub identity: Rc<Identity>,
}

/// A bounded memory from token digest to `T`.
#[derive(Debug)]
pub struct Memory<T> {
    young: Generation<T>,
    old: Generation<T>,
}

#[derive(Debug)]
struct Generation<T> {
    entries: HashMap<TokenDigest, (T, usize)>,
    bytes: usize,
}

impl<T> Default for Generation<T> {
    fn default() -> Self {
        Self { entries: HashMap::new(), bytes: 0 }
    }
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self { young: Generation::default(), old: Generation::default() }
    }
}

impl<T: Clone> Memory<T> {
    /// What is remembered of a token.
    pub fn get(&mut self, digest: &TokenDigest) -> Option<T> {
        if let Some((value, _)) = self.young.entries.get(digest) {
            return Some(value.clone());
        }
        let (value, bytes) = self.old.entries.remove(digest)?;
        self.insert(*digest, value.clone(), bytes);
        Some(value)
    }

    /// Remembers `value`, which came from a token of so many bytes.
    pub fn insert(&mut self, digest: TokenDigest, value: T, bytes: usize) {
        if self.young.entries.len() >= GENERATION_ENTRIES || self.young.bytes + bytes > GENERATION_BYTES {
            self.old = std::mem::take(&mut self.young);
        }
        if let Some((_, replaced)) = self.young.entries.insert(digest, (value, bytes)) {
            self.young.bytes -= replaced;
        }
        self.young.bytes += bytes;
    }

    /// Forgets a token.
    pub fn remove(&mut self, digest: &TokenDigest) {
        if let Some((_, bytes)) = self.young.entries.remove(digest) {
            self.young.bytes -= bytes;
        }
        self.old.entries.remove(digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(number: usize) -> TokenDigest {
        digest(&number.to_string())
    }

    #[test]
    fn what_is_used_stays_and_the_size_is_bounded() {
        let mut memory = Memory::default();
        for number in 0..10 * GENERATION_ENTRIES {
            memory.insert(numbered(number), number, 100);
            assert_eq!(memory.get(&numbered(0)), Some(0), "used all the time, so never forgotten");
        }
        assert!(memory.young.entries.len() + memory.old.entries.len() <= 2 * GENERATION_ENTRIES);
        assert_eq!(memory.get(&numbered(1)), None);
    }

    #[test]
    fn large_tokens_are_bounded_by_their_bytes() {
        let mut memory = Memory::default();
        for number in 0..4 * GENERATION_ENTRIES {
            memory.insert(numbered(number), (), 16 * 1024);
        }
        assert!(memory.young.bytes <= GENERATION_BYTES);
        assert!(memory.old.entries.len() <= GENERATION_BYTES / (16 * 1024));
    }

    #[test]
    fn what_is_removed_is_gone_and_no_longer_counted() {
        let mut memory = Memory::default();
        memory.insert(numbered(1), (), 100);
        memory.insert(numbered(1), (), 50);
        assert_eq!(memory.young.bytes, 50);
        memory.remove(&numbered(1));
        assert_eq!((memory.young.bytes, memory.get(&numbered(1))), (0, None));
    }
}
