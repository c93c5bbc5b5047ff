//! Grants at the provider.

use mcp_edge_runtime::secret::Secret;

/// What the object of a key does with its grant at the provider.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait Grants {
    /// Gets an access token for `RESOURCE` with these scopes (as a key has them, separated by spaces).
    ///
    /// # Errors
    /// [`RefreshError`].
    async fn refresh(&self, refresh_token: &Secret, scopes: &str, now: u64) -> Result<Refreshed, RefreshError>;

    /// Revokes the grant. One that is gone already counts as revoked.
    ///
    /// # Errors
    /// Why the provider could not be asked; it is to be tried again.
    async fn revoke(&self, refresh_token: &Secret, now: u64) -> Result<(), String>;
}

/// What the provider gives for a refresh token.
#[derive(Debug, Clone)]
pub struct Refreshed {
    /// A JWT.
    pub access_token: Secret,
    /// The refresh token that replaces the one that was sent, if the provider rotates them.
    pub refresh_token: Option<Secret>,
}

/// Why there is no access token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefreshError {
    /// The refresh token is not good (`invalid_grant`): the only answer that ends a key.
    #[error("the provider has ended the grant")]
    Ended,
    /// Everything else: no answer, a server error, or trouble with our own client.
    #[error("{0}")]
    Unavailable(String),
}
