//! Finding a client by its registration access token (RFC 7592 §2).

use crate::{
    failed_attempts::{FailedAttempts, TooManyFailedAttempts},
    record::{Record, may_be_token},
    storage::{RegistrationStore, StorageError, records::Records},
};

/// Why it is not known whether a token is good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticateError {
    /// Too many tokens from the same network were not valid.
    #[error(transparent)]
    TooManyFailedAttempts(#[from] TooManyFailedAttempts),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Who presents a registration access token, and for which client.
pub struct Presented<'a> {
    /// The client.
    pub client_id: &'a str,
    /// What was sent.
    pub token: &'a str,
    /// Where from.
    pub network: &'a str,
}

/// The record of a client with its present metadata, if the token is the client's. Only the store is asked.
///
/// # Errors
/// [`AuthenticateError`].
pub async fn authenticate<S: RegistrationStore>(
    records: &Records<'_, S>,
    attempts: &FailedAttempts,
    presented: Presented<'_>,
    now: u64,
) -> Result<Option<Record>, AuthenticateError> {
    let Presented { client_id, token, network } = presented;
    if !may_be_token(token) {
        return Ok(None);
    }
    let attempt = attempts.begin(network, now)?;
    let Some(record) = records.registered(client_id).await?.filter(|record| record.is_token(token)) else {
        attempt.failed();
        return Ok(None);
    };
    Ok(Some(records.with_present_metadata(client_id, record).await?))
}
