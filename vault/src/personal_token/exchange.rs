//! The exchange of personal access tokens at the provider (RFC 8693), as a port.

use std::rc::Rc;

use mcp_edge_oauth::{
    exchange::token_exchange::{self, TokenExchange},
    keys::jwks_cache::IssuerKeys,
};
use mcp_edge_runtime::{ports::Services, secret::Secret};

use crate::provider::endpoints;

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

/// The exchange by our client at the provider.
#[derive(Clone)]
pub struct ProviderExchange<S> {
    keys: Rc<IssuerKeys>,
    request: TokenExchange,
    services: S,
}

impl<S: Services> ProviderExchange<S> {
    /// Creates the exchange. `keys` know the provider's endpoints.
    #[must_use]
    pub const fn new(keys: Rc<IssuerKeys>, request: TokenExchange, services: S) -> Self {
        Self { keys, request, services }
    }
}

impl<S: Services> Exchange for ProviderExchange<S> {
    async fn exchange(&self, token: &Secret, now: u64) -> Result<Secret, ExchangeError> {
        use token_exchange::ExchangeError::{OwnClient, Refused, Unavailable};
        let provider = endpoints(&self.keys, now, &self.services).await.map_err(ExchangeError::Unavailable)?;
        let exchanged = self.request.exchange(token.expose(), &provider, &self.services).await;
        exchanged.map_err(|error| match error {
            Refused => ExchangeError::Refused,
            OwnClient(cause) | Unavailable(cause) => ExchangeError::Unavailable(cause),
        })
    }
}
