//! Grants at the provider.

use std::rc::Rc;

use mcp_edge_oauth::{
    Scopes, keys::jwks_cache::IssuerKeys, provider::Provider, scope_prefix::ScopePrefix,
    token_endpoint::TokenEndpointError,
};
use mcp_edge_runtime::{ports::Services, secret::Secret};
use mcp_edge_sign_in::{
    client::Client,
    tokens::{self, TokenKind, TokenRequestError},
};

/// What the object of a key does with its grant at the provider.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait Grants {
    /// Gets an access token for `RESOURCE` with these scopes (as a key has them, separated by spaces).
    ///
    /// # Errors
    /// [`RefreshError`].
    async fn refresh(&self, refresh_token: &Secret, scopes: &str, now: u64) -> Result<Refreshed, RefreshError>;

    /// Revokes the grant. One that the provider does not know any more counts as revoked.
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

/// Grants of the vault's client at the provider.
#[derive(Clone)]
pub struct ProviderGrants<S> {
    keys: Rc<IssuerKeys>,
    client: Client,
    resource: String,
    prefix: ScopePrefix,
    services: S,
}

impl<S: Services> ProviderGrants<S> {
    /// Creates access to the grants of `client` for `resource`. `keys` know the provider's endpoints; `prefix` is
    /// `SCOPE_PREFIX`.
    #[must_use]
    pub const fn new(keys: Rc<IssuerKeys>, client: Client, resource: String, prefix: ScopePrefix, services: S) -> Self {
        Self { keys, client, resource, prefix, services }
    }
}

/// The provider's endpoints, to send our credentials to.
///
/// # Errors
/// Why they are not known, for the operator.
pub async fn endpoints(keys: &Rc<IssuerKeys>, now: u64, services: &impl Services) -> Result<Provider, String> {
    let provider = keys.provider(now, services).await;
    provider.map_err(|denial| denial.detail().unwrap_or_else(|| "the provider's endpoints are not known".to_owned()))
}

impl<S: Services> Grants for ProviderGrants<S> {
    async fn refresh(&self, refresh_token: &Secret, scopes: &str, now: u64) -> Result<Refreshed, RefreshError> {
        let provider = endpoints(&self.keys, now, &self.services).await.map_err(RefreshError::Unavailable)?;
        let scopes = Scopes::parse(scopes);
        let scope = self.prefix.requested(&scopes).to_string();
        let refreshed =
            tokens::refresh(&provider, &self.client, refresh_token, Some(&self.resource), Some(&scope), &self.services)
                .await;
        match refreshed {
            Ok(tokens) => Ok(Refreshed { access_token: tokens.access_token, refresh_token: tokens.refresh_token }),
            Err(error) => Err(refresh_error(&error)),
        }
    }

    async fn revoke(&self, refresh_token: &Secret, now: u64) -> Result<(), String> {
        let provider = endpoints(&self.keys, now, &self.services).await?;
        // A token that the provider does not know is answered with 200 (RFC 7009 §2.2). With any error, `invalid_grant`
        // among them, the grant may live on.
        let revoked = tokens::revoke(&provider, &self.client, refresh_token, TokenKind::Refresh, &self.services).await;
        revoked.map_err(|error| cause_of(&error))
    }
}

/// `invalid_grant` alone ends a key: it says that the refresh token is not good. Everything else may be
/// right at a later use.
fn refresh_error(error: &TokenRequestError) -> RefreshError {
    match error {
        TokenRequestError::Refused(TokenEndpointError::Grant) => RefreshError::Ended,
        error => RefreshError::Unavailable(cause_of(error)),
    }
}

/// Why there are no tokens, for the operator.
fn cause_of(error: &TokenRequestError) -> String {
    match error {
        TokenRequestError::Refused(refused) => match refused {
            TokenEndpointError::Client => "the provider does not know VAULT_CLIENT_ID, or VAULT_CLIENT_SECRET is wrong",
            TokenEndpointError::SecretExpired => "VAULT_CLIENT_SECRET has expired: make a new one",
            TokenEndpointError::Target => "the provider does not know RESOURCE",
            TokenEndpointError::Grant => "invalid_grant",
            TokenEndpointError::Other(code) => return format!("the provider answered {code}"),
            TokenEndpointError::Outage(status) => return format!("the provider answered with status {status}"),
        }
        .to_owned(),
        other => other.to_string(),
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use mcp_edge_runtime::ports::{FetchError, HttpResponse};

    use super::*;

    fn answered(status: u16, body: &str) -> RefreshError {
        let reply = HttpResponse { status, challenge: String::new(), body: body.to_owned() };
        refresh_error(&TokenRequestError::Refused(TokenEndpointError::of(&reply)))
    }

    #[test]
    fn a_definite_refusal_of_the_refresh_token_is_the_only_end() {
        assert_eq!(answered(400, r#"{"error":"invalid_grant"}"#), RefreshError::Ended);
        for (status, body) in [
            (400, r#"{"error":"invalid_request","error_description":"client secret has expired"}"#),
            (401, r#"{"error":"invalid_client"}"#),
            (400, r#"{"error":"invalid_target"}"#),
            (400, r#"{"error":"invalid_scope"}"#),
            (400, r#"{"error":"unauthorized_client"}"#),
            (429, r#"{"error":"invalid_grant"}"#),
            (500, r#"{"error":"invalid_grant"}"#),
            (503, "<html>"),
            (404, ""),
        ] {
            assert!(matches!(answered(status, body), RefreshError::Unavailable(_)), "{status} {body}");
        }
        for error in [
            TokenRequestError::NoAnswer(FetchError::Network("connection lost".to_owned())),
            TokenRequestError::NoTokens("no access token"),
            TokenRequestError::NoEndpoint,
        ] {
            assert!(matches!(refresh_error(&error), RefreshError::Unavailable(_)), "{error}");
        }
    }

    #[test]
    fn the_cause_names_the_setting_to_correct() {
        let expired = answered(400, r#"{"error":"invalid_request","error_description":"client secret has expired"}"#);
        assert_eq!(expired.to_string(), "VAULT_CLIENT_SECRET has expired: make a new one");
    }
}
