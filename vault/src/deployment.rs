//! A deployment: what serves all requests of an isolate.

use std::rc::Rc;

use mcp_edge_oauth::{
    Identity,
    denial::{Denial, Excerpt},
    exchange::Exchanged,
    keys::jwks_cache::IssuerKeys,
    provider::Provider,
    resource_server::{ResourceServer, TrustedIssuer},
};
use mcp_edge_runtime::{http::RequestHead, secret::Secret};

pub use crate::owner::Owner;
use crate::{
    account,
    audit::AuditLog,
    connected, key,
    platform::{ObjectError, Platform},
    secrets::VaultSecrets,
    settings::Settings,
};

/// A deployment with its settings, and what an isolate remembers.
pub struct Deployment<P> {
    /// The settings in force.
    pub settings: Settings,
    /// What the platform provides.
    pub platform: P,
    /// What is derived from `VAULT_SECRET`.
    pub secrets: VaultSecrets,
    resource_server: Rc<ResourceServer>,
}

impl<P: Platform> Deployment<P> {
    /// Creates a deployment without anything cached.
    #[must_use]
    pub fn new(settings: Settings, platform: P) -> Self {
        let resource_server = ResourceServer::with_exclusive_store(Rc::clone(&settings.server.trust));
        Self::sharing(Rc::new(resource_server), settings, platform)
    }

    /// Creates a deployment with a resource server that others in the isolate use as well; its store must be exclusive.
    #[must_use]
    pub fn sharing(resource_server: Rc<ResourceServer>, settings: Settings, platform: P) -> Self {
        Self {
            secrets: VaultSecrets::new(&settings.secret, settings.jurisdiction.as_deref()),
            resource_server,
            settings,
            platform,
        }
    }

    /// The provider that users sign in at: the first issuer, and its keys.
    ///
    /// # Errors
    /// [`Denial::Misconfigured`] if there is none, or if another deployment writes into the store of keys: anybody who
    /// can write there could choose the keys that users' tokens are verified with.
    pub fn issuer(&self, now: u64) -> Result<(&TrustedIssuer, &Rc<IssuerKeys>), Denial> {
        let other = self.resource_server.keys().iter().find_map(|keys| keys.other_writer(now));
        if let Some(other) = other {
            let detail = format!(
                "VAULT_STORE is also the namespace of {other}: give the vault one of its own. If this is the vault under an \
                 earlier RESOURCE, wait an hour, or delete the keys that begin with provider: there"
            );
            return Err(Denial::Misconfigured { error: Some(Excerpt::new(&detail)) });
        }
        let first = self.settings.server.trust.issuers.first().zip(self.resource_server.keys().first());
        first.ok_or(Denial::Misconfigured { error: None })
    }

    /// The provider's endpoints, from the discovery document that verification keeps a copy of.
    ///
    /// # Errors
    /// A [`Denial`] if they are not known.
    pub async fn provider(&self, now: u64) -> Result<Provider, Denial> {
        let provider = self.issuer(now)?.1.provider(now, self.platform.services()).await?;
        // The store may have been read only now.
        self.issuer(now)?;
        Ok(provider)
    }

    /// Verifies an access token as the endpoint does.
    ///
    /// # Errors
    /// Why the endpoint would refuse it.
    pub async fn verify(&self, access_token: &Secret, now: u64) -> Result<Rc<Identity>, Rc<Denial>> {
        let authorization = format!("Bearer {}", access_token.expose());
        let head = RequestHead::new("POST", "/").with_header("authorization", &authorization);
        self.resource_server.authenticate(&head, now, self.platform.services()).await.outcome
    }

    /// The same of the access token that another credential was exchanged for, as far as the credential allows.
    ///
    /// # Errors
    /// Why the endpoint would refuse it.
    pub async fn verify_exchanged(&self, exchanged: &Exchanged, now: u64) -> Result<Rc<Identity>, Rc<Denial>> {
        let identity = self.verify(&exchanged.access_token, now).await?;
        Ok(self.resource_server.narrow(&identity, exchanged)?)
    }

    /// Where the lines of the audit log go.
    pub fn audit(&self) -> AuditLog<'_> {
        AuditLog::of(self.platform.services(), self.settings.log.subject)
    }

    /// Asks the object of a key. The id must be one of this deployment.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn key(&self, id: &str, request: key::message::Request) -> Result<key::message::Answer, ObjectError> {
        key::client::ask(&self.platform, id, request).await
    }

    /// Asks the object of a user.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn account(
        &self,
        owner: &Owner,
        request: &account::message::Request,
    ) -> Result<account::message::Answer, ObjectError> {
        account::client::ask(&self.platform, &owner.issuer, &owner.subject, request).await
    }

    /// Asks the object of a user's connected accounts.
    ///
    /// # Errors
    /// [`ObjectError`].
    pub async fn accounts(
        &self,
        owner: &Owner,
        request: connected::message::Request,
    ) -> Result<connected::message::Answer, ObjectError> {
        connected::client::ask(&self.platform, owner, request).await
    }
}
