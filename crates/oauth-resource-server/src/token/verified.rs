//! JWTs that were verified before, as they are cached.
//!
//! An entry remembers one fact that does not change: that a token's signature verified under a certain key, for whom it
//! was issued, and for when. It does not remember that the token is *good*: time, the key's presence in the current set
//! and the policy on clients are looked at again at every use, so a remembered answer cannot differ from what full
//! verification would say. (Accepted issuers and audiences are settings, which do not change while an isolate lives.) Neither
//! the token is kept nor its claims, but for those that may be shown.

use std::rc::Rc;

use super::validity::Validity;
use crate::memory_size;
use mcp_edge_identity::Identity;
use mcp_edge_runtime::crypto::{Algorithm, Thumbprint};

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
    /// Until when it stands for a credential that was exchanged for it, in seconds since 1970; `u64::MAX` if it was sent itself.
    pub until: u64,
    /// Who it stands for.
    pub identity: Rc<Identity>,
}

impl VerifiedJwt {
    /// The bytes that it holds in memory behind an `Rc`.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let kid = self.kid.as_deref().map_or(0, memory_size::text);
        memory_size::behind_rc::<Self>() + kid + memory_size::of_identity(&self.identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_key_is_counted() {
        let with = |kid: Option<&str>| {
            let identity = Rc::new(Identity::for_test("alice", "a"));
            let validity = Validity { expires_at: 2, not_before: None, issued_at: None };
            let (kid, algorithm) = (kid.map(str::to_owned), Algorithm::ES384);
            VerifiedJwt { issuer_index: 0, kid, algorithm, key: [0; 32], validity, until: u64::MAX, identity }
                .held_bytes()
        };
        assert_eq!(with(Some("a name of a key")), with(None) + memory_size::text("a name of a key"));
    }
}
