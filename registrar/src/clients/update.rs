//! Changing a client's metadata.

use super::{Context, lease, summary};
use crate::{
    application::{Application, ApplicationType, ceiling},
    audit::Event,
    client_metadata::{ClientMetadata, error::MetadataError},
    ledger::{ChangeError, Ledger},
    platform::Platform,
    provider::{Applications, ProviderError},
    record::Record,
    storage::StorageError,
};

/// Why a client was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// The metadata is not acceptable.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// Another change is in progress, or the ledger failed.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The client has ended.
    #[error("there is no such client")]
    Gone,
    /// The provider failed.
    #[error(transparent)]
    Provider(ProviderError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<ProviderError> for UpdateError {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Gone => Self::Gone,
            other => Self::Provider(other),
        }
    }
}

/// Changes a client's metadata and nothing else: what was read of the client may be a minute old, and writing the rest
/// back would undo what others have changed since. `by` is for the audit log.
///
/// # Errors
/// [`UpdateError`]; then everything is as it was, as far as the provider could be reached.
pub async fn update<A: Applications, P: Platform>(
    context: &Context<'_, A, P>,
    client_id: &str,
    record: &Record,
    metadata: ClientMetadata,
    by: &str,
) -> Result<Record, UpdateError> {
    let granted = ceiling(&metadata, &context.policy.allowed_scopes)?;
    if ApplicationType::of(&metadata) != ApplicationType::of(&record.metadata) {
        let problem = format!(
            "would make the client, which is a {} application, one of another type: register a new client instead",
            ApplicationType::of(&record.metadata).name()
        );
        return Err(MetadataError::metadata("redirect_uris and token_endpoint_auth_method", problem).into());
    }
    let metadata = ClientMetadata { scope: Some(granted.to_string()), ..metadata };
    let after = Application::new(&metadata, granted, String::new());
    let lease = lease::take(context, client_id).await?;
    // What the store shows here may be a minute older than the last change.
    let before = lease.present.as_ref().unwrap_or(&record.metadata);
    let work = change_both(context, client_id, before, &after, &metadata);
    let changed = lease::keep(context, client_id, &lease, work).await;
    if is_over(&changed) {
        let written = changed.is_ok().then_some(&metadata);
        context.platform.ledger().end_change(&lease.id, client_id, written, context.now).await;
    }
    changed?;
    context.audit.record(Event::ClientUpdated, client_id, by, &summary(&metadata));
    Ok(Record { metadata, ..record.clone() })
}

/// Whether nothing of a change can still be carried out. Otherwise its lease is not ended, so that no other change begins
/// before it expires: see [`lease`].
const fn is_over(changed: &Result<(), UpdateError>) -> bool {
    match changed {
        // The lease was lost, or what was sent last was not answered.
        Err(
            UpdateError::Change(_) | UpdateError::Provider(ProviderError::Unavailable(_)) | UpdateError::Storage(_),
        ) => false,
        Ok(()) | Err(UpdateError::Gone | UpdateError::Metadata(_) | UpdateError::Provider(_)) => true,
    }
}

/// Changes the client at the provider and in the store, or at neither.
async fn change_both<A: Applications, P: Platform>(
    context: &Context<'_, A, P>,
    client_id: &str,
    before: &ClientMetadata,
    after: &Application,
    metadata: &ClientMetadata,
) -> Result<(), UpdateError> {
    let before = Application::new(before, before.scopes().unwrap_or_default(), String::new());
    context.applications.update(client_id, &before, after).await?;
    let written = async {
        let records = context.records();
        // If it is not known here yet that the client has ended, what is written belongs to nothing, makes no token good
        // again, and is removed by the scheduled run.
        records.registered(client_id).await?.ok_or(UpdateError::Gone)?;
        Ok(records.put_metadata(client_id, metadata).await?)
    };
    let written: Result<(), UpdateError> = written.await;
    if written.as_ref().is_err_and(|error| *error != UpdateError::Gone) {
        let _ = context.applications.update(client_id, after, &before).await;
    }
    written
}
