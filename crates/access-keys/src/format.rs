//! How a key is written: `mcpk_<16 characters of id>_<43 of secret><6 of checksum>`, in base62.
//!
//! The checksum finds typing errors without a lookup, and lets secret scanners recognize a key: with the usual prefix by the
//! pattern `mcpk_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}`. It is the CRC-32 of everything before it, as in GitHub's tokens.

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
pub fn parse<'a>(key: &'a str, prefix: &str) -> Result<KeyParts<'a>, MalformedKey> {
    let parts = || {
        let rest = key.strip_prefix(prefix)?.strip_prefix('_')?;
        let (id, rest) = rest.split_at_checked(ID_LENGTH)?;
        let (secret, checksum) = rest.strip_prefix('_')?.split_at_checked(SECRET_LENGTH)?;
        let is_base62 = [id, secret].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let checked = &key[..key.len() - checksum.len()];
        (is_base62 && checksum == checksum_of(checked)).then_some(KeyParts { id, secret })
    };
    parts().ok_or(MalformedKey)
}

/// Writes a key. `id` and `secret` are of base62 characters, [`ID_LENGTH`] and [`SECRET_LENGTH`] of them.
#[must_use]
pub fn write(prefix: &str, id: &str, secret: &Secret) -> Secret {
    let checked = [prefix, "_", id, "_", secret.expose()].concat();
    let checksum = checksum_of(&checked);
    Secret::new(checked + &checksum)
}

/// Random base62 characters, all of the same probability.
#[must_use]
pub fn random_base62(length: usize, runtime: &impl Runtime) -> String {
    // A byte has four times 62 values, and eight more that would favour the first characters: those are drawn again.
    const FAIR: u8 = 4 * 62;
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0; 64];
        runtime.random(&mut bytes);
        let fair = bytes.iter().filter(|byte| **byte < FAIR);
        text.extend(fair.take(length - text.len()).map(|byte| char::from(digit(u64::from(*byte)))));
    }
    text
}

/// A number as base62 digits, the most significant first, padded with `0`; what does not fit is cut off.
#[must_use]
pub fn to_base62(mut number: u64, digits: usize) -> String {
    let mut text = vec![0; digits];
    for place in text.iter_mut().rev() {
        *place = digit(number);
        number /= 62;
    }
    text.into_iter().map(char::from).collect()
}

/// The last base62 digit of a number; digits are in the order `0-9A-Za-z`.
const fn digit(number: u64) -> u8 {
    #[allow(clippy::cast_possible_truncation, reason = "below 62")]
    match (number % 62) as u8 {
        value @ 0..=9 => b'0' + value,
        value @ 10..=35 => b'A' + value - 10,
        value => b'a' + value - 36,
    }
}

fn checksum_of(checked: &str) -> String {
    to_base62(u64::from(crc32(checked.as_bytes())), CHECKSUM_LENGTH)
}

/// CRC-32 of IEEE 802.3, bit by bit: a table would be 1 KB, and a key is checked only when it is not known yet.
fn crc32(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (POLYNOMIAL & 0_u32.wrapping_sub(crc & 1)))
    });
    !crc
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests;
