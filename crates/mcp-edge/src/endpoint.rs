//! A request's way through the server, top to bottom: route, origin, authentication, protocol, answer.
//!
//! This is where the two halves meet: [`ResourceServer`] finds out who is calling, [`mcp::Server`] answers them, and
//! neither knows the other. A refusal of either leaves through the same door, [`ChallengeContext::response`].

use std::{cell::OnceCell, rc::Rc};

use crate::{
    cors::{self, Origin},
    documents::{
        Documents, Entry,
        document::{Document, Readers},
    },
    health,
    http::{BodyError, HeaderNames, RequestBody, RequestHead, Response},
    log::AccessLog,
    mcp::{self, AccessNeeded, Caller, StateKey},
    network::network_of,
    oauth::{
        access::identity::Kind,
        challenge::ChallengeContext,
        denial::{Denial, Reason},
        mirror::Mirror,
        protected_resource::advertisable,
        resource_server::{ResourceServer, Trail},
    },
    page::{Page, Part},
    ports::{FailureLimit, Ports, Runtime, Sender},
    settings::Settings,
};

/// Rate-limited callers are asked to wait as long as the shorter of Cloudflare's two counting periods.
const RATE_LIMIT_SECONDS: u64 = 10;

/// Everything about this deployment, made once per isolate. `E` is what tools get from their surroundings.
pub struct Endpoint<E> {
    settings: Settings,
    resource_server: ResourceServer,
    server: mcp::Server<E>,
    challenge: ChallengeContext,
    documents: Documents,
    /// Made for the first visitor: most isolates see none.
    page: OnceCell<Page>,
    state_key: Option<StateKey>,
}

/// What belongs to one request beside its head and body.
pub struct Exchange<E, P, S> {
    /// For tools.
    pub env: E,
    /// For verification. Knows nothing of this request.
    pub ports: P,
    /// For limits on failed authentications.
    pub sender: S,
    /// For streams and sealed state.
    pub runtime: Rc<dyn Runtime>,
    /// Seconds since 1970, when the request arrived.
    pub now: u64,
    /// Takes what went wrong inside, for the operator.
    pub report: Rc<dyn Fn(&str)>,
}

/// Which part of the server a path belongs to.
#[derive(Debug, Clone, Copy)]
enum Route<'a> {
    Mcp,
    Document(&'a Entry),
    Mirror(&'a Mirror),
    Health,
    Page(Part),
    RetiredTransport,
    Elsewhere,
}

impl Route<'_> {
    const fn name(self) -> &'static str {
        match self {
            Self::Mcp => "mcp",
            Self::Document(entry) => entry.route,
            Self::Mirror(_) => "mirror",
            Self::Health => "health",
            Self::Page(_) => "page",
            Self::RetiredTransport => "retired_transport",
            Self::Elsewhere => "elsewhere",
        }
    }
}

impl<E: Clone + 'static> Endpoint<E> {
    /// Puts settings and tools together.
    #[must_use]
    pub fn new(settings: Settings, server: mcp::Server<E>) -> Self {
        let required = &settings.trust.required_scopes;
        let advertised = required.union(&server.scopes());
        let documents = Documents::new(&settings, &advertised, server.info());
        // A client asks for exactly what a challenge names; without a basic set, everything that any tool needs.
        let basic = if required.is_empty() { &advertised } else { required };
        let challenge = ChallengeContext {
            resource_metadata: settings.resource.metadata_url(),
            basic_scopes: advertisable(basic).collect(),
        };
        let resource_server = ResourceServer::new(settings.trust.clone());
        let state_key = settings.state_secret.as_ref();
        let state_key = state_key.map(|secret| StateKey::derive(secret.expose().as_bytes(), &settings.resource.url));
        Self { settings, resource_server, server, challenge, documents, page: OnceCell::new(), state_key }
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The verifier, for its state.
    #[must_use]
    pub fn resource_server(&self) -> &ResourceServer {
        &self.resource_server
    }

    /// The request headers that are looked at.
    #[must_use]
    pub fn header_names(&self) -> HeaderNames {
        HeaderNames {
            always: vec!["origin".to_owned()],
            of_messages: self.server.header_names().map(str::to_owned).collect(),
            of_others: ["access-control-request-headers", "if-none-match"].map(str::to_owned).to_vec(),
        }
    }

    /// Answers a request and fills in its line of the log.
    pub async fn handle(
        &self,
        head: &RequestHead<'_>,
        body: impl RequestBody,
        exchange: Exchange<E, impl Ports, impl Sender>,
        log: &mut AccessLog,
    ) -> Response {
        let route = self.route(head.path());
        log.route = route.name();
        let response = match route {
            Route::Mcp => self.mcp(head, body, exchange, log).await,
            Route::Document(entry) => entry.document.respond(head),
            Route::Mirror(mirror) => self.mirror(mirror, head, exchange.now, &exchange.ports, log).await,
            Route::Health => self.health(head, exchange.now, &exchange.ports, log).await,
            Route::Page(part) => {
                self.page.get_or_init(|| Page::new(&self.settings, &self.server)).document(part).respond(head)
            }
            Route::RetiredTransport => self.retired_transport(),
            Route::Elsewhere => self.elsewhere(),
        };
        log.note_status(response.status);
        response
    }

    /// The MCP endpoint is looked at first: it is what nearly every request is for, and wherever the operator put it,
    /// no document stands in its way.
    fn route(&self, path: &str) -> Route<'_> {
        if path == self.settings.resource.path {
            return Route::Mcp;
        }
        if let Some(entry) = self.documents.find(path) {
            return Route::Document(entry);
        }
        match (path, &self.settings.mirror) {
            (health::PATH, _) => Route::Health,
            ("/sse" | "/sse/" | "/messages" | "/messages/", _) => Route::RetiredTransport,
            (_, Some(mirror)) if Mirror::is_at(path, &self.settings.resource.path) => Route::Mirror(mirror),
            _ => Part::at(path, &self.settings).map_or(Route::Elsewhere, Route::Page),
        }
    }

    /// The MCP endpoint: origin first, then (but for preflights) authentication, then everything else.
    async fn mcp(
        &self,
        head: &RequestHead<'_>,
        body: impl RequestBody,
        exchange: Exchange<E, impl Ports, impl Sender>,
        log: &mut AccessLog,
    ) -> Response {
        let origin = cors::origin_of(head, &self.settings.resource, &self.settings.origins);
        let outcome = match origin {
            Origin::NotAllowed => Err(Reason::OriginNotAllowed.into()),
            _ if head.method() == "OPTIONS" => return cors::preflight(head, origin),
            _ => self.authenticated(head, body, exchange, log).await,
        };
        let mut response = outcome.unwrap_or_else(|denial| {
            log.note_denial(&denial);
            self.challenge.response(&denial)
        });
        if response.header("cache-control").is_none() {
            // Every answer depends on the token.
            response = response.with_header("cache-control", "no-store");
        }
        cors::readable(response, origin)
    }

    async fn authenticated(
        &self,
        head: &RequestHead<'_>,
        body: impl RequestBody,
        exchange: Exchange<E, impl Ports, impl Sender>,
        log: &mut AccessLog,
    ) -> Result<Response, Denial> {
        let Exchange { env, ports, sender, runtime, now, report } = exchange;
        let mut trail = Trail::default();
        let authentication = self.resource_server.authenticate(head, now, &ports, &mut trail).await;
        log.note_trail(trail, self.settings.log_subject);
        self.note_failures(log);
        let identity = match authentication {
            Ok(identity) => identity,
            Err(denial) => return Err(limit_failures(denial, &sender, &ports).await),
        };

        if let Err(response) = self.server.admit(head) {
            return Ok(response);
        }
        let body = match body.text(self.server.limits().body_bytes).await {
            Ok(body) => body,
            Err(BodyError::TooLarge) => return Ok(mcp::Server::<E>::body_too_large()),
            Err(BodyError::Broken) => return Ok(Response::empty(400)),
        };
        let kind = identity.kind;
        let mut caller = Caller::new(identity, env, now, log.request_id.clone(), runtime);
        caller.state_key.clone_from(&self.state_key);
        caller.report = report;
        let handling = self.server.handle(head, &body, caller);
        // A handler may wait long, and the body may be large.
        drop(body);
        let handled = handling.await;
        log.note_summary(&handled.summary);
        handled.response.map_err(|needed| self.denial_for(needed, kind))
    }

    /// The discovery document of the first issuer, the only one that tokens of clients without metadata can come from.
    async fn mirror(
        &self,
        mirror: &Mirror,
        head: &RequestHead<'_>,
        now: u64,
        ports: &impl Ports,
        log: &mut AccessLog,
    ) -> Response {
        if let Some(response) = Readers::AnyPage.answer_unless_read(head) {
            return response;
        }
        let provider = match self.resource_server.keys().first() {
            Some(keys) => keys.whole_document(now, ports).await,
            None => Err(Reason::Misconfigured.into()),
        };
        self.note_failures(log);
        match provider {
            Ok(provider) => Document::for_machines("application/json", mirror.document(&provider)).respond(head),
            Err(denial) => {
                log.note_denial(&denial);
                cors::public(self.challenge.response(&denial))
            }
        }
    }

    async fn health(&self, head: &RequestHead<'_>, now: u64, ports: &impl Ports, log: &mut AccessLog) -> Response {
        let (response, denial) = health::respond(head, self.resource_server.keys(), now, ports).await;
        self.note_failures(log);
        if let Some(denial) = denial {
            log.note_denial(&denial);
        }
        response
    }

    /// What does not work stands in the log also of requests that did not suffer from it.
    fn note_failures(&self, log: &mut AccessLog) {
        let keys = self.resource_server.keys();
        log.note_failures(
            keys.iter().find_map(|keys| keys.provider_failure()),
            keys.iter().find_map(|keys| keys.store_failure()),
        );
    }

    /// What a refusal by the protocol layer is called by the resource server. The challenge names everything that the
    /// call needs, what every request needs included: a client asks for exactly that.
    fn denial_for(&self, needed: AccessNeeded, kind: Kind) -> Denial {
        match needed {
            AccessNeeded::Scopes(scopes) => {
                Denial::insufficient_scope(scopes.union(&self.settings.trust.required_scopes))
            }
            AccessNeeded::User => Denial::user_required(kind),
            AccessNeeded::FirstParty => Reason::FirstPartyOnly.into(),
        }
    }

    /// The transport of 2024-11-05 kept a session whose messages came by another request; whoever could post to it
    /// spoke with the identity of whoever had opened it. It is not offered.
    fn retired_transport(&self) -> Response {
        let url = &self.settings.resource.url;
        let body = serde_json::json!({
            "error": "gone",
            "error_description": format!("The HTTP+SSE transport is not offered. Use Streamable HTTP at {url}"),
            "endpoint": url,
        });
        cors::public(Response::json(410, body.to_string()))
    }

    fn elsewhere(&self) -> Response {
        let body = serde_json::json!({
            "error": "not_found",
            "error_description": format!("There is nothing here. The MCP endpoint is {}", self.settings.resource.url),
        });
        cors::public(Response::json(404, body.to_string()))
    }
}

/// Turns the refusal of a bad token into "too many" if its sender has failed too often. A request without a token is
/// how every client begins, an expired token how it goes on, and an outage is nobody's failure: none of these counts.
async fn limit_failures(denial: Denial, sender: &impl Sender, ports: &impl FailureLimit) -> Denial {
    // What honest clients send until they have signed in again is nobody's failure.
    let is_outdated = matches!(denial.reason, Reason::Expired | Reason::IssuedBeforeCutoff | Reason::KeyDenied);
    let counts = !is_outdated && denial.reason.face().error == Some("invalid_token");
    let address = if counts { sender.address() } else { None };
    match address {
        Some(address) if ports.count_failure(&network_of(&address)).await => {
            Denial::unavailable(Reason::RateLimited, RATE_LIMIT_SECONDS, format!("after {}", denial.reason.slug()))
        }
        _ => denial,
    }
}
