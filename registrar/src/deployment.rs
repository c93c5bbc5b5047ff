//! This deployment: what lives as long as the isolate and serves all requests.
//!
//! A [`Deployment`] carries nothing of any request: settings, caches, counters, and the platform. What serves everybody
//! (discovery, clean-up) is given nothing else. What is known of one request is a
//! [`ClientRequest`](crate::client_request::ClientRequest).

use std::rc::Rc;

use mcp_edge_oauth::{
    Kind,
    denial::{Denial, Excerpt},
    provider::Provider,
    resource_server::{Authentication, ResourceServer},
};
use mcp_edge_runtime::{http::RequestHead, ports::Services, secret::Secret};
use mcp_edge_sign_in::id_token::{self, Expected, IdToken};

use crate::{
    audit::AuditLog,
    clients::{Context, submission::Submissions},
    failed_attempts::FailedAttempts,
    platform::Platform,
    provider::{
        ProviderError,
        logto::{Logto, LogtoApplications},
    },
    settings::Settings,
    storage::records::Records,
};

/// A deployment with its settings, and what an isolate remembers.
pub struct Deployment<P> {
    /// The settings in force.
    pub settings: Settings,
    /// What the platform provides.
    pub platform: P,
    /// Counts of unsuccessful token lookups.
    pub failed_attempts: FailedAttempts,
    resource_server: ResourceServer,
    logto: Logto,
    submissions: Submissions,
}

impl<P: Platform> Deployment<P> {
    /// Creates a deployment without anything cached.
    #[must_use]
    pub fn new(settings: Settings, platform: P) -> Self {
        Self {
            resource_server: ResourceServer::with_exclusive_store(Rc::clone(&settings.server.trust)),
            logto: Logto::new(settings.tenant.clone()),
            failed_attempts: FailedAttempts::default(),
            submissions: Submissions::default(),
            settings,
            platform,
        }
    }

    /// Refuses to work with a namespace for keys that an MCP Worker writes into as well: anybody who can write there
    /// could choose the keys that developers' tokens are verified with.
    ///
    /// # Errors
    /// [`Denial::Misconfigured`], once a record of another deployment was seen.
    pub fn check_namespace(&self, now: u64) -> Result<(), Denial> {
        match self.resource_server.keys().iter().find_map(|keys| keys.other_writer(now)) {
            None => Ok(()),
            Some(other) => {
                let detail = format!(
                    "JWKS is also the namespace of {other}: give the registrar one of its own. If this is the registrar \
                     under an earlier RESOURCE, wait an hour, or delete the keys that begin with provider: there"
                );
                Err(Denial::Misconfigured { error: Some(Excerpt::new(&detail)) })
            }
        }
    }

    /// The records of clients.
    #[must_use]
    pub fn records(&self) -> Records<'_, P::Store> {
        Records(self.platform.store())
    }

    /// The dependencies of operations on clients.
    #[must_use]
    pub fn context<'a, A>(&'a self, applications: &'a A, now: u64, audit: AuditLog<'a>) -> Context<'a, A, P> {
        Context {
            applications,
            platform: &self.platform,
            policy: &self.settings.policy,
            submissions: &self.submissions,
            now,
            audit,
        }
    }
}

impl<P: Platform<Services: Services>> Deployment<P> {
    /// The provider's endpoints, from the discovery document that verification keeps a copy of.
    ///
    /// # Errors
    /// A [`Denial`] if they are not known.
    pub async fn provider(&self, now: u64) -> Result<Provider, Denial> {
        let [keys, ..] = self.resource_server.keys() else { return Err(Denial::Misconfigured { error: None }) };
        let provider = keys.provider(now, self.platform.services()).await?;
        // The store may have been read only now.
        self.check_namespace(now)?;
        Ok(provider)
    }

    /// The applications at the provider.
    ///
    /// # Errors
    /// [`ProviderError`] if its token endpoint is not known.
    pub async fn applications(&self, now: u64) -> Result<LogtoApplications<'_, P::Services>, ProviderError> {
        let provider = self.provider(now).await.map_err(|denial| {
            let detail = denial.detail().unwrap_or_default();
            match denial {
                Denial::Misconfigured { .. } => ProviderError::Misconfigured(detail),
                _ => ProviderError::Unavailable(detail),
            }
        })?;
        let missing = || ProviderError::Unavailable("the discovery document names no https token_endpoint".to_owned());
        let token_endpoint = provider.token_endpoint.ok_or_else(missing)?;
        Ok(self.logto.at(self.platform.services(), token_endpoint, now))
    }

    /// Verifies the sender's access token as that of a person with the scope for registrations, and says what was found
    /// out on the way.
    pub async fn authenticate_developer(&self, head: &RequestHead<'_>, now: u64) -> Authentication {
        let verified = self.resource_server.authenticate(head, now, self.platform.services()).await;
        let outcome = verified.outcome.and_then(|identity| match identity.kind() {
            Kind::User => Ok(identity),
            kind => Err(Denial::UserRequired { kind }.into()),
        });
        Authentication { outcome, ..verified }
    }

    /// Who signed in, if the provider's ID token for this client and with this nonce is good.
    pub async fn verify_id_token(&self, id_token: &Secret, client_id: &str, nonce: &str, now: u64) -> Option<IdToken> {
        let trust = &self.settings.server.trust;
        let (issuer, keys) = (trust.issuers.first()?, self.resource_server.keys().first()?);
        let expected = Expected { issuer, client_id, nonce, denied: &trust.denied, max_age: None };
        id_token::verify(id_token, &expected, keys, now, self.platform.services()).await.ok()
    }

    /// Where the lines of the audit log go.
    pub fn audit(&self) -> AuditLog<'_> {
        AuditLog::of(self.platform.services())
    }
}
