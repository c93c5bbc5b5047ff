//! What the object knows of its key.

use super::message::{Description, NewKey, State};
use crate::{lease::Attempt, secrets::Owner};

/// The row of a key. What is sealed opens nothing without the secret of the key, or `VAULT_SECRET`.
#[derive(Clone)]
pub struct Record {
    /// The id of the key.
    pub id: String,
    /// SHA-256 of its secret.
    pub secret_hash: Vec<u8>,
    /// What it was made with; its `state`, `since` and `grant_is_pending` are those of now.
    pub key: Description,
    /// The client at the provider that its grant is of.
    pub client_id: String,
    /// Who revoked it, or that the provider ended it.
    pub why: Option<String>,
    /// The refresh token, for the holder of the secret. `None`: the key works no longer.
    pub refresh_sealed: Option<String>,
    /// The same refresh token, for its revocation. `None`: it was revoked.
    pub grant_sealed: Option<String>,
    /// The last access token, for the holder of the secret.
    pub token_sealed: Option<String>,
    /// Until when that is good enough, in seconds since 1970.
    pub token_until: u64,
    /// The refresh in flight.
    pub attempt: Option<Attempt>,
    /// Until when the provider is spared after a failure, in seconds since 1970.
    pub failed_until: u64,
    /// What failed, for the operator.
    pub failure: String,
    /// When its use was last reported after its end, in seconds since 1970.
    pub reported_at: u64,
    /// Whether its marker in the store is still to be written.
    pub lacks_marker: bool,
}

impl Record {
    /// The row of a new key.
    #[must_use]
    pub fn new(id: String, secret_hash: [u8; 32], new: NewKey, refresh_sealed: String, grant_sealed: String) -> Self {
        Self {
            id,
            secret_hash: secret_hash.to_vec(),
            key: Description {
                issuer: new.issuer,
                subject: new.subject,
                name: new.name,
                scopes: new.scopes,
                tools: new.tools,
                created_at: new.created_at,
                expires_at: new.expires_at,
                rotated_from: new.rotated_from,
                last_used_day: None,
                refreshed_at: new.created_at,
                state: State::Active,
                since: new.created_at,
                grant_is_pending: false,
                grant_id: new.grant_id,
            },
            client_id: String::new(),
            why: None,
            refresh_sealed: Some(refresh_sealed),
            grant_sealed: Some(grant_sealed),
            token_sealed: None,
            token_until: 0,
            attempt: None,
            failed_until: 0,
            failure: String::new(),
            reported_at: 0,
            lacks_marker: false,
        }
    }

    /// Whose key it is, as what is sealed is bound to it.
    #[must_use]
    pub fn owner(&self) -> Owner<'_> {
        Owner { id: &self.id, issuer: &self.key.issuer, subject: &self.key.subject }
    }
}
