//! Replacing a client's secret.

use super::Context;
use crate::{
    audit::Event,
    digest::sha256_hex,
    provider::{Applications, ProviderError},
    secret::Secret,
};

/// Gives a client a new secret. Repeated with the same `once` it makes no further one. If another rotation has made a newer
/// one at the same moment, that is the one which is returned: it is the one that stays.
///
/// # Errors
/// [`ProviderError`]; [`ProviderError::Gone`] if the client was removed at the provider.
pub async fn rotate_secret<A: Applications, P>(
    context: &Context<'_, A, P>,
    client_id: &str,
    once: &str,
    by: &str,
) -> Result<Secret, ProviderError> {
    let name = format!("rotated-{}", &sha256_hex(once)[..16]);
    let secret = context.applications.rotate_secret(client_id, &name).await?;
    context.audit.record(Event::SecretRotated, client_id, by, "");
    Ok(secret)
}
