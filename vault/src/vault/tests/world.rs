//! What is outside of the vault's pages: a provider, and objects that do what they are asked for.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::ready,
    time::Duration,
};

use futures_util::future::{FutureExt, LocalBoxFuture};
use mcp_edge_runtime::{
    base64::URL_SAFE_NO_PAD,
    crypto::{Algorithm, VerificationKey},
    ports::{
        Background, FailureLimit, Fetch, FetchError, HttpRequest, HttpResponse, OperatorLog, RequestContent, Runtime,
        SignatureVerifier, Store, StoreError, UnusableKey,
    },
    service_call::{CallError, CallService},
};
use serde_json::{Value, json};

use super::connected::ConnectedUser;
use crate::{
    account::message::{Answer as OfAccount, Entry, GrantOutcome, Request as ToAccount},
    key::message::{Answer as OfKey, Description, Envelope, Request as ToKey, State},
    platform::Platform,
    settings::tests::ISSUER,
};

pub const NOW: u64 = 1_800_000_000;

/// Signs everything.
pub const SIGNATURE: [u8; 96] = [b'g'; 96];

/// Everything outside. Lives as long as the program.
pub struct Outside {
    pub now: Cell<u64>,
    pub discovery: RefCell<Value>,
    /// What the token endpoint answers.
    pub tokens: RefCell<(u16, Value)>,
    /// The forms that it got.
    pub redeemed: RefCell<Vec<String>>,
    pub provider_is_down: Cell<bool>,
    /// Fails calls whose message has this text; `after`: after they took effect.
    pub broken: Cell<&'static str>,
    pub broken_after: Cell<&'static str>,
    pub keys: RefCell<BTreeMap<String, (String, Description)>>,
    pub accounts: RefCell<BTreeMap<String, Account>>,
    pub grant: Cell<GrantOutcome>,
    /// The objects of connected accounts, by their names.
    pub connected: RefCell<BTreeMap<String, ConnectedUser>>,
    pub log: RefCell<Vec<String>>,
    random: Cell<u64>,
}

#[derive(Default)]
pub struct Account {
    pub entries: Vec<Entry>,
    pub used: Vec<String>,
}

pub type Services = &'static Outside;

impl Outside {
    pub fn new() -> Self {
        Self {
            now: Cell::new(NOW),
            discovery: RefCell::new(json!({
                "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/jwks"), "token_endpoint": format!("{ISSUER}/token"),
                "authorization_endpoint": format!("{ISSUER}/auth"),
                "end_session_endpoint": format!("{ISSUER}/session/end"),
            })),
            tokens: RefCell::new((400, json!({ "error": "invalid_grant" }))),
            redeemed: RefCell::default(),
            provider_is_down: Cell::default(),
            broken: Cell::new("\u{0}"),
            broken_after: Cell::new("\u{0}"),
            keys: RefCell::default(),
            accounts: RefCell::default(),
            grant: Cell::new(GrantOutcome::Shared),
            connected: RefCell::default(),
            log: RefCell::default(),
            random: Cell::new(1),
        }
    }

    pub fn key(&self, id: &str) -> Option<Description> {
        self.keys.borrow().get(id).map(|(_, key)| key.clone())
    }

    pub fn state(&self, id: &str) -> Option<State> {
        self.key(id).map(|key| key.state)
    }

    pub fn change_key(&self, id: &str, change: impl FnOnce(&mut Description)) {
        change(&mut self.keys.borrow_mut().get_mut(id).expect("a key").1);
    }

    /// All entries of all lists.
    pub fn entries(&self) -> Vec<Entry> {
        self.accounts.borrow().values().flat_map(|account| account.entries.clone()).collect()
    }

    fn answer_key(&self, message: &str) -> OfKey {
        let Envelope { id, request } = serde_json::from_str(message).unwrap();
        let mut keys = self.keys.borrow_mut();
        match request {
            ToKey::Create(new) => {
                let key = Description {
                    issuer: new.issuer,
                    subject: new.subject,
                    name: new.name,
                    scopes: new.scopes,
                    tools: new.tools,
                    created_at: new.created_at,
                    expires_at: new.expires_at,
                    rotated_from: new.rotated_from,
                    last_used_day: None,
                    refreshed_at: new.created_at,
                    state: State::Active,
                    since: new.created_at,
                    grant_is_pending: false,
                    grant_id: new.grant_id,
                };
                assert_eq!(new.refresh_token, "the-refresh-token");
                keys.insert(id, (new.secret, key));
                OfKey::Done
            }
            ToKey::Describe => keys.get(&id).map_or(OfKey::Unknown, |(_, key)| OfKey::Key(Box::new(key.clone()))),
            ToKey::Revoke { secret, .. } => match keys.get_mut(&id) {
                Some((own, key)) if secret.as_ref().is_none_or(|secret| secret == own) => {
                    key.state = State::Revoked;
                    OfKey::Done
                }
                _ => OfKey::Unknown,
            },
            ToKey::Use { .. } | ToKey::EndGrant => unreachable!("no page does that"),
        }
    }

    fn answer_account(&self, name: &str, message: &str) -> OfAccount {
        let mut accounts = self.accounts.borrow_mut();
        let account = accounts.entry(name.to_owned()).or_default();
        let now = self.now.get();
        match serde_json::from_str(message).unwrap() {
            ToAccount::Reserve { authorization, id, name, expires_at, limit } => {
                if account.used.contains(&authorization) {
                    return OfAccount::Used;
                }
                let live = account.entries.iter().filter(|entry| entry.gone_at.is_none()).count();
                if live >= limit as usize {
                    return OfAccount::Full;
                }
                account.used.push(authorization);
                account.entries.insert(0, Entry { id, name, created_at: now, expires_at, gone_at: None });
                OfAccount::Done
            }
            ToAccount::Use { authorization } if account.used.contains(&authorization) => OfAccount::Used,
            ToAccount::Use { authorization } => {
                account.used.push(authorization);
                OfAccount::Done
            }
            ToAccount::Confirm { .. } => OfAccount::Done,
            ToAccount::Release { id } => {
                account.entries.retain(|entry| entry.id != id);
                OfAccount::Done
            }
            ToAccount::List => OfAccount::Keys(account.entries.clone()),
            ToAccount::Gone { id } => {
                for entry in account.entries.iter_mut().filter(|entry| entry.id == id) {
                    entry.gone_at = Some(now);
                }
                OfAccount::Grant(self.grant.get())
            }
        }
    }
}

/// An object that does what it is asked for.
pub struct TestObject {
    outside: Services,
    namespace: Namespace,
}

enum Namespace {
    Keys,
    Accounts(String),
    Connected(String),
}

impl CallService for TestObject {
    async fn call(&self, message: String) -> Result<String, CallError> {
        let outside = self.outside;
        if message.contains(outside.broken.get()) {
            return Err(CallError::Failed(500));
        }
        let answer = match &self.namespace {
            Namespace::Keys => serde_json::to_string(&outside.answer_key(&message)),
            Namespace::Accounts(name) => serde_json::to_string(&outside.answer_account(name, &message)),
            Namespace::Connected(name) => {
                let mut users = outside.connected.borrow_mut();
                let user = users.entry(name.clone()).or_default();
                serde_json::to_string(&user.answer(name, &message, outside.now.get()))
            }
        };
        if message.contains(outside.broken_after.get()) {
            return Err(CallError::Timeout(Duration::from_secs(20)));
        }
        Ok(answer.unwrap())
    }
}

/// The platform of one isolate.
pub struct TestPlatform(pub Services);

impl Platform for TestPlatform {
    type Services = Services;
    type Object = TestObject;

    fn services(&self) -> &Services {
        &self.0
    }

    fn key(&self, _: &str) -> TestObject {
        TestObject { outside: self.0, namespace: Namespace::Keys }
    }

    fn account(&self, name: &str) -> TestObject {
        TestObject { outside: self.0, namespace: Namespace::Accounts(name.to_owned()) }
    }

    fn personal_token(&self, _: &str) -> TestObject {
        unreachable!("no page does that")
    }

    fn connected_accounts(&self, name: &str) -> TestObject {
        TestObject { outside: self.0, namespace: Namespace::Connected(name.to_owned()) }
    }

    fn registration(&self, _: &str) -> TestObject {
        unreachable!("no page does that")
    }
}

impl Fetch for Services {
    async fn fetch(&self, call: HttpRequest<'_>) -> Result<HttpResponse, FetchError> {
        if self.provider_is_down.get() {
            return Err(FetchError::Network("connection refused".to_owned()));
        }
        let coordinate = URL_SAFE_NO_PAD.encode([7; 48]);
        let (status, body) = match (call.url.strip_prefix(ISSUER), call.body) {
            (Some("/.well-known/openid-configuration"), _) => (200, self.discovery.borrow().clone()),
            (Some("/jwks"), _) => {
                let key = json!({"kty": "EC", "crv": "P-384", "kid": "k", "x": coordinate, "y": coordinate});
                (200, json!({ "keys": [key] }))
            }
            (Some("/token"), RequestContent::Form(form)) => {
                assert!(call.authorization.is_some_and(|it| it.starts_with("Basic ")), "a confidential client");
                self.redeemed.borrow_mut().push(form.to_owned());
                self.tokens.borrow().clone()
            }
            other => panic!("{:?}", other.0),
        };
        Ok(HttpResponse { status, challenge: String::new(), body: body.to_string() })
    }
}

impl Store for Services {
    async fn get(&self, _: &str) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    async fn put(&self, _: &str, _: &str, _: Duration) -> Result<(), StoreError> {
        Ok(())
    }
}

impl SignatureVerifier for Services {
    async fn verify(
        &self,
        _: &impl VerificationKey,
        _: Algorithm,
        _: &[u8],
        signature: &[u8],
    ) -> Result<bool, UnusableKey> {
        Ok(signature == SIGNATURE)
    }
}

impl Runtime for Services {
    fn sleep(&self, _: Duration) -> LocalBoxFuture<'static, ()> {
        ready(()).boxed_local()
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

impl FailureLimit for Services {
    async fn count_failure(&self, _: &str) -> bool {
        false
    }
}

impl Background for Services {
    fn spawn(&self, work: LocalBoxFuture<'static, ()>) -> LocalBoxFuture<'static, ()> {
        work.now_or_never();
        ready(()).boxed_local()
    }
}

impl OperatorLog for Services {
    fn info(&self, line: &str) {
        self.log.borrow_mut().push(line.to_owned());
    }

    fn error(&self, line: &str) {
        self.log.borrow_mut().push(line.to_owned());
    }
}
