//! SHA-256 as text.

use mcp_edge_runtime::digest::sha256;

/// The SHA-256 of a text, in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(text: &str) -> String {
    use std::fmt::Write;
    sha256(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
