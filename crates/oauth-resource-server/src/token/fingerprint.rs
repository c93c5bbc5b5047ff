//! Fingerprints of tokens: what is cached about a token is found by these, and the token itself is not kept.

use std::{cell::OnceCell, hash::Hasher};

use mcp_edge_runtime::{digest::sip_hash, ports::Runtime};

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
        let [high, low] = sip_hash(key, token);
        Fingerprint { high, low }
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
