//! `UPSTREAM` and what belongs to it: the gateway.

use mcp_edge_gateway::settings::{GatewaySettings, Surroundings, UPSTREAM};
use mcp_edge_oauth::{exchange::VAULT_BINDING, resource_server::TrustPolicy, settings::Resource};
use mcp_edge_runtime::settings::Reader;

/// Reads these settings. Without the feature `gateway` there can be none: the tools of this Worker must not be served to
/// clients of another server.
pub(super) fn read(
    reader: &mut Reader<'_>,
    resource: &Resource,
    trust: &TrustPolicy,
    is_bound: impl Fn(&str) -> bool,
) -> Option<GatewaySettings> {
    let (is_bound, has_vault) = (is_bound(UPSTREAM), is_bound(VAULT_BINDING));
    if !cfg!(feature = "gateway") {
        if is_bound || reader.text(UPSTREAM).is_some() {
            reader.error("UPSTREAM needs a Worker that is built with the feature `gateway` of mcp-edge");
        }
        return None;
    }
    let issuer = trust.issuers.first().map_or("", |trusted| &trusted.issuer);
    let Resource { url, origin, .. } = resource;
    let surroundings = Surroundings { resource: url, origin, issuer, is_bound, has_vault };
    GatewaySettings::read(reader, surroundings).map(|mut gateway| {
        gateway.policy.tools.write_security_schemes(|scopes| trust.requested(scopes));
        gateway
    })
}
