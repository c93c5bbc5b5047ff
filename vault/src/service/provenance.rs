//! Where tokens of a service are from. The operator may let a connection lead elsewhere later, or its resource may name another
//! authorization server: nothing of an account is sent there.

use mcp_edge_runtime::uri::origin;

use super::{Provenance, ServiceError, of_connection::OfConnection, server::AuthorizationServer};
use crate::connection::settings::Place;

impl Provenance {
    /// That of tokens which a server issues for a connection.
    #[must_use]
    pub fn of(of: &OfConnection, server: &AuthorizationServer) -> Self {
        Self { issuer: issuer_of(server).to_owned(), service: origin_of(&of.connection.url).to_owned() }
    }

    /// Whether a connection leads to another service by now, or to another issuer, as far as that is known without asking the
    /// service.
    #[must_use]
    pub fn is_left_by(&self, of: &OfConnection) -> bool {
        self.service != origin_of(&of.connection.url)
            || match &of.service.place {
                Place::Issuer(issuer) => self.issuer != *issuer,
                Place::Endpoints { token, .. } => self.issuer != origin_of(token),
                Place::Resource => of.known.last_found().is_some_and(|server| self.issuer != issuer_of(&server)),
            }
    }

    /// Whether tokens, or a code, may be sent to a server.
    ///
    /// # Errors
    /// [`ServiceError::AnotherService`].
    pub fn check(&self, of: &OfConnection, server: &AuthorizationServer) -> Result<(), ServiceError> {
        if !self.is_left_by(of) && self.issuer == issuer_of(server) {
            return Ok(());
        }
        Err(ServiceError::AnotherService(format!(
            "connection {}: it leads to another service, or another issuer, than when the account was connected: the account \
             must be connected anew",
            of.name()
        )))
    }
}

fn issuer_of(server: &AuthorizationServer) -> &str {
    match server.provider.issuer.as_str() {
        "" => origin_of(server.provider.token_endpoint.as_deref().unwrap_or_default()),
        issuer => issuer,
    }
}

fn origin_of(url: &str) -> &str {
    origin(url).unwrap_or_default()
}
