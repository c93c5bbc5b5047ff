//! Protected resource metadata (RFC 9728): the document that names the authorization servers and scopes of the resource.
//!
//! The same body is served at the path-inserted place and at the root: some clients ask only one of them.

use serde::Serialize;

use mcp_edge_identity::Scopes;

/// First part of both places (RFC 9728 §3).
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The document's members that depend on settings. Members without elements are left out (RFC 9728 §3.2).
#[derive(Debug, Serialize)]
pub struct ProtectedResource<'a> {
    /// Byte for byte the URL that clients use and that tokens name as their audience.
    pub resource: &'a str,
    /// Issuers, exactly as their discovery documents say; with a placeholder for the tenant, a URL that clients can use.
    /// Most clients use the first.
    pub authorization_servers: Vec<&'a str>,
    /// Everything that anything here needs. A client that finds no scope in a challenge asks for all of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<&'a str>,
    /// Always `["header"]`.
    pub bearer_methods_supported: [&'static str; 1],
    /// For display.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<&'a str>,
    /// For developers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_documentation: Option<&'a str>,
    /// How data is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_policy_uri: Option<&'a str>,
    /// Terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_tos_uri: Option<&'a str>,
}

/// What `scopes_supported` may list: never `offline_access`, which is between the client and the provider (MCP
/// 2026-07-28 authorization, "scope selection").
pub fn advertisable(scopes: &Scopes) -> impl Iterator<Item = &str> {
    scopes.iter().filter(|scope| *scope != "offline_access")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_is_advertised_but_the_one_for_refresh_tokens() {
        let scopes = Scopes::parse("notes:read offline_access openid");
        assert_eq!(advertisable(&scopes).collect::<Vec<_>>(), ["notes:read", "openid"]);
    }
}
