//! Exchanges that are in flight: one for all requests that wait for it, and not too many about unknown credentials.
//!
//! An exchange ends with its answer and not with the client that caused it, since others wait for it, and since the
//! provider keeps a grant of each. Requests share what it leaves behind and nothing else: a promise of one request cannot
//! be awaited in another.

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures_util::FutureExt;
use mcp_edge_runtime::ports::Services;

use super::{CredentialExchange, CredentialKind, Outcome};
use crate::{
    denial::Denial,
    token::{
        fingerprint::Fingerprint,
        introspection_limiter::{Admission, IntrospectionLimiter, MAX_KEY_QUESTIONS},
    },
};

/// How long a request waits before it looks again.
const WAIT_MILLISECONDS: u64 = 20;

/// A request that has waited this often gives up, after fifteen seconds: longer than a call of the vault, or two documents of
/// the provider and an exchange, may take.
const MAX_WAITS: u64 = 750;

/// After so many seconds an exchange without an answer has been dropped by the platform.
const MAX_SECONDS: u64 = 20;

/// The exchanges of an isolate.
pub struct InFlight {
    entries: RefCell<Vec<Entry>>,
    // One each: who invents personal access tokens must not keep keys waiting.
    keys: RefCell<IntrospectionLimiter>,
    personal_tokens: RefCell<IntrospectionLimiter>,
}

impl Default for InFlight {
    fn default() -> Self {
        Self {
            entries: RefCell::default(),
            keys: RefCell::new(IntrospectionLimiter::new(MAX_KEY_QUESTIONS)),
            personal_tokens: RefCell::default(),
        }
    }
}

struct Entry {
    fingerprint: Fingerprint,
    /// In seconds since 1970; then it is forgotten.
    until: u64,
    outcome: Rc<RefCell<Option<Outcome>>>,
}

impl InFlight {
    /// The outcome of the exchange of a credential: of the one that is in flight, or of a new one, which is begun if the limit
    /// on unknown credentials (`is_unknown`) leaves room for it. A good outcome is kept until [`InFlight::conclude`].
    ///
    /// # Errors
    /// What [`CredentialExchange::exchange`] says; [`Denial::ProviderSpared`] at the limit, and if no answer comes.
    pub async fn outcome(
        self: &Rc<Self>,
        exchange: &Rc<dyn CredentialExchange>,
        (kind, credential, fingerprint): (CredentialKind, &str, Fingerprint),
        is_unknown: bool,
        now: u64,
        services: &impl Services,
    ) -> Outcome {
        let mut joined = None;
        for waits in 0..MAX_WAITS {
            let now = now + waits * WAIT_MILLISECONDS / 1000;
            let ended = joined.as_ref().and_then(|outcome: &Rc<RefCell<Option<Outcome>>>| outcome.borrow().clone());
            if let Some(outcome) = ended {
                return outcome;
            }
            let found = self.find(fingerprint, now);
            // One that the platform has dropped is no longer there: then another is begun.
            if let Some(outcome) = found {
                let is_over = outcome.borrow().is_some();
                joined = Some(outcome);
                if is_over {
                    continue;
                }
            } else {
                match if is_unknown { self.limiter(kind).borrow_mut().admit(now) } else { Admission::Granted } {
                    Admission::Granted => {
                        let lease = self.begin(fingerprint, is_unknown.then_some(kind), now);
                        joined = Some(Rc::clone(&lease.outcome));
                        let (exchange, credential) = (Rc::clone(exchange), credential.to_owned());
                        let work = async move {
                            lease.end(exchange.exchange(kind, &credential, now).await);
                        };
                        services.spawn(work.boxed_local()).await;
                        continue;
                    }
                    Admission::Later => {}
                    Admission::Exhausted(retry_after) => return Err(Denial::ProviderSpared { retry_after }.into()),
                }
            }
            services.sleep(Duration::from_millis(WAIT_MILLISECONDS)).await;
        }
        Err(Denial::ProviderSpared { retry_after: 1 }.into())
    }

    /// Forgets the good outcome for a credential: it was used.
    pub fn conclude(&self, fingerprint: Fingerprint) {
        self.entries.borrow_mut().retain(|entry| entry.fingerprint != fingerprint);
    }

    fn limiter(&self, kind: CredentialKind) -> &RefCell<IntrospectionLimiter> {
        match kind {
            CredentialKind::AccessKey => &self.keys,
            CredentialKind::PersonalAccessToken => &self.personal_tokens,
        }
    }

    fn find(&self, fingerprint: Fingerprint, now: u64) -> Option<Rc<RefCell<Option<Outcome>>>> {
        let mut entries = self.entries.borrow_mut();
        entries.retain(|entry| now < entry.until);
        entries.iter().find(|entry| entry.fingerprint == fingerprint).map(|entry| Rc::clone(&entry.outcome))
    }

    fn begin(self: &Rc<Self>, fingerprint: Fingerprint, counted: Option<CredentialKind>, now: u64) -> Lease {
        let outcome = Rc::default();
        let entry = Entry { fingerprint, until: now + MAX_SECONDS, outcome: Rc::clone(&outcome) };
        self.entries.borrow_mut().push(entry);
        Lease { in_flight: Rc::clone(self), outcome, counted }
    }
}

/// An exchange that was begun. Dropped without an answer, it makes room for another.
struct Lease {
    in_flight: Rc<InFlight>,
    outcome: Rc<RefCell<Option<Outcome>>>,
    /// As what it counts until it ends, and afterwards if it was in vain.
    counted: Option<CredentialKind>,
}

impl Lease {
    fn end(self, outcome: Outcome) {
        *self.outcome.borrow_mut() = Some(outcome);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let is_good = self.outcome.borrow().as_ref().is_some_and(Result::is_ok);
        if let Some(kind) = self.counted {
            self.in_flight.limiter(kind).borrow_mut().answered(is_good);
        }
        if !is_good {
            // Who waits has the outcome, and who comes later asks again.
            self.in_flight.entries.borrow_mut().retain(|entry| !Rc::ptr_eq(&entry.outcome, &self.outcome));
        }
    }
}
