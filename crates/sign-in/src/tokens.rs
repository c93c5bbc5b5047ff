//! Requests to the token endpoint and the revocation endpoint.

use mcp_edge_oauth::{provider::Provider, token_endpoint::TokenEndpointError};
use mcp_edge_runtime::{
    ports::{Fetch, FetchError},
    secret::Secret,
};

use crate::{authorization::Code, client::Client};

/// Tokens of the provider.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, if there is one.
    pub refresh_token: Option<Secret>,
    /// The ID token, not verified.
    pub id_token: Option<Secret>,
}

/// Why there are no tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenRequestError {
    /// The discovery document names no https endpoint for this.
    #[error("the provider has no such endpoint")]
    NoEndpoint,
    /// No answer: it is not known whether the provider has done what it was asked for.
    #[error("{0}")]
    NoAnswer(FetchError),
    /// An error of the token endpoint.
    #[error("{0:?}")]
    Refused(TokenEndpointError),
    /// Status 200, and no tokens in the answer.
    #[error("the answer has no tokens")]
    NoTokens,
}

/// Redeems a code. With `resource` the access token is for that resource (RFC 8707 §2.2).
///
/// # Errors
/// [`TokenRequestError`].
pub async fn redeem(
    _provider: &Provider,
    _client: &Client,
    _code: &Code,
    _verifier: &str,
    _resource: Option<&str>,
    _fetch: &impl Fetch,
) -> Result<Tokens, TokenRequestError> {
    Err(TokenRequestError::NoEndpoint)
}

/// Gets an access token for `resource` with `scope` (separated by spaces) for a refresh token (RFC 6749 §6).
///
/// # Errors
/// [`TokenRequestError`]. `Refused(TokenEndpointError::Grant)` alone says that the refresh token is not good.
pub async fn refresh(
    _provider: &Provider,
    _client: &Client,
    _refresh_token: &Secret,
    _resource: &str,
    _scope: &str,
    _fetch: &impl Fetch,
) -> Result<Tokens, TokenRequestError> {
    Err(TokenRequestError::NoEndpoint)
}

/// Revokes a refresh token, and with it what the provider takes for its grant (RFC 7009 §2).
///
/// # Errors
/// [`TokenRequestError`].
pub async fn revoke(
    _provider: &Provider,
    _client: &Client,
    _refresh_token: &Secret,
    _fetch: &impl Fetch,
) -> Result<(), TokenRequestError> {
    Err(TokenRequestError::NoEndpoint)
}
