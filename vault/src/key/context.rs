//! What the object of a key works with during one event.

use std::time::Duration;

use mcp_edge_runtime::{
    ports::Store,
    sql::{SqlError, SqlStorage},
};

use super::{
    lease::{self, Rules},
    message::{Description, State},
    record::Record,
    rows::Rows,
};
use crate::secrets::VaultSecrets;

/// How long after its expiry the marker of a revoked key stays, in seconds.
const MARKER_REMAINS: u64 = 86_400;

/// The storage of the object, and what it needs of the rest of the world.
pub struct Context<'a, S, G, K> {
    /// The row.
    pub rows: Rows<'a, S>,
    /// The provider.
    pub grants: &'a G,
    /// Time to wait, randomness and the store of markers.
    pub services: &'a K,
    /// What is derived from `VAULT_SECRET`.
    pub secrets: &'a VaultSecrets,
    /// What an operator decides.
    pub rules: &'a Rules,
}

impl<S: SqlStorage, G, K: Store> Context<'_, S, G, K> {
    /// The key, if this is its id.
    ///
    /// # Errors
    /// [`SqlError`].
    pub fn load(&self, id: &str) -> Result<Option<Record>, SqlError> {
        Ok(self.rows.load()?.filter(|record| record.id == id))
    }

    /// The key as others see it: one that was made before `KEYS_NOT_BEFORE` is revoked.
    #[must_use]
    pub fn described(&self, record: &Record) -> Description {
        let mut key = record.key.clone();
        if key.state == State::Active && lease::is_too_old(record, self.rules) {
            key.state = State::Revoked;
            key.since = self.rules.not_before.unwrap_or_default();
            key.grant_is_pending = record.grant_sealed.is_some();
        }
        key
    }

    /// Writes the marker of a revoked key, which outlasts a backup of this object. While the store fails, every later
    /// request tries again. `false`: it is still to be written.
    ///
    /// # Errors
    /// [`SqlError`].
    pub async fn mark(&self, record: &Record, now: u64) -> Result<bool, SqlError> {
        if !record.lacks_marker {
            return Ok(true);
        }
        let seconds = record.key.expires_at.saturating_sub(now) + MARKER_REMAINS;
        let is_written = self.services.put(&marker_of(&record.id), "1", Duration::from_secs(seconds)).await.is_ok();
        if is_written {
            self.rows.marked()?;
        }
        Ok(is_written)
    }
}

/// The name of the marker in the store that says that a key was revoked.
#[must_use]
pub fn marker_of(id: &str) -> String {
    format!("revoked:{id}")
}
