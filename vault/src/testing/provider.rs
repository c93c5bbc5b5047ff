//! A provider that rotates refresh tokens, and ends a grant when one is used twice (RFC 9700 §4.14.2).

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::Duration,
};

use mcp_edge_runtime::{base64::URL_SAFE_NO_PAD, secret::Secret};
use serde_json::{Value, json};

use super::clock::Clock;
use crate::{
    personal_token::exchange::{Exchange, ExchangeError},
    provider::{Grants, RefreshError, Refreshed},
};

pub const ISSUER: &str = "https://tenant.example/oidc";
pub const RESOURCE: &str = "https://mcp.example.com/mcp";

/// Signs everything.
pub const SIGNATURE: [u8; 96] = [b'g'; 96];

/// An access token with these claims.
pub fn sign(claims: &Value) -> Secret {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({ "alg": "ES384", "typ": "at+jwt", "kid": "k" });
    Secret::new(format!("{}.{}.{}", encode(&header), encode(claims), URL_SAFE_NO_PAD.encode(SIGNATURE)))
}

/// Another issuer that is trusted.
pub const OTHER_ISSUER: &str = "https://partner.example";

/// What the providers publish at an address.
pub fn document(url: &str) -> Option<Value> {
    let coordinate = URL_SAFE_NO_PAD.encode([7; 48]);
    let key = json!({"kty": "EC", "crv": "P-384", "kid": "k", "x": coordinate, "y": coordinate});
    let issuer = [ISSUER, OTHER_ISSUER].into_iter().find(|issuer| url.starts_with(issuer))?;
    match &url[issuer.len()..] {
        "/.well-known/openid-configuration" => Some(json!({
            "issuer": issuer, "jwks_uri": format!("{issuer}/jwks"), "token_endpoint": format!("{issuer}/token"),
            "authorization_endpoint": format!("{issuer}/auth"),
        })),
        "/jwks" => Some(json!({ "keys": [key] })),
        _ => None,
    }
}

/// A refresh token at the provider.
#[derive(Clone)]
struct Issued {
    grant: String,
    is_used: bool,
}

/// The provider.
pub struct TestProvider {
    clock: Clock,
    issued: RefCell<BTreeMap<String, Issued>>,
    /// Grants that have ended, in that order.
    pub ended: RefCell<Vec<String>>,
    /// How many refreshes there were that it has dealt with.
    pub refreshes: Cell<usize>,
    pub revocations: Cell<usize>,
    in_flight: Cell<usize>,
    pub most_in_flight: Cell<usize>,
    /// How long a request takes to arrive, and an answer, in milliseconds.
    pub way_there: Cell<u64>,
    pub way_back: Cell<u64>,
    /// It answers nothing but this: an outage.
    pub fails_with: RefCell<Option<String>>,
    /// It does what it is asked for, and the answer is lost.
    pub loses_answers: Cell<bool>,
    pub rotates: Cell<bool>,
    /// Where it does not rotate refresh tokens it repeats the one that was sent, as Logto does.
    pub repeats: Cell<bool>,
    /// How long access tokens are good, in seconds.
    pub lifetime: Cell<u64>,
    /// Access tokens are no JWTs.
    pub is_opaque: Cell<bool>,
    /// What was asked for last.
    pub scopes: RefCell<String>,
    pub exchanges: Cell<usize>,
    pub knows_personal_token: Cell<bool>,
}

impl TestProvider {
    pub fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            issued: RefCell::default(),
            ended: RefCell::default(),
            refreshes: Cell::default(),
            revocations: Cell::default(),
            in_flight: Cell::default(),
            most_in_flight: Cell::default(),
            way_there: Cell::new(50),
            way_back: Cell::new(50),
            fails_with: RefCell::default(),
            loses_answers: Cell::default(),
            rotates: Cell::new(true),
            repeats: Cell::default(),
            lifetime: Cell::new(600),
            is_opaque: Cell::default(),
            scopes: RefCell::default(),
            exchanges: Cell::default(),
            knows_personal_token: Cell::new(true),
        }
    }

    /// A refresh token of a grant, as an authorization gives it.
    pub fn authorize(&self, grant: &str) -> String {
        let token = format!("refresh token {} of {grant}", self.issued.borrow().len());
        self.issued.borrow_mut().insert(token.clone(), Issued { grant: grant.to_owned(), is_used: false });
        token
    }

    /// Ends a grant: the user was suspended, for example.
    pub fn end(&self, grant: &str) {
        if !self.has_ended(grant) {
            self.ended.borrow_mut().push(grant.to_owned());
        }
    }

    pub fn has_ended(&self, grant: &str) -> bool {
        self.ended.borrow().iter().any(|ended| ended == grant)
    }

    async fn way(&self, milliseconds: u64) {
        self.clock.sleep(Duration::from_millis(milliseconds)).await;
    }

    fn access_token(&self, number: usize) -> Secret {
        if self.is_opaque.get() {
            return Secret::new(format!("opaque {number}"));
        }
        let claims = json!({
            "iss": ISSUER, "sub": "alice", "aud": RESOURCE, "client_id": "vault", "scope": "whoami:read notes:write",
            "iat": self.clock.now(), "exp": self.clock.now() + self.lifetime.get(), "jti": number.to_string(),
        });
        sign(&claims)
    }

    fn rotate(&self, refresh_token: &Secret) -> Result<Refreshed, RefreshError> {
        self.refreshes.set(self.refreshes.get() + 1);
        let found = self.issued.borrow().get(refresh_token.expose()).cloned();
        let Some(Issued { grant, is_used }) = found else { return Err(RefreshError::Ended) };
        if is_used {
            self.end(&grant);
        }
        if self.has_ended(&grant) {
            return Err(RefreshError::Ended);
        }
        if self.repeats.get() && !self.rotates.get() {
            let refresh_token = Some(refresh_token.clone());
            return Ok(Refreshed { access_token: self.access_token(self.refreshes.get()), refresh_token });
        }
        let refresh_token = self.rotates.get().then(|| {
            self.issued.borrow_mut().get_mut(refresh_token.expose()).unwrap().is_used = true;
            Secret::new(self.authorize(&grant))
        });
        Ok(Refreshed { access_token: self.access_token(self.refreshes.get()), refresh_token })
    }

    fn outage(&self) -> Option<String> {
        self.fails_with.borrow().clone()
    }
}

impl Grants for TestProvider {
    async fn refresh(&self, refresh_token: &Secret, scopes: &str, _: u64) -> Result<Refreshed, RefreshError> {
        struct InFlight<'a>(&'a Cell<usize>);
        impl Drop for InFlight<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }
        self.in_flight.set(self.in_flight.get() + 1);
        self.most_in_flight.set(self.most_in_flight.get().max(self.in_flight.get()));
        let _in_flight = InFlight(&self.in_flight);
        scopes.clone_into(&mut self.scopes.borrow_mut());
        self.way(self.way_there.get()).await;
        if let Some(cause) = self.outage() {
            return Err(RefreshError::Unavailable(cause));
        }
        let refreshed = self.rotate(refresh_token);
        self.way(self.way_back.get()).await;
        if self.loses_answers.get() {
            return Err(RefreshError::Unavailable("connection lost".to_owned()));
        }
        refreshed
    }

    async fn revoke(&self, refresh_token: &Secret, _: u64) -> Result<(), String> {
        self.way(self.way_there.get()).await;
        if let Some(cause) = self.outage() {
            return Err(cause);
        }
        self.revocations.set(self.revocations.get() + 1);
        let found = self.issued.borrow().get(refresh_token.expose()).cloned();
        if let Some(Issued { grant, .. }) = found {
            self.end(&grant);
        }
        self.way(self.way_back.get()).await;
        Ok(())
    }
}

impl Exchange for TestProvider {
    async fn exchange(&self, _: &Secret, _: u64) -> Result<Secret, ExchangeError> {
        self.way(self.way_there.get()).await;
        if let Some(cause) = self.outage() {
            return Err(ExchangeError::Unavailable(cause));
        }
        self.exchanges.set(self.exchanges.get() + 1);
        self.way(self.way_back.get()).await;
        if self.knows_personal_token.get() {
            Ok(self.access_token(self.exchanges.get()))
        } else {
            Err(ExchangeError::Refused)
        }
    }
}
