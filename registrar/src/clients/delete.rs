//! Removing a client.

use super::{Context, summary};
use crate::{
    audit::Event,
    ledger::Ledger,
    platform::Platform,
    provider::{Applications, ProviderError},
    record::Record,
    storage::StorageError,
};

/// Why a client was not removed, or not everywhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeleteError {
    /// The provider failed.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Removes a client. It may be repeated until it succeeds. `event` and `by` are for the audit log.
///
/// # Errors
/// [`DeleteError`].
pub async fn delete<A: Applications, P: Platform>(
    context: &Context<'_, A, P>,
    client_id: &str,
    record: &Record,
    event: Event,
    by: &str,
) -> Result<(), DeleteError> {
    context.applications.remove(client_id).await?;
    forget(context.platform, client_id, record, context.now).await?;
    context.audit.record(event, client_id, by, &summary(&record.metadata));
    Ok(())
}

/// Removes what is stored of a client that the provider does not have any more.
///
/// # Errors
/// [`StorageError`].
pub async fn forget<P: Platform>(platform: &P, client_id: &str, record: &Record, now: u64) -> Result<(), StorageError> {
    crate::storage::records::Records(platform.store()).forget(client_id, record).await?;
    platform.ledger().remove(client_id, now).await;
    Ok(())
}
