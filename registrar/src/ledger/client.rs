//! The ledger by calls of the object.

use std::time::Duration;

use mcp_edge_runtime::{
    ports::Runtime,
    service_call::{self, CallService},
};

use super::{
    Admission, AdmissionError, CallError, ChangeError, Ledger, LedgerError, Reconciled, TokenUses, import,
    message::{Answer, Request},
};
use crate::{client_metadata::ClientMetadata, storage::RegistrationStore};

/// How long the object may take to start anew: it does when its code changes.
const PAUSE: Duration = Duration::from_millis(200);

/// The ledger in an object that answers calls, with the store that it is reconciled with.
pub struct ObjectLedger<C, S, R> {
    object: C,
    store: S,
    runtime: R,
}

impl<C: CallService, S: RegistrationStore, R: Runtime> ObjectLedger<C, S, R> {
    /// Creates a ledger.
    #[must_use]
    pub fn new(object: C, store: S, runtime: R) -> Self {
        Self { object, store, runtime }
    }

    /// Asks the object. Every operation can be repeated, so a call without an answer is, once.
    pub(super) async fn ask(&self, request: &Request) -> Result<Answer, LedgerError> {
        let message = request.to_json();
        let mut answer = self.object.call(message.clone()).await;
        if matches!(answer, Err(service_call::CallError::Failed(_) | service_call::CallError::Network(_))) {
            self.runtime.sleep(PAUSE).await;
            answer = self.object.call(message).await;
        }
        let answer = answer.map_err(|error| LedgerError(error.to_string()))?;
        Answer::from_json(&answer).ok_or_else(|| LedgerError("an answer that cannot be read".to_owned()))
    }

    /// Asks the object, and imports the clients of earlier versions if it does not know them yet.
    async fn ask_imported(&self, request: &Request, now: u64) -> Result<Answer, LedgerError> {
        match self.ask(request).await? {
            Answer::NotImported => {
                import::import(self, &self.store, now).await?;
                self.ask(request).await
            }
            answer => Ok(answer),
        }
    }
}

/// The error for an answer that belongs to another request.
pub(super) fn unexpected(_: &Answer) -> LedgerError {
    LedgerError("an answer to another request".to_owned())
}

impl<C: CallService, S: RegistrationStore, R: Runtime> Ledger for ObjectLedger<C, S, R> {
    async fn take_use(&self, id: &str, uses: &TokenUses, now: u64) -> Result<bool, LedgerError> {
        let request = Request::TakeUse { id: id.to_owned(), uses: uses.clone() };
        match self.ask_imported(&request, now).await? {
            Answer::Done => Ok(true),
            Answer::UsedUp => Ok(false),
            other => Err(unexpected(&other)),
        }
    }

    async fn admit(&self, id: &str, admission: &Admission, now: u64) -> Result<(), AdmissionError> {
        let request = Request::Admit { id: id.to_owned(), admission: admission.clone() };
        match self.ask_imported(&request, now).await? {
            Answer::Done => Ok(()),
            Answer::TooMany(retry_after) => Err(AdmissionError::TooManyRegistrations { retry_after }),
            Answer::Full => Err(AdmissionError::Full),
            Answer::Quota(limit) => Err(AdmissionError::DeveloperQuota { limit }),
            other => Err(unexpected(&other).into()),
        }
    }

    async fn settle(&self, id: &str, client_id: &str, _now: u64) -> Result<(), LedgerError> {
        match self.ask(&Request::Settle { id: id.to_owned(), client_id: client_id.to_owned() }).await? {
            Answer::Done => Ok(()),
            Answer::Ended => Err(LedgerError("the reservation has ended".to_owned())),
            other => Err(unexpected(&other)),
        }
    }

    async fn release(&self, id: &str, _now: u64) {
        let _ = self.ask(&Request::Release { id: id.to_owned() }).await;
    }

    async fn remove(&self, client_id: &str, _now: u64) {
        let _ = self.ask(&Request::Remove { client_id: client_id.to_owned() }).await;
    }

    async fn count_call(&self, client_id: &str, _now: u64) -> Result<(), CallError> {
        match self.ask(&Request::CountCall { client_id: client_id.to_owned() }).await? {
            Answer::Done => Ok(()),
            Answer::TooMany(retry_after) => Err(CallError::TooMany { retry_after }),
            other => Err(unexpected(&other).into()),
        }
    }

    async fn begin_change(&self, id: &str, client_id: &str, _now: u64) -> Result<Option<ClientMetadata>, ChangeError> {
        match self.ask(&Request::BeginChange { id: id.to_owned(), client_id: client_id.to_owned() }).await? {
            Answer::Begun(metadata) => Ok(metadata.and_then(|text| serde_json::from_str(&text).ok())),
            Answer::Busy => Err(ChangeError::Busy),
            other => Err(unexpected(&other).into()),
        }
    }

    async fn end_change(&self, id: &str, client_id: &str, written: Option<&ClientMetadata>, _now: u64) {
        let written = written.and_then(|metadata| serde_json::to_string(metadata).ok());
        let request = Request::EndChange { id: id.to_owned(), client_id: client_id.to_owned(), written };
        let _ = self.ask(&request).await;
    }

    async fn reconcile(&self, now: u64) -> Result<Reconciled, LedgerError> {
        import::reconcile(self, &self.store, now).await
    }
}
