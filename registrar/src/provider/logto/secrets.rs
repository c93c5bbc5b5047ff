//! The secrets of an application.

use mcp_edge_oauth::client_authentication::form_encode;
use mcp_edge_runtime::ports::{Fetch, Method, Runtime};
use serde::Deserialize;
use serde_json::json;

use super::{
    super::ProviderError,
    api::{Repeat, parse},
    stored::path_of,
    tenant::LogtoApplications,
};
use crate::secret::Secret;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredSecret {
    name: String,
    value: String,
    /// Milliseconds since 1970.
    created_at: u64,
}

impl StoredSecret {
    /// Everybody agrees on which of two is the newer one: names are unique.
    fn age(&self) -> (u64, &str) {
        (self.created_at, &self.name)
    }
}

/// The newest secret; `None` if there is none.
pub(super) async fn current<P: Fetch + Runtime>(
    api: &LogtoApplications<'_, P>,
    client_id: &str,
) -> Result<Option<Secret>, ProviderError> {
    let secrets: Vec<StoredSecret> = api.read(&format!("{}/secrets", path_of(client_id))).await?;
    let newest = secrets.into_iter().max_by(|one, other| one.age().cmp(&other.age()));
    Ok(newest.map(|secret| Secret::new(secret.value)))
}

/// (1) make the new secret, (2) read them all, (3) remove those that are older than it. It is never removed here, nor
/// is one that is newer: somebody else was shown that one at the same moment. So the newest of all stays, and it is
/// the one that is given. After a failure of (2) or (3) more stay than one.
pub(super) async fn rotate<P: Fetch + Runtime>(
    api: &LogtoApplications<'_, P>,
    client_id: &str,
    name: &str,
) -> Result<Secret, ProviderError> {
    let path = format!("{}/secrets", path_of(client_id));
    // (1) The name is taken if an earlier try was carried out without being answered.
    let made = match api.call(Method::POST, &path, Some(&json!({ "name": name })), Repeat::Always).await {
        Ok(reply) => Some(parse::<StoredSecret>(&reply)?),
        Err(ProviderError::Refused(detail)) if detail.contains("secret_name_exists") => None,
        Err(error) => return Err(error),
    };
    // (2)
    let secrets: Vec<StoredSecret> = api.read(&path).await?;
    let missing = || ProviderError::Unavailable("the new secret is not there".to_owned());
    let new = secrets.iter().find(|secret| secret.name == name).cloned().or(made).ok_or_else(missing)?;
    // (3)
    for older in secrets.iter().filter(|secret| secret.age() < new.age()) {
        remove(api, client_id, &older.name).await?;
    }
    let newer = secrets.into_iter().filter(|secret| secret.age() > new.age());
    let newest = newer.max_by(|one, other| one.age().cmp(&other.age())).unwrap_or(new);
    Ok(Secret::new(newest.value))
}

async fn remove<P: Fetch + Runtime>(
    api: &LogtoApplications<'_, P>,
    client_id: &str,
    name: &str,
) -> Result<(), ProviderError> {
    let path = format!("{}/secrets/{}", path_of(client_id), form_encode(name));
    match api.call(Method::DELETE, &path, None, Repeat::Always).await {
        Ok(_) | Err(ProviderError::Gone) => Ok(()),
        Err(error) => Err(error),
    }
}
