//! Initial access tokens (RFC 7591 §3): their bearer may register until the token expires or is used up.

use std::time::Duration;

use mcp_edge_runtime::ports::StoreError;
use serde::{Deserialize, Serialize};

use crate::{
    digest::sha256_hex,
    failed_attempts::{FailedAttempts, TooManyFailedAttempts},
    ledger::{Ledger, LedgerError, TokenUses},
    policy::Registrant,
    storage::{
        RegistrationStore,
        keys::{initial_token_key, initial_use_prefix},
    },
};

/// Prefix of every initial access token.
const PREFIX: &str = "mcpinit_";

/// Shorter than a hash, and still unique to a token.
const ID_CHARACTERS: usize = 16;

/// The store takes no shorter life.
const MIN_TTL_SECONDS: u64 = 60;

/// An initial access token as it is stored, under the hash of the token. Only the operator writes it, so that no
/// registration brings back what they have revoked; each use has a key of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialToken {
    /// The operator's name for it.
    pub name: String,
    /// Seconds since 1970.
    pub expires_at: u64,
    /// How many registrations it is good for, beside those that an earlier version has counted off already; `None` for
    /// any number.
    #[serde(default, rename = "uses_left", skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
}

impl InitialToken {
    /// Whether it is good at `now`, unless it is used up.
    #[must_use]
    pub fn is_good(&self, now: u64) -> bool {
        now < self.expires_at && self.uses != Some(0)
    }

    /// The registrant that its bearer is. Two tokens of the same name are two registrants.
    #[must_use]
    pub fn registrant(&self, token: &str) -> Registrant {
        Registrant::InitialToken { name: self.name.clone(), id: sha256_hex(token)[..ID_CHARACTERS].to_owned() }
    }
}

/// Why it is not known whether a token is good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InitialTokenError {
    /// Too many tokens from the same network were not valid.
    #[error(transparent)]
    TooManyFailedAttempts(#[from] TooManyFailedAttempts),
    /// The store failed.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// The bearer of an initial access token, at a place in the network.
pub struct Bearer<'a> {
    /// What was sent.
    pub token: &'a str,
    /// Where from.
    pub network: &'a str,
}

/// The bearer of a valid token.
pub struct Verified {
    /// Who it is.
    pub registrant: Registrant,
    /// The uses of the token, of which one is reserved; `None` for a token without a limit.
    pub uses: Option<TokenUses>,
}

/// Verifies the token of `bearer`, and reserves one of its uses under `reservation` if they are limited. `None`: the token
/// is not valid, or used up.
///
/// # Errors
/// [`InitialTokenError`].
pub async fn authenticate(
    store: &impl RegistrationStore,
    ledger: &impl Ledger,
    attempts: &FailedAttempts,
    bearer: Bearer<'_>,
    reservation: &str,
    now: u64,
) -> Result<Option<Verified>, InitialTokenError> {
    let Bearer { token, network } = bearer;
    if !token.starts_with(PREFIX) {
        return Ok(None);
    }
    let attempt = attempts.begin(network, now)?;
    let text = store.get(&initial_token_key(token)).await?;
    let stored = text.and_then(|text| serde_json::from_str::<InitialToken>(&text).ok());
    let Some(stored) = stored.filter(|stored| stored.is_good(now)) else {
        attempt.failed();
        return Ok(None);
    };
    let uses =
        stored.uses.map(|total| TokenUses { token: initial_use_prefix(token), total, expires_at: stored.expires_at });
    if let Some(uses) = &uses
        && !ledger.take_use(reservation, uses, now).await?
    {
        return Ok(None);
    }
    Ok(Some(Verified { registrant: stored.registrant(token), uses }))
}

/// Writes down for the operator that a use led to this client. The ledger has counted it; if this fails, `list` shows one
/// use more than there is.
pub async fn note_use(store: &impl RegistrationStore, uses: &TokenUses, client_id: &str, now: u64) {
    let ttl = Duration::from_secs(uses.expires_at.saturating_sub(now).max(MIN_TTL_SECONDS));
    let _ = store.put(&format!("{}{client_id}", uses.token), "", None, Some(ttl)).await;
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn initial_tokens_expire_and_are_used_up() {
        let token = InitialToken { name: "partner".into(), expires_at: NOW + 1, uses: Some(1) };
        assert!(token.is_good(NOW) && !token.is_good(NOW + 1));
        assert!(!InitialToken { uses: Some(0), ..token.clone() }.is_good(NOW));
        assert!(InitialToken { uses: None, ..token }.is_good(NOW));
    }
}
