//! What tools and the gateway ask for tokens of other services.

use futures_util::future::LocalBoxFuture;

use crate::access::ServiceAccess;

/// Tokens of other services for one caller.
pub trait Connections {
    /// Gets a token.
    fn access<'a>(&'a self, request: TokenRequest<'a>) -> LocalBoxFuture<'a, Result<ServiceAccess, NoAccess>>;
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct TokenRequest<'a> {
    /// The name of the connection.
    pub connection: &'a str,
    /// The scopes that are needed, as the service calls them. Empty: any token of the connection will do.
    pub scopes: &'a [String],
    /// What needs the token: the name of a tool, or `gateway`. Users read when it was used by what.
    pub user_of_token: &'a str,
    /// The service has refused this token (401) although it was given out as a good one: another is needed.
    pub refused: Option<&'a ServiceAccess>,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAccess {
    /// The user has not connected an account of the service, not with these scopes, or the connection has ended.
    NotConnected {
        /// What users call the service.
        title: String,
        /// Where the user connects one; `None` if that is not done here. It is the same for repeated requests of a caller
        /// within some minutes, and useless to anybody but this user.
        url: Option<String>,
    },
    /// The service or the provider refuses it for this user, and connecting would not help.
    Refused {
        /// What users call the service.
        title: String,
        /// Why, for the operator's log; without secrets.
        cause: String,
    },
    /// The caller is no user, and only users have connections of this kind.
    NeedsUser,
    /// The caller's own credential is not good (any more): it is to be refused as at the endpoint.
    CallerRefused,
    /// The settings, or what a tool declares, are wrong.
    Misconfigured {
        /// Which, for the operator's log.
        cause: String,
    },
    /// It cannot be said now.
    Unavailable {
        /// What users call the service, if known.
        title: String,
        /// Seconds until it makes sense to ask again.
        retry_after: u64,
        /// Why, for the operator's log; without secrets.
        cause: String,
    },
}
