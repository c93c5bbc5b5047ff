//! Reading a client's secret.

use super::Context;
use crate::{
    provider::{Applications, ProviderError},
    record::Record,
    secret::Secret,
};

/// The current secret of a confidential client.
///
/// # Errors
/// [`ProviderError`]; [`ProviderError::Gone`] if the client was removed at the provider.
pub async fn secret<A: Applications, P>(
    context: &Context<'_, A, P>,
    client_id: &str,
    record: &Record,
) -> Result<Option<Secret>, ProviderError> {
    if !record.metadata.token_endpoint_auth_method.has_secret() {
        return Ok(None);
    }
    context.applications.secret(client_id).await
}
