//! One issuer's keys and discovery document, as one isolate sees them.

use std::{cell::RefCell, pin::pin, rc::Rc, time::Duration};

use futures_util::future::{Either, FutureExt, LocalBoxFuture, select};

use super::{
    denials,
    key_warnings::KeyWarnings,
    patience::{MAX_WAITS, PATIENT_WAITS, RENEWAL_PATIENCE, WAIT_MILLISECONDS},
    renewal::{DocumentError, RenewalError, discover, held_document, renew},
    stored_copy::{StoreUse, StoredCopy},
};
use crate::{
    denial::Denial,
    keys::{
        jwk::Key,
        key_set::KeySetError,
        policy::{Action, Assurance, Attempted, FRESH_SECONDS, JwksState, KeyQuery, KeyRefusal, Refresh},
    },
    provider::{Provider, ProviderLocation},
};
use mcp_edge_runtime::ports::{Fetch, OperatorLog, Runtime, Services};

/// What a request has attempted that does not ask the store.
const ASKED_STORE: Attempted = Attempted { store: true, provider: false, has_waited: false };

/// One issuer's keys. What is fetched serves all requests, so every operation takes [`Services`] alone: nothing that one
/// client sends can get into a request to the provider.
///
/// ```compile_fail,E0277
/// # use std::rc::Rc;
/// # use mcp_edge_oauth::keys::jwks_cache::IssuerKeys;
/// # use mcp_edge_runtime::context::RequestContext;
/// async fn fetch_for_one_client(keys: Rc<IssuerKeys>, request: &RequestContext) {
///     // A request's context is not a service: it does not live as long as the isolate.
///     let _ = keys.ready(request.now, request).await;
/// }
/// ```
///
/// ```
/// # use std::rc::Rc;
/// # use mcp_edge_oauth::keys::jwks_cache::IssuerKeys;
/// # use mcp_edge_runtime::{context::RequestContext, ports::Services};
/// async fn fetch_for_all(keys: Rc<IssuerKeys>, request: &RequestContext, services: &impl Services) {
///     let _ = keys.ready(request.now, services).await;
/// }
/// ```
#[derive(Debug)]
pub struct IssuerKeys {
    location: Rc<ProviderLocation>,
    state: RefCell<JwksState>,
    stored: StoredCopy,
    /// For the operator: why the last renewal failed.
    provider_failure: RefCell<Option<String>>,
    /// Why there is no discovery document, where the operator says where the keys are: that is no failure.
    search_failure: RefCell<Option<String>>,
    warnings: KeyWarnings,
}

/// The outcome of [`IssuerKeys::find`].
#[derive(Debug)]
pub struct Found {
    /// The key, or the denial of the token, or [`Denial::KeysUnavailable`].
    pub key: Result<Rc<Key>, Denial>,
    /// What the request has attempted by now.
    pub attempted: Attempted,
}

/// Why a request got no answer.
enum Failure {
    Refused(KeyRefusal),
    Unavailable(u64),
}

impl IssuerKeys {
    /// Creates the state of an isolate that has no copy yet.
    #[must_use]
    pub fn new(location: ProviderLocation, store_use: StoreUse) -> Self {
        let location = Rc::new(location);
        Self {
            stored: StoredCopy::new(Rc::clone(&location), store_use),
            location,
            state: RefCell::default(),
            provider_failure: RefCell::default(),
            search_failure: RefCell::default(),
            warnings: KeyWarnings::default(),
        }
    }

    /// Finds the key for a token. `now` is when the request began, `attempted` what it attempted before.
    pub async fn find(
        self: &Rc<Self>,
        now: u64,
        query: KeyQuery<'_>,
        attempted: Attempted,
        services: &impl Services,
    ) -> Found {
        let next = |state: &mut JwksState, now, attempted| match state.next(now, query, attempted) {
            Action::Use(key) => Ok(key),
            action => Err(action),
        };
        let (outcome, attempted) = self.carry_out(now, attempted, services, next).await;
        let key = outcome.map_err(|failure| match failure {
            Failure::Refused(refusal) => {
                denials::refused(refusal, query, self.state.borrow().copy(now).map(Rc::as_ref))
            }
            Failure::Unavailable(seconds) => self.unavailable(seconds, now),
        });
        Found { key, attempted }
    }

    /// The provider's endpoints, to send credentials or users to: on the issuer's own origin, from a document that this
    /// isolate fetched from the issuer, or the operator's. Without a document there are no others than these.
    ///
    /// # Errors
    /// [`Denial::KeysUnavailable`].
    pub async fn provider(self: &Rc<Self>, now: u64, services: &impl Services) -> Result<Provider, Denial> {
        self.document(now, Assurance::Endpoints, services).await
    }

    /// The same for opaque tokens: the operator's endpoint can be used although nothing else is known. While nothing is to
    /// be had, the provider is asked in the background.
    ///
    /// # Errors
    /// [`Denial::KeysUnavailable`].
    pub async fn opaque_token_endpoints(
        self: &Rc<Self>,
        now: u64,
        services: &impl Services,
    ) -> Result<Provider, Denial> {
        let given = Provider::without_document(&self.location);
        if given.introspection_endpoint.is_none() {
            return self.provider(now, services).await;
        }
        // The operator's endpoint is enough: nobody waits for a document that could not be had a moment ago.
        if self.provider_failure.borrow().is_some() {
            let next = self.state.borrow_mut().next_for_document(now, Assurance::Endpoints, ASKED_STORE);
            if let Err(action) = next {
                if matches!(action, Action::AskProvider) {
                    drop(self.start_asking_provider(now, services));
                }
                return Ok(given);
            }
        }
        let provider = pin!(self.provider(now, services));
        Ok(match select(provider, services.sleep(RENEWAL_PATIENCE)).await {
            Either::Left((provider, _)) => provider.unwrap_or(given),
            Either::Right(_) => given,
        })
    }

    /// The text of the discovery document, to show it to others: it names nothing but the issuer's own origin, or this
    /// isolate fetched it from the issuer.
    ///
    /// # Errors
    /// [`Denial::KeysUnavailable`].
    pub async fn whole_document(self: &Rc<Self>, now: u64, services: &impl Services) -> Result<Rc<str>, Denial> {
        let provider = self.document(now, Assurance::WholeDocument, services).await?;
        provider
            .document
            .ok_or_else(|| denials::unavailable(FRESH_SECONDS, self.search_failure.borrow().as_deref(), false))
    }

    /// Whether there are keys to verify tokens with.
    ///
    /// # Errors
    /// [`Denial::KeysUnavailable`].
    pub async fn ready(self: &Rc<Self>, now: u64, services: &impl Services) -> Result<(), Denial> {
        self.document(now, Assurance::AnyCopy, services).await.map(drop)
    }

    async fn document(
        self: &Rc<Self>,
        now: u64,
        assurance: Assurance,
        services: &impl Services,
    ) -> Result<Provider, Denial> {
        let next = |state: &mut JwksState, now, attempted| state.next_for_document(now, assurance, attempted);
        let (outcome, _) = self.carry_out(now, Attempted::default(), services, next).await;
        outcome.map_err(|failure| match failure {
            Failure::Unavailable(seconds) => self.unavailable(seconds, now),
            // Tokens are refused, documents are not.
            Failure::Refused(_) => self.unavailable(1, now),
        })
    }

    /// Carries out one action after the other, until there is an answer.
    async fn carry_out<T>(
        self: &Rc<Self>,
        began: u64,
        mut attempted: Attempted,
        services: &impl Services,
        mut next: impl FnMut(&mut JwksState, u64, Attempted) -> Result<T, Action>,
    ) -> (Result<T, Failure>, Attempted) {
        let mut waits = 0;
        while waits < MAX_WAITS {
            // The seconds that have passed for certain: nothing but waiting counts, since a copy that is dated later
            // than it was fetched would speak about tokens that are newer than it is.
            let now = began + waits * WAIT_MILLISECONDS / 1000;
            attempted.has_waited = waits >= PATIENT_WAITS;
            let (outcome, refresh) = {
                let mut state = self.state.borrow_mut();
                let outcome = next(&mut state, now, attempted);
                (outcome, state.take_refresh())
            };
            // The request does not wait for it.
            match refresh {
                Some(Refresh::Store) => self.start_refreshing(now, services),
                Some(Refresh::Provider) => drop(self.start_asking_provider(now, services)),
                None => {}
            }
            let action = match outcome {
                Ok(answer) => return (Ok(answer), attempted),
                Err(action) => action,
            };
            attempted = attempted.and(&action);
            match action {
                Action::ReadStore => self.start_reading_store(now, services).await,
                Action::AskProvider => self.start_asking_provider(now, services).await,
                Action::Renew => {
                    select(self.start_asking_provider(now, services), services.sleep(RENEWAL_PATIENCE)).await;
                }
                Action::Wait | Action::Use(_) => {
                    services.sleep(Duration::from_millis(WAIT_MILLISECONDS)).await;
                    waits += 1;
                }
                Action::Refuse(refusal) => return (Err(Failure::Refused(refusal)), attempted),
                Action::Unavailable(seconds) => return (Err(Failure::Unavailable(seconds)), attempted),
            }
        }
        (Err(Failure::Unavailable(1)), attempted)
    }

    /// Reads the store on behalf of all who wait.
    fn start_reading_store(self: &Rc<Self>, now: u64, services: &impl Services) -> LocalBoxFuture<'static, ()> {
        let (lease, services_of_work) = (self.lease(JwksState::release_lease), services.clone());
        let work = async move { lease.read_store(now, &services_of_work).await };
        services.spawn(work.boxed_local())
    }

    /// Takes a newer copy from the store, or else from the provider.
    fn start_refreshing(self: &Rc<Self>, now: u64, services: &impl Services) {
        let (keys, services_of_work) = (Rc::clone(self), services.clone());
        let reading = self.start_reading_store(now, services);
        let work = async move {
            reading.await;
            let goes_on = keys.state.borrow_mut().goes_on_to_provider(now);
            if goes_on {
                keys.start_asking_provider(now, &services_of_work).await;
            }
        };
        drop(services.spawn(work.boxed_local()));
    }

    /// Asks the provider on behalf of all who wait: this must not end with the client that the request came from. What
    /// is new is written to the store after that, and nobody waits for it.
    fn start_asking_provider(self: &Rc<Self>, now: u64, services: &impl Services) -> LocalBoxFuture<'static, ()> {
        let (lease, services_of_work) = (self.lease(JwksState::release_lease), services.clone());
        self.start_searching(now, services);
        let lead = self.state.borrow().lead();
        let work = async move {
            if lease.ask_provider(now, &services_of_work).await {
                lease.keys.start_saving(lead, now, &services_of_work);
            }
        };
        services.spawn(work.boxed_local())
    }

    /// Writes the copy to the store if it is worth it; `lead` is that of the copy before. Nobody waits for it.
    fn start_saving(self: &Rc<Self>, lead: u64, now: u64, services: &impl Services) {
        let copy = self.state.borrow().complete_copy(now).cloned();
        if let Some(copy) = copy.filter(|copy| self.stored.is_worth_saving(copy, lead, now)) {
            let (keys, services_of_save) = (Rc::clone(self), services.clone());
            let save = async move { keys.stored.save(copy, lead, now, &services_of_save).await };
            drop(services.spawn(save.boxed_local()));
        }
    }

    /// Begins to look for the discovery document where the keys do not depend on it, unless that was done a short time ago.
    /// Who needs keys does not wait for it: what is found is added to the copy.
    fn start_searching(self: &Rc<Self>, now: u64, services: &impl Services) {
        if self.location.urls.jwks.is_none() || !self.state.borrow_mut().begin_search(now) {
            return;
        }
        let (lease, services_of_work) = (self.lease(JwksState::release_search), services.clone());
        let lead = self.state.borrow().lead();
        let work = async move {
            let keys = &lease.keys;
            let old = keys.state.borrow().copy(now).cloned();
            let found = discover(&keys.location, held_document(old.as_deref(), now), &services_of_work).await;
            *keys.search_failure.borrow_mut() = found.as_ref().err().map(ToString::to_string);
            keys.state.borrow_mut().search_answered(found.ok(), now);
            keys.start_saving(lead, now, &services_of_work);
        };
        drop(services.spawn(work.boxed_local()));
    }

    /// Why the provider's documents could not be renewed the last time, until a renewal succeeds.
    #[must_use]
    pub fn provider_failure(&self) -> Option<String> {
        self.provider_failure.borrow().clone()
    }

    /// Why the store could not be used the last time, until it answers.
    #[must_use]
    pub fn store_failure(&self) -> Option<String> {
        self.stored.failure()
    }

    /// Which other deployment writes into a store that should be this one's alone, if one was seen to within the last
    /// hour. A record that is older was left behind, perhaps by this deployment under another name.
    #[must_use]
    pub fn other_writer(&self, now: u64) -> Option<String> {
        self.stored.other_writer(now)
    }

    /// The issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.location.issuer
    }

    /// Where the provider is.
    #[must_use]
    pub fn location(&self) -> &ProviderLocation {
        &self.location
    }

    /// How old the usable copy at hand is, in seconds; `None` if there is none.
    #[must_use]
    pub fn age(&self, now: u64) -> Option<u64> {
        self.state.borrow().copy(now).map(|copy| copy.keys_age(now))
    }

    fn lease(self: &Rc<Self>, release: fn(&mut JwksState)) -> Lease {
        Lease { keys: Rc::clone(self), release }
    }

    fn unavailable(&self, retry_after: u64, now: u64) -> Denial {
        denials::unavailable(retry_after, self.provider_failure.borrow().as_deref(), self.age(now).is_some())
    }
}

/// The lease of the request that asks on behalf of all who wait, or of a search for the discovery document. Dropped
/// without an answer, it is released.
struct Lease {
    keys: Rc<IssuerKeys>,
    release: fn(&mut JwksState),
}

impl Lease {
    async fn read_store(&self, now: u64, services: &impl Services) {
        let record = self.keys.stored.read(now, services).await;
        let mut state = self.keys.state.borrow_mut();
        state.store_answered(now, record);
        state.schedule_renewal(random_number(services), now);
    }

    /// Whether the provider has answered.
    async fn ask_provider(&self, now: u64, services: &(impl Fetch + Runtime + OperatorLog)) -> bool {
        let keys = &self.keys;
        let old = keys.state.borrow().copy(now).cloned();
        let renewed = renew(&keys.location, old.as_deref(), now, services).await;
        match &renewed {
            Ok(record) => keys.warnings.note(record.keys.unused(), keys.issuer(), services),
            Err(RenewalError::Keys { source: DocumentError::Keys(KeySetError::NoUsableKey(unused)), .. }) => {
                keys.warnings.note(unused, keys.issuer(), services);
            }
            Err(_) => {}
        }
        let (record, failure) = match renewed {
            Ok(record) => (Some(record), None),
            Err(error) => (None, Some(error.to_string())),
        };
        *keys.provider_failure.borrow_mut() = failure;
        let has_answered = record.is_some();
        let mut state = keys.state.borrow_mut();
        state.provider_answered(record);
        state.schedule_renewal(random_number(services), now);
        has_answered
    }
}

fn random_number(runtime: &impl Runtime) -> u64 {
    let mut bytes = [0; 8];
    runtime.random(&mut bytes);
    u64::from_le_bytes(bytes)
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Borrowed only while nothing can be dropped; were it otherwise, the lease would still end by itself.
        if let Ok(mut state) = self.keys.state.try_borrow_mut() {
            (self.release)(&mut state);
        }
    }
}
