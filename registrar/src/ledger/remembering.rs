//! Refusals that an isolate remembers, so that a flood does not reach the object.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use super::{Admission, AdmissionError, CallError, ChangeError, Ledger, LedgerError, Reconciled, TokenUses, calls_of};
use crate::client_metadata::ClientMetadata;

/// How long strangers are refused here once there was no room: unused clients end once a day.
const FULL_SECONDS: u64 = 60;

/// The most refusals that are remembered: a megabyte. Beyond that they are asked for again.
const MAX_REFUSALS: usize = 10_000;

/// Refusals, and when each ends, in seconds since 1970.
#[derive(Default)]
pub struct Refusals {
    counts: RefCell<HashMap<String, u64>>,
    full_until: Cell<u64>,
}

impl Refusals {
    /// The seconds for which a count is known to have reached its limit.
    fn of(&self, key: &str, now: u64) -> Option<u64> {
        let until = *self.counts.borrow().get(key)?;
        until.checked_sub(now).filter(|seconds| *seconds > 0)
    }

    fn remember(&self, key: String, retry_after: u64, now: u64) {
        let mut counts = self.counts.borrow_mut();
        if counts.len() >= MAX_REFUSALS {
            counts.retain(|_, until| now < *until);
            if counts.len() >= MAX_REFUSALS {
                counts.clear();
            }
        }
        counts.insert(key, now + retry_after);
    }
}

/// A ledger whose refusals are remembered until they can change.
pub struct Remembering<L, M> {
    ledger: L,
    refusals: M,
}

impl<L: Ledger, M: AsRef<Refusals>> Remembering<L, M> {
    /// Creates a ledger that remembers in `refusals`.
    #[must_use]
    pub fn new(ledger: L, refusals: M) -> Self {
        Self { ledger, refusals }
    }
}

impl AsRef<Self> for Refusals {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl<L: Ledger, M: AsRef<Refusals>> Ledger for Remembering<L, M> {
    async fn take_use(&self, id: &str, uses: &TokenUses, now: u64) -> Result<bool, LedgerError> {
        self.ledger.take_use(id, uses, now).await
    }

    async fn admit(&self, id: &str, admission: &Admission, now: u64) -> Result<(), AdmissionError> {
        let refusals = self.refusals.as_ref();
        // A network is in its site, so what the site was refused is remembered of the network.
        let network = admission.rates.first().map(|(key, _)| key);
        if let Some(retry_after) = network.and_then(|key| refusals.of(key, now)) {
            return Err(AdmissionError::TooManyRegistrations { retry_after });
        }
        if admission.is_stranger && now < refusals.full_until.get() {
            return Err(AdmissionError::Full);
        }
        let admitted = self.ledger.admit(id, admission, now).await;
        match (&admitted, network) {
            (Err(AdmissionError::TooManyRegistrations { retry_after }), Some(key)) => {
                refusals.remember(key.clone(), *retry_after, now);
            }
            (Err(AdmissionError::Full), _) if admission.is_stranger => refusals.full_until.set(now + FULL_SECONDS),
            _ => {}
        }
        admitted
    }

    async fn settle(&self, id: &str, client_id: &str, now: u64) -> Result<(), LedgerError> {
        self.ledger.settle(id, client_id, now).await
    }

    async fn release(&self, id: &str, now: u64) {
        self.ledger.release(id, now).await;
    }

    async fn undo(&self, client_id: &str, now: u64) {
        self.ledger.undo(client_id, now).await;
    }

    async fn remove(&self, client_id: &str, now: u64) {
        self.ledger.remove(client_id, now).await;
    }

    async fn count_call(&self, client_id: &str, now: u64) -> Result<(), CallError> {
        let (refusals, key) = (self.refusals.as_ref(), calls_of(client_id));
        if let Some(retry_after) = refusals.of(&key, now) {
            return Err(CallError::TooMany { retry_after });
        }
        let counted = self.ledger.count_call(client_id, now).await;
        if let Err(CallError::TooMany { retry_after }) = counted {
            refusals.remember(key, retry_after, now);
        }
        counted
    }

    async fn begin_change(&self, id: &str, client_id: &str, now: u64) -> Result<Option<ClientMetadata>, ChangeError> {
        self.ledger.begin_change(id, client_id, now).await
    }

    async fn renew_change(&self, id: &str, client_id: &str, now: u64) -> Result<(), ChangeError> {
        self.ledger.renew_change(id, client_id, now).await
    }

    async fn end_change(&self, id: &str, client_id: &str, written: Option<&ClientMetadata>, now: u64) {
        self.ledger.end_change(id, client_id, written, now).await;
    }

    async fn reconcile(&self, now: u64) -> Result<Reconciled, LedgerError> {
        self.ledger.reconcile(now).await
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn refusals_are_bounded_in_number_and_those_that_last_are_kept_first() {
        let filled = |ends_in: u64| {
            let refusals = Refusals::default();
            refusals.remember("lasts".to_owned(), 3_600, NOW - 60);
            for number in 1..MAX_REFUSALS {
                refusals.remember(number.to_string(), ends_in, NOW - 60);
            }
            refusals.remember("new".to_owned(), 3_600, NOW);
            refusals
        };
        // The others end at this very moment.
        let refusals = filled(60);
        assert_eq!((refusals.of("lasts", NOW), refusals.of("1", NOW)), (Some(3_540), None));
        assert_eq!((refusals.of("new", NOW), refusals.counts.borrow().len()), (Some(3_600), 2));
        // Were they to last, all would be asked about again.
        let refusals = filled(61);
        assert_eq!(
            (refusals.of("lasts", NOW), refusals.of("1", NOW), refusals.of("new", NOW)),
            (None, None, Some(3_600))
        );
        // One fewer, and nothing is forgotten.
        let refusals = Refusals::default();
        for number in 0..MAX_REFUSALS {
            refusals.remember(number.to_string(), 61, NOW - 60);
        }
        assert_eq!(refusals.of("0", NOW), Some(1));
    }
}
