//! The members of the discovery document that only a client of the provider needs (RFC 8414 §2, RFC 9207 §3). They are
//! read when they are needed: those who verify tokens do without.

use mcp_edge_oauth::{json_members, provider::Provider};
use serde_json::{Map, Value};

const TOKEN_METHODS: &str = "token_endpoint_auth_methods_supported";
const REVOCATION_METHODS: &str = "revocation_endpoint_auth_methods_supported";
const ISS: &str = "authorization_response_iss_parameter_supported";

/// What a client has to know of the provider beside its endpoints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ProviderMetadata {
    /// Whether answers to authorization requests have `iss`.
    pub(crate) sends_iss: bool,
    /// Whether the token endpoint takes the client's secret in the form alone.
    pub(crate) posts_secret: bool,
    /// Whether the revocation endpoint does. What says nothing of its own does as the token endpoint does: a client is
    /// registered with one method.
    pub(crate) posts_secret_to_revoke: bool,
}

impl ProviderMetadata {
    /// Reads the document of this provider. Without one the defaults hold: no `iss`, and HTTP Basic, which RFC 6749 §2.3.1
    /// has every server support.
    pub(crate) fn of(provider: &Provider) -> Self {
        let is_wanted = |name: &str| matches!(name, TOKEN_METHODS | REVOCATION_METHODS | ISS);
        let document = provider.document.as_deref().unwrap_or_default();
        let members = json_members::read(document.as_bytes(), &is_wanted).unwrap_or_default();
        let posts_secret = posts(&members, TOKEN_METHODS).unwrap_or_default();
        Self {
            sends_iss: members.get(ISS) == Some(&Value::Bool(true)),
            posts_secret,
            posts_secret_to_revoke: posts(&members, REVOCATION_METHODS).unwrap_or(posts_secret),
        }
    }
}

/// Whether a list of methods has `client_secret_post` and not `client_secret_basic`; `None` if there is no list.
fn posts(members: &Map<String, Value>, name: &str) -> Option<bool> {
    let methods = members.get(name)?.as_array()?;
    let lists = |wanted: &str| methods.iter().any(|method| method == wanted);
    Some(lists("client_secret_post") && !lists("client_secret_basic"))
}

#[cfg(test)]
mod tests;
