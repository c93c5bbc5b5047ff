//! Carries out what [`super::policy`] decides: memory, then the shared store, then the provider.

use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
    time::Duration,
};

use futures_util::future::{Either, FutureExt, select};

use super::{
    super::{
        denial::{Denial, Reason},
        provider::{Provider, ProviderError, discovery_urls},
    },
    jwk::{Key, KeySet, KeySetError},
    policy::{CEILING_SECONDS, Done, FRESH_SECONDS, KeyRing, Step, Wanted},
    record::{Record, store_key},
};
use crate::ports::{Content, Fetch, FetchError, Method, Outgoing, Ports, Store, StoreError};

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

/// One issuer's keys, as one isolate sees them.
#[derive(Debug)]
pub struct IssuerKeys {
    issuer: String,
    ring: RefCell<KeyRing>,
    /// What the store holds, as far as we know.
    stored: RefCell<Option<Rc<Record>>>,
    /// Whether the copy in memory should be written to the store.
    unsaved: Cell<bool>,
    /// For the operator: why the last renewal failed.
    provider_failure: RefCell<Option<String>>,
    /// For the operator: what the store last said instead of an answer.
    store_failure: RefCell<Option<String>>,
}

impl IssuerKeys {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            ring: RefCell::default(),
            stored: RefCell::default(),
            unsaved: Cell::new(false),
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
        ports: &impl Ports,
    ) -> Result<Rc<Key>, Denial> {
        let look = |ring: &mut KeyRing, now| match ring.next(now, wanted, done) {
            Step::Use(key) => Ok(key),
            step => Err(step),
        };
        self.carry_out(now, ports, look).await.map_err(|denial| {
            let kid = wanted.kid.unwrap_or("(none)");
            let detail = || format!("kid {kid:?}, alg {}", wanted.algorithm.name());
            Denial { detail: denial.detail.or_else(|| Some(detail())), ..denial }
        })
    }

    /// The provider's endpoints, from a copy if there is one.
    ///
    /// # Errors
    /// [`Reason::KeysUnavailable`].
    pub async fn provider(self: &Rc<Self>, now: u64, ports: &impl Ports) -> Result<Provider, Denial> {
        let mut done = Done::default();
        self.carry_out(now, ports, |ring, now| ring.next_for_provider(now, &mut done)).await
    }

    /// Looks, does what has to be done, and looks again, until there is an answer.
    async fn carry_out<T>(
        self: &Rc<Self>,
        began: u64,
        ports: &impl Ports,
        mut look: impl FnMut(&mut KeyRing, u64) -> Result<T, Step>,
    ) -> Result<T, Denial> {
        let mut waits = 0;
        while waits < MAX_WAITS {
            // The seconds that have passed for certain: nothing but waiting counts, since a copy that is dated later
            // than it was fetched would speak about tokens that are newer than it is.
            let now = began + waits * WAIT_MILLISECONDS / 1000;
            let step = look(&mut self.ring.borrow_mut(), now);
            match step {
                Ok(answer) => return Ok(answer),
                Err(step @ (Step::AskStore | Step::AskProvider)) => {
                    // For all who wait, so it must not end with the client that this request came from.
                    let (keys, its_ports) = (Rc::clone(self), ports.clone());
                    let errand = async move {
                        match step {
                            Step::AskStore => keys.ask_store(now, &its_ports).await,
                            _ => keys.ask_provider(now, &its_ports).await,
                        }
                    };
                    ports.outlive(errand.boxed_local()).await;
                }
                Err(Step::Wait | Step::Use(_)) => {
                    ports.sleep(Duration::from_millis(WAIT_MILLISECONDS)).await;
                    waits += 1;
                }
                Err(Step::Refuse(reason)) => return Err(reason.into()),
                Err(Step::Unavailable(seconds)) => return Err(self.unavailable(seconds)),
            }
        }
        Err(self.unavailable(1))
    }

    /// Whether [`IssuerKeys::do_chores`] has something to do.
    #[must_use]
    pub fn has_chores(&self) -> bool {
        self.unsaved.get() || self.ring.borrow().is_refresh_due()
    }

    /// What may happen after the answer was sent: renew an old copy, write a new one to the store.
    pub async fn do_chores(&self, now: u64, ports: &impl Ports) {
        let refresh = self.ring.borrow_mut().take_refresh(now);
        if refresh {
            self.ask_provider(now, ports).await;
        }
        if self.unsaved.take() {
            self.save(now, ports).await;
        }
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

    fn unavailable(&self, seconds: u64) -> Denial {
        let failure = self.provider_failure.borrow();
        let detail = failure.as_deref().unwrap_or("no usable copy of the keys is at hand");
        Denial::unavailable(Reason::KeysUnavailable, seconds, detail)
    }

    async fn ask_store(&self, now: u64, ports: &impl Ports) {
        let key = store_key(&self.issuer);
        let reading = pin!(ports.get(&key));
        let read = match select(reading, ports.sleep(STORE_TIMEOUT)).await {
            Either::Left((read, _)) => read,
            Either::Right(_) => Err(StoreError(format!("no answer within {STORE_TIMEOUT:?}"))),
        };
        let record = self.note_store(read).flatten().and_then(|text| Record::parse(&text, &self.issuer, now));
        *self.stored.borrow_mut() = record.clone().map(Rc::new);
        self.ring.borrow_mut().store_answered(now, record);
    }

    async fn ask_provider(&self, now: u64, ports: &impl Fetch) {
        let old = self.ring.borrow().copy(now).cloned();
        let renewed = renew(&self.issuer, old.as_deref(), now, ports).await;
        let record = match renewed {
            Ok(record) => {
                *self.provider_failure.borrow_mut() = None;
                self.unsaved.set(self.is_worth_saving(&record, now));
                Some(record)
            }
            Err(error) => {
                *self.provider_failure.borrow_mut() = Some(error.to_string());
                None
            }
        };
        self.ring.borrow_mut().provider_answered(record);
    }

    /// Writes are scarce (one per second and key, a thousand a day on the free plan): only what changed, or what has
    /// used up half its life.
    fn is_worth_saving(&self, record: &Record, now: u64) -> bool {
        self.stored.borrow().as_ref().is_none_or(|stored| {
            stored.keys != record.keys
                || stored.provider != record.provider
                || stored.keys_age(now) >= CEILING_SECONDS / 2
        })
    }

    async fn save(&self, now: u64, ports: &impl Store) {
        let Some(copy) = self.ring.borrow().copy(now).cloned() else { return };
        let written =
            ports.put(&store_key(&self.issuer), &copy.serialize(), Duration::from_secs(CEILING_SECONDS)).await;
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

/// Fetches the key set, and the discovery document before it if ours is old.
async fn renew(issuer: &str, old: Option<&Record>, now: u64, ports: &impl Fetch) -> Result<Record, RenewalError> {
    let (provider, provider_fetched_at) = match old {
        Some(old) if old.provider_age(now) < FRESH_SECONDS => (old.provider.clone(), old.provider_fetched_at),
        _ => match (discover(issuer, ports).await, old) {
            (Ok(provider), _) => (provider, now),
            // The document hardly ever changes: an old one may well lead to fresh keys.
            (Err(_), Some(old)) if old.provider_age(now) < CEILING_SECONDS => {
                (old.provider.clone(), old.provider_fetched_at)
            }
            (Err(error), _) => return Err(error),
        },
    };
    let document = document(&provider.jwks_uri, ports).await?;
    let keys =
        KeySet::parse(&document).map_err(|source| RenewalError::Keys { url: provider.jwks_uri.clone(), source })?;
    Ok(Record { provider, provider_fetched_at, keys, keys_fetched_at: now })
}

/// Fetches the discovery document: the first of its two places that answers with 200 counts.
async fn discover(issuer: &str, ports: &impl Fetch) -> Result<Provider, RenewalError> {
    let [first, second] = discovery_urls(issuer);
    let (url, document) = match document(&first, ports).await {
        Err(RenewalError::Status { status: 400..=499, .. }) => {
            let document = document(&second, ports).await?;
            (second, document)
        }
        answer => (first, answer?),
    };
    Provider::parse(&document, issuer).map_err(|source| RenewalError::Provider { url, source })
}

async fn document(url: &str, ports: &impl Fetch) -> Result<String, RenewalError> {
    let call = Outgoing {
        method: Method::Get,
        url,
        authorization: None,
        content: Content::Empty,
        timeout: FETCH_TIMEOUT,
        max_body: MAX_DOCUMENT_BYTES,
    };
    match ports.fetch(call).await {
        Ok(reply) if reply.status == 200 => Ok(reply.body),
        Ok(reply) => Err(RenewalError::Status { url: url.to_owned(), status: reply.status }),
        Err(source) => Err(RenewalError::Fetch { url: url.to_owned(), source }),
    }
}
