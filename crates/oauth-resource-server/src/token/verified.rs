//! Tokens that were verified before, remembered by their fingerprints.
//!
//! An entry remembers one fact that does not change: that a token's signature verified under a certain key, for whom it
//! was issued, and for when. It does not remember that the token is *good*: time, the key's presence in the current set
//! and the policy on clients are looked at again at every use, so a remembered answer cannot differ from what full
//! verification would say. (Accepted issuers and audiences are settings, which an isolate does not outlive.) Neither
//! the token is kept nor its claims, but for those that may be shown.

use std::{cell::OnceCell, hash::Hasher, rc::Rc};

use siphasher::sip128::{Hasher128, SipHasher24};

use crate::token::{claims::Validity, weight};
use mcp_edge_identity::Identity;
use mcp_edge_runtime::crypto::Algorithm;
use mcp_edge_runtime::crypto::Thumbprint;
use mcp_edge_runtime::ports::Runtime;

/// Identifies a token without being one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    // Not one number of 128 bits: that is aligned to sixteen bytes.
    high: u64,
    low: u64,
}

/// Half of it is enough to be found by.
impl std::hash::Hash for Fingerprint {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.low);
    }
}

/// Takes the fingerprints of tokens: SipHash-2-4 of 128 bits, under a key that is drawn at random when the first one is
/// taken and never leaves. Without the key nobody can make a second token with the fingerprint of another, and it takes
/// a tenth of the time of a SHA-256, which is felt on every request.
#[derive(Debug, Default)]
pub struct Fingerprints(OnceCell<[u8; 16]>);

#[cfg(test)]
impl Fingerprint {
    /// A made-up one.
    #[must_use]
    pub fn for_test(number: u64) -> Self {
        // As evenly spread as a real one.
        Self { high: 0, low: number.wrapping_mul(0x9e37_79b9_7f4a_7c15) }
    }
}

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
        let hash = hasher.finish128();
        Fingerprint { high: hash.h1, low: hash.h2 }
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
    /// When it is valid.
    pub validity: Validity,
    /// Who it stands for.
    pub identity: Rc<Identity>,
}

impl VerifiedJwt {
    /// What it holds in memory, behind an `Rc`.
    #[must_use]
    pub fn weight(&self) -> usize {
        let kid = self.kid.as_deref().map_or(0, weight::text);
        weight::behind_rc::<Self>() + kid + weight::of_identity(&self.identity)
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
}
