//! The protected resource metadata of the registration endpoint (RFC 9728), from which developers' programs learn whom
//! to ask for a token.

use mcp_edge_oauth::{
    protected_resource::ProtectedResource, resource_server::TrustedIssuer, settings::ResourceServerSettings,
};
use mcp_edge_runtime::{
    cors,
    http::{RequestHead, Response},
};

/// Answers a request for the document.
#[must_use]
pub fn handle(head: &RequestHead<'_>, settings: &ResourceServerSettings) -> Response {
    let scopes = settings.trust.scope_prefix.requested(&settings.trust.required_scopes);
    let document = ProtectedResource {
        resource: &settings.resource.url,
        authorization_servers: settings.trust.issuers.iter().map(TrustedIssuer::authorization_server).collect(),
        scopes_supported: scopes.iter().collect(),
        bearer_methods_supported: ["header"],
        resource_name: settings.display.name.as_deref(),
        resource_documentation: settings.display.documentation.as_deref(),
        resource_policy_uri: settings.display.privacy_policy.as_deref(),
        resource_tos_uri: settings.display.terms_of_service.as_deref(),
    };
    match head.method() {
        "GET" | "HEAD" => cors::public(Response::json(200, serde_json::to_string(&document).unwrap_or_default()))
            .with_header("cache-control", "public, max-age=300"),
        "OPTIONS" => cors::public_preflight(),
        _ => cors::public(Response::empty(405)).with_header("allow", "GET, HEAD, OPTIONS"),
    }
}
