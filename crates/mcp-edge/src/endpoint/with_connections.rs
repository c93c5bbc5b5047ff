//! An endpoint whose tools have connections.

#[cfg(feature = "cloudflare")]
use mcp_edge_gateway::settings::GatewaySettings;
use mcp_edge_runtime::{json::Object, ports::Services, service_call::CallService};

use super::{Endpoint, connections::CallerConnections};

impl<E: Clone + 'static, S: Services> Endpoint<E, S> {
    /// The same with connections: `vault` answers the calls that ask for tokens.
    #[must_use]
    pub fn with_connections(mut self, vault: impl CallService + 'static) -> Self {
        if !self.settings.access_keys.has_pages {
            let warning = "VAULT is not bound: users cannot connect accounts. Bind it to the service of VAULT_CALLS, unless all \
                           connections of the tools are of the kinds `exchange` and `static`";
            self.services.error(&Object::new().text("warning", warning).close());
        }
        self.connections = CallerConnections::by(vault);
        self
    }

    /// Whether anything needs connections.
    #[cfg(feature = "cloudflare")]
    pub(crate) fn needs_connections(&self) -> bool {
        let of_gateway = self.settings.gateway.as_ref().is_some_and(GatewaySettings::needs_connections);
        of_gateway || self.server.first_connection().is_some()
    }
}
