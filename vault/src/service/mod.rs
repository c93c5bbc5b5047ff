//! Services of others, as their OAuth client: what a connection of the kind `connect` needs of an authorization server.
//!
//! | module | what it contains | source |
//! |---|---|---|
//! | [`clients`] | [`AuthorizationServers`], over the network | RFC 6749, 7009, 8707, 9207 |
//! | [`of_connection`] | each connection with what is known of its service | |
//! | [`own_client`] | which client we are at a service | |
//! | [`client_metadata`] | how we describe it | RFC 7591 §2, OAuth Client ID Metadata Document |
//! | [`registration`] | dynamic registration | RFC 7591 |
//! | [`grant`] | the scopes that were granted; what errors mean | RFC 6749 §5 |
//! | [`account`] | what a service calls an account, and its id there | OpenID Connect Core §5 |
//! | [`known`] | what an isolate knows of an authorization server | |
//! | [`discovery`], [`challenge`] | finding it | RFC 9728, 8414, OpenID Connect Discovery |
//! | [`server`] | its metadata | RFC 8414 §2 |
//! | [`hosts`] | where requests may go | |
//! | [`provenance`] | where tokens are from, and whether a connection still leads there | |

pub mod account;
pub mod challenge;
pub mod client_metadata;
pub mod clients;
pub mod discovery;
pub mod grant;
pub mod hosts;
pub mod known;
pub mod of_connection;
pub mod own_client;
pub mod provenance;
pub mod registration;
pub mod server;

use mcp_edge_runtime::secret::Secret;
use mcp_edge_sign_in::authorization::{Code, RoundTrip};
use serde::{Deserialize, Serialize};

use self::account::ServiceAccount;

/// The authorization servers of all connections of the kind `connect`.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait AuthorizationServers {
    /// Begins a round trip for `scopes`: the URL for the browser, what to keep of it, and the client that asks.
    ///
    /// # Errors
    /// [`ServiceError`].
    async fn begin(&self, connection: &str, scopes: &[String], now: u64) -> Result<Begun, ServiceError>;

    /// The same for a user who wants to choose another account than the one that the service knows the browser by.
    ///
    /// # Errors
    /// [`ServiceError`].
    async fn begin_for_another_account(
        &self,
        connection: &str,
        scopes: &[String],
        now: u64,
    ) -> Result<Begun, ServiceError> {
        self.begin(connection, scopes, now).await
    }

    /// Redeems a code. `scopes` are those that were asked for; more is an error.
    ///
    /// # Errors
    /// [`ServiceError`].
    async fn redeem(&self, redemption: Redemption<'_>, now: u64) -> Result<ServiceTokens, ServiceError>;

    /// The account that tokens are of, as far as the service says it.
    ///
    /// # Errors
    /// [`ServiceError`].
    async fn account(&self, connection: &str, tokens: &ServiceTokens, now: u64)
    -> Result<ServiceAccount, ServiceError>;

    /// Whether a connection leads to another service, or another issuer, than that which tokens are from: as far as it is known
    /// without asking the service. `false` of a connection that is not there.
    fn leads_elsewhere(&self, connection: &str, from: &Provenance) -> bool;

    /// Gets an access token for a refresh token, with as much of what was granted as is wanted; more is an error.
    ///
    /// # Errors
    /// [`RefreshError`]. `Ended` alone says that the refresh token is not good, and `Superseded` that no refresh gives what is
    /// wanted.
    async fn refresh(
        &self,
        issued: Issued<'_>,
        refresh_token: &Secret,
        scopes: Narrowing<'_>,
        now: u64,
    ) -> Result<ServiceTokens, RefreshError>;

    /// Revokes a token (RFC 7009). `Ok(false)`: the service offers no revocation.
    ///
    /// # Errors
    /// [`ServiceError`]; it is to be tried again.
    async fn revoke(&self, issued: Issued<'_>, token: &Secret, now: u64) -> Result<bool, ServiceError>;
}

/// Where tokens are from, and what they are for. Compared byte for byte.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The issuer that has issued them; of a server without metadata the origin of its token endpoint.
    pub issuer: String,
    /// The origin of the service: of `url`, as it was when the user agreed.
    pub service: String,
}

/// Something that was issued to us.
#[derive(Debug, Clone, Copy)]
pub struct Issued<'a> {
    /// The name of the connection.
    pub connection: &'a str,
    /// Our client.
    pub client_id: &'a str,
    /// By whom, for what.
    pub from: &'a Provenance,
}

/// A round trip that was begun.
#[derive(Debug, Clone)]
pub struct Begun {
    /// The authorization request.
    pub url: String,
    /// What the browser keeps, sealed.
    pub round_trip: RoundTrip,
    /// The client that asks, and redeems.
    pub client_id: String,
    /// The issuer that answers (RFC 9207); empty if it is not known.
    pub issuer: String,
    /// Where its tokens will be from.
    pub from: Provenance,
}

/// A code to redeem.
#[derive(Debug, Clone, Copy)]
pub struct Redemption<'a> {
    /// The name of the connection.
    pub connection: &'a str,
    /// The client that asked.
    pub client_id: &'a str,
    /// Whom it asked, for what.
    pub from: &'a Provenance,
    /// The code.
    pub code: &'a Code,
    /// What was kept of the round trip.
    pub round_trip: &'a RoundTrip,
    /// What was asked for.
    pub scopes: &'a [String],
}

/// The scopes of a refresh, each separated by spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Narrowing<'a> {
    /// What was granted.
    pub granted: &'a str,
    /// Those of them that are wanted still.
    pub wanted: &'a str,
}

/// Tokens of a service.
#[derive(Debug, Clone)]
pub struct ServiceTokens {
    /// The access token.
    pub access_token: Secret,
    /// Until when it is good, in seconds since 1970; `None`: the service does not say.
    pub until: Option<u64>,
    /// The refresh token, if there is one.
    pub refresh_token: Option<Secret>,
    /// The ID token, if the code was redeemed with `openid`: verified, as an answer to the round trip.
    pub id_token: Option<Secret>,
    /// What was granted, separated by spaces.
    pub scopes: String,
    /// The client that they were issued to.
    pub client_id: String,
    /// Where they are from.
    pub from: Provenance,
}

/// Why a service has not done what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// The code or the refresh token is not good (`invalid_grant`).
    #[error("the service has ended the grant")]
    Ended,
    /// It granted more than was asked for.
    #[error("{0}")]
    WiderScopes(String),
    /// An endpoint of it is at a host that the operator has not named, is not https, or is at a private address.
    #[error("{0}")]
    ForeignEndpoint(String),
    /// The connection leads to another service, or another issuer, than that which the tokens or the code are from.
    #[error("{0}")]
    AnotherService(String),
    /// What was granted goes with settings that have changed since, and the user has to connect the account anew: it was to a
    /// client that is ours no more, or no narrower token is given.
    #[error("{0}")]
    Superseded(String),
    /// It refuses our client, or there is none: for the operator.
    #[error("{0}")]
    Client(String),
    /// No answer, or none that can be used.
    #[error("{0}")]
    Unavailable(String),
}

/// Why a refresh has led to no access token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct RefreshError {
    /// Why.
    pub error: ServiceError,
    /// The refresh token of an answer whose access token is refused. A service that rotates refresh tokens takes the earlier one
    /// no more (RFC 9700 §4.14.2).
    pub refresh_token: Option<Secret>,
}

impl From<ServiceError> for RefreshError {
    fn from(error: ServiceError) -> Self {
        Self { error, refresh_token: None }
    }
}

#[cfg(test)]
mod tests;
