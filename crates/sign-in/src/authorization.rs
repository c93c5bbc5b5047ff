//! Authorization requests, and the answers to them.

use mcp_edge_oauth::provider::Provider;
use mcp_edge_runtime::{http::RequestHead, ports::Runtime};
use serde::{Deserialize, Serialize};

use crate::client::Client;

/// What a user is sent to the provider for.
#[derive(Debug, Clone, Default)]
pub struct AuthorizationRequest<'a> {
    /// Separated by spaces.
    pub scope: &'a str,
    /// The resource indicator (RFC 8707), if the access token is to be for one.
    pub resource: Option<&'a str>,
    /// `prompt` (OpenID Connect Core §3.1.2.1): `login`, `consent`.
    pub prompt: Option<&'a str>,
    /// `max_age`: the sign-in may be so many seconds ago.
    pub max_age: Option<u64>,
}

/// An authorization round trip in progress: what our side has to remember, sealed, in the browser.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RoundTrip {
    /// `state`.
    pub state: String,
    /// The PKCE verifier.
    pub verifier: String,
    /// `nonce` of the ID token.
    pub nonce: String,
}

/// The answer that a browser brings back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code(pub String);

/// Why there is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// The browser that came back is not known to have been sent.
    #[error("the round trip was not begun here, or too long ago")]
    NotBegunHere,
    /// `iss` is not the provider that was asked (RFC 9207).
    #[error("the answer came from another provider")]
    AnotherProvider,
    /// The provider answered with an error (RFC 6749 §4.1.2.1).
    #[error("authorization: {error}")]
    Refused {
        /// What kind of error.
        refusal: Refusal,
        /// Its code, cut off.
        error: String,
    },
    /// The answer has neither a code nor an error.
    #[error("the answer has no code")]
    NoCode,
    /// The discovery document names no https `authorization_endpoint`.
    #[error("no https authorization_endpoint")]
    NoEndpoint,
}

/// The kinds of errors of an authorization endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The user did not want to.
    Cancelled,
    /// The provider failed.
    Outage,
    /// Anything else.
    Other,
}

/// Begins a round trip: the URL to send the browser to, and what to remember.
///
/// # Errors
/// [`AuthorizationError::NoEndpoint`].
pub fn begin(
    _client: &Client,
    _provider: &Provider,
    _request: &AuthorizationRequest<'_>,
    _runtime: &impl Runtime,
) -> Result<(String, RoundTrip), AuthorizationError> {
    Err(AuthorizationError::NoEndpoint)
}

/// `state` of the answer, to find its round trip by; empty if there is none.
#[must_use]
pub fn state_of(_head: &RequestHead<'_>) -> String {
    String::new()
}

/// Reads the answer to a round trip that was begun at the provider `issuer`.
///
/// # Errors
/// [`AuthorizationError`].
pub fn finish(
    _head: &RequestHead<'_>,
    _round_trip: Option<&RoundTrip>,
    _issuer: &str,
) -> Result<Code, AuthorizationError> {
    Err(AuthorizationError::NotBegunHere)
}
