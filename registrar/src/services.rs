//! What lives as long as the isolate, and what belongs to one request.
//!
//! [`Services`] serve all requests and carry nothing of any of them: settings, caches, counters, and the platform. What
//! serves everybody (discovery, clean-up) is given nothing else. A [`RequestContext`] is what is known of one request
//! beside its head.

use std::rc::Rc;

use mcp_edge::{
    http::{BodyError, RequestHead},
    oauth::{
        access::identity::{Identity, Kind},
        denial::{Denial, Reason},
        provider::Provider,
        resource_server::{ResourceServer, Trail},
    },
    ports::{Ports, Runtime},
    settings::SettingsError,
};

use crate::{
    audit::AuditLog,
    client_network::client_network,
    clients::{Context, submission::Submissions},
    failed_attempts::FailedAttempts,
    ledger::Ledger,
    provider::{
        ProviderError,
        logto::{Logto, LogtoNow},
    },
    settings::Settings,
    storage::{RegistrationStore, records::Records},
};

/// What the platform provides.
pub trait Platform {
    /// The key-value store of clients.
    type Store: RegistrationStore;
    /// Counts and locks that all locations share.
    type Ledger: Ledger;
    /// Time to wait and randomness; for what talks to the provider, everything else of [`Ports`] as well.
    type Ports: Runtime;

    /// The key-value store of clients.
    fn store(&self) -> &Self::Store;
    /// Counts and locks that all locations share.
    fn ledger(&self) -> &Self::Ledger;
    /// Time to wait, randomness, fetch and verification.
    fn ports(&self) -> &Self::Ports;
}

/// This deployment: its settings, and what an isolate remembers. Created once per isolate.
pub struct Deployment {
    /// The settings in force.
    pub settings: Settings,
    /// Verifies developers' access tokens, and keeps the provider's keys and discovery document.
    pub resource_server: ResourceServer,
    /// Counts of unsuccessful token lookups.
    pub failed_attempts: FailedAttempts,
    logto: Logto,
    submissions: Submissions,
}

impl Deployment {
    /// Creates a deployment from named settings, without anything cached.
    ///
    /// # Errors
    /// Every error in the settings.
    pub fn new(get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let settings = Settings::parse(get)?;
        Ok(Self {
            resource_server: ResourceServer::with_exclusive_store(settings.edge.trust.clone()),
            logto: Logto::new(settings.tenant.clone()),
            failed_attempts: FailedAttempts::default(),
            submissions: Submissions::default(),
            settings,
        })
    }

    /// Refuses to work with a namespace for keys that an MCP Worker writes into as well: anybody who can write there
    /// could choose the keys that developers' tokens are verified with.
    ///
    /// # Errors
    /// [`Reason::Misconfigured`], once a record of another deployment was seen.
    pub fn check_namespace(&self, now: u64) -> Result<(), Denial> {
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
}

/// Everything that serves all requests.
pub struct Services<'a, P> {
    /// The deployment.
    pub deployment: &'a Deployment,
    /// The platform.
    pub platform: &'a P,
}

impl<'a, P: Platform> Services<'a, P> {
    /// The records of clients.
    #[must_use]
    pub fn records(&self) -> Records<'a, P::Store> {
        Records(self.platform.store())
    }

    /// What operations on clients work with.
    #[must_use]
    pub fn context<'b, A>(&'b self, applications: &'b A, now: u64, audit: AuditLog<'b>) -> Context<'b, A, P> {
        Context {
            applications,
            platform: self.platform,
            policy: &self.deployment.settings.policy,
            submissions: &self.deployment.submissions,
            now,
            audit,
        }
    }
}

impl<'a, P: Platform<Ports: Ports>> Services<'a, P> {
    /// The provider's endpoints, from the discovery document that verification keeps a copy of.
    ///
    /// # Errors
    /// A [`Denial`] if they are not known.
    pub async fn provider(&self, now: u64) -> Result<Provider, Denial> {
        let [keys, ..] = self.deployment.resource_server.keys() else { return Err(Reason::Misconfigured.into()) };
        let provider = keys.provider(now, self.platform.ports()).await?;
        // The store may have been read only now.
        self.deployment.check_namespace(now)?;
        Ok(provider)
    }

    /// The applications at the provider.
    ///
    /// # Errors
    /// [`ProviderError`] if its token endpoint is not known.
    pub async fn applications(&self, now: u64) -> Result<LogtoNow<'a, P::Ports>, ProviderError> {
        let provider = self.provider(now).await.map_err(|denial| {
            let detail = denial.detail.unwrap_or_default();
            if denial.reason == Reason::Misconfigured {
                ProviderError::Misconfigured(detail)
            } else {
                ProviderError::Unavailable(detail)
            }
        })?;
        let missing = || ProviderError::Unavailable("the discovery document names no https token_endpoint".to_owned());
        let token_endpoint = provider.token_endpoint.ok_or_else(missing)?;
        Ok(self.deployment.logto.at(self.platform.ports(), token_endpoint, now))
    }

    /// Verifies the sender's access token as that of a person with the scope for registrations, and says what was found
    /// out on the way.
    pub async fn authenticate_developer(
        &self,
        head: &RequestHead<'_>,
        now: u64,
    ) -> (Result<Rc<Identity>, Denial>, Trail) {
        let mut trail = Trail::default();
        let verified = self.deployment.resource_server.authenticate(head, now, self.platform.ports(), &mut trail).await;
        let developer = verified.and_then(|identity| match identity.kind {
            Kind::User => Ok(identity),
            kind => Err(Denial::user_required(kind)),
        });
        (developer, trail)
    }
}

/// What is known of one request beside its head.
pub struct RequestContext {
    /// Seconds since 1970, when the request arrived.
    pub now: u64,
    /// The network that limits count it for.
    pub network: String,
    /// The body, as far as it was read.
    pub body: Result<String, BodyError>,
    /// Takes the lines of the audit log.
    pub audit: Rc<dyn Fn(&str)>,
}

impl RequestContext {
    /// Creates the context of a request that came from `address`, or from a Worker of `worker_zone`.
    #[must_use]
    pub fn new(
        now: u64,
        address: Option<&str>,
        worker_zone: Option<&str>,
        body: Result<String, BodyError>,
        audit: Rc<dyn Fn(&str)>,
    ) -> Self {
        Self { now, network: client_network(address.unwrap_or("unknown"), worker_zone), body, audit }
    }

    /// The audit log.
    #[must_use]
    pub fn audit(&self) -> AuditLog<'_> {
        AuditLog(&*self.audit)
    }
}
