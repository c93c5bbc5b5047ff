//! The copy in the shared store (Workers KV): read, judged by its writer, and written sparingly.

use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
    time::Duration,
};

use futures_util::future::{Either, select};

use crate::{
    keys::{
        policy::{CEILING_SECONDS, FRESH_SECONDS, REVALIDATE_SECONDS},
        record::Record,
    },
    provider::ProviderLocation,
};
use mcp_edge_runtime::ports::{Services, StoreError};

/// The store answers within a tenth of a second, or something is wrong with it; the provider is asked then.
const STORE_TIMEOUT: Duration = Duration::from_secs(1);

/// Pause between two writes of one isolate that tell nothing new but the time. While few isolates run, these are 48 writes a
/// day for each, of the 1,000 that Workers KV's free plan has, and all of them together make no more than it takes to have a
/// fresh copy in the store (`docs/scale.md` has the figures).
const RENEWAL_PAUSE_SECONDS: u64 = REVALIDATE_SECONDS / 2;

/// Pause between two writes of one isolate, for a provider whose answers differ each time.
const SAVE_PAUSE_SECONDS: u64 = 600;

/// Before a write the store is read again, unless it was read within this time: another isolate may have been quicker.
/// Workers KV shows a write elsewhere after 60 to 120 seconds, so an earlier read would show nothing new.
const STORE_LAG_SECONDS: u64 = 60;

/// Who may use the store. The text is the resource of this deployment, under which it writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUse {
    /// This deployment writes records; those of others are as good.
    Shared(String),
    /// This deployment alone: records of others are not used.
    Exclusive(String),
}

/// What the store holds of one provider, as far as this isolate knows.
#[derive(Debug)]
pub(super) struct StoredCopy {
    location: Rc<ProviderLocation>,
    store_use: StoreUse,
    record: RefCell<Option<Rc<Record>>>,
    /// When the store was read.
    read_at: Cell<u64>,
    /// When this isolate last wrote to the store.
    saved_at: Cell<u64>,
    /// Who else writes into a store that should be this deployment's alone, and when that record was made.
    other_writer: RefCell<Option<(String, u64)>>,
    /// For the operator: what the store last said instead of an answer.
    failure: RefCell<Option<String>>,
}

impl StoredCopy {
    /// Creates the state of an isolate that has not read the store yet.
    pub fn new(location: Rc<ProviderLocation>, store_use: StoreUse) -> Self {
        Self {
            location,
            store_use,
            record: RefCell::default(),
            read_at: Cell::new(0),
            saved_at: Cell::new(0),
            other_writer: RefCell::default(),
            failure: RefCell::default(),
        }
    }

    /// Why the store could not be used the last time, until it answers.
    pub fn failure(&self) -> Option<String> {
        self.failure.borrow().clone()
    }

    /// Which other deployment writes into a store that should be this one's alone, if one was seen to within the last
    /// hour. A record that is older was left behind, perhaps by this deployment under another name.
    pub fn other_writer(&self, now: u64) -> Option<String> {
        let other = self.other_writer.borrow();
        other.as_ref().filter(|(_, at)| now < at + REVALIDATE_SECONDS).map(|(writer, _)| writer.clone())
    }

    /// Reads the record of the store, and remembers it.
    pub async fn read(&self, now: u64, services: &impl Services) -> Option<Record> {
        let key = self.location.store_key();
        let reading = pin!(services.get(&key));
        let read = match select(reading, services.sleep(STORE_TIMEOUT)).await {
            Either::Left((read, _)) => read,
            Either::Right(_) => Err(StoreError(format!("no answer within {}s", STORE_TIMEOUT.as_secs()))),
        };
        let record = self.note(read).flatten().and_then(|text| Record::parse(&text, &self.location, now));
        let record = record.filter(|record| self.may_use(record));
        *self.record.borrow_mut() = record.clone().map(Rc::new);
        self.read_at.set(now);
        record
    }

    /// Writes are scarce (one per second and key, a thousand a day on the free plan): only what has changed, or takes the
    /// place of a copy that is old enough to be renewed, `lead` seconds before [`FRESH_SECONDS`]; and with the pauses above.
    pub fn is_worth_saving(&self, record: &Record, lead: u64, now: u64) -> bool {
        self.record.borrow().as_ref().is_none_or(|stored| {
            let is_other = stored.keys != record.keys || !stored.provider.is_same_as(&record.provider);
            let pause = if is_other { SAVE_PAUSE_SECONDS } else { RENEWAL_PAUSE_SECONDS };
            let is_old = stored.keys_age(now) + lead >= FRESH_SECONDS;
            now >= self.saved_at.get() + pause && (is_other || is_old)
        })
    }

    /// Writes `copy`, unless the store has been found to hold one as good, or to be used by another deployment.
    pub async fn save(&self, copy: Rc<Record>, lead: u64, now: u64, services: &impl Services) {
        if now >= self.read_at.get() + STORE_LAG_SECONDS {
            self.read(now, services).await;
            if !self.is_worth_saving(&copy, lead, now) {
                return;
            }
        }
        if self.other_writer(now).is_some() {
            return;
        }
        self.saved_at.set(now);
        let (StoreUse::Shared(writer) | StoreUse::Exclusive(writer)) = &self.store_use;
        let (key, value) = (self.location.store_key(), copy.serialize(writer));
        let written = services.put(&key, &value, Duration::from_secs(CEILING_SECONDS)).await;
        if self.note(written).is_some() {
            *self.record.borrow_mut() = Some(copy);
        }
    }

    fn may_use(&self, record: &Record) -> bool {
        let StoreUse::Exclusive(own) = &self.store_use else { return true };
        let is_own = record.writer.as_ref() == Some(own);
        if !is_own && let Some(writer) = &record.writer {
            *self.other_writer.borrow_mut() = Some((writer.clone(), record.keys_fetched_at));
        }
        is_own
    }

    /// What the store answered, if it did; notes for the operator why not, if it did not.
    fn note<T>(&self, outcome: Result<T, StoreError>) -> Option<T> {
        let (answer, failure) = match outcome {
            Ok(answer) => (Some(answer), None),
            Err(error) => (None, Some(error.to_string())),
        };
        *self.failure.borrow_mut() = failure;
        answer
    }
}
