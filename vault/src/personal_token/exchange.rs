//! The exchange of personal access tokens at the provider (RFC 8693), as a port.

use mcp_edge_runtime::secret::Secret;

/// Exchanges personal access tokens.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait Exchange {
    /// Gets an access token for `RESOURCE` with `PAT_SCOPES`.
    ///
    /// # Errors
    /// [`ExchangeError`].
    async fn exchange(&self, token: &Secret, now: u64) -> Result<Secret, ExchangeError>;
}

/// Why there is no access token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// The provider refuses the personal access token (`invalid_grant`).
    #[error("the provider refuses the personal access token")]
    Refused,
    /// Everything else: no answer, a server error, or trouble with our own client.
    #[error("{0}")]
    Unavailable(String),
}
