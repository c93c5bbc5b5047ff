//! A token of a service, and where it may be sent.

use mcp_edge_runtime::{secret::Secret, uri::origin};

/// Access to a service for one caller. `Debug` does not show the token, and nothing serializes it: it gets nowhere by
/// accident.
#[derive(Debug, Clone)]
pub struct ServiceAccess {
    /// The name of the connection.
    pub connection: String,
    /// A Bearer token of the service (RFC 6750).
    pub token: Secret,
    /// What it may do, separated by spaces, as the service calls it.
    pub scopes: String,
    /// The base URL of the service: the token is for this origin.
    pub url: String,
}

/// A URL is not one of the service that a token is for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{connection}: a token for {url} is not sent to another origin")]
pub struct ForeignUrl {
    /// The name of the connection.
    pub connection: String,
    /// The base URL of the service.
    pub url: String,
}

impl ServiceAccess {
    /// The value of `Authorization` in a request to `url`.
    ///
    /// # Errors
    /// [`ForeignUrl`] unless `url` has scheme, host and port of the service.
    pub fn authorization_for(&self, url: &str) -> Result<Secret, ForeignUrl> {
        if origin(url).is_some() && origin(url) == origin(&self.url) {
            Ok(Secret::new(["Bearer ", self.token.expose()].concat()))
        } else {
            Err(ForeignUrl { connection: self.connection.clone(), url: self.url.clone() })
        }
    }
}
