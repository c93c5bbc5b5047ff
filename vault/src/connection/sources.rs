//! The kinds of connections whose tokens the identity provider issues: each request for one, sent where it belongs.

use std::rc::Rc;

use mcp_edge_oauth::keys::jwks_cache::IssuerKeys;
use mcp_edge_runtime::ports::Services;

use super::{
    caller::Caller,
    exchange,
    issuance::{Issuances, Purpose},
    logto::{broker, secret_vault, subject::MachineToken},
    settings::{Connection, Kind},
    source::{IssuedToken, NoToken, TokenSource},
};
use crate::provider::endpoints;

/// Obtains tokens at the identity provider. Lives as long as the isolate.
pub struct ProviderTokens<S> {
    keys: Rc<IssuerKeys>,
    /// The values of `iss` that the provider issues tokens with.
    accepted: Vec<String>,
    services: S,
    issuances: Issuances,
    machine: MachineToken,
}

impl<S: Services> ProviderTokens<S> {
    /// Creates a source. `keys` know the provider's endpoints, `accepted` are its values of `iss`.
    #[must_use]
    pub fn new(keys: Rc<IssuerKeys>, accepted: Vec<String>, services: S) -> Self {
        Self { keys, accepted, services, issuances: Issuances::default(), machine: MachineToken::default() }
    }

    async fn issue(
        &self,
        connection: &Connection,
        caller: &Caller,
        scopes: &[String],
        now: u64,
    ) -> Result<IssuedToken, NoToken> {
        // The token of another issuer is none of this provider's business, and its subjects are other users.
        if !self.accepted.iter().any(|issuer| issuer == caller.identity.issuer()) {
            return Err(NoToken::Refused("the caller's token is of another issuer than ISSUER".to_owned()));
        }
        let provider = endpoints(&self.keys, now, &self.services).await.map_err(NoToken::Unavailable)?;
        let logto = (&provider, &self.machine);
        match &connection.kind {
            Kind::Exchange(settings) => {
                exchange::exchange(settings, caller, scopes, &provider, &self.services, now).await
            }
            Kind::LogtoBroker(settings) => broker::token(settings, caller, scopes, logto, &self.services, now).await,
            Kind::LogtoVault(settings) => {
                secret_vault::token(settings, caller, scopes, logto, &self.services, now).await
            }
            Kind::Connect(_) | Kind::Static(_) => {
                Err(NoToken::Misconfigured("the provider issues no tokens for this connection".to_owned()))
            }
        }
    }
}

impl<S: Services> TokenSource for ProviderTokens<S> {
    async fn token(
        &self,
        connection: &Connection,
        caller: &Caller,
        scopes: &[String],
        now: u64,
    ) -> Result<IssuedToken, NoToken> {
        let purpose = Purpose::new(&connection.name, caller.access_token.expose(), scopes);
        let issue = async || self.issue(connection, caller, scopes, now).await;
        self.issuances.token(purpose, now, &self.services, issue).await
    }

    fn refused(&self, connection: &Connection, caller: &Caller, scopes: &[String], token: &str) {
        let purpose = Purpose::new(&connection.name, caller.access_token.expose(), scopes);
        self.issuances.forget(purpose, token);
    }
}
