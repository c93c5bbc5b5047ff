//! The vault: access keys, each of which is one Durable Object. It answers as `vault/src/key` does: what it hands out may be
//! used for 60 seconds (`HANDED_SECONDS`), it keeps an access token for 60 seconds before it has the provider issue another
//! (`KEPT_SECONDS`), and a revoked key is refused with the next question.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet},
    rc::Rc,
    time::Duration,
};

use mcp_edge_access_keys::{
    format,
    vault_call::{Answer, KeyToken, Refusal, Request},
};
use mcp_edge_runtime::{
    secret::Secret,
    service_call::{CallError, CallService},
};

use crate::{provider::Provider, time::Clock, tokens::ISSUER};

/// How long an endpoint may keep what it was answered, in seconds.
const HANDED_SECONDS: u64 = 60;

/// How long an object keeps an access token, in seconds.
const KEPT_SECONDS: u64 = 60;

/// A call to an object takes so long: most are in another location.
const LATENCY: Duration = Duration::from_millis(80);

/// A handle to the vault; clones are the same vault.
#[derive(Clone)]
pub struct Vault(Rc<State>);

struct State {
    clock: Clock,
    provider: Rc<Provider>,
    requests: Cell<u64>,
    refreshes: Cell<u64>,
    kept_until: RefCell<HashMap<String, u64>>,
    revoked: RefCell<HashSet<String>>,
}

/// The access key of this number.
#[must_use]
pub fn access_key(number: usize) -> String {
    let (id, secret) = (format::to_base62(number as u64, format::ID_LENGTH), "s".repeat(format::SECRET_LENGTH));
    format::write(format::DEFAULT_PREFIX, &id, &Secret::new(secret)).expose().to_owned()
}

impl Vault {
    /// Creates a vault that knows every key.
    #[must_use]
    pub fn new(clock: Clock, provider: Rc<Provider>) -> Self {
        Self(Rc::new(State {
            clock,
            provider,
            requests: Cell::default(),
            refreshes: Cell::default(),
            kept_until: RefCell::default(),
            revoked: RefCell::default(),
        }))
    }

    /// Revokes a key.
    pub fn revoke(&self, key: &str) {
        self.0.revoked.borrow_mut().insert(key.to_owned());
    }

    /// The requests that its objects received.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.0.requests.get()
    }

    /// How often the provider's token endpoint was asked for another access token.
    #[must_use]
    pub fn refreshes(&self) -> u64 {
        self.0.refreshes.get()
    }

    fn answer(&self, key: &str) -> Answer {
        let Ok(parts) = format::parse(key, format::DEFAULT_PREFIX) else {
            return Answer::Refused(Refusal::Malformed);
        };
        if self.0.revoked.borrow().contains(key) {
            return Answer::Refused(Refusal::Revoked);
        }
        let (subject, now) = (format!("owner-of-{}", parts.id), self.0.clock.now());
        let mut kept_until = self.0.kept_until.borrow_mut();
        let until = kept_until.entry(parts.id.to_owned()).or_default();
        if now >= *until {
            *until = now + KEPT_SECONDS;
            self.0.refreshes.set(self.0.refreshes.get() + 1);
        }
        Answer::Key(KeyToken {
            access_token: Secret::new(self.0.provider.signing_key().token(&subject, now)),
            id: parts.id.to_owned(),
            issuer: ISSUER.to_owned(),
            subject,
            scopes: "whoami:read".to_owned(),
            tools: None,
            until: now + HANDED_SECONDS,
        })
    }
}

impl CallService for Vault {
    async fn call(&self, message: String) -> Result<String, CallError> {
        self.0.requests.set(self.0.requests.get() + 1);
        self.0.clock.sleep(LATENCY / 2).await;
        let answer = match Request::from_json(&message) {
            Some(Request::UseKey { key }) => self.answer(key.expose()),
            _ => return Err(CallError::Rejected(400)),
        };
        self.0.clock.sleep(LATENCY / 2).await;
        Ok(answer.to_json())
    }
}
