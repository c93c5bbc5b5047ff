//! Credentials that are no access tokens, and are exchanged for one: access keys, by the vault, and personal access tokens,
//! by the provider (RFC 8693) or the vault. The access token goes through the ordinary verification; nothing else
//! authenticates.
//!
//! | module | what it contains |
//! |---|---|
//! | `exchanges` | [`Exchanges`]: who is asked about which credential, and what the answers mean |
//! | [`token_exchange`] | the request to the provider's token endpoint, and its answers |
//! | `in_flight` | [`InFlight`]: one exchange for all requests that wait for it, and the limit on unknown credentials |

mod exchanges;
mod in_flight;
pub mod token_exchange;

pub use exchanges::{Exchanges, MAX_KEY_SECONDS, VAULT_BINDING};
pub use in_flight::InFlight;

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use mcp_edge_identity::Credential;
use mcp_edge_runtime::secret::Secret;

use crate::denial::Denial;

/// What an exchange led to. Behind pointers, since every future on its way would hold a copy of the code that moves it.
pub type Outcome = Result<Rc<Exchanged>, Rc<Denial>>;

/// Exchanges credentials for access tokens.
pub trait CredentialExchange {
    /// What a text is meant to be, by its prefix alone; `None`: an access token, or no credential.
    fn kind_of(&self, text: &str) -> Option<CredentialKind>;

    /// Whether a text, as it is found in a cookie or a query, is a credential: of keys the whole form, of personal access tokens
    /// the prefix, because nothing else is known of them.
    fn has_form(&self, text: &str) -> bool;

    /// Checks what can be said without asking anybody.
    ///
    /// # Errors
    /// [`Denial::KeyMalformed`] and [`Denial::KeysNotAccepted`]; [`Denial::TokenTooLarge`].
    fn check(&self, kind: CredentialKind, credential: &str) -> Result<(), Denial>;

    /// Exchanges a credential at `now` (seconds since 1970). The future does not depend on the request that waits for it.
    fn exchange<'a>(&'a self, kind: CredentialKind, credential: &'a str, now: u64) -> LocalBoxFuture<'a, Outcome>;
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
    /// The scopes of the credential, which limit those of the access token; separated by spaces, without `SCOPE_PREFIX`.
    pub scopes: Option<String>,
    /// Whose credential it is: `iss` and `sub` of the access token must be these.
    pub owner: Option<(String, String)>,
    /// Until when the access token may be used without another exchange, in seconds since 1970.
    pub until: u64,
}
