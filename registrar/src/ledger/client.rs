//! The ledger by calls of the object.

use mcp_edge_runtime::{ports::Runtime, service_call::CallService};

use super::{
    Admission, AdmissionError, CallError, ChangeError, Ledger, LedgerError, Reconciled, TokenUses, import,
    message::{Answer, Request},
    object::{Object, unexpected},
};
use crate::{client_metadata::ClientMetadata, storage::RegistrationStore};

/// The ledger in an object that answers calls, with the store that it is reconciled with.
pub struct ObjectLedger<C, S, R> {
    object: Object<C, R>,
    store: S,
}

impl<C: CallService, S: RegistrationStore, R: Runtime> ObjectLedger<C, S, R> {
    /// Creates a ledger.
    #[must_use]
    pub fn new(object: C, store: S, runtime: R) -> Self {
        Self { object: Object::new(object, runtime), store }
    }

    /// Asks the object, and imports the clients of earlier versions if it does not know them yet.
    async fn ask_imported(&self, request: &Request, now: u64) -> Result<Answer, LedgerError> {
        match self.object.ask(request).await? {
            Answer::NotImported => {
                import::import(&self.object, &self.store, now).await?;
                self.object.ask(request).await
            }
            answer => Ok(answer),
        }
    }
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
        match self.object.ask(&Request::Settle { id: id.to_owned(), client_id: client_id.to_owned() }).await? {
            Answer::Done => Ok(()),
            Answer::Ended => Err(LedgerError("the reservation has ended".to_owned())),
            other => Err(unexpected(&other)),
        }
    }

    async fn release(&self, id: &str, _now: u64) {
        let _ = self.object.ask(&Request::Release { id: id.to_owned() }).await;
    }

    async fn undo(&self, client_id: &str, _now: u64) {
        let _ = self.object.ask(&Request::Undo { client_id: client_id.to_owned() }).await;
    }

    async fn remove(&self, client_id: &str, _now: u64) {
        let _ = self.object.ask(&Request::Remove { client_id: client_id.to_owned() }).await;
    }

    async fn count_call(&self, client_id: &str, _now: u64) -> Result<(), CallError> {
        match self.object.ask(&Request::CountCall { client_id: client_id.to_owned() }).await? {
            Answer::Done => Ok(()),
            Answer::TooMany(retry_after) => Err(CallError::TooMany { retry_after }),
            other => Err(unexpected(&other).into()),
        }
    }

    async fn begin_change(&self, id: &str, client_id: &str, _now: u64) -> Result<Option<ClientMetadata>, ChangeError> {
        match self.object.ask(&Request::BeginChange { id: id.to_owned(), client_id: client_id.to_owned() }).await? {
            Answer::Begun(metadata) => Ok(metadata.and_then(|text| serde_json::from_str(&text).ok())),
            Answer::Busy => Err(ChangeError::Busy),
            other => Err(unexpected(&other).into()),
        }
    }

    async fn renew_change(&self, id: &str, client_id: &str, _now: u64) -> Result<(), ChangeError> {
        match self.object.ask(&Request::RenewChange { id: id.to_owned(), client_id: client_id.to_owned() }).await? {
            Answer::Done => Ok(()),
            Answer::Busy => Err(ChangeError::Busy),
            other => Err(unexpected(&other).into()),
        }
    }

    async fn end_change(&self, id: &str, client_id: &str, written: Option<&ClientMetadata>, _now: u64) {
        let written = written.and_then(|metadata| serde_json::to_string(metadata).ok());
        let request = Request::EndChange { id: id.to_owned(), client_id: client_id.to_owned(), written };
        let _ = self.object.ask(&request).await;
    }

    async fn reconcile(&self, now: u64) -> Result<Reconciled, LedgerError> {
        import::reconcile(&self.object, &self.store, now).await
    }
}
