//! SHA-256 as text.

use sha2::{Digest, Sha256};

/// The SHA-256 of a text, in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(text: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
