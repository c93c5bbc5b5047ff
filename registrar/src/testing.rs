//! For native tests: a provider and a store in memory that fail on demand. The store is consistent; as it is at
//! Cloudflare's [`locations`] it is not.

mod locations;
mod operations;
mod rows;
pub use locations::{CACHE_SECONDS, Location};
pub use operations::{HeldUse, IsolateMemory, Operations, operate};
pub use rows::MemoryRows;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::poll_fn,
    task::Poll,
    time::Duration,
};

use futures_util::{FutureExt, future::LocalBoxFuture};
use mcp_edge_oauth::Scopes;
use mcp_edge_runtime::{
    ports::{OperatorLog, Runtime, StoreError},
    service_call::{CallError, CallService},
};
use serde_json::Value;

use crate::{
    application::Application,
    ledger::message,
    policy::{Limits, Mode, Policy},
    provider::{Applications, Created, LogReading, NotCreated, Period, ProviderError},
    secret::Secret,
    storage::{Page, RegistrationStore},
};

pub const NOW: u64 = 1_800_000_000;
pub const DAY: u64 = 86_400;

/// Yields to other futures once, as every I/O operation does.
pub async fn others_go_on() {
    let mut first = true;
    poll_fn(|context| {
        if std::mem::take(&mut first) {
            context.waker().wake_by_ref();
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}

/// A provider in memory.
#[derive(Default)]
pub struct TestProvider {
    pub applications: RefCell<BTreeMap<String, Application>>,
    pub confirmed: RefCell<Vec<String>>,
    pub created: Cell<usize>,
    pub used: RefCell<BTreeMap<String, u64>>,
    /// What is asked of the log.
    pub periods: RefCell<Vec<Period>>,
    /// What the log says the next times, instead of `used`.
    pub readings: RefCell<Vec<LogReading>>,
    /// How many steps longer an update takes, between its parts.
    pub slow_updates: Cell<usize>,
    /// Fails operations of this name: `begin` and `create` (before an application is made, and after), `confirm`,
    /// `update`, `remove`, `usage`. `refused update`: the provider answers, and refuses.
    pub broken: Cell<&'static str>,
}

impl TestProvider {
    fn check(&self, operation: &str) -> Result<(), ProviderError> {
        let is_broken = self.broken.get() == operation;
        if is_broken { Err(ProviderError::Unavailable("on purpose".to_owned())) } else { Ok(()) }
    }

    pub fn ids(&self) -> Vec<String> {
        self.applications.borrow().keys().cloned().collect()
    }
}

impl Applications for TestProvider {
    async fn create(&self, application: &Application, _attempt: &str) -> Result<Created, NotCreated> {
        others_go_on().await;
        self.check("begin")?;
        let taken_back = |error| NotCreated { begun: Some("app-0".to_owned()), error };
        self.check("create").map_err(taken_back)?;
        self.created.set(self.created.get() + 1);
        let client_id = format!("app-{}", self.created.get());
        self.applications.borrow_mut().insert(client_id.clone(), application.clone());
        let secret = self.secret(&client_id).await?;
        Ok(Created { client_id, secret })
    }

    async fn confirm(&self, client_id: &str) -> Result<(), ProviderError> {
        self.check("confirm")?;
        self.confirmed.borrow_mut().push(client_id.to_owned());
        Ok(())
    }

    /// In steps, between which others go on.
    async fn update(&self, client_id: &str, _: &Application, after: &Application) -> Result<(), ProviderError> {
        others_go_on().await;
        self.check("update")?;
        if self.broken.get() == "refused update" {
            return Err(ProviderError::Refused("on purpose".to_owned()));
        }
        let change = |change: &dyn Fn(&mut Application)| {
            self.applications.borrow_mut().get_mut(client_id).map(change).ok_or(ProviderError::Gone)
        };
        change(&|application| application.name.clone_from(&after.name))?;
        for _ in 0..=self.slow_updates.get() {
            others_go_on().await;
        }
        change(&|application| application.redirect_uris.clone_from(&after.redirect_uris))?;
        others_go_on().await;
        change(&|application| {
            application.ceiling = after.ceiling.clone();
            application.logo.clone_from(&after.logo);
        })
    }

    async fn remove(&self, client_id: &str) -> Result<(), ProviderError> {
        others_go_on().await;
        self.check("remove")?;
        self.applications.borrow_mut().remove(client_id);
        Ok(())
    }

    async fn secret(&self, client_id: &str) -> Result<Option<Secret>, ProviderError> {
        use crate::application::ApplicationType::Traditional;
        let applications = self.applications.borrow();
        let application = applications.get(client_id).ok_or(ProviderError::Gone)?;
        Ok((application.kind == Traditional).then(|| Secret::new(format!("secret of {client_id}"))))
    }

    async fn rotate_secret(&self, client_id: &str, name: &str) -> Result<Secret, ProviderError> {
        Ok(Secret::new(format!("{name} of {client_id}")))
    }

    async fn usage(&self, client_id: &str, period: Period) -> Result<LogReading, ProviderError> {
        others_go_on().await;
        self.check("usage")?;
        if !self.applications.borrow().contains_key(client_id) {
            return Err(ProviderError::Gone);
        }
        self.periods.borrow_mut().push(period);
        if !self.readings.borrow().is_empty() {
            return Ok(self.readings.borrow_mut().remove(0));
        }
        Ok(LogReading { last_success: self.used.borrow().get(client_id).copied(), ..LogReading::default() })
    }

    async fn remove_abandoned(&self, _dry_run: bool) -> Result<Vec<String>, ProviderError> {
        Ok(Vec::new())
    }
}

/// A store in memory.
#[derive(Default)]
pub struct TestStore {
    pub entries: RefCell<BTreeMap<String, (String, Value)>>,
    /// Writes to keys that begin with this fail.
    pub broken_prefix: Cell<Option<&'static str>>,
    /// How many reads of single keys there were.
    pub reads: Cell<usize>,
    /// How many writes there were, of any kind.
    pub writes: Cell<usize>,
    /// Reads of single keys fail.
    pub is_down: Cell<bool>,
    /// Lists do not show anything, as if every change were very new.
    pub lists_nothing: Cell<bool>,
    /// Lists fail.
    pub lists_fail: Cell<bool>,
    /// Lists do not show these keys.
    pub unlisted: RefCell<Vec<String>>,
    central: locations::Central,
}

impl RegistrationStore for TestStore {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        others_go_on().await;
        self.reads.set(self.reads.get() + 1);
        if self.is_down.get() {
            return Err(StoreError("out to lunch".to_owned()));
        }
        Ok(self.entries.borrow().get(key).map(|(text, _)| text.clone()))
    }

    async fn put(&self, key: &str, value: &str, listed: Option<&Value>, _: Option<Duration>) -> Result<(), StoreError> {
        others_go_on().await;
        self.writes.set(self.writes.get() + 1);
        if self.broken_prefix.get().is_some_and(|prefix| key.starts_with(prefix)) {
            return Err(StoreError("the disk is on fire".to_owned()));
        }
        self.entries.borrow_mut().insert(key.to_owned(), (value.to_owned(), listed.cloned().unwrap_or_default()));
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        others_go_on().await;
        self.writes.set(self.writes.get() + 1);
        self.entries.borrow_mut().remove(key);
        Ok(())
    }

    /// Pages of two, so that a caller that ignores the cursor fails.
    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<Page, StoreError> {
        others_go_on().await;
        if self.lists_fail.get() {
            return Err(StoreError("out to lunch".to_owned()));
        }
        if self.lists_nothing.get() {
            return Ok(Page::default());
        }
        let entries = self.entries.borrow();
        let unlisted = self.unlisted.borrow();
        let after = |key: &String| cursor.is_none_or(|cursor| key.as_str() > cursor) && !unlisted.contains(key);
        let found = entries.iter().filter(|(key, _)| key.starts_with(prefix) && after(key));
        let mut keys: Vec<_> = found.map(|(key, (_, listed))| (key.clone(), listed.clone())).collect();
        let cursor = (keys.len() > 2).then(|| keys[1].0.clone());
        keys.truncate(2);
        Ok(Page { keys, cursor })
    }
}

/// Everything outside, and the policy.
pub struct World {
    pub provider: TestProvider,
    pub store: TestStore,
    /// What the Durable Object has.
    pub rows: MemoryRows,
    /// What calls of the Durable Object fail with.
    pub ledger_fails_with: RefCell<Option<CallError>>,
    /// How many of the next calls take effect and lose their answers.
    pub ledger_loses: Cell<usize>,
    /// How many calls there were.
    pub ledger_calls: Cell<usize>,
    pub memory: IsolateMemory,
    pub policy: Policy,
    pub now: Cell<u64>,
    pub audit: RefCell<Vec<String>>,
    counter: Cell<u8>,
}

impl World {
    pub fn new(mode: Mode) -> Self {
        Self {
            provider: TestProvider::default(),
            store: TestStore::default(),
            rows: MemoryRows::default(),
            ledger_fails_with: RefCell::default(),
            ledger_loses: Cell::default(),
            ledger_calls: Cell::default(),
            memory: IsolateMemory::default(),
            policy: Policy {
                mode,
                allowed_scopes: Scopes::parse("profile whoami:read"),
                private_use_schemes: Vec::new(),
                limits: Limits {
                    per_address_and_hour: 3,
                    clients: 5,
                    per_developer: 3,
                    unused_days: 7,
                    idle_days: 180,
                },
            },
            now: Cell::new(NOW),
            audit: RefCell::default(),
            counter: Cell::new(0),
        }
    }

    /// Another isolate at the same moment: the same provider and store, no memory.
    pub fn forget(&mut self) {
        self.memory = IsolateMemory::default();
    }

    /// Carries out operations.
    pub fn with<T>(&self, act: impl AsyncFnOnce(&Operations<'_, TestStore>) -> T) -> T {
        block_on(operate(self, &self.store, &self.memory, act))
    }
}

impl Runtime for World {
    fn sleep(&self, _: Duration) -> LocalBoxFuture<'static, ()> {
        others_go_on().boxed_local()
    }

    /// Different each time.
    fn random(&self, buffer: &mut [u8]) {
        self.counter.set(self.counter.get().wrapping_add(1));
        buffer.fill(self.counter.get());
    }
}

/// Runs futures of this module to their end: they are always ready to go on.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

impl OperatorLog for World {
    fn info(&self, line: &str) {
        self.audit.borrow_mut().push(line.to_owned());
    }

    fn error(&self, line: &str) {
        self.info(line);
    }
}

impl Runtime for &World {
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        (**self).sleep(duration)
    }

    fn random(&self, buffer: &mut [u8]) {
        (**self).random(buffer);
    }
}

/// The Durable Object: one for all locations, and an await away from each.
impl CallService for &World {
    async fn call(&self, message: String) -> Result<String, CallError> {
        self.ledger_calls.set(self.ledger_calls.get() + 1);
        others_go_on().await;
        if let Some(error) = &*self.ledger_fails_with.borrow() {
            return Err(error.clone());
        }
        let answer = message::answer(&self.rows, &message, self.now.get()).map_err(|_| CallError::Failed(500))?;
        others_go_on().await;
        if self.ledger_loses.get() > 0 {
            self.ledger_loses.set(self.ledger_loses.get() - 1);
            return Err(CallError::Network("connection lost".to_owned()));
        }
        Ok(answer)
    }
}
