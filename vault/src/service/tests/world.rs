//! Servers of others, answered from a table, and the objects of registrations in the same process.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

use futures_util::future::{FutureExt, LocalBoxFuture};
use mcp_edge_runtime::{
    base64::URL_SAFE_NO_PAD,
    crypto::{Algorithm, VerificationKey},
    ports::{
        Background, FailureLimit, Fetch, FetchError, HttpRequest, HttpResponse, OperatorLog, Runtime,
        SignatureVerifier, Store, StoreError, UnusableKey,
    },
    secret::Secret,
    service_call::{CallError, CallService},
    uri,
};
use mcp_edge_sign_in::authorization::{Code, RoundTrip};
use serde_json::{Value, json};

use crate::{
    connection::settings::{Connection, Kind, Place, RegisteredClient, Service},
    secrets::connections::ConnectionSecrets,
    service::{
        AuthorizationServers, Issued, Narrowing, Provenance, Redemption, ServiceError, ServiceTokens,
        account::ServiceAccount,
        clients::ServiceClients,
        of_connection::Own,
        registration::{client::Registrations, object::RegistrationObject},
    },
    testing::{clock::Clock, sqlite::Storage},
};

pub const ISSUER: &str = "https://login.service.example/tenant";
pub const RESOURCE: &str = "https://api.service.example/mcp";
pub const ORIGIN: &str = "https://mcp.example.com";

/// A signature that counts as good.
pub const SIGNATURE: [u8; 96] = [b'g'; 96];

/// A request that was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub url: String,
    pub authorization: Option<String>,
    pub body: String,
}

type Answer = Result<HttpResponse, FetchError>;

/// Everything outside. Copies are the same world.
#[derive(Clone)]
pub struct World(Rc<Parts>);

pub struct Parts {
    pub clock: Clock,
    /// What is answered at each URL: each answer once, the last one again and again.
    answers: RefCell<BTreeMap<String, Vec<Answer>>>,
    pub sent: RefCell<Vec<Sent>>,
    /// How long an answer takes, in milliseconds.
    pub delay: Cell<u64>,
    pub storage: RefCell<BTreeMap<String, Rc<Storage>>>,
    pub secrets: RefCell<ConnectionSecrets>,
    /// Where tokens are from that are used: where the connection leads, unless a test says otherwise.
    pub from: RefCell<Provenance>,
    /// The refresh token beside an access token that was refused last.
    pub kept: RefCell<Option<Secret>>,
    random: Cell<u8>,
}

impl std::ops::Deref for World {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

#[allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "answers are written where they are served"
)]
pub fn response(status: u16, body: impl ToString) -> Answer {
    Ok(HttpResponse { status, challenge: String::new(), body: body.to_string() })
}

/// The metadata of [`ISSUER`].
pub fn metadata() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://login.service.example/authorize",
        "token_endpoint": "https://login.service.example/token",
        "revocation_endpoint": "https://login.service.example/revoke",
        "registration_endpoint": "https://login.service.example/register",
        "userinfo_endpoint": "https://login.service.example/userinfo",
        "jwks_uri": "https://login.service.example/jwks",
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "authorization_response_iss_parameter_supported": true,
    })
}

pub const METADATA_URL: &str = "https://login.service.example/.well-known/oauth-authorization-server/tenant";

/// A connection to a service of [`ISSUER`] with a client of the settings.
pub fn connection(change: impl FnOnce(&mut Connection, &mut Service)) -> Connection {
    let mut service = Service {
        place: Place::Issuer(ISSUER.to_owned()),
        resource: None,
        client: Some(RegisteredClient { client_id: "us".to_owned(), client_secret: Some(Secret::new("hush")) }),
        hosts: Vec::new(),
        parameters: Vec::new(),
        account: None,
    };
    let mut connection = Connection {
        name: "notes".to_owned(),
        title: "Notes".to_owned(),
        url: "https://api.service.example".to_owned(),
        scopes: words("read write"),
        scope_descriptions: Vec::new(),
        kind: Kind::Static(Secret::new("")),
    };
    change(&mut connection, &mut service);
    connection.kind = Kind::Connect(Box::new(service));
    connection
}

pub fn words(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

impl World {
    /// A world in which [`ISSUER`] publishes its metadata, and everything else is 404.
    pub fn new() -> Self {
        let world = Self(Rc::new(Parts {
            clock: Clock::default(),
            answers: RefCell::default(),
            sent: RefCell::default(),
            delay: Cell::new(10),
            storage: RefCell::default(),
            secrets: RefCell::new(ConnectionSecrets::new(&Secret::new("a secret of more than 32 characters"), None)),
            from: RefCell::default(),
            kept: RefCell::default(),
            random: Cell::new(0),
        }));
        world.serve(METADATA_URL, response(200, metadata()));
        world.serve(
            "https://login.service.example/jwks",
            response(
                200,
                json!({"keys": [
                {"kty": "EC", "crv": "P-384", "kid": "k", "x": coordinate(), "y": coordinate()}]}),
            ),
        );
        world
    }

    /// Publishes other metadata.
    pub fn publish(&self, change: impl FnOnce(&mut Value)) {
        let mut document = metadata();
        change(&mut document);
        self.serve(METADATA_URL, response(200, document));
    }

    pub fn serve(&self, url: &str, answer: Answer) {
        self.serve_each(url, vec![answer]);
    }

    /// Answers one after the other.
    pub fn serve_each(&self, url: &str, answers: Vec<Answer>) {
        self.answers.borrow_mut().insert(url.to_owned(), answers);
    }

    /// What the token endpoint answers.
    pub fn issue(&self, status: u16, body: impl ToString) {
        self.serve("https://login.service.example/token", response(status, body));
    }

    /// What was sent there.
    pub fn sent_to(&self, url: &str) -> Vec<Sent> {
        self.sent.borrow().iter().filter(|sent| sent.url == url).cloned().collect()
    }

    pub fn sent_tokens(&self) -> Vec<Sent> {
        self.sent_to("https://login.service.example/token")
    }

    pub fn clients(&self, connection: &Connection) -> ServiceClients<Self, Self> {
        self.clients_at(connection, ORIGIN)
    }

    pub fn clients_at(&self, connection: &Connection, origin: &str) -> ServiceClients<Self, Self> {
        let Kind::Connect(service) = &connection.kind else { unreachable!("of the kind connect") };
        let issuer = match &service.place {
            Place::Resource => ISSUER,
            Place::Issuer(issuer) => issuer,
            Place::Endpoints { token, .. } => uri::origin(token).expect("a URL"),
        };
        let service = uri::origin(&connection.url).expect("a URL").to_owned();
        *self.from.borrow_mut() = Provenance { issuer: issuer.to_owned(), service };
        let own = Own { origin: origin.to_owned(), name: "Our server".to_owned(), resource: [origin, "/mcp"].concat() };
        ServiceClients::new([connection], own, self.clone(), self.clone())
    }

    pub fn begin(&self, clients: &ServiceClients<Self, Self>) -> Result<crate::service::Begun, ServiceError> {
        self.clock.run(clients.begin("notes", &words("read"), self.clock.now()))
    }

    pub fn redeem(
        &self,
        clients: &ServiceClients<Self, Self>,
        client_id: &str,
        scopes: &str,
    ) -> Result<ServiceTokens, ServiceError> {
        let (code, round_trip, scopes) = (Code(Secret::new("c0de")), round_trip(), words(scopes));
        let from = &*self.from.borrow();
        let redemption =
            Redemption { connection: "notes", client_id, from, code: &code, round_trip: &round_trip, scopes: &scopes };
        self.clock.run(clients.redeem(redemption, self.clock.now()))
    }

    pub fn refresh(
        &self,
        clients: &ServiceClients<Self, Self>,
        client_id: &str,
        scopes: &str,
    ) -> Result<ServiceTokens, ServiceError> {
        self.refresh_narrowed(clients, client_id, Narrowing { granted: scopes, wanted: scopes })
    }

    pub fn refresh_narrowed(
        &self,
        clients: &ServiceClients<Self, Self>,
        client_id: &str,
        scopes: Narrowing<'_>,
    ) -> Result<ServiceTokens, ServiceError> {
        let (token, from) = (Secret::new("r3fresh"), &*self.from.borrow());
        let issued = Issued { connection: "notes", client_id, from };
        self.clock.run(clients.refresh(issued, &token, scopes, self.clock.now())).map_err(|refused| {
            *self.kept.borrow_mut() = refused.refresh_token;
            refused.error
        })
    }

    pub fn revoke(&self, clients: &ServiceClients<Self, Self>, client_id: &str) -> Result<bool, ServiceError> {
        let (token, from) = (Secret::new("r3fresh"), &*self.from.borrow());
        let issued = Issued { connection: "notes", client_id, from };
        self.clock.run(clients.revoke(issued, &token, self.clock.now()))
    }

    pub fn account(
        &self,
        clients: &ServiceClients<Self, Self>,
        tokens: &ServiceTokens,
    ) -> Result<ServiceAccount, ServiceError> {
        self.clock.run(clients.account("notes", tokens, self.clock.now()))
    }
}

pub fn round_trip() -> RoundTrip {
    RoundTrip { state: "state".into(), verifier: "verifier".into(), nonce: "nonce".into(), requires_iss: true }
}

fn coordinate() -> String {
    URL_SAFE_NO_PAD.encode([7; 48])
}

/// A JWT with a signature that counts as good.
pub fn jwt(claims: &Value) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let header = part(r#"{"alg":"ES384","kid":"k"}"#);
    [header, part(&claims.to_string()), URL_SAFE_NO_PAD.encode(SIGNATURE)].join(".")
}

impl Fetch for World {
    async fn fetch(&self, request: HttpRequest<'_>) -> Answer {
        assert!(request.max_body <= 512 * 1024 && request.timeout <= Duration::from_secs(5), "{}", request.url);
        let body = request.body.media_type_and_text().map_or("", |(_, text)| text);
        self.sent.borrow_mut().push(Sent {
            url: request.url.to_owned(),
            authorization: request.authorization.map(str::to_owned),
            body: body.to_owned(),
        });
        self.sleep(Duration::from_millis(self.delay.get())).await;
        let mut answers = self.answers.borrow_mut();
        match answers.get_mut(request.url) {
            None => response(404, "Not found"),
            Some(list) if list.len() > 1 => list.remove(0),
            Some(list) => list[0].clone(),
        }
    }
}

/// The object of a connection's registration.
pub struct Object {
    world: World,
    storage: Rc<Storage>,
}

impl CallService for Object {
    async fn call(&self, message: String) -> Result<String, CallError> {
        let (world, secrets) = (&self.world, self.world.secrets.borrow().clone());
        let object = RegistrationObject::new(&*self.storage, &secrets, world);
        object.answer(&message, &|| world.clock.now()).await.map_err(|_| CallError::Failed(500))
    }
}

/// Not a platform, and all that registrations need of one.
impl Registrations for World {
    type Object = Object;

    fn registration(&self, connection: &str) -> Object {
        let storage = Rc::clone(self.storage.borrow_mut().entry(connection.to_owned()).or_default());
        Object { world: self.clone(), storage }
    }
}

impl Runtime for World {
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        self.clock.sleep(duration)
    }

    fn random(&self, buffer: &mut [u8]) {
        self.random.set(self.random.get().wrapping_add(1));
        buffer.fill(self.random.get());
    }
}

impl Store for World {
    async fn get(&self, _: &str) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    async fn put(&self, key: &str, value: &str, _: Duration) -> Result<(), StoreError> {
        assert!(key.starts_with("provider:https://login.service.example/tenant#"), "{key}");
        assert!(!value.contains("t0ken") && !value.contains("hush"));
        Ok(())
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
        Ok(signature == SIGNATURE)
    }
}

impl OperatorLog for World {
    fn info(&self, _: &str) {}

    fn error(&self, _: &str) {}
}

impl Background for World {
    fn spawn(&self, work: LocalBoxFuture<'static, ()>) -> LocalBoxFuture<'static, ()> {
        // Runs with the request that waits for it, or with the clock.
        let work = work.shared();
        self.clock.spawn(work.clone().boxed_local());
        work.boxed_local()
    }
}

impl FailureLimit for World {
    async fn count_failure(&self, _: &str) -> bool {
        false
    }
}
