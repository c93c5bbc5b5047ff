//! The gateway of the Worker: what it reaches its upstream with.

use std::rc::Rc;

use mcp_edge_gateway::{
    gateway::{Gateway, PassOn},
    settings::GatewaySettings,
};
use mcp_edge_runtime::cloudflare::{Env, Es256Key, Upstream};
use mcp_edge_server::{BuildError, Server};

use crate::settings::Settings;

/// Creates the gateway over the Worker's bindings.
pub(crate) fn create(settings: &GatewaySettings, env: &Env) -> Rc<dyn PassOn> {
    let upstream = match settings.upstream.binding {
        Some(name) => Upstream::binding(env, name),
        None => Upstream::internet(env),
    };
    // The gateway awaits a request to the upstream by itself.
    Rc::new(Gateway::new(settings, upstream.awaited_alone(), Es256Key::new))
}

/// What presents the endpoint: a server that offers nothing of its own.
pub(crate) fn presentation<E: Clone + 'static>(settings: &Settings) -> Result<Server<E>, BuildError> {
    let title = settings.display.name.as_deref().unwrap_or("MCP gateway");
    Server::builder("mcp-edge-gateway", env!("CARGO_PKG_VERSION")).title(title).build()
}
