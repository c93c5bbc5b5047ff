//! The endpoint: route, origin, authentication, protocol, response.
//!
//! It joins [`ResourceServer`], which authenticates the caller, and [`Server`], which handles the message; neither knows the
//! other. A refusal of either becomes a response in one place, [`ChallengeContext::response`].

#[cfg(feature = "access-keys")]
mod access_keys;
#[cfg_attr(not(feature = "connections"), path = "endpoint/without_connections.rs")]
mod connections;
mod elsewhere;
mod refusal;
mod route;
mod step_up;
#[cfg(feature = "connections")]
mod with_connections;

use std::{cell::OnceCell, rc::Rc};

use mcp_edge_gateway::{
    credentials::signing_key::JWKS_PATH,
    gateway::{self, PassOn},
    results::Unapproved,
    settings::GatewaySettings,
    upstream::Caller,
};
use mcp_edge_identity::Identity;
use mcp_edge_oauth::{
    challenge::ChallengeContext,
    denial::{Denial, Excerpt},
    mirror::Mirror,
    protected_resource::advertisable,
    resource_server::{Authentication, ResourceServer},
};
#[cfg(feature = "access-keys")]
use mcp_edge_runtime::proxy::Proxy;
use mcp_edge_runtime::{
    app::{App, Handled},
    client_network::client_network,
    context::RequestContext,
    cors::{self, AllowedHeaders, Origin},
    http::{HeaderNames, RequestBody, RequestHead, Response},
    json::Object,
    log::{LogRecord, LogSettings, cut},
    ports::Services,
};
use mcp_edge_server::{BODY_BYTES, Server, ServerServices, StateKey, unreadable_body};

use crate::{
    documents::{
        Documents,
        document::{Document, Readers},
    },
    endpoint::{connections::CallerConnections, route::Route, step_up::StepUpAnswer},
    health,
    page::{Page, Part},
    settings::Settings,
};

/// Allowed in addition to the headers that CORS always allows. `Mcp-Param-*` cannot be listed, so those that a preflight
/// requests are reflected.
const ALLOWED_HEADERS: AllowedHeaders = AllowedHeaders {
    names: "authorization, content-type, accept, mcp-protocol-version, mcp-method, mcp-name, mcp-session-id, \
            last-event-id, traceparent, tracestate",
    reflected_prefix: "mcp-param-",
};

/// So that a page can follow a challenge and retry in time; and, behind a gateway, keep its session.
const EXPOSED_HEADERS: &str = "WWW-Authenticate, Retry-After";
const EXPOSED_BY_GATEWAYS: &str = "WWW-Authenticate, Retry-After, Mcp-Session-Id";

/// `Retry-After` of rate-limited callers: the shorter of Cloudflare's two counting periods.
const RATE_LIMIT_SECONDS: u64 = 10;

/// A deployment, created once per isolate. `E` is the environment that tools get, `S` the services of
/// the isolate.
pub struct Endpoint<E, S> {
    settings: Settings,
    resource_server: ResourceServer,
    server: Server<E>,
    env: E,
    services: S,
    server_services: Rc<ServerServices>,
    challenge: ChallengeContext,
    documents: Documents,
    /// Created for the first visitor: most isolates have none.
    page: OnceCell<Page>,
    /// Answers in place of `server`, which then has nothing to offer.
    gateway: Option<Rc<dyn PassOn>>,
    connections: CallerConnections,
    /// Answers `/account`.
    #[cfg(feature = "access-keys")]
    account: Option<Rc<dyn Proxy>>,
}

impl<E: Clone + 'static, S: Services> Endpoint<E, S> {
    /// Creates an endpoint from settings and tools.
    #[must_use]
    pub fn new(settings: Settings, server: Server<E>, env: E, services: S) -> Self {
        Self::create(settings, server, None, env, services)
    }

    /// Creates an endpoint that passes messages on. `server` offers nothing: it says how the endpoint presents itself.
    #[must_use]
    pub fn with_gateway(settings: Settings, server: Server<E>, gateway: Rc<dyn PassOn>, env: E, services: S) -> Self {
        Self::create(settings, server, Some(gateway), env, services)
    }

    fn create(settings: Settings, server: Server<E>, gateway: Option<Rc<dyn PassOn>>, env: E, services: S) -> Self {
        let required = &settings.trust.required_scopes;
        let offered = gateway.as_ref().map_or_else(|| server.scopes(), |gateway| gateway.scopes());
        let advertised = required.union(&offered);
        let scope_prefix = settings.trust.scope_prefix.clone();
        let mut documents = Documents::new(&settings, &scope_prefix.requested(&advertised), server.info());
        if let Some(keys) = gateway.as_ref().and_then(|gateway| gateway.public_keys()) {
            documents.publish("jwks", [JWKS_PATH], Document::for_machines("application/json", keys));
        }
        // A client asks for exactly what a challenge names; without a basic set, everything that any tool needs.
        let basic = if required.is_empty() { &advertised } else { required };
        let challenge = ChallengeContext {
            resource_metadata: settings.resource.metadata_url(),
            basic_scopes: advertisable(basic).collect(),
            scope_prefix,
        };
        let trust = Rc::clone(&settings.trust);
        let server = server.with_security_schemes(|scopes| trust.requested(scopes));
        let resource_server = ResourceServer::new(trust);
        let of_gateway = settings.gateway.iter().flat_map(GatewaySettings::warnings).map(str::to_owned);
        for warning in settings.trust.warnings().chain(of_gateway) {
            services.error(&Object::new().text("warning", &warning).close());
        }
        let log = services.clone();
        let mut server_services = ServerServices::new(Rc::new(services.clone()));
        server_services.report = Rc::new(move |line| log.error(line));
        server_services.state_key = settings
            .state_secret
            .as_ref()
            .map(|secret| StateKey::derive(secret.expose().as_bytes(), &settings.resource.url));
        Self {
            settings,
            resource_server,
            server,
            env,
            services,
            server_services: Rc::new(server_services),
            challenge,
            documents,
            page: OnceCell::new(),
            gateway,
            connections: CallerConnections::NONE,
            #[cfg(feature = "access-keys")]
            account: None,
        }
    }

    /// The settings that it was created from.
    #[cfg(all(feature = "access-keys", feature = "cloudflare"))]
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the route of a path. The MCP endpoint is compared first: nearly every request is for it, and no document can
    /// take its path.
    fn route(&self, path: &str) -> Route<'_> {
        if path == self.settings.resource.path {
            return Route::Mcp;
        }
        if let Some(entry) = self.documents.find(path) {
            return Route::Document(entry);
        }
        match (path, &self.settings.mirror) {
            (health::PATH, _) => Route::Health,
            #[cfg(feature = "access-keys")]
            _ if access_keys::is_at(path) => self.account.as_deref().map_or(Route::Elsewhere, Route::Account),
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
        context: &RequestContext,
        record: &mut LogRecord,
    ) -> Response {
        let origin = cors::origin_of(head, &self.settings.resource.origin, &self.settings.origins);
        let outcome = match origin {
            Origin::NotAllowed => Err(origin_not_allowed(head).into()),
            _ if head.method() == "OPTIONS" => return cors::preflight(head, origin, ALLOWED_HEADERS),
            _ => self.authenticated(head, body, context, record).await,
        };
        let mut response = outcome.unwrap_or_else(|denial| {
            denial.add_to(record);
            self.challenge.response(&denial)
        });
        if response.header("cache-control").is_none() {
            // Every answer depends on the token.
            response = response.with_header("cache-control", "no-store");
        }
        let exposed = if self.gateway.is_some() { EXPOSED_BY_GATEWAYS } else { EXPOSED_HEADERS };
        cors::readable(response, origin, exposed)
    }

    async fn authenticated(
        &self,
        head: &RequestHead<'_>,
        body: impl RequestBody,
        context: &RequestContext,
        record: &mut LogRecord,
    ) -> Result<Response, Rc<Denial>> {
        let Authentication { outcome, trace } =
            self.resource_server.authenticate(head, context.now, &self.services).await;
        trace.add_to(record, self.settings.log.subject);
        self.note_failures(record);
        let identity = match outcome {
            Ok(identity) => identity,
            Err(denial) => return Err(self.limit_failures(denial, context).await),
        };
        if let Some(gateway) = &self.gateway {
            return self.through(&**gateway, head, body, &identity, context, record).await;
        }
        if let Err(response) = self.server.admit(head) {
            return Ok(response);
        }
        let body = match body.text(self.server.limits().body_bytes).await {
            Ok(body) => body,
            Err(error) => return Ok(unreadable_body(error)),
        };
        let kind = identity.kind();
        let request = mcp_edge_server::RequestContext {
            identity,
            env: self.env.clone(),
            now: context.now,
            request_id: context.request_id.clone(),
            connections: self.connections.of(head),
        };
        let step_up = StepUpAnswer::to(self.settings.step_up, request.identity.credential(), &body);
        let handling = self.server.handle(head, &body, request, &self.server_services);
        // A handler may wait long, and the body may be large.
        drop(body);
        let handled = handling.await;
        handled.summary.add_to(record);
        handled.response.or_else(|needed| self.refuse(needed, kind, step_up, record))
    }

    /// Has a gateway answer.
    async fn through(
        &self,
        gateway: &dyn PassOn,
        head: &RequestHead<'_>,
        body: impl RequestBody,
        identity: &Identity,
        context: &RequestContext,
        record: &mut LogRecord,
    ) -> Result<Response, Rc<Denial>> {
        if let Err(response) = gateway.admit(head) {
            return Ok(response);
        }
        let body = if head.method() == "POST" { body.text(BODY_BYTES).await } else { Ok(String::new()) };
        let body = match body {
            Ok(body) => body,
            Err(error) => return Ok(unreadable_body(error)),
        };
        let connections = self.connections.of(head);
        let (runtime, connections) = (&*self.server_services.runtime, connections.as_deref());
        let caller = Caller::new(identity, context, runtime, connections);
        let handled = gateway.handle(head, &body, caller).await;
        handled.summary.add_to(record);
        record.maybe_cut("upstream_failure", handled.failure.as_deref());
        for Unapproved { name, digest } in &handled.unapproved {
            let digest = digest.as_deref().unwrap_or("none");
            self.services
                .error(&Object::new().text("unapproved_tool", &cut(name.clone())).text("digest", digest).close());
        }
        handled.response.or_else(|needed| {
            let step_up = StepUpAnswer::to(self.settings.step_up, identity.credential(), &body);
            self.refuse(needed, identity.kind(), step_up, record)
        })
    }

    /// The discovery document of the first issuer, the only one that tokens of clients without metadata can come from.
    async fn mirror(&self, mirror: &Mirror, head: &RequestHead<'_>, now: u64, record: &mut LogRecord) -> Response {
        if let Some(response) = Readers::AnyPage.answer_unless_read(head) {
            return response;
        }
        let document = match self.resource_server.keys().first() {
            Some(keys) => keys.whole_document(now, &self.services).await,
            None => Err(Denial::Misconfigured { error: None }),
        };
        self.note_failures(record);
        match document {
            Ok(document) => Document::for_machines("application/json", mirror.document(&document)).respond(head),
            Err(denial) => {
                denial.add_to(record);
                cors::public(self.challenge.response(&denial))
            }
        }
    }

    async fn health(&self, head: &RequestHead<'_>, now: u64, record: &mut LogRecord) -> Response {
        let (response, denial) = health::respond(head, self.resource_server.keys(), now, &self.services).await;
        self.note_failures(record);
        if let Some(denial) = denial {
            denial.add_to(record);
        }
        response
    }

    /// Logs failures of provider and store, also for requests that were served in spite of them.
    fn note_failures(&self, record: &mut LogRecord) {
        let keys = self.resource_server.keys();
        record.maybe_cut("provider_failure", keys.iter().find_map(|keys| keys.provider_failure()));
        record.maybe_cut("store_failure", keys.iter().find_map(|keys| keys.store_failure()));
    }

    /// Replaces the denial of a bad token with 429 if its address has failed too often. Missing and expired tokens and
    /// outages do not count: every client sends such requests.
    async fn limit_failures(&self, denial: Rc<Denial>, context: &RequestContext) -> Rc<Denial> {
        let last = denial.reason();
        let address = if last.counts_as_failed_attempt() { context.connection.address() } else { None };
        match address {
            Some(address) if self.services.count_failure(&client_network(&address)).await => {
                Denial::RateLimited { last, retry_after: RATE_LIMIT_SECONDS }.into()
            }
            _ => denial,
        }
    }

    fn new_page(&self) -> Page {
        let gateway_scopes = self.gateway.as_ref().map(|gateway| gateway.scopes());
        Page::new(&self.settings, &self.server, gateway_scopes.as_ref())
    }
}

fn origin_not_allowed(head: &RequestHead<'_>) -> Denial {
    Denial::OriginNotAllowed { origin: Excerpt::new(head.header("origin").unwrap_or_default()) }
}

impl<E: Clone + 'static, S: Services> App for Endpoint<E, S> {
    fn header_names(&self) -> HeaderNames {
        let names = |names: &[&str]| names.iter().copied().map(str::to_owned).collect::<Vec<_>>();
        // Where credentials must not be, beside those that are exchanged.
        let exchanged: &[&str] =
            if self.settings.access_keys.are_enabled() { &["cookie", "x-api-key", "dpop"] } else { &[] };
        let always = names(&[&["origin"], exchanged].concat());
        let others = names(&["access-control-request-headers", "if-none-match"]);
        match &self.gateway {
            None => {
                let of_messages = self.server.header_names().map(str::to_owned).collect();
                HeaderNames { always, of_messages, of_others: others }
            }
            Some(_) => HeaderNames {
                always,
                of_messages: names(&gateway::POST_HEADERS),
                of_others: [names(&gateway::OTHER_HEADERS), others].concat(),
            },
        }
    }

    fn log_settings(&self) -> LogSettings {
        self.settings.log
    }

    async fn handle(&self, head: &RequestHead<'_>, body: impl RequestBody, context: &RequestContext) -> Handled {
        let route = self.route(head.path());
        let mut record = LogRecord::of_route(route.name());
        let response = match route {
            Route::Mcp => self.mcp(head, body, context, &mut record).await,
            Route::Document(entry) => entry.document.respond(head),
            Route::Mirror(mirror) => self.mirror(mirror, head, context.now, &mut record).await,
            Route::Health => self.health(head, context.now, &mut record).await,
            Route::Page(part) => self.page.get_or_init(|| self.new_page()).document(part).respond(head),
            #[cfg(feature = "access-keys")]
            Route::Account(pages) => self.account(pages, head, context, &mut record).await,
            Route::RetiredTransport => self.retired_transport(),
            Route::Elsewhere => self.elsewhere(),
        };
        Handled { response, record }
    }

    /// Returns the response while the settings are invalid.
    fn misconfigured(head: &RequestHead<'_>) -> Response {
        health::respond_misconfigured(head)
            .unwrap_or_else(|| ChallengeContext::default().response(&Denial::Misconfigured { error: None }))
    }
}
