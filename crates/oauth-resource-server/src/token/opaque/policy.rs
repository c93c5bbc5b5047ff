//! Whether and how opaque tokens are accepted.

use crate::{
    client_policy::ClientList,
    denial::{Denial, Excerpt, OpaqueRefusal},
};
use mcp_edge_runtime::secret::Secret;

/// What is longer is not sent to the provider. Most opaque tokens are short (Logto: 43 characters), but some providers
/// seal what they know of a token into itself, which takes up to 4 KB.
pub const MAX_OPAQUE_BYTES: usize = 4096;

/// How opaque tokens are checked, if at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpaquePolicy {
    /// Which clients' tokens are accepted.
    pub clients: AcceptedClients,
    /// How the provider is asked.
    pub method: CheckMethod,
    /// How long a positive answer may be used, which is how long a revoked token lives on.
    pub positive_ttl_seconds: u64,
    /// How long a negative answer may be used.
    pub negative_ttl_seconds: u64,
}

/// Which clients' opaque tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcceptedClients {
    /// Those of any client of the tenant.
    Any,
    /// Those of these clients and no others.
    Listed(ClientList),
}

/// How the provider is asked about an opaque token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckMethod {
    /// The introspection endpoint, with our own client's credentials.
    Introspection {
        /// Our client id.
        client_id: String,
        /// Its secret.
        client_secret: Secret,
    },
    /// The userinfo endpoint. Its response has neither client nor scopes nor expiry.
    Userinfo,
}

impl AcceptedClients {
    /// Checks that the client's opaque tokens are accepted. This policy stands in for the audience that they lack.
    ///
    /// # Errors
    /// [`Denial::OpaqueNotAccepted`].
    pub fn check(&self, client_id: Option<&str>) -> Result<(), Denial> {
        let refusal = match (self, client_id) {
            (Self::Any, _) => return Ok(()),
            (Self::Listed(list), Some(client)) if list.contains(client) => return Ok(()),
            (Self::Listed(_), Some(client)) => OpaqueRefusal::Client(Excerpt::new(client)),
            (Self::Listed(_), None) => OpaqueRefusal::NoClient,
        };
        Err(Denial::OpaqueNotAccepted { refusal })
    }
}
