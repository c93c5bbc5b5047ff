//! When a token is valid: `exp`, `nbf` and `iat` (RFC 7519 §4.1) against the clock.

use crate::denial::{Denial, IssueTimeError};

/// How far ahead of ours the provider's clock may be (RFC 7519 §4.1.5: "no more than a few minutes"). Without it, a
/// token that has just been issued might be refused.
pub const LEEWAY_SECONDS: u64 = 60;

pub use mcp_edge_identity::EXPIRY_LEEWAY_SECONDS;

/// When a token is valid, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// `exp`.
    pub expires_at: u64,
    /// `nbf`.
    pub not_before: Option<u64>,
    /// `iat`.
    pub issued_at: Option<u64>,
}

impl Validity {
    /// Whether a token is good at `now` (seconds since 1970): `exp` has not passed, `nbf` has come, `iat` is not in the
    /// future and before `exp`; with [`EXPIRY_LEEWAY_SECONDS`] and [`LEEWAY_SECONDS`] for clocks that disagree.
    ///
    /// # Errors
    /// [`Denial::Expired`], [`Denial::NotYetValid`], [`Denial::BadIssueTime`].
    pub fn check(&self, now: u64) -> Result<(), Denial> {
        if self.expires_at.saturating_add(EXPIRY_LEEWAY_SECONDS) <= now {
            return Err(Denial::Expired { exp: self.expires_at, now });
        }
        let latest = now.saturating_add(LEEWAY_SECONDS);
        if let Some(nbf) = self.not_before.filter(|nbf| *nbf > latest) {
            return Err(Denial::NotYetValid { nbf, now });
        }
        if let Some(iat) = self.issued_at.filter(|iat| *iat > latest || *iat >= self.expires_at) {
            let error = IssueTimeError::Implausible { iat, exp: self.expires_at, now };
            return Err(Denial::BadIssueTime { error });
        }
        Ok(())
    }
}
