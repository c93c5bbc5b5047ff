//! SHA-256 (FIPS 180-4), and `SipHash` (Aumasson and Bernstein, 2012). One function each for all crates: a generic one is compiled
//! anew in each crate that calls it, and as that crate is, for its size or for speed.

use sha2::{Digest, Sha256};
use siphasher::sip128::SipHasher24;

/// The SHA-256 of a text.
#[must_use]
pub fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// SipHash-2-4 of 128 bits: without the key nobody can find two texts with the same one, and it takes a tenth of the time of
/// a SHA-256.
#[must_use]
pub fn sip_hash(key: &[u8; 16], text: &str) -> [u64; 2] {
    let hash = SipHasher24::new_with_key(key).hash(text.as_bytes());
    [hash.h1, hash.h2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyed_hash_is_that_of_its_reference() {
        let key = std::array::from_fn(|byte| u8::try_from(byte).unwrap());
        // The second of vectors_sip128 in the reference implementation: of one byte, which is zero.
        assert_eq!(sip_hash(&key, "\0").map(u64::to_le_bytes).concat()[..4], [0xda, 0x87, 0xc1, 0xd8]);
    }

    #[test]
    fn the_digest_is_that_of_fips_180() {
        let [first, .., last] = sha256("abc");
        assert_eq!((first, last), (0xba, 0xad));
    }
}
