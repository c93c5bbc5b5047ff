//! Carries out what [`crate::keys::policy`] decides: memory, then the shared store, then the provider.

use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
    time::Duration,
};

use futures_util::future::{Either, FutureExt, LocalBoxFuture, select};

use crate::{
    denial::{Denial, Reason},
    keys::{
        jwk::{Key, KeySet, KeySetError},
        policy::{Assurance, CEILING_SECONDS, Done, FRESH_SECONDS, KeyRing, REVALIDATE_SECONDS, Step, Wanted},
        record::{Record, store_key},
    },
    provider::{Provider, ProviderError, discovery_urls},
};
use mcp_edge_runtime::ports::{Fetch, FetchError, HttpRequest, Method, RequestContent, Services, StoreError};

/// For a discovery document or a key set, connection and body together. A provider that needs longer is down.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Real documents have 1 to 10 KB.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// The store answers within a tenth of a second, or something is wrong with it; the provider is asked then.
const STORE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a request waits before it looks again whether another one has brought the keys.
const WAIT_MILLISECONDS: u64 = 20;

/// A request that has waited this often for others gives up, after six seconds: a little longer than one document may
/// take.
const MAX_WAITS: u64 = 300;

/// How long a request waits for the renewal of a copy that it can fall back on. Two documents of a healthy provider take
/// a tenth of it.
const RENEWAL_PATIENCE: Duration = Duration::from_secs(3);

/// The same, in waits for others.
const PATIENT_WAITS: u64 = RENEWAL_PATIENCE.as_secs() * 1000 / WAIT_MILLISECONDS;

/// The stored copy is replaced when it has reached this age, also by the same keys: so that where there is traffic, a
/// cold isolate finds one that it can use at once (below [`REVALIDATE_SECONDS`]). These are 48 writes a day for each
/// issuer, of the 1,000 that Workers KV's free plan has.
const SAVE_AFTER_SECONDS: u64 = REVALIDATE_SECONDS / 2;

/// Pause between two writes of one isolate, for a provider whose answers differ each time.
const SAVE_PAUSE_SECONDS: u64 = 600;

/// Before a write the store is read again, unless it was read within this time: another isolate may have been quicker.
/// Workers KV shows changes within a minute.
const STORE_LAG_SECONDS: u64 = 60;

/// Where the answer came from, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// The isolate's memory.
    Memory,
    /// The shared store.
    Store,
    /// The provider itself.
    Provider,
}

impl Tier {
    /// The name in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Store => "store",
            Self::Provider => "provider",
        }
    }
}

/// Why the provider's documents could not be renewed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenewalError {
    /// No answer.
    #[error("{url}: {source}")]
    Fetch {
        /// Which document.
        url: String,
        /// Why.
        source: FetchError,
    },
    /// An answer other than 200.
    #[error("{url}: answered with status {status}")]
    Status {
        /// Which document.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// The discovery document is not usable.
    #[error("{url}: {source}")]
    Provider {
        /// Which document.
        url: String,
        /// Why.
        source: ProviderError,
    },
    /// The key set is not usable.
    #[error("{url}: {source}")]
    Keys {
        /// Which document.
        url: String,
        /// Why.
        source: KeySetError,
    },
}

/// Who may use the store, by resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUse {
    /// This deployment writes records; those of others are as good.
    Shared(String),
    /// This deployment alone: records of others are not used.
    Exclusive(String),
}

/// One issuer's keys, as one isolate sees them.
#[derive(Debug)]
pub struct IssuerKeys {
    issuer: String,
    store_use: StoreUse,
    /// Who else writes into a store that should be ours alone.
    other_writer: RefCell<Option<(String, u64)>>,
    ring: RefCell<KeyRing>,
    /// What the store holds, as far as we know.
    stored: RefCell<Option<Rc<Record>>>,
    /// When the store was read.
    store_read_at: Cell<u64>,
    /// When we last wrote to the store.
    saved_at: Cell<u64>,
    /// For the operator: why the last renewal failed.
    provider_failure: RefCell<Option<String>>,
    /// For the operator: what the store last said instead of an answer.
    store_failure: RefCell<Option<String>>,
}

impl IssuerKeys {
    /// Creates the state of an isolate that has no copy yet.
    #[must_use]
    pub fn new(issuer: &str, store_use: StoreUse) -> Self {
        Self {
            issuer: issuer.to_owned(),
            store_use,
            other_writer: RefCell::default(),
            ring: RefCell::default(),
            stored: RefCell::default(),
            store_read_at: Cell::new(0),
            saved_at: Cell::new(0),
            provider_failure: RefCell::default(),
            store_failure: RefCell::default(),
        }
    }

    /// Finds the key for a token. `done` is this request's; `now` is when the request began.
    ///
    /// # Errors
    /// A denial of the token, or [`Reason::KeysUnavailable`].
    pub async fn find(
        self: &Rc<Self>,
        now: u64,
        wanted: Wanted<'_>,
        done: &mut Done,
        services: &impl Services,
    ) -> Result<Rc<Key>, Denial> {
        let look = |ring: &mut KeyRing, now, is_waiting_over| {
            done.has_waited = is_waiting_over;
            match ring.next(now, wanted, done) {
                Step::Use(key) => Ok(key),
                step => Err(step),
            }
        };
        self.carry_out(now, services, look).await.map_err(|denial| {
            if denial.detail.is_some() {
                return denial;
            }
            let ring = self.ring.borrow();
            let is_unusable = |kid| ring.copy(now).is_some_and(|copy| copy.keys.has_only_unusable(kid));
            let note =
                if wanted.kid.is_some_and(is_unusable) { ": this key is published and cannot be used" } else { "" };
            let (kid, alg) = (wanted.kid.unwrap_or("(none)"), wanted.algorithm.name());
            Denial::new(denial.reason, format!("kid {kid:?}, alg {alg}{note}"))
        })
    }

    /// The provider's endpoints, to send credentials or users to: on the issuer's own origin, or from a document that
    /// this isolate fetched from the issuer.
    ///
    /// # Errors
    /// [`Reason::KeysUnavailable`].
    pub async fn provider(self: &Rc<Self>, now: u64, services: &impl Services) -> Result<Provider, Denial> {
        self.document(now, Assurance::Endpoints, services).await
    }

    /// The discovery document, to show it to others: it names nothing but the issuer's own origin, or this isolate
    /// fetched it from the issuer.
    ///
    /// # Errors
    /// [`Reason::KeysUnavailable`].
    pub async fn whole_document(self: &Rc<Self>, now: u64, services: &impl Services) -> Result<Provider, Denial> {
        self.document(now, Assurance::WholeDocument, services).await
    }

    /// Whether there are keys to verify tokens with.
    ///
    /// # Errors
    /// [`Reason::KeysUnavailable`].
    pub async fn ready(self: &Rc<Self>, now: u64, services: &impl Services) -> Result<(), Denial> {
        self.document(now, Assurance::AnyCopy, services).await.map(drop)
    }

    async fn document(
        self: &Rc<Self>,
        now: u64,
        assurance: Assurance,
        services: &impl Services,
    ) -> Result<Provider, Denial> {
        let mut done = Done::default();
        self.carry_out(now, services, |ring, now, _| ring.next_for_provider(now, assurance, &mut done)).await
    }

    /// Looks, does what has to be done, and looks again, until there is an answer.
    async fn carry_out<T>(
        self: &Rc<Self>,
        began: u64,
        services: &impl Services,
        mut look: impl FnMut(&mut KeyRing, u64, bool) -> Result<T, Step>,
    ) -> Result<T, Denial> {
        let mut waits = 0;
        while waits < MAX_WAITS {
            // The seconds that have passed for certain: nothing but waiting counts, since a copy that is dated later
            // than it was fetched would speak about tokens that are newer than it is.
            let now = began + waits * WAIT_MILLISECONDS / 1000;
            let (step, refresh) = {
                let mut ring = self.ring.borrow_mut();
                let step = look(&mut ring, now, waits >= PATIENT_WAITS);
                (step, ring.take_refresh())
            };
            if refresh {
                // The request does not wait for it.
                drop(self.start_asking_provider(now, services));
            }
            match step {
                Ok(answer) => return Ok(answer),
                Err(Step::AskStore) => {
                    let (asking, services_of_work) = (Asking(Rc::clone(self)), services.clone());
                    let errand = async move { asking.ask_store(now, &services_of_work).await };
                    services.spawn(errand.boxed_local()).await;
                }
                Err(Step::AskProvider) => self.start_asking_provider(now, services).await,
                Err(Step::Renew) => {
                    select(self.start_asking_provider(now, services), services.sleep(RENEWAL_PATIENCE)).await;
                }
                Err(Step::Wait | Step::Use(_)) => {
                    services.sleep(Duration::from_millis(WAIT_MILLISECONDS)).await;
                    waits += 1;
                }
                Err(Step::Refuse(reason)) => return Err(reason.into()),
                Err(Step::Unavailable(seconds)) => return Err(self.unavailable(seconds, now)),
            }
        }
        Err(self.unavailable(1, began))
    }

    /// Asks the provider on behalf of all who wait: this must not end with the client that the request came from. What
    /// is new is written to the store after that, and nobody waits for it.
    fn start_asking_provider(self: &Rc<Self>, now: u64, services: &impl Services) -> LocalBoxFuture<'static, ()> {
        let (asking, services_of_work) = (Asking(Rc::clone(self)), services.clone());
        let errand = async move {
            let is_worth_saving = asking.ask_provider(now, &services_of_work).await;
            if is_worth_saving {
                let keys = Rc::clone(&asking.0);
                let ports_of_save = services_of_work.clone();
                let save = async move { keys.save(now, &ports_of_save).await };
                drop(services_of_work.spawn(save.boxed_local()));
            }
        };
        services.spawn(errand.boxed_local())
    }

    /// Why the provider's documents could not be renewed the last time, until a renewal succeeds.
    #[must_use]
    pub fn provider_failure(&self) -> Option<String> {
        self.provider_failure.borrow().clone()
    }

    /// Why the store could not be used the last time, until it answers.
    #[must_use]
    pub fn store_failure(&self) -> Option<String> {
        self.store_failure.borrow().clone()
    }

    /// Which other deployment writes into a store that should be ours alone, if one was seen to within the last hour. A
    /// record that is older was left behind, perhaps by ourselves under another name.
    #[must_use]
    pub fn other_writer(&self, now: u64) -> Option<String> {
        let other = self.other_writer.borrow();
        other.as_ref().filter(|(_, at)| now < at + REVALIDATE_SECONDS).map(|(writer, _)| writer.clone())
    }

    /// The issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// How old the usable copy at hand is, in seconds; `None` if there is none.
    #[must_use]
    pub fn age(&self, now: u64) -> Option<u64> {
        self.ring.borrow().copy(now).map(|copy| copy.keys_age(now))
    }

    fn unavailable(&self, seconds: u64, now: u64) -> Denial {
        let failure = self.provider_failure.borrow();
        let detail = failure.as_deref().unwrap_or(if self.age(now).is_some() {
            "what is needed may be newer than the copy at hand, and the provider was asked a moment ago"
        } else {
            "no usable copy of the keys is at hand"
        });
        Denial::unavailable(Reason::KeysUnavailable, seconds, detail)
    }

    /// Reads the record of the store, and remembers it.
    async fn read_store(&self, now: u64, services: &impl Services) -> Option<Record> {
        let key = store_key(&self.issuer);
        let reading = pin!(services.get(&key));
        let read = match select(reading, services.sleep(STORE_TIMEOUT)).await {
            Either::Left((read, _)) => read,
            Either::Right(_) => Err(StoreError(format!("no answer within {STORE_TIMEOUT:?}"))),
        };
        let record = self.note_store(read).flatten().and_then(|text| Record::parse(&text, &self.issuer, now));
        let record = record.filter(|record| self.may_use(record));
        *self.stored.borrow_mut() = record.clone().map(Rc::new);
        self.store_read_at.set(now);
        record
    }

    fn may_use(&self, record: &Record) -> bool {
        let StoreUse::Exclusive(own) = &self.store_use else { return true };
        let is_own = record.writer.as_ref() == Some(own);
        if !is_own && let Some(writer) = &record.writer {
            *self.other_writer.borrow_mut() = Some((writer.clone(), record.keys_fetched_at));
        }
        is_own
    }

    /// Writes are scarce (one per second and key, a thousand a day on the free plan): only what has changed, or is
    /// [`SAVE_AFTER_SECONDS`] old, and not more often than every [`SAVE_PAUSE_SECONDS`].
    fn is_worth_saving(&self, record: &Record, now: u64) -> bool {
        self.stored.borrow().as_ref().is_none_or(|stored| {
            let is_other = stored.keys != record.keys || !stored.provider.is_same_as(&record.provider);
            let may_write = now >= self.saved_at.get() + SAVE_PAUSE_SECONDS;
            may_write && (is_other || stored.keys_age(now) >= SAVE_AFTER_SECONDS)
        })
    }

    async fn save(&self, now: u64, services: &impl Services) {
        let Some(copy) = self.ring.borrow().copy(now).cloned() else { return };
        if now >= self.store_read_at.get() + STORE_LAG_SECONDS {
            self.read_store(now, services).await;
            if !self.is_worth_saving(&copy, now) {
                return;
            }
        }
        if self.other_writer(now).is_some() {
            return;
        }
        self.saved_at.set(now);
        let (StoreUse::Shared(writer) | StoreUse::Exclusive(writer)) = &self.store_use;
        let (key, value) = (store_key(&self.issuer), copy.serialize(writer));
        let written = services.put(&key, &value, Duration::from_secs(CEILING_SECONDS)).await;
        if self.note_store(written).is_some() {
            *self.stored.borrow_mut() = Some(copy);
        }
    }

    /// What the store answered, if it did; why not, for the operator, if it did not.
    fn note_store<T>(&self, outcome: Result<T, StoreError>) -> Option<T> {
        let (answer, failure) = match outcome {
            Ok(answer) => (Some(answer), None),
            Err(error) => (None, Some(error.to_string())),
        };
        *self.store_failure.borrow_mut() = failure;
        answer
    }
}

/// The lease of the request that asks on behalf of all who wait. Dropped without an answer, it is released.
struct Asking(Rc<IssuerKeys>);

impl Asking {
    async fn ask_store(&self, now: u64, services: &impl Services) {
        let record = self.0.read_store(now, services).await;
        self.0.ring.borrow_mut().store_answered(now, record);
    }

    /// Whether the answer should be written to the store.
    async fn ask_provider(&self, now: u64, services: &impl Fetch) -> bool {
        let keys = &self.0;
        let old = keys.ring.borrow().copy(now).cloned();
        let renewed = renew(&keys.issuer, old.as_deref(), now, services).await;
        let (record, failure) = match renewed {
            Ok(record) => (Some(record), None),
            Err(error) => (None, Some(error.to_string())),
        };
        *keys.provider_failure.borrow_mut() = failure;
        let is_worth_saving = record.as_ref().is_some_and(|record| keys.is_worth_saving(record, now));
        keys.ring.borrow_mut().provider_answered(record);
        is_worth_saving
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        // Borrowed only while nothing can be dropped; were it otherwise, the lease would still end by itself.
        if let Ok(mut ring) = self.0.ring.try_borrow_mut() {
            ring.asker_gave_up();
        }
    }
}

/// Fetches the key set, and the discovery document before it unless we fetched ours a short time ago.
async fn renew(issuer: &str, old: Option<&Record>, now: u64, services: &impl Fetch) -> Result<Record, RenewalError> {
    let (provider, provider_fetched_at, is_stored) = match old {
        Some(old) if !old.is_stored && old.provider_age(now) < FRESH_SECONDS => {
            (old.provider.clone(), old.provider_fetched_at, false)
        }
        _ => match (discover(issuer, services).await, old) {
            (Ok(provider), _) => (provider, now, false),
            // The document hardly ever changes: an old one may well lead to fresh keys.
            (Err(_), Some(old)) if old.provider_age(now) < CEILING_SECONDS && old.may_lead_to_keys() => {
                (old.provider.clone(), old.provider_fetched_at, old.is_stored)
            }
            (Err(error), _) => return Err(error),
        },
    };
    let document = document(&provider.jwks_uri, services).await?;
    let keys =
        KeySet::parse(&document).map_err(|source| RenewalError::Keys { url: provider.jwks_uri.clone(), source })?;
    Ok(Record { provider, provider_fetched_at, keys, keys_fetched_at: now, is_stored, writer: None })
}

/// Fetches the discovery document: the first of its two places that answers with 200 counts.
async fn discover(issuer: &str, services: &impl Fetch) -> Result<Provider, RenewalError> {
    let [first, second] = discovery_urls(issuer);
    let (url, document) = match document(&first, services).await {
        Err(RenewalError::Status { status: 400..=499, .. }) => {
            let document = document(&second, services).await?;
            (second, document)
        }
        answer => (first, answer?),
    };
    Provider::parse(&document, issuer).map_err(|source| RenewalError::Provider { url, source })
}

async fn document(url: &str, services: &impl Fetch) -> Result<String, RenewalError> {
    let call = HttpRequest {
        method: Method::Get,
        url,
        authorization: None,
        body: RequestContent::Empty,
        timeout: FETCH_TIMEOUT,
        max_body: MAX_DOCUMENT_BYTES,
    };
    match services.fetch(call).await {
        Ok(reply) if reply.status == 200 => Ok(reply.body),
        Ok(reply) => Err(RenewalError::Status { url: url.to_owned(), status: reply.status }),
        Err(source) => Err(RenewalError::Fetch { url: url.to_owned(), source }),
    }
}
