//! Connections at the endpoint: tokens of other services for the caller of a tool, from the vault.

use std::rc::Rc;

use mcp_edge_connections::{by_vault::VaultConnections, port::Connections};
use mcp_edge_gateway::settings::GatewaySettings;
use mcp_edge_oauth::bearer::credentials_of;
use mcp_edge_runtime::{http::RequestHead, json::Object, ports::Services, secret::Secret, service_call::CallService};

use super::Endpoint;

/// Makes the connections of the caller of each request, if there are any.
pub(super) struct CallerConnections(Option<Box<Create>>);

/// Makes connections from the caller's credential.
type Create = dyn Fn(Secret) -> Rc<dyn Connections>;

impl CallerConnections {
    /// Makes none.
    pub(super) const NONE: Self = Self(None);

    /// The connections of the sender of a request. The request has been authenticated; the vault verifies its credential
    /// again, and believes nothing else.
    pub(super) fn of(&self, head: &RequestHead<'_>) -> Option<Rc<dyn Connections>> {
        let credential = self.0.as_ref().and_then(|create| Some((create, credentials_of(head).ok()?)));
        credential.map(|(create, credential)| create(Secret::new(credential.expose())))
    }
}

impl<E: Clone + 'static, S: Services> Endpoint<E, S> {
    /// The same with connections: `vault` answers the calls that ask for tokens.
    #[must_use]
    pub fn with_connections(mut self, vault: impl CallService + 'static) -> Self {
        if !self.settings.access_keys.has_pages {
            let warning = "VAULT is not bound: users cannot connect accounts. Bind it to the service of VAULT_CALLS, unless all \
                           connections of the tools are of the kinds `exchange` and `static`";
            self.services.error(&Object::new().text("warning", warning).close());
        }
        let trust = Rc::clone(&self.settings.trust);
        self.server = self.server.with_security_schemes(|scopes| {
            trust.scope_prefix.requested(&trust.required_scopes.union(scopes)).into_owned()
        });
        let vault = Rc::new(vault);
        self.connections = CallerConnections(Some(Box::new(move |credential| {
            Rc::new(VaultConnections::new(Rc::clone(&vault), credential))
        })));
        self
    }

    /// Whether anything needs connections.
    #[cfg(feature = "cloudflare")]
    pub(crate) fn needs_connections(&self) -> bool {
        let of_gateway = self.settings.gateway.as_ref().is_some_and(GatewaySettings::needs_connections);
        of_gateway || self.server.first_connection().is_some()
    }
}
