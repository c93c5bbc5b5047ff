//! A mirror of the provider's discovery document on our own origin, for clients that look for it there: those of MCP
//! 2025-03-26, which know no protected resource metadata, and some that fall back to the origin when they find none.
//!
//! It is the genuine document, as it was received, and names its genuine issuer. A client of MCP 2026-07-28 must not
//! use it, because it comes from another place than its issuer says (RFC 8414 §3.3); it need not, because it reads the
//! protected resource metadata. Writing our origin into `issuer` would only move the mismatch: to the `iss` of the
//! authorization response (RFC 9207), and to that of every token.

use mcp_edge_runtime::json::to_json;
use serde_json::{Map, Value};

/// What the operator decided about the mirror.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirror {
    /// Takes the place of `registration_endpoint`, for clients that register themselves with a service in front of the
    /// provider.
    pub registration_endpoint: Option<String>,
}

/// Where clients look on an origin (RFC 8414 §3, OpenID Connect Discovery 1.0 §4): each with nothing behind it, or with
/// the path of the endpoint.
const PLACES: [&str; 2] = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];

impl Mirror {
    /// Whether clients of `endpoint`, a path, look for the document at `path`.
    #[must_use]
    pub fn is_at(path: &str, endpoint: &str) -> bool {
        PLACES.iter().any(|place| path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest == endpoint))
    }

    /// The document to show in place of the provider's `document`: byte for byte the same, unless clients are to register
    /// elsewhere. The URLs that the operator gives are not in it: they concern this server, and not its clients.
    #[must_use]
    pub fn document(&self, document: &str) -> String {
        let changed = match &self.registration_endpoint {
            None => None,
            Some(endpoint) => serde_json::from_str::<Map<String, Value>>(document).ok().map(|mut members| {
                members.insert("registration_endpoint".to_owned(), endpoint.as_str().into());
                to_json(&members)
            }),
        };
        changed.unwrap_or_else(|| document.to_owned())
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DOCUMENT: &str = r#"{ "jwks_uri":"https://tenant.example/jwks",  "issuer": "https://tenant.example/oidc",
            "registration_endpoint": "https://tenant.example/register", "client_id_metadata_document_supported": true }"#;

    #[test]
    fn the_mirror_changes_nothing() {
        assert_eq!(Mirror::default().document(DOCUMENT), DOCUMENT);
    }

    #[test]
    fn with_a_registration_endpoint_only_that_differs() {
        let mirror = Mirror { registration_endpoint: Some("https://register.example.com/".to_owned()) };
        let mut expected: Value = serde_json::from_str(DOCUMENT).unwrap();
        expected["registration_endpoint"] = json!("https://register.example.com/");
        assert_eq!(serde_json::from_str::<Value>(&mirror.document(DOCUMENT)).unwrap(), expected);
    }

    #[test]
    fn it_is_where_clients_look() {
        for place in PLACES {
            for path in [place.to_owned(), format!("{place}/mcp")] {
                assert!(Mirror::is_at(&path, "/mcp"), "{path}");
            }
            for path in [format!("{place}/"), format!("{place}/other"), format!("{place}mcp"), format!("/mcp{place}")] {
                assert!(!Mirror::is_at(&path, "/mcp"), "{path}");
            }
        }
    }
}
