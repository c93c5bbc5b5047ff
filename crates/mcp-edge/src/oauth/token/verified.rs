//! Tokens that were verified before, remembered by their fingerprints.
//!
//! An entry remembers one fact that does not change: that a token's signature verified under a certain key, and what
//! the token says. It does not remember that the token is *good*: time, audience, the key's presence in the current
//! set and the policy on clients are looked at again at every use, so a remembered answer cannot differ from what full
//! verification would say. The token itself is not kept.
//!
//! The memory is bounded by two generations: when the young one is full the old one is forgotten, and an entry that is
//! used moves to the young one. That is a least-recently-used order good enough for a cache, at the price of a hash
//! map look-up.

use std::{cell::OnceCell, collections::HashMap, hash::Hasher, rc::Rc};

use siphasher::sip128::{Hasher128, SipHasher24};

use super::{algorithm::Algorithm, claims::Claims};
use crate::{
    oauth::{access::identity::Identity, keys::jwk::Thumbprint},
    ports::Runtime,
};

/// Entries of one generation. Two of them hold the agents that one isolate serves within minutes.
const GENERATION_ENTRIES: usize = 2048;

/// Bytes of one generation, counted by the length of the tokens: an isolate has 128 MB for everything.
const GENERATION_BYTES: usize = 8 * 1024 * 1024;

/// Identifies a token without being one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(u128);

/// Takes the fingerprints of tokens: SipHash-2-4 of 128 bits, under a key that is drawn at random when the first one is
/// taken and never leaves. Without the key nobody can make a second token with the fingerprint of another, and it takes
/// a tenth of the time of a SHA-256, which is felt on every request.
#[derive(Debug, Default)]
pub struct Fingerprints(OnceCell<[u8; 16]>);

impl Fingerprints {
    /// The fingerprint of the whole token.
    pub fn of(&self, token: &str, runtime: &impl Runtime) -> Fingerprint {
        let key = self.0.get_or_init(|| {
            let mut key = [0; 16];
            runtime.random(&mut key);
            key
        });
        let mut hasher = SipHasher24::new_with_key(key);
        hasher.write(token.as_bytes());
        Fingerprint(hasher.finish128().as_u128())
    }
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

/// A bounded memory from fingerprint to `T`.
#[derive(Debug)]
pub struct Memory<T> {
    young: Generation<T>,
    old: Generation<T>,
}

#[derive(Debug)]
struct Generation<T> {
    entries: HashMap<Fingerprint, (T, usize)>,
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
    pub fn get(&mut self, fingerprint: &Fingerprint) -> Option<T> {
        if let Some((value, _)) = self.young.entries.get(fingerprint) {
            return Some(value.clone());
        }
        let (value, bytes) = self.old.entries.remove(fingerprint)?;
        self.insert(*fingerprint, value.clone(), bytes);
        Some(value)
    }

    /// Remembers `value`, which came from a token of so many bytes.
    pub fn insert(&mut self, fingerprint: Fingerprint, value: T, bytes: usize) {
        if self.young.entries.len() >= GENERATION_ENTRIES || self.young.bytes + bytes > GENERATION_BYTES {
            self.old = std::mem::take(&mut self.young);
        }
        if let Some((_, replaced)) = self.young.entries.insert(fingerprint, (value, bytes)) {
            self.young.bytes -= replaced;
        }
        self.young.bytes += bytes;
    }

    /// Forgets a token.
    pub fn remove(&mut self, fingerprint: &Fingerprint) {
        if let Some((_, bytes)) = self.young.entries.remove(fingerprint) {
            self.young.bytes -= bytes;
        }
        self.old.entries.remove(fingerprint);
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::Duration};

    use futures_util::{
        FutureExt,
        future::{LocalBoxFuture, ready},
    };

    use super::*;

    fn numbered(number: usize) -> Fingerprint {
        Fingerprint(number as u128)
    }

    /// A source of randomness that counts.
    struct Counting(Cell<u8>);

    impl Runtime for Counting {
        fn sleep(&self, _: Duration) -> LocalBoxFuture<'static, ()> {
            ready(()).boxed_local()
        }

        fn random(&self, buffer: &mut [u8]) {
            self.0.set(self.0.get() + 1);
            buffer.fill(self.0.get());
        }
    }

    #[test]
    fn a_fingerprint_depends_on_every_byte_and_on_a_key_that_is_drawn_once() {
        let runtime = Counting(Cell::new(0));
        let fingerprints = Fingerprints::default();
        let token = "header.claims.signature";
        let of_token = fingerprints.of(token, &runtime);
        assert_eq!(fingerprints.of(token, &runtime), of_token);
        for at in 0..token.len() {
            let mut other = token.to_owned();
            other.replace_range(at..=at, "~");
            assert_ne!(fingerprints.of(&other, &runtime), of_token, "byte {at}");
        }
        assert_ne!(fingerprints.of(&token[1..], &runtime), of_token);
        assert_eq!(runtime.0.get(), 1, "one key for all");
        assert_ne!(Fingerprints::default().of(token, &runtime), of_token, "another isolate, another key");
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
