//! Our client at the provider.

use mcp_edge_runtime::secret::Secret;

/// A client at the provider.
#[derive(Debug, Clone)]
pub struct Client {
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`; `None`: a public client (`token_endpoint_auth_method` is `none`).
    pub client_secret: Option<Secret>,
    /// How the secret is sent.
    pub method: SecretMethod,
    /// The redirect URI that it is registered with.
    pub redirect_uri: String,
}

/// How the secret of a client is sent (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SecretMethod {
    /// As the provider's document says: with HTTP Basic, unless the form alone is supported.
    #[default]
    AsSupported,
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
}

impl SecretMethod {
    /// Whether the secret stands in the form; `is_supported_alone`: the provider's document supports nothing else.
    pub(crate) const fn posts(self, is_supported_alone: bool) -> bool {
        match self {
            Self::AsSupported => is_supported_alone,
            Self::Basic => false,
            Self::Post => true,
        }
    }
}
