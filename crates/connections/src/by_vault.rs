//! Connections for one caller, by calls of the vault.

use std::rc::Rc;

use futures_util::future::{FutureExt, LocalBoxFuture};
use mcp_edge_runtime::{
    secret::Secret,
    service_call::{CallError, CallService},
};

use crate::{
    access::ServiceAccess,
    port::{Connections, NoAccess, TokenRequest},
    vault_call::{AccessRequest, answer_from_json},
};

/// Seconds until it makes sense to ask again, if the vault does not answer.
const RETRY_AFTER: u64 = 5;

/// The connections of one caller. It lives as long as one request.
pub struct VaultConnections<C> {
    vault: Rc<C>,
    credential: Secret,
}

impl<C> VaultConnections<C> {
    /// Creates the connections of the sender of `credential`.
    #[must_use]
    pub const fn new(vault: Rc<C>, credential: Secret) -> Self {
        Self { vault, credential }
    }
}

impl<C: CallService> Connections for VaultConnections<C> {
    fn access<'a>(&'a self, request: TokenRequest<'a>) -> LocalBoxFuture<'a, Result<ServiceAccess, NoAccess>> {
        let message = AccessRequest {
            credential: self.credential.clone(),
            connection: request.connection.to_owned(),
            scopes: request.scopes.to_vec(),
            user_of_token: request.user_of_token.to_owned(),
            refused: request.refused.map(|access| access.token.clone()),
        };
        async move {
            let answer = self.vault.call(message.to_json()).await.map_err(|error| unanswered(&error))?;
            let access =
                answer_from_json(&answer).unwrap_or_else(|| Err(unavailable("an answer of another version")))?;
            if access.connection == request.connection {
                Ok(access)
            } else {
                Err(unavailable("an answer about another connection"))
            }
        }
        .boxed_local()
    }
}

fn unanswered(error: &CallError) -> NoAccess {
    match error {
        CallError::Unbound(_) | CallError::Forbidden => {
            NoAccess::Misconfigured { cause: format!("the vault: {error}") }
        }
        error => unavailable(&error.to_string()),
    }
}

fn unavailable(cause: &str) -> NoAccess {
    NoAccess::Unavailable { title: String::new(), retry_after: RETRY_AFTER, cause: ["the vault: ", cause].concat() }
}
