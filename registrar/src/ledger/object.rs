//! Calls of the object.

use std::time::Duration;

use mcp_edge_runtime::{
    ports::Runtime,
    service_call::{CallError, CallService},
};

use super::{
    LedgerError,
    message::{Answer, Request},
};

/// How long the object may take to start anew: it does when its code changes.
const PAUSE: Duration = Duration::from_millis(200);

/// The object, as something that answers calls.
pub struct Object<C, R> {
    calls: C,
    runtime: R,
}

impl<C: CallService, R: Runtime> Object<C, R> {
    /// Creates a client of the object.
    #[must_use]
    pub fn new(calls: C, runtime: R) -> Self {
        Self { calls, runtime }
    }

    /// Asks the object. Every operation can be repeated, so a call without an answer is, once.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn ask(&self, request: &Request) -> Result<Answer, LedgerError> {
        let message = request.to_json();
        let mut answer = self.calls.call(message.clone()).await;
        if matches!(answer, Err(CallError::Failed(_) | CallError::Network(_))) {
            self.runtime.sleep(PAUSE).await;
            answer = self.calls.call(message).await;
        }
        let answer = answer.map_err(|error| LedgerError(error.to_string()))?;
        Answer::from_json(&answer).ok_or_else(|| LedgerError("an answer that cannot be read".to_owned()))
    }
}

/// The error for an answer that belongs to another request.
pub(super) fn unexpected(_: &Answer) -> LedgerError {
    LedgerError("an answer to another request".to_owned())
}
