//! SHA-256 (FIPS 180-4).

use sha2::{Digest, Sha256};

/// The SHA-256 of a text. One function for all crates: each call of a generic one in another crate compiles it anew.
#[must_use]
pub fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_fips_180() {
        let [first, .., last] = sha256("abc");
        assert_eq!((first, last), (0xba, 0xad));
    }
}
