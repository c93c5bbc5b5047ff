//! Who asks: verified by the vault itself, which believes no endpoint.

use std::rc::Rc;

use mcp_edge_oauth::{
    Credential, Identity,
    denial::Denial,
    exchange::{CredentialExchange, Exchanges},
    settings::CredentialSettings,
};
use mcp_edge_runtime::secret::Secret;

pub use super::agent::Agent;
use crate::{
    credentials::{Credentials, OwnCalls},
    deployment::Deployment,
    platform::Platform,
};

/// A caller whose credential was verified here.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What verification established.
    pub identity: Rc<Identity>,
    /// The caller's access token for `RESOURCE`: the credential itself, or what it was exchanged for.
    pub access_token: Secret,
}

impl Caller {
    /// The software that asks.
    #[must_use]
    pub fn agent(&self) -> Agent {
        match self.identity.credential() {
            Credential::AccessKey(key) => Agent::AccessKey(key.id.clone()),
            Credential::PersonalAccessToken => Agent::PersonalToken,
            Credential::AccessToken => {
                self.identity.client_id().map_or(Agent::Unnamed, |client_id| Agent::Client(client_id.to_owned()))
            }
        }
    }
}

/// Verifies credentials as endpoints do: access tokens, and what is exchanged for one, as far as that allows. Nothing is kept of
/// an exchange: a key that was revoked is refused at once.
pub struct Callers<P: Platform> {
    deployment: Rc<Deployment<P>>,
    exchanges: Exchanges<P::Services, OwnCalls<P>>,
}

impl<P: Platform> Callers<P> {
    /// Creates the verification of the callers of a deployment.
    ///
    /// # Errors
    /// [`Denial::Misconfigured`] if the deployment has no issuer.
    pub fn new(deployment: Rc<Deployment<P>>, credentials: Rc<Credentials<P>>) -> Result<Self, Denial> {
        let settings = &deployment.settings;
        let accepted = CredentialSettings::new(settings.key_prefix.clone(), settings.personal_tokens.clone());
        let keys = Rc::clone(deployment.issuer(0)?.1);
        let services = deployment.platform.services().clone();
        let exchanges = Exchanges::new(accepted, keys, Some(OwnCalls(credentials)), services);
        Ok(Self { deployment, exchanges })
    }

    /// Verifies a credential at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// Why the endpoint would refuse it.
    pub async fn verify(&self, credential: &Secret, now: u64) -> Result<Caller, Rc<Denial>> {
        // Nothing is believed while another deployment writes into the store of keys.
        self.deployment.issuer(now)?;
        let Some(kind) = self.exchanges.kind_of(credential.expose()) else {
            let identity = self.deployment.verify(credential, now).await?;
            self.deployment.issuer(now)?;
            return Ok(Caller { identity, access_token: credential.clone() });
        };
        self.exchanges.check(kind, credential.expose())?;
        let exchanged = self.exchanges.exchange(kind, credential.expose(), now).await?;
        let identity = self.deployment.verify_exchanged(&exchanged, now).await?;
        self.deployment.issuer(now)?;
        Ok(Caller { identity, access_token: exchanged.access_token.clone() })
    }
}
