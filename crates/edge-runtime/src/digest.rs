//! SHA-256 (FIPS 180-4), and `SipHash` (Aumasson and Bernstein, 2012). One function each for all crates: a generic one is compiled
//! anew in each crate that calls it, at the optimization level of that crate.

use sha2::{Digest, Sha256};
use siphasher::sip128::SipHasher24;

/// The SHA-256 of a text.
#[must_use]
pub fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// SipHash-2-4 of 128 bits: without the key nobody can find two strings with the same one, and it takes a tenth of the time of
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
        let of = |text| sip_hash(&key, text).map(u64::to_le_bytes).concat();
        // Of vectors_sip128 in the reference implementation those for one byte and for fifteen: 00, 01, 02 …
        let one = [0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45];
        assert_eq!(of("\0"), one);
        let fifteen = [0x54, 0x93, 0xe9, 0x99, 0x33, 0xb0, 0xa8, 0x11, 0x7e, 0x08, 0xec, 0x0f, 0x97, 0xcf, 0xc3, 0xd9];
        assert_eq!(of("\0\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\t\n\u{b}\u{c}\r\u{e}"), fifteen);
    }

    #[test]
    fn the_digest_is_that_of_fips_180() {
        let [first, .., last] = sha256("abc");
        assert_eq!((first, last), (0xba, 0xad));
    }
}
