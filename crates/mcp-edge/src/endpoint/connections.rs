//! Connections at the endpoint: tokens of other services for the caller of a tool, from the vault.

use std::rc::Rc;

use mcp_edge_connections::{by_vault::VaultConnections, port::Connections};
use mcp_edge_oauth::bearer::credentials_of;
use mcp_edge_runtime::{http::RequestHead, secret::Secret, service_call::CallService};

/// Makes the connections of the caller of each request, if there are any.
pub(super) struct CallerConnections(Option<Box<Create>>);

/// Makes connections from the caller's credential.
type Create = dyn Fn(Secret) -> Rc<dyn Connections>;

impl CallerConnections {
    /// Makes none.
    pub(super) const NONE: Self = Self(None);

    /// Makes them by calls of the vault.
    pub(super) fn by(vault: impl CallService + 'static) -> Self {
        let vault = Rc::new(vault);
        Self(Some(Box::new(move |credential| Rc::new(VaultConnections::new(Rc::clone(&vault), credential)))))
    }

    /// The connections of the sender of a request. The request has been authenticated; the vault verifies its credential
    /// again, and believes nothing else.
    pub(super) fn of(&self, head: &RequestHead<'_>) -> Option<Rc<dyn Connections>> {
        let credential = self.0.as_ref().and_then(|create| Some((create, credentials_of(head).ok()?)));
        credential.map(|(create, credential)| create(Secret::new(credential.expose())))
    }
}
