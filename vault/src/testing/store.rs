//! A store that shows what was written only later, as Workers KV does at other locations.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::Duration,
};

use mcp_edge_runtime::ports::StoreError;

use super::clock::Clock;

/// The store.
#[derive(Default)]
pub struct LaggingStore {
    /// Values, since when, and until when.
    pub entries: RefCell<BTreeMap<String, (String, u64, u64)>>,
    /// How many seconds later a value is seen.
    pub lag: Cell<u64>,
    pub fails_to_read: Cell<bool>,
    pub fails_to_write: Cell<bool>,
}

impl LaggingStore {
    pub fn get(&self, key: &str, clock: &Clock) -> Result<Option<String>, StoreError> {
        if self.fails_to_read.get() {
            return Err(StoreError("out to lunch".to_owned()));
        }
        let (entries, now) = (self.entries.borrow(), clock.now());
        let seen = entries.get(key).filter(|(_, since, until)| since + self.lag.get() <= now && now < *until);
        Ok(seen.map(|(value, ..)| value.clone()))
    }

    pub fn put(&self, key: &str, value: &str, ttl: Duration, clock: &Clock) -> Result<(), StoreError> {
        if self.fails_to_write.get() {
            return Err(StoreError("the disk is on fire".to_owned()));
        }
        let now = clock.now();
        self.entries.borrow_mut().insert(key.to_owned(), (value.to_owned(), now, now + ttl.as_secs()));
        Ok(())
    }
}
