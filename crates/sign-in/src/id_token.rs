//! ID tokens (OpenID Connect Core §2). A type of their own: an ID token is no access token, and the other way round.

use std::rc::Rc;

use mcp_edge_oauth::{
    denial::Denial, keys::jwks_cache::IssuerKeys, resource_server::TrustedIssuer, token::denied::DeniedTokens,
};
use mcp_edge_runtime::{ports::Services, secret::Secret};

/// Who signed in, as a verified ID token says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdToken {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `auth_time`, seconds since 1970, if there is one.
    pub auth_time: Option<u64>,
    /// `sid`, if there is one.
    pub session_id: Option<String>,
    /// The name for display, of at most 60 characters: `name`, `username` or `preferred_username`.
    pub name: Option<String>,
}

/// What an ID token must be.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Whose it must be: `iss` is one of its accepted ones.
    pub issuer: &'a TrustedIssuer,
    /// `aud` must be this client alone, or name it with `azp` being this client.
    pub client_id: &'a str,
    /// `nonce`.
    pub nonce: &'a str,
    /// The keys and ages that the operator denies.
    pub denied: &'a DeniedTokens,
    /// If set, `auth_time` must be there and not longer ago than this many seconds, with the usual leeway.
    pub max_age: Option<u64>,
}

/// Why an ID token does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// The provider sent none.
    #[error("the provider sent no ID token")]
    Missing,
    /// Form, type, signature, issuer or time are wrong.
    #[error("{0}")]
    Denied(Denial),
    /// It is a token of another kind, by this claim.
    #[error("not an ID token, by its claim {claim}")]
    NotAnIdToken {
        /// The claim.
        claim: &'static str,
    },
    /// It is for another client.
    #[error("the ID token is for another client")]
    Audience,
    /// It answers another round trip.
    #[error("the ID token answers another request")]
    Nonce,
    /// The sign-in was too long ago, or the provider does not say when it was.
    #[error("the sign-in was too long ago (auth_time {auth_time:?})")]
    TooOld {
        /// As in the token.
        auth_time: Option<u64>,
    },
}

/// Verifies an ID token at `now` (seconds since 1970).
///
/// # Errors
/// [`IdTokenError`].
pub async fn verify(
    _id_token: &Secret,
    _expected: &Expected<'_>,
    _keys: &Rc<IssuerKeys>,
    _now: u64,
    _services: &impl Services,
) -> Result<IdToken, IdTokenError> {
    Err(IdTokenError::Missing)
}
