//! What endpoints ask about connections, answered: who asks, what they may have, and a token of the kind that the connection is of.
//!
//! An endpoint says which connection and which scopes are needed. Who the user is, is known from the credential alone; everything
//! about the service, from the settings. No token leaves, from any service or issuer, that is the caller's own or may do
//! more than was asked for.

use std::rc::Rc;

use mcp_edge_connections::{
    access::ServiceAccess,
    port::{NoAccess, UserOfToken},
    vault_call::{AccessAnswer, AccessRequest},
};
use mcp_edge_oauth::{Kind as CallerKind, denial::Denial};
use mcp_edge_runtime::secret::Secret;

use super::{
    caller::{Caller, Callers},
    settings::{Connection, Kind, secret_name},
    source::{IssuedToken, NoToken, TokenSource},
};
use crate::{
    audit::{AccountEvent, AccountLine},
    connected::message::{Answer, Request},
    deployment::Deployment,
    owner::Owner,
    platform::Platform,
};

/// Seconds until it makes sense to ask again, if nothing else is known.
const RETRY_AFTER: u64 = 5;

/// Gives tokens of other services to callers.
pub struct AccessGiver<P: Platform, T> {
    deployment: Rc<Deployment<P>>,
    callers: Callers<P>,
    sources: T,
}

impl<P: Platform, T: TokenSource> AccessGiver<P, T> {
    /// Creates a giver of tokens of the connections of a deployment.
    #[must_use]
    pub const fn new(deployment: Rc<Deployment<P>>, callers: Callers<P>, sources: T) -> Self {
        Self { deployment, callers, sources }
    }

    /// Answers a request at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// [`NoAccess`]. An outage is never a refusal.
    pub async fn answer(&self, request: &AccessRequest, now: u64) -> AccessAnswer {
        let caller = self.callers.verify(&request.credential, now).await.map_err(|denial| not_verified(&denial))?;
        let tool = request.user_of_token.as_str();
        // Keys are for some tools alone.
        if let UserOfToken::Tool(name) = UserOfToken::parse(tool)
            && !caller.identity.may_call(name)
        {
            return Err(NoAccess::CallerRefused);
        }
        let name = request.connection.as_str();
        let connection = self.deployment.settings.connections.get(name);
        let connection = connection.ok_or_else(|| misconfigured(name, "is not in CONNECTIONS of the vault"))?;
        if let Some(scope) = request.scopes.iter().find(|scope| !connection.scopes.contains(scope)) {
            let problem = format!("{tool} needs the scope {scope:?}: add it to its member scopes in CONNECTIONS");
            return Err(misconfigured(name, &problem));
        }
        if !matches!(connection.kind, Kind::Static(_)) && caller.identity.kind() != CallerKind::User {
            return Err(NoAccess::NeedsUser);
        }
        if matches!(connection.kind, Kind::Connect(_)) && !self.can_sign_in(&caller) {
            let cause =
                format!("connection {name}: users of {:?} cannot sign in at /account", caller.identity.issuer());
            return Err(NoAccess::Refused { title: connection.title.clone(), cause });
        }
        let access = match &connection.kind {
            Kind::Connect(_) => self.of_account(connection, &caller, request).await?,
            Kind::Static(secret) => of_deployment(connection, secret, request)?,
            Kind::Exchange(_) | Kind::LogtoBroker(_) | Kind::LogtoVault(_) => {
                self.issued(connection, &caller, request, now).await?
            }
        };
        check(connection, &caller, request, &access)?;
        self.deployment.audit().account(AccountLine {
            event: AccountEvent::AccessGiven,
            subject: caller.identity.subject(),
            connection: Some(name),
            agent: Some(&caller.agent()),
            user_of_token: Some(tool),
        });
        Ok(access)
    }

    /// Whether the caller's user can sign in at `/account`, where the provider of `ISSUER` is asked: a link is of no use to others.
    fn can_sign_in(&self, caller: &Caller) -> bool {
        let first = self.deployment.settings.server.trust.issuers.first();
        first.is_some_and(|first| first.accepted.iter().any(|issuer| issuer == caller.identity.issuer()))
    }

    /// The token of the account that the user has connected, or the link to connect one by.
    async fn of_account(&self, connection: &Connection, caller: &Caller, request: &AccessRequest) -> AccessAnswer {
        let owner =
            Owner { issuer: caller.identity.issuer().to_owned(), subject: caller.identity.subject().to_owned() };
        let message = Request::Access {
            connection: connection.name.clone(),
            scopes: request.scopes.clone(),
            offered: connection.scopes.clone(),
            agent: caller.agent(),
            user_of_token: request.user_of_token.clone(),
            refused: request.refused.as_ref().map(|token| token.expose().to_owned()),
        };
        match self.deployment.accounts(&owner, message).await {
            Ok(Answer::Token { access_token, scopes }) => Ok(access(connection, Secret::new(access_token), scopes)),
            Ok(Answer::NotConnected { link }) => {
                let origin = &self.deployment.settings.server.resource.origin;
                let url = [origin, "/account/connect/", &link].concat();
                Err(NoAccess::NotConnected { title: connection.title.clone(), url: Some(url) })
            }
            Ok(Answer::Unavailable { retry_after, cause }) => {
                Err(NoAccess::Unavailable { title: connection.title.clone(), retry_after, cause })
            }
            Ok(_) => Err(unavailable(connection, "an answer to another request".to_owned())),
            Err(error) => Err(unavailable(connection, error.to_string())),
        }
    }

    /// A token that is issued for this request.
    async fn issued(
        &self,
        connection: &Connection,
        caller: &Caller,
        request: &AccessRequest,
        now: u64,
    ) -> AccessAnswer {
        let scopes = if request.scopes.is_empty() { &connection.scopes } else { &request.scopes };
        if let Some(refused) = &request.refused {
            self.sources.refused(connection, caller, scopes, refused.expose());
        }
        // What Logto keeps was agreed to when the identity was linked, and cannot be narrowed here.
        let limit = if matches!(connection.kind, Kind::LogtoVault(_)) { &connection.scopes } else { scopes };
        let is_wider =
            |granted: &str| granted.split_ascii_whitespace().any(|it| !limit.iter().any(|allowed| allowed == it));
        let title = connection.title.clone();
        let named = |cause: String| format!("connection {}: {cause}", connection.name);
        match self.sources.token(connection, caller, scopes, now).await {
            Ok(issued) if !limit.is_empty() && is_wider(&issued.scopes) => Err(wider(connection)),
            Ok(IssuedToken { token, scopes, .. }) => Ok(access(connection, token, scopes)),
            Err(NoToken::NotLinked(url)) => Err(NoAccess::NotConnected { title, url }),
            Err(NoToken::Refused(cause)) => Err(NoAccess::Refused { title, cause: named(cause) }),
            Err(NoToken::Misconfigured(cause)) => Err(NoAccess::Misconfigured { cause: named(cause) }),
            Err(NoToken::Unavailable(cause)) => Err(unavailable(connection, named(cause))),
        }
    }
}

/// The secret of the deployment.
fn of_deployment(connection: &Connection, secret: &Secret, request: &AccessRequest) -> AccessAnswer {
    if request.refused.as_ref() == Some(secret) {
        let problem = ["the service refuses the secret ", &secret_name(&connection.name)].concat();
        return Err(misconfigured(&connection.name, &problem));
    }
    Ok(access(connection, secret.clone(), connection.scopes.join(" ")))
}

/// What holds for tokens of all kinds.
fn check(
    connection: &Connection,
    caller: &Caller,
    request: &AccessRequest,
    access: &ServiceAccess,
) -> Result<(), NoAccess> {
    if access.token == caller.access_token || access.token == request.credential {
        return Err(NoAccess::Refused {
            title: connection.title.clone(),
            cause: format!("connection {}: the token is the caller's own, which is for this server", connection.name),
        });
    }
    let mut granted = access.scopes.split_ascii_whitespace();
    if !connection.scopes.is_empty() && granted.any(|scope| !connection.scopes.iter().any(|offered| offered == scope)) {
        return Err(wider(connection));
    }
    Ok(())
}

fn access(connection: &Connection, token: Secret, scopes: String) -> ServiceAccess {
    ServiceAccess { connection: connection.name.clone(), token, scopes, url: connection.url.clone() }
}

/// A credential that cannot be checked now is not refused, and neither is one because of our own settings.
fn not_verified(denial: &Denial) -> NoAccess {
    if matches!(denial, Denial::Misconfigured { .. }) {
        return NoAccess::Misconfigured { cause: denial.detail().unwrap_or_default() };
    }
    if !denial.reason().is_outage() {
        return NoAccess::CallerRefused;
    }
    let cause = denial.detail().unwrap_or_default();
    let cause = ["the caller's credential: ", denial.reason().slug(), " ", &cause].concat();
    NoAccess::Unavailable { title: String::new(), retry_after: RETRY_AFTER, cause }
}

fn wider(connection: &Connection) -> NoAccess {
    let cause = format!("connection {}: the token has scopes that were not asked for", connection.name);
    NoAccess::Refused { title: connection.title.clone(), cause }
}

fn misconfigured(connection: &str, problem: &str) -> NoAccess {
    NoAccess::Misconfigured { cause: ["connection ", connection, ": ", problem].concat() }
}

fn unavailable(connection: &Connection, cause: String) -> NoAccess {
    NoAccess::Unavailable { title: connection.title.clone(), retry_after: RETRY_AFTER, cause }
}
