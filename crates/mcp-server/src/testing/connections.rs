//! Connections of a test client.

use std::rc::Rc;

use futures_util::future::{FutureExt, LocalBoxFuture};
use mcp_edge_connections::{
    access::ServiceAccess,
    port::{Connections, NoAccess, TokenRequest},
};
use mcp_edge_runtime::secret::Secret;

use super::Client;

impl<E: Clone + 'static> Client<'_, E> {
    /// Connects an account: the tools get this token, for the service at `https://<name>.test`.
    #[must_use]
    pub fn connection(self, name: &str, token: &str) -> Self {
        let url = ["https://", name, ".test"].concat();
        self.connection_at(name, token, &url)
    }

    /// The same for the service at `url`.
    #[must_use]
    pub fn connection_at(self, name: &str, token: &str, url: &str) -> Self {
        let (connection, token, url) = (name.to_owned(), Secret::new(token), url.to_owned());
        self.answering(name, Ok(ServiceAccess { connection, token, scopes: String::new(), url }))
    }

    /// The user has not connected an account. The link to do so is `https://vault.test/account/connect/<name>`.
    #[must_use]
    pub fn not_connected(self, name: &str) -> Self {
        self.no_access(name, not_connected(name))
    }

    /// There is no token, for any reason.
    #[must_use]
    pub fn no_access(self, name: &str, refusal: NoAccess) -> Self {
        self.answering(name, Err(refusal))
    }

    /// Changes where tokens come from.
    #[must_use]
    pub fn connections(mut self, connections: Rc<dyn Connections>) -> Self {
        self.context.connections = Some(connections);
        self
    }

    fn answering(mut self, name: &str, answer: Answer) -> Self {
        let others = self.context.connections.take();
        self.connections(Rc::new(TestConnection { name: name.to_owned(), answer, others }))
    }
}

type Answer = Result<ServiceAccess, NoAccess>;

/// Answers for one connection, and leaves the others to what was set before.
struct TestConnection {
    name: String,
    answer: Answer,
    others: Option<Rc<dyn Connections>>,
}

impl Connections for TestConnection {
    fn access<'a>(&'a self, request: TokenRequest<'a>) -> LocalBoxFuture<'a, Answer> {
        let TokenRequest { connection, scopes, refused, .. } = request;
        let answer = match (&self.answer, &self.others) {
            (_, Some(others)) if self.name != connection => return others.access(request),
            (_, None) if self.name != connection => {
                Err(NoAccess::Misconfigured { cause: "the test client has no such connection".to_owned() })
            }
            // As in the vault: a token that was refused is not given out again.
            (Ok(access), _) if refused.is_some_and(|refused| refused.token == access.token) => {
                Err(not_connected(connection))
            }
            (Ok(access), _) => Ok(ServiceAccess { scopes: scopes.join(" "), ..access.clone() }),
            (Err(refusal), _) => Err(refusal.clone()),
        };
        std::future::ready(answer).boxed_local()
    }
}

/// A user who has not connected an account, with the link to do so.
fn not_connected(name: &str) -> NoAccess {
    let url = ["https://vault.test/account/connect/", name].concat();
    NoAccess::NotConnected { title: name.to_owned(), url: Some(url) }
}
