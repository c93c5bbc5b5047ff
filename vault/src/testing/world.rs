//! Everything around the objects as a platform, with objects that answer calls in the same process.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

use futures_util::future::{FutureExt, LocalBoxFuture};
use mcp_edge_runtime::{
    crypto::{Algorithm, VerificationKey},
    ports::{
        Background, FailureLimit, Fetch, FetchError, HttpRequest, HttpResponse, OperatorLog, Runtime,
        SignatureVerifier, Store, StoreError, UnusableKey,
    },
    secret::Secret,
    service_call::{CallError, CallService},
};

use super::{
    clock::Clock,
    provider::{self, TestProvider},
    service::TestService,
    sqlite::Storage,
    store::LaggingStore,
};
use crate::{
    account::object::AccountObject,
    connected::object::ConnectedAccountsObject,
    key::{lease::Rules, object::KeyObject},
    personal_token::{flights::Flights, object::PersonalTokenObject},
    platform::Platform,
    secrets::{VaultSecrets, connections::ConnectionSecrets},
};

pub use super::provider::ISSUER;

/// `PAT_SECONDS`.
pub const PAT_SECONDS: u64 = 300;

/// A namespace of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Namespace {
    Keys,
    Accounts,
    PersonalTokens,
    ConnectedAccounts,
}

/// Everything. Copies are the same world.
#[derive(Clone)]
pub struct World(Rc<Parts>);

pub struct Parts {
    pub clock: Clock,
    pub provider: TestProvider,
    pub service: TestService,
    pub connection_secrets: RefCell<ConnectionSecrets>,
    pub store: LaggingStore,
    pub secrets: VaultSecrets,
    pub rules: RefCell<Rules>,
    pub flights: Flights,
    pub objects: RefCell<BTreeMap<(Namespace, String), Rc<Storage>>>,
    /// Calls of objects fail with this.
    pub calls_fail_with: RefCell<Option<CallError>>,
    /// How many of the next calls take effect and lose their answers.
    pub loses: Cell<usize>,
    pub calls: Cell<usize>,
    pub audit: RefCell<Vec<String>>,
    random: Cell<u64>,
}

impl std::ops::Deref for World {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl World {
    pub fn new() -> Self {
        let clock = Clock::default();
        Self(Rc::new(Parts {
            provider: TestProvider::new(&clock),
            service: TestService::new(&clock),
            connection_secrets: RefCell::new(ConnectionSecrets::new(&Secret::new("the first secret"), None)),
            clock,
            store: LaggingStore::default(),
            secrets: VaultSecrets::new(&Secret::new("a secret of more than 32 characters"), None),
            rules: RefCell::new(Rules {
                not_before: None,
                issuers: vec![ISSUER.to_owned()],
                client_id: "vault".to_owned(),
            }),
            flights: Flights::default(),
            objects: RefCell::default(),
            calls_fail_with: RefCell::default(),
            loses: Cell::default(),
            calls: Cell::default(),
            audit: RefCell::default(),
            random: Cell::new(1),
        }))
    }

    /// The storage of an object.
    pub fn storage(&self, namespace: Namespace, name: &str) -> Rc<Storage> {
        Rc::clone(self.objects.borrow_mut().entry((namespace, name.to_owned())).or_default())
    }

    /// How many objects were addressed.
    pub fn addressed(&self) -> usize {
        self.objects.borrow().len()
    }

    /// Lets the alarm of an account go off, if it is due. Says whether it was.
    pub fn wake(&self, account: &str) -> bool {
        let storage = self.storage(Namespace::Accounts, account);
        if storage.alarm.get().is_none_or(|at| self.clock.now() * 1000 < at) {
            return false;
        }
        storage.alarm.set(None);
        let object = AccountObject::new(&*storage, self);
        self.clock.run(object.wake(&|| self.clock.now())).unwrap();
        true
    }

    /// The same for the object of a user's connected accounts.
    pub fn wake_accounts(&self, name: &str) -> bool {
        let storage = self.storage(Namespace::ConnectedAccounts, name);
        if storage.alarm.get().is_none_or(|at| self.clock.now() * 1000 < at) {
            return false;
        }
        storage.alarm.set(None);
        let secrets = self.connection_secrets.borrow().clone();
        let object = ConnectedAccountsObject::new(&*storage, &self.service, self, &secrets, true);
        self.clock.run(object.wake(&|| self.clock.now())).unwrap();
        true
    }

    async fn answer(&self, namespace: Namespace, name: &str, message: &str) -> Result<String, String> {
        let (storage, now) = (self.storage(namespace, name), || self.clock.now());
        match namespace {
            Namespace::Keys => {
                let rules = self.rules.borrow().clone();
                KeyObject::new(&*storage, &self.provider, self, &self.secrets, &rules).answer(message, &now).await
            }
            Namespace::Accounts => {
                let object = AccountObject::new(&*storage, self);
                // It calls objects itself.
                object.answer(message, &now).boxed_local().await.map_err(|error| error.to_string())
            }
            Namespace::ConnectedAccounts => {
                let secrets = self.connection_secrets.borrow().clone();
                let object = ConnectedAccountsObject::new(&*storage, &self.service, self, &secrets, true);
                object.answer(message, &now).await.map_err(|error| error.to_string())
            }
            Namespace::PersonalTokens => {
                let object = PersonalTokenObject::new(&*storage, &self.provider, self, &self.flights, PAT_SECONDS);
                object.answer(message, &now).await
            }
        }
    }
}

/// An object that answers calls.
pub struct TestObject {
    world: World,
    namespace: Namespace,
    name: String,
}

impl CallService for TestObject {
    async fn call(&self, message: String) -> Result<String, CallError> {
        let world = &self.world;
        world.calls.set(world.calls.get() + 1);
        world.sleep(Duration::from_millis(1)).await;
        if let Some(error) = &*world.calls_fail_with.borrow() {
            return Err(error.clone());
        }
        let answer = world.answer(self.namespace, &self.name, &message).await.map_err(|_| CallError::Failed(500))?;
        world.sleep(Duration::from_millis(1)).await;
        if world.loses.get() > 0 {
            world.loses.set(world.loses.get() - 1);
            return Err(CallError::Network("connection lost".to_owned()));
        }
        Ok(answer)
    }
}

impl Platform for World {
    type Services = Self;
    type Object = TestObject;

    fn services(&self) -> &Self {
        self
    }

    fn key(&self, id: &str) -> TestObject {
        assert!(self.secrets.is_own_id(id), "an object of a stranger's id");
        TestObject { world: self.clone(), namespace: Namespace::Keys, name: id.to_owned() }
    }

    fn account(&self, name: &str) -> TestObject {
        TestObject { world: self.clone(), namespace: Namespace::Accounts, name: name.to_owned() }
    }

    fn personal_token(&self, name: &str) -> TestObject {
        TestObject { world: self.clone(), namespace: Namespace::PersonalTokens, name: name.to_owned() }
    }

    fn connected_accounts(&self, name: &str) -> TestObject {
        TestObject { world: self.clone(), namespace: Namespace::ConnectedAccounts, name: name.to_owned() }
    }

    fn registration(&self, _: &str) -> TestObject {
        unreachable!("no connections here")
    }
}

impl Runtime for World {
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        self.clock.sleep(duration)
    }

    /// Different each time.
    fn random(&self, buffer: &mut [u8]) {
        for byte in buffer {
            let next =
                self.random.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.random.set(next);
            *byte = next.to_be_bytes()[0];
        }
    }
}

impl Store for World {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.sleep(Duration::from_millis(1)).await;
        self.store.get(key, &self.clock)
    }

    async fn put(&self, key: &str, value: &str, ttl: Duration) -> Result<(), StoreError> {
        self.sleep(Duration::from_millis(1)).await;
        self.store.put(key, value, ttl, &self.clock)
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

impl Background for World {
    fn spawn(&self, work: LocalBoxFuture<'static, ()>) -> LocalBoxFuture<'static, ()> {
        self.clock.spawn(work);
        async {}.boxed_local()
    }
}

impl Fetch for World {
    /// What the provider publishes; for its tokens it is asked through its port.
    async fn fetch(&self, request: HttpRequest<'_>) -> Result<HttpResponse, FetchError> {
        if self.provider.fails_with.borrow().is_some() {
            return Err(FetchError::Network("connection refused".to_owned()));
        }
        let document = provider::document(request.url).expect("a document of the provider");
        Ok(HttpResponse { status: 200, challenge: String::new(), body: document.to_string() })
    }
}

impl SignatureVerifier for World {
    async fn verify(
        &self,
        _: &impl VerificationKey,
        _: Algorithm,
        _: &[u8],
        signature: &[u8],
    ) -> Result<bool, UnusableKey> {
        Ok(signature == provider::SIGNATURE)
    }
}

impl FailureLimit for World {
    async fn count_failure(&self, _: &str) -> bool {
        false
    }
}
