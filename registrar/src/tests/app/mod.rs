//! The whole registrar natively: requests and scheduled runs, with a tenant of Logto's in memory.

mod endpoint;
mod pages;
mod portal;
mod scheduled;
mod sign_in;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

use futures_util::future::{FutureExt, LocalBoxFuture, ready};
use mcp_edge_runtime::{
    app::{self, App},
    base64::URL_SAFE_NO_PAD,
    context::{Connection, RequestContext},
    crypto::{Algorithm, VerificationKey},
    http::RequestHead,
    ports::{
        Background, FailureLimit, Fetch, FetchError, HttpRequest, HttpResponse, OperatorLog, RequestContent, Runtime,
        SignatureVerifier, Store, StoreError, UnusableKey,
    },
};
use serde_json::{Value, json};

use crate::{
    ledger::{
        client::ObjectLedger,
        remembering::{Refusals, Remembering},
    },
    platform::Platform,
    policy::Mode,
    provider::logto,
    registrar::Registrar,
    settings,
    testing::{TestStore, World, block_on},
};

const ISSUER: &str = "https://tenant.example/oidc";
const HOST: &str = "https://apps.example.com";
const RESOURCE: &str = "https://apps.example.com/register";
const TOKEN_ENDPOINT: &str = "https://tenant.example/oidc/token";

/// Signs everything, see [`SignatureVerifier`] below.
const SIGNATURE: [u8; 96] = [b'g'; 96];

/// Everything outside. Lives as long as the program, as an isolate's services do.
struct Outside {
    world: &'static World,
    tenant: logto::tests::World,
    discovery: RefCell<Value>,
    /// What the token endpoint answers to a code.
    tokens: RefCell<(u16, Value)>,
    /// The requests of the portal to the token endpoint.
    redeemed: RefCell<Vec<String>>,
    keys: RefCell<BTreeMap<String, String>>,
    is_down: Cell<bool>,
}

type Services = &'static Outside;

impl Fetch for Services {
    async fn fetch(&self, call: HttpRequest<'_>) -> Result<HttpResponse, FetchError> {
        if self.is_down.get() {
            return Err(FetchError::Network("connection refused".to_owned()));
        }
        let coordinate = URL_SAFE_NO_PAD.encode([7; 48]);
        let (status, body) = match (call.url.strip_prefix(ISSUER), call.body) {
            (Some("/.well-known/openid-configuration"), _) => (200, self.discovery.borrow().clone()),
            (Some("/jwks"), _) => {
                let key = json!({"kty": "EC", "crv": "P-384", "kid": "k", "x": coordinate, "y": coordinate});
                (200, json!({ "keys": [key] }))
            }
            (Some("/token"), RequestContent::Form(form)) if form.starts_with("grant_type=authorization_code") => {
                assert!(call.authorization.is_some_and(|it| it.starts_with("Basic ")), "a confidential client");
                self.redeemed.borrow_mut().push(form.to_owned());
                self.tokens.borrow().clone()
            }
            _ => return self.tenant.fetch(call).await,
        };
        let body = body.to_string();
        if body.len() > call.max_body {
            return Err(FetchError::TooLarge(call.max_body));
        }
        Ok(HttpResponse { status, challenge: String::new(), body })
    }
}

impl Store for Services {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(self.keys.borrow().get(key).cloned())
    }

    async fn put(&self, key: &str, value: &str, _: Duration) -> Result<(), StoreError> {
        self.keys.borrow_mut().insert(key.to_owned(), value.to_owned());
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
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        self.world.sleep(duration)
    }

    fn random(&self, buffer: &mut [u8]) {
        self.world.random(buffer);
    }
}

impl FailureLimit for Services {
    async fn count_failure(&self, _: &str) -> bool {
        false
    }
}

impl Background for Services {
    /// At once, regardless of who waits for it.
    fn spawn(&self, work: LocalBoxFuture<'static, ()>) -> LocalBoxFuture<'static, ()> {
        block_on(work);
        ready(()).boxed_local()
    }
}

impl OperatorLog for Services {
    fn info(&self, line: &str) {
        self.world.info(line);
    }

    fn error(&self, line: &str) {
        self.world.error(line);
    }
}

/// The platform of one isolate.
struct TestPlatform {
    services: Services,
    store: &'static TestStore,
    ledger: <Self as Platform>::Ledger,
}

impl Platform for TestPlatform {
    type Store = &'static TestStore;
    type Ledger = Remembering<ObjectLedger<&'static World, &'static TestStore, &'static World>, Refusals>;
    type Services = Services;

    fn store(&self) -> &Self::Store {
        &self.store
    }

    fn ledger(&self) -> &Self::Ledger {
        &self.ledger
    }

    fn services(&self) -> &Self::Services {
        &self.services
    }
}

struct Address;

impl Connection for Address {
    fn address(&self) -> Option<String> {
        Some("192.0.2.1".to_owned())
    }
}

/// A deployment with its surroundings.
struct Deployed {
    registrar: Registrar<TestPlatform>,
    outside: Services,
}

/// Deploys with changes to the settings.
fn deploy(changes: &[(&str, &str)]) -> Deployed {
    let world: &'static World = Box::leak(Box::new(World::new(Mode::Developers)));
    let discovery = json!({
        "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/jwks"), "token_endpoint": TOKEN_ENDPOINT,
        "authorization_endpoint": format!("{ISSUER}/auth"), "end_session_endpoint": format!("{ISSUER}/session/end"),
        "introspection_endpoint": format!("{ISSUER}/introspection"), "userinfo_endpoint": format!("{ISSUER}/me"),
    });
    let outside = Box::leak(Box::new(Outside {
        world,
        tenant: logto::tests::World::default(),
        discovery: RefCell::new(discovery),
        tokens: RefCell::new((400, json!({ "error": "invalid_grant" }))),
        redeemed: RefCell::default(),
        keys: RefCell::default(),
        is_down: Cell::new(false),
    }));
    let registrar = isolate(outside, changes);
    Deployed { registrar, outside }
}

/// An isolate of the deployment.
fn isolate(outside: Services, changes: &[(&str, &str)]) -> Registrar<TestPlatform> {
    let world = outside.world;
    let settings = settings::tests::parse(changes).unwrap_or_else(|errors| panic!("{errors}"));
    let ledger = Remembering::new(ObjectLedger::new(world, &world.store, world), Refusals::default());
    Registrar::new(settings, TestPlatform { services: outside, store: &world.store, ledger })
}

/// An access token of the provider's with changed claims.
fn access_token(now: u64, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = json!({
        "iss": ISSUER, "aud": RESOURCE, "sub": "alice", "client_id": "portal", "scope": "apps:write",
        "iat": now, "exp": now + 3600,
    });
    change(&mut claims);
    let header = json!({"alg": "ES384", "typ": "at+jwt", "kid": "k"});
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", encode(&header), encode(&claims), URL_SAFE_NO_PAD.encode(SIGNATURE))
}

impl Deployed {
    fn now(&self) -> u64 {
        self.outside.world.now.get()
    }

    /// Sends a request.
    fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> app::Handled {
        let head =
            headers.iter().fold(RequestHead::new(method, target), |head, (name, value)| head.with_header(name, value));
        let context = RequestContext { request_id: String::new(), now: self.now(), connection: Rc::new(Address) };
        let handled = block_on(self.registrar.handle(&head, body, &context));
        assert_eq!(handled.response.unsendable_header(), None, "{method} {target}");
        handled
    }

    /// Sends JSON with a token, and reads JSON.
    fn call(&self, method: &str, target: &str, token: &str, body: &Value) -> (u16, Value) {
        let authorization = format!("Bearer {token}");
        let mut headers = vec![("content-type", "application/json")];
        if !token.is_empty() {
            headers.push(("authorization", &authorization));
        }
        let response = self.send(method, target, &headers, &body.to_string()).response;
        (response.status, serde_json::from_str(response.text()).unwrap_or_default())
    }
}
