//! Workers KV as it behaves across locations: what is written at one is seen at another only after up to a minute.
//!
//! | KV promises | here |
//! |---|---|
//! | a location keeps what it has read, also that there is nothing, for `cacheTtl` | [`CACHE_SECONDS`] |
//! | a write is seen at once where it was made | the location's own copy is replaced |
//! | of two writes the last one stays | even if it was made from older data |
//! | lists are behind, too | a list shows the state of [`LIST_LAG_SECONDS`] ago, also where the write was made |
//! | values expire | as their `ttl` says |
//!
//! A [`Location`] is one isolate as well, with a memory of its own. All share the clock, the provider and the store of a
//! [`World`]. Every operation lets other futures go on, so what happens at the same moment is joined and interleaves.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use mcp_edge_runtime::ports::StoreError;
use serde_json::Value;

use super::{IsolateMemory, Operations, TestStore, World, operate};
use crate::storage::{Page, RegistrationStore};

/// How long a location keeps what it has read: the default of KV.
pub const CACHE_SECONDS: u64 = 60;

/// How much later lists learn of a change.
pub const LIST_LAG_SECONDS: u64 = 60;

/// What lists show of a key, or that it is gone, and since when.
type Change = (u64, Option<Value>);

/// What all locations share beside the values themselves.
#[derive(Default)]
pub struct Central {
    /// Changes of each key, oldest first.
    changes: RefCell<BTreeMap<String, Vec<Change>>>,
    expires: RefCell<HashMap<String, u64>>,
}

/// A location of Cloudflare's.
pub struct Location<'w> {
    world: &'w World,
    memory: IsolateMemory,
    /// Values and misses, and until when they are kept.
    cache: RefCell<HashMap<String, (Option<String>, u64)>>,
    /// How many steps of what else goes on a write takes longer from here.
    pub delay: Cell<usize>,
}

impl World {
    /// One more location.
    pub fn location(&self) -> Location<'_> {
        Location { world: self, memory: IsolateMemory::default(), cache: RefCell::default(), delay: Cell::default() }
    }
}

impl Location<'_> {
    /// Carries out operations here. Futures of several locations are joined and then run with
    /// [`block_on`](super::block_on).
    pub async fn act<T>(&self, act: impl AsyncFnOnce(&Operations<'_, Self>) -> T) -> T {
        operate(self.world, self, &self.memory, act).await
    }

    /// The same, with nothing else at the same moment.
    pub fn with<T>(&self, act: impl AsyncFnOnce(&Operations<'_, Self>) -> T) -> T {
        super::block_on(self.act(act))
    }

    fn now(&self) -> u64 {
        self.world.now.get()
    }

    fn central(&self) -> &TestStore {
        &self.world.store
    }

    fn note(&self, key: &str, value: Option<&str>, listed: Option<Value>, ttl: Option<Duration>) {
        let central = &self.central().central;
        central.changes.borrow_mut().entry(key.to_owned()).or_default().push((self.now(), listed));
        central.expires.borrow_mut().remove(key);
        if let Some(ttl) = ttl {
            central.expires.borrow_mut().insert(key.to_owned(), self.now() + ttl.as_secs());
        }
        self.cache.borrow_mut().insert(key.to_owned(), (value.map(str::to_owned), self.now() + CACHE_SECONDS));
    }

    fn is_expired(&self, key: &str) -> bool {
        self.central().central.expires.borrow().get(key).is_some_and(|at| *at <= self.now())
    }
}

impl RegistrationStore for Location<'_> {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        let now = self.now();
        if let Some((value, _)) = self.cache.borrow().get(key).filter(|(_, until)| now < *until) {
            return Ok(value.clone());
        }
        let value = self.central().get(key).await?.filter(|_| !self.is_expired(key));
        self.cache.borrow_mut().insert(key.to_owned(), (value.clone(), now + CACHE_SECONDS));
        Ok(value)
    }

    async fn put(
        &self,
        key: &str,
        value: &str,
        listed: Option<&Value>,
        ttl: Option<Duration>,
    ) -> Result<(), StoreError> {
        for _ in 0..self.delay.get() {
            super::others_go_on().await;
        }
        self.central().put(key, value, listed, ttl).await?;
        self.note(key, Some(value), Some(listed.cloned().unwrap_or_default()), ttl);
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.central().delete(key).await?;
        self.note(key, None, None, None);
        Ok(())
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<Page, StoreError> {
        super::others_go_on().await;
        let seen = self.now().saturating_sub(LIST_LAG_SECONDS);
        let changes = self.central().central.changes.borrow();
        let is_shown = |key: &str| key.starts_with(prefix) && cursor.is_none_or(|cursor| key > cursor);
        let mut keys = Vec::new();
        for (key, changes) in changes.iter().filter(|(key, _)| is_shown(key)) {
            let last = changes.iter().rev().find(|(at, _)| *at <= seen);
            if let Some((_, Some(listed))) = last.filter(|_| !self.is_expired(key)) {
                keys.push((key.clone(), listed.clone()));
            }
        }
        let cursor = (keys.len() > 2).then(|| keys[1].0.clone());
        keys.truncate(2);
        Ok(Page { keys, cursor })
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use futures_util::future::join;

    use super::{
        super::{NOW, block_on},
        *,
    };
    use crate::policy::Mode;

    fn get(location: &Location<'_>, key: &str) -> Option<String> {
        block_on(location.get(key)).unwrap()
    }

    fn put(location: &Location<'_>, key: &str, value: &str) {
        block_on(location.put(key, value, None, None)).unwrap();
    }

    #[test]
    fn what_was_read_is_kept_for_a_minute_also_that_there_is_nothing() {
        let world = World::new(Mode::Open);
        let (here, there) = (world.location(), world.location());
        assert_eq!(get(&there, "key"), None);
        put(&here, "key", "one");
        assert_eq!((get(&here, "key").as_deref(), get(&there, "key")), (Some("one"), None));
        world.now.set(NOW + 59);
        assert_eq!(get(&there, "key"), None);
        world.now.set(NOW + 60);
        assert_eq!(get(&there, "key").as_deref(), Some("one"));
        block_on(here.delete("key")).unwrap();
        assert_eq!((get(&here, "key"), get(&there, "key").as_deref()), (None, Some("one")));
        world.now.set(NOW + 120);
        assert_eq!(get(&there, "key"), None);
        assert_eq!(get(&world.location(), "key"), None, "who has read nothing sees what there is");
    }

    #[test]
    fn of_two_writes_the_last_one_stays() {
        let world = World::new(Mode::Open);
        let (here, there) = (world.location(), world.location());
        let append = async |location: &Location<'_>, text: &str| {
            let before = location.get("key").await.unwrap().unwrap_or_default();
            location.put("key", &format!("{before}{text}"), None, None).await.unwrap();
        };
        block_on(join(append(&here, "a"), append(&there, "b")));
        assert_eq!(get(&world.location(), "key").as_deref(), Some("b"), "and what the other one wrote is lost");
    }

    #[test]
    fn lists_are_a_minute_behind() {
        let world = World::new(Mode::Open);
        let here = world.location();
        let listed = |location: &Location<'_>| block_on(location.list("key", None)).unwrap().keys.len();
        put(&here, "key/1", "");
        assert_eq!(listed(&here), 0);
        world.now.set(NOW + 60);
        assert_eq!((listed(&here), listed(&world.location())), (1, 1));
        block_on(here.delete("key/1")).unwrap();
        assert_eq!(listed(&here), 1);
        world.now.set(NOW + 120);
        assert_eq!(listed(&here), 0);
    }

    #[test]
    fn lists_have_pages() {
        let world = World::new(Mode::Open);
        let here = world.location();
        for number in 0..5 {
            put(&here, &format!("key/{number}"), "");
        }
        put(&here, "other", "");
        world.now.set(NOW + 60);
        assert_eq!(here.with(async |registry| registry.records().keys("key/").await).unwrap().len(), 5);
    }

    #[test]
    fn values_expire() {
        let world = World::new(Mode::Open);
        let here = world.location();
        block_on(here.put("key", "x", None, Some(Duration::from_secs(100)))).unwrap();
        world.now.set(NOW + 99);
        assert_eq!(get(&world.location(), "key").as_deref(), Some("x"));
        world.now.set(NOW + 100);
        assert_eq!(get(&world.location(), "key"), None);
    }
}
