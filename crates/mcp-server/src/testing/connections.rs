//! Connections of a test client.

use std::{cell::RefCell, rc::Rc};

use futures_util::future::{FutureExt, LocalBoxFuture};
use mcp_edge_connections::{
    access::ServiceAccess,
    port::{Connections, NoAccess, TokenRequest},
};
use mcp_edge_runtime::secret::Secret;

type Answer = Result<ServiceAccess, NoAccess>;

/// What was set, by the name of the connection; what is set last counts.
#[derive(Clone, Default)]
pub(super) struct TestConnections(Rc<RefCell<Vec<(String, Answer)>>>);

impl TestConnections {
    pub(super) fn set(&self, name: &str, answer: Answer) {
        self.0.borrow_mut().push((name.to_owned(), answer));
    }
}

/// A token for the service at `url`.
pub(super) fn access(name: &str, token: &str, url: &str) -> ServiceAccess {
    ServiceAccess { connection: name.to_owned(), token: Secret::new(token), scopes: String::new(), url: url.to_owned() }
}

impl Connections for TestConnections {
    fn access<'a>(&'a self, request: TokenRequest<'a>) -> LocalBoxFuture<'a, Answer> {
        let TokenRequest { connection, scopes, refused, .. } = request;
        let set = self.0.borrow().iter().rev().find(|(name, _)| name == connection).map(|(_, answer)| answer.clone());
        let answer = match set {
            // As in the vault: a token that was refused is not given out again.
            Some(Ok(access)) if refused.is_some_and(|refused| refused.token == access.token) => {
                Err(not_connected(connection))
            }
            Some(Ok(access)) => Ok(ServiceAccess { scopes: scopes.join(" "), ..access }),
            Some(Err(refusal)) => Err(refusal),
            None => Err(NoAccess::Misconfigured { cause: "the test client has no such connection".to_owned() }),
        };
        std::future::ready(answer).boxed_local()
    }
}

/// A user who has not connected an account, with the link to do so.
pub(super) fn not_connected(name: &str) -> NoAccess {
    let url = ["https://vault.test/account/connect/", name].concat();
    NoAccess::NotConnected { title: name.to_owned(), url: Some(url) }
}
