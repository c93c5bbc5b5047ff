//! Our client at the provider.

use mcp_edge_runtime::secret::Secret;

/// A confidential client at the provider.
#[derive(Debug, Clone)]
pub struct Client {
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`.
    pub client_secret: Secret,
    /// The redirect URI that it is registered with.
    pub redirect_uri: String,
}
