//! What the platform provides, as one type, and calls of objects by name.

use std::time::Duration;

use mcp_edge_runtime::{
    ports::{Runtime, Services},
    service_call::{CallError, CallLimits, CallService},
};

/// What the platform provides.
pub trait Platform: 'static {
    /// Everything that serves all requests of an isolate. Its store is the one that no other Worker writes to.
    type Services: Services;
    /// An object, as something that answers calls.
    type Object: CallService;

    /// Everything that serves all requests of an isolate.
    fn services(&self) -> &Self::Services;
    /// The object of the key with this id. The id must have been checked ([`crate::secrets::VaultSecrets::is_own_id`]).
    fn key(&self, id: &str) -> Self::Object;
    /// The object of the user with this name ([`crate::secrets::account_name`]).
    fn account(&self, name: &str) -> Self::Object;
    /// The object of the personal access token with this name ([`crate::secrets::VaultSecrets::personal_token_name`]).
    fn personal_token(&self, name: &str) -> Self::Object;
    /// The object of the connected accounts of the user with this name ([`crate::secrets::account_name`]).
    fn connected_accounts(&self, name: &str) -> Self::Object;
    /// The object of our client at the service of the connection with this name.
    fn registration(&self, connection: &str) -> Self::Object;
}

/// What a call of an object must be given: a request waits for another one's refresh for up to 10 seconds, and may then have
/// to refresh itself, which takes up to 12 ([`crate::lease`]).
pub const OBJECT_LIMITS: CallLimits = CallLimits { timeout: Duration::from_secs(25), max_answer: 256 * 1024 };

/// The longest message to an object, in bytes.
pub const MAX_OBJECT_MESSAGE: usize = 64 * 1024;

/// How long an object may take to start anew: it does when its code changes.
const PAUSE: Duration = Duration::from_millis(200);

/// An object could not be asked, or its answer cannot be read. It may have done what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{object}: {cause}")]
pub struct ObjectError {
    /// Which kind of object.
    pub object: &'static str,
    /// Why, for the operator; without secrets.
    pub cause: String,
}

/// Whether a request can be sent again when its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// It takes effect once, however often it is sent.
    Safe,
    /// It does not.
    Unsafe,
}

/// Asks an object; what can be repeated is, once, if there is no answer.
///
/// # Errors
/// [`ObjectError`].
pub async fn ask(
    object: &impl CallService,
    kind: &'static str,
    message: String,
    repetition: Repetition,
    runtime: &impl Runtime,
) -> Result<String, ObjectError> {
    let failed = |error: CallError| ObjectError { object: kind, cause: error.to_string() };
    if repetition == Repetition::Unsafe {
        return object.call(message).await.map_err(failed);
    }
    match object.call(message.clone()).await {
        Err(CallError::Failed(_) | CallError::Network(_)) => {
            runtime.sleep(PAUSE).await;
            object.call(message).await.map_err(failed)
        }
        answer => answer.map_err(failed),
    }
}
