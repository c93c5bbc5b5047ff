//! Credentials that are no access tokens, and are exchanged for one: access keys, by the vault, and personal access tokens,
//! by the provider (RFC 8693). The access token goes through the ordinary verification; nothing else authenticates.

use futures_util::future::LocalBoxFuture;
use mcp_edge_identity::Credential;
use mcp_edge_runtime::secret::Secret;

use crate::denial::Denial;

/// Exchanges credentials for access tokens.
pub trait CredentialExchange {
    /// What a credential is meant to be, by its prefix alone; `None`: an access token.
    fn kind_of(&self, credential: &str) -> Option<CredentialKind>;

    /// Exchanges a credential at `now` (seconds since 1970). The future does not depend on the request that waits for it.
    fn exchange<'a>(
        &'a self,
        kind: CredentialKind,
        credential: &'a str,
        now: u64,
    ) -> LocalBoxFuture<'a, Result<Exchanged, Denial>>;
}

/// The kinds of credentials that are exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// A key of the vault.
    AccessKey,
    /// A personal access token of the provider.
    PersonalAccessToken,
}

/// An access token in place of another credential, and what it may be used for.
#[derive(Debug, Clone)]
pub struct Exchanged {
    /// The access token, a JWT.
    pub access_token: Secret,
    /// What the caller sent.
    pub credential: Credential,
    /// The scopes of an access key, which limit those of the access token; separated by spaces.
    pub scopes: Option<String>,
    /// Whose credential it is: `iss` and `sub` of the access token must be these.
    pub owner: Option<(String, String)>,
    /// Until when the access token may be used without another exchange, in seconds since 1970.
    pub until: u64,
}
