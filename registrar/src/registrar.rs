//! A request's way through the Worker: route, who asks, the registry, an answer.

use std::rc::Rc;

use mcp_edge::{
    cors,
    http::{BodyError, RequestHead, Response},
    log::AccessLog,
    oauth::{
        access::scope::Scopes,
        challenge::ChallengeContext,
        denial::{Denial, Reason},
        protected_resource::{ProtectedResource, WELL_KNOWN},
        provider::Provider,
        resource_server::ResourceServer,
    },
    ports::Ports,
    settings::SettingsError,
};
use serde_json::json;

use crate::{
    cleanup::Report,
    limiter::Activity,
    policy::{Mode, network_of},
    portal::Portal,
    provider::{
        ProviderError,
        logto::{Logto, LogtoNow},
    },
    registry::{Failure, Memory, Registry},
    settings::{Cleanup, REGISTRATION_PATH, Settings},
    store::RegistrationStore,
};

/// A registration is longer than any honest client's: ten redirect URIs of 2 KB, and some pages.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// When it makes sense to come back after an outage.
const RETRY_SECONDS: u64 = 10;

/// When places may be free again: unused clients end once a day.
const FULL_RETRY_SECONDS: u64 = 3_600;

/// Everything about this deployment, made once per isolate.
pub struct Registrar {
    /// The settings in force.
    pub settings: Settings,
    pub(crate) resource_server: ResourceServer,
    pub(crate) challenge: ChallengeContext,
    logto: Logto,
    memory: Memory,
    portal: Option<Portal>,
}

/// What belongs to one request beside its head.
pub struct Exchange<S, P> {
    /// Where clients are recorded.
    pub store: S,
    /// For verification and calls to the provider.
    pub ports: P,
    /// The body, as far as it was read.
    pub body: Result<String, BodyError>,
    /// Seconds since 1970, when the request arrived.
    pub now: u64,
    /// Where it came from.
    pub address: Option<String>,
    /// The zone of the Worker that sent it, if one did.
    pub worker_zone: Option<String>,
    /// Takes the audit lines, and what went wrong inside.
    pub report: Rc<dyn Fn(&str)>,
}

impl<S, P> Exchange<S, P> {
    /// Whom limits count it for.
    #[must_use]
    pub fn network(&self) -> String {
        network_of(self.address.as_deref().unwrap_or("unknown"), self.worker_zone.as_deref())
    }
}

impl Registrar {
    /// Knows the settings and nothing else yet.
    ///
    /// # Errors
    /// Every mistake in the settings.
    pub fn new(get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let settings = Settings::parse(get)?;
        let edge = &settings.edge;
        Ok(Self {
            resource_server: ResourceServer::with_exclusive_store(edge.trust.clone()),
            challenge: ChallengeContext {
                resource_metadata: edge.resource.metadata_url(),
                basic_scopes: edge.trust.required_scopes.clone(),
            },
            logto: Logto::new(settings.tenant.clone()),
            memory: Memory::default(),
            portal: settings.portal.clone().map(|client| Portal::new(client, &settings)),
            settings,
        })
    }

    /// Names of the request headers that are looked at, in lower case.
    pub const HEADER_NAMES: [&str; 9] = [
        "authorization",
        "content-type",
        "cookie",
        "origin",
        "sec-fetch-site",
        "cf-connecting-ip",
        "cf-worker",
        "cf-ray",
        "traceparent",
    ];

    /// Answers a request and fills in its line of the log.
    pub async fn handle<S: RegistrationStore, P: Ports>(
        &self,
        head: &RequestHead<'_>,
        exchange: Exchange<S, P>,
        log: &mut AccessLog,
    ) -> Response {
        let path = head.path();
        let response = if let Err(denial) = self.check_namespace(exchange.now) {
            log.note_denial(&denial);
            self.challenge.response(&denial)
        } else if path == REGISTRATION_PATH || path.starts_with("/register/") {
            log.route = "registration";
            self.registration(head, &exchange, log).await
        } else if path.strip_prefix(WELL_KNOWN) == Some(REGISTRATION_PATH)
            && self.settings.policy.mode == Mode::Developers
        {
            log.route = "metadata";
            self.metadata(head)
        } else {
            log.route = "portal";
            match &self.portal {
                Some(portal) => portal.handle(head, self, &exchange, log).await,
                None => elsewhere(),
            }
        };
        log.note_status(response.status);
        response
    }

    /// The scheduled run. `None`: it is switched off.
    ///
    /// # Errors
    /// Why it could not begin.
    pub async fn clean_up<S: RegistrationStore, P: Ports>(
        &self,
        exchange: &Exchange<S, P>,
    ) -> Result<Option<Report>, ProviderError> {
        let dry_run = match self.settings.cleanup {
            Cleanup::Off => return Ok(None),
            Cleanup::DryRun => true,
            Cleanup::On => false,
        };
        let token_endpoint = self.token_endpoint(exchange).await?;
        let applications = self.logto.at(&exchange.ports, &token_endpoint, exchange.now);
        Ok(Some(self.registry(&applications, exchange).clean_up(dry_run).await))
    }

    /// Refuses to work with a namespace for keys that an MCP Worker writes into as well: anybody who can write there
    /// could choose the keys that developers' tokens are verified with.
    ///
    /// # Errors
    /// [`Reason::Misconfigured`], once a record of another deployment was seen.
    fn check_namespace(&self, now: u64) -> Result<(), Denial> {
        match self.resource_server.keys().iter().find_map(|keys| keys.other_writer(now)) {
            None => Ok(()),
            Some(other) => {
                let detail = format!(
                    "JWKS is also the namespace of {other}: give the registrar one of its own. If this is the registrar \
                     under an earlier RESOURCE, wait an hour, or delete the keys that begin with provider: there"
                );
                Err(Denial::new(Reason::Misconfigured, detail))
            }
        }
    }

    /// Does something with the registry.
    ///
    /// # Errors
    /// Its own, and those of finding the provider.
    pub(crate) async fn with_registry<'a, T, S: RegistrationStore, P: Ports>(
        &'a self,
        exchange: &'a Exchange<S, P>,
        act: impl AsyncFnOnce(&Registry<'_, LogtoNow<'_, P>, S, P>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let token_endpoint = self.token_endpoint(exchange).await?;
        let applications = self.logto.at(&exchange.ports, &token_endpoint, exchange.now);
        act(&self.registry(&applications, exchange)).await
    }

    /// The registry without the provider, for what must not reach it or need not.
    pub(crate) fn records<'a, S, P>(&'a self, exchange: &'a Exchange<S, P>) -> Registry<'a, (), S, P> {
        self.registry(&(), exchange)
    }

    fn registry<'a, A, S, P>(&'a self, applications: &'a A, exchange: &'a Exchange<S, P>) -> Registry<'a, A, S, P> {
        Registry {
            applications,
            store: &exchange.store,
            runtime: &exchange.ports,
            policy: &self.settings.policy,
            memory: &self.memory,
            now: exchange.now,
            report: &*exchange.report,
        }
    }

    /// The provider's endpoints, from the discovery document that verification keeps a copy of.
    pub(crate) async fn provider<S, P: Ports>(&self, exchange: &Exchange<S, P>) -> Result<Provider, Denial> {
        let [keys, ..] = self.resource_server.keys() else { return Err(Reason::Misconfigured.into()) };
        let provider = keys.provider(exchange.now, &exchange.ports).await?;
        // The store may have been read only now.
        self.check_namespace(exchange.now)?;
        Ok(provider)
    }

    async fn token_endpoint<S, P: Ports>(&self, exchange: &Exchange<S, P>) -> Result<String, ProviderError> {
        let provider = self.provider(exchange).await.map_err(|denial| {
            let detail = denial.detail.unwrap_or_default();
            if denial.reason == Reason::Misconfigured {
                ProviderError::Misconfigured(detail)
            } else {
                ProviderError::Unavailable(detail)
            }
        })?;
        let missing = || ProviderError::Unavailable("the discovery document names no https token_endpoint".to_owned());
        provider.token_endpoint.ok_or_else(missing)
    }

    /// Where developers' programs find out whom to ask for a token (RFC 9728).
    fn metadata(&self, head: &RequestHead<'_>) -> Response {
        let edge = &self.settings.edge;
        let document = ProtectedResource {
            resource: &edge.resource.url,
            authorization_servers: edge.trust.issuers.iter().map(|trusted| trusted.issuer.as_str()).collect(),
            scopes_supported: edge.trust.required_scopes.iter().collect(),
            bearer_methods_supported: ["header"],
            resource_name: edge.name.as_deref(),
            resource_documentation: edge.documentation.as_deref(),
            resource_policy_uri: edge.privacy_policy.as_deref(),
            resource_tos_uri: edge.terms_of_service.as_deref(),
        };
        match head.method() {
            "GET" | "HEAD" => cors::public(Response::json(200, serde_json::to_string(&document).unwrap_or_default()))
                .with_header("cache-control", "public, max-age=300"),
            "OPTIONS" => cors::public_preflight(),
            _ => cors::public(Response::empty(405)).with_header("allow", "GET, HEAD, OPTIONS"),
        }
    }
}

fn elsewhere() -> Response {
    let description = "There is nothing here. Clients register at /register";
    Response::json(404, json!({ "error": "not_found", "error_description": description }).to_string())
}

/// What a stranger sees of a failure; the exact reason goes into the log.
pub(crate) fn failed(failure: &Failure, log: &mut AccessLog) -> Response {
    let (status, error, description, retry_after) = face(failure);
    log.detail = Some(failure.to_string());
    if let Failure::Metadata(error) = failure {
        return Response::json(400, error.body()).with_header("cache-control", "no-store");
    }
    let body = json!({ "error": error, "error_description": description });
    let response = Response::json(status, body.to_string()).with_header("cache-control", "no-store");
    match retry_after {
        Some(seconds) => response.with_header("retry-after", seconds.to_string()),
        None => response,
    }
}

/// Status, code, description and when to come back.
pub(crate) fn face(failure: &Failure) -> (u16, &'static str, &'static str, Option<u64>) {
    match failure {
        Failure::Metadata(error) => (400, error.code.name(), "The metadata is not acceptable", None),
        Failure::TooMany(activity, seconds) => {
            let description = match activity {
                Activity::Registrations => "Too many clients were registered from here, try again later",
                Activity::RefutedTokens => "Too many tokens from here were not valid, try again later",
                Activity::Calls => "There were too many calls for this client, try again later",
            };
            (429, "too_many_requests", description, Some(*seconds))
        }
        Failure::Full => (
            503,
            "temporarily_unavailable",
            "No more clients can be registered at the moment, ask the operator",
            Some(FULL_RETRY_SECONDS),
        ),
        Failure::Quota(_) => {
            (403, "access_denied", "You have as many applications as you may have: remove one first", None)
        }
        Failure::Provider(ProviderError::Refused(_)) => {
            (400, "invalid_client_metadata", "The identity provider does not accept this metadata", None)
        }
        Failure::Provider(ProviderError::Misconfigured(_)) => {
            (500, "server_error", "This server is not set up correctly", None)
        }
        Failure::Provider(_) | Failure::Store(_) => (
            503,
            "temporarily_unavailable",
            "The identity provider cannot be reached, try again later",
            Some(RETRY_SECONDS),
        ),
        Failure::Gone => (401, "invalid_token", "There is no such client", None),
    }
}

/// A refusal without a resource behind it: for registration access tokens and initial access tokens.
pub(crate) fn unauthorized(log: &mut AccessLog, reason: Reason) -> Response {
    log.note_denial(&Denial::from(reason));
    let error = reason.face().error;
    let challenge = error.map_or_else(|| "Bearer".to_owned(), |error| format!("Bearer error=\"{error}\""));
    let nothing = ChallengeContext { resource_metadata: String::new(), basic_scopes: Scopes::default() };
    let mut response = nothing.response(&reason.into());
    // These tokens have nothing to do with the provider, so no document of ours helps.
    for (name, value) in &mut response.headers {
        if *name == "www-authenticate" {
            *value = challenge.clone().into();
        }
    }
    response
}
