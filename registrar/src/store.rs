//! What is kept, and where: the layout of the key-value namespace on one page.
//!
//! | key | value | written by | ends |
//! |---|---|---|---|
//! | `client/<client id>` | [`Record`](crate::record::Record); metadata [`Listed`](crate::record::Listed) | who manages the client | with the client |
//! | `owner/<hash of issuer and subject>/<client id>` | empty; metadata [`Listed`](crate::record::Listed) | the same | with the client |
//! | `usage/<client id>` | [`Usage`](crate::record::Usage), also as metadata | the scheduled run | with the client |
//! | `answered/<client id>` | empty: the registration access token has come back | calls with that token | after twice [`REPEAT_SECONDS`] |
//! | `request/<fingerprint>` | the client id that a request led to | the registration | after [`REPEAT_SECONDS`] |
//! | `rate/<hash of what is counted>` | [`Window`](crate::policy::Window) | the [`limiter`](crate::limiter) | with its period |
//! | `initial-token/<hash of the token>` | [`InitialToken`](crate::initial_token::InitialToken) | the operator, registrations | when it expires |
//!
//! Neither a client's secret nor any token is kept, only hashes of tokens.
//!
//! The store is eventually consistent: another location may see a change up to a minute later, and the last of two
//! writes stays, whatever it was made from. So each key has one kind of writer, who cannot undo what another has changed,
//! and whoever changes a part of a value reads it again just before. What may still happen is said where it matters.

use std::time::Duration;

use mcp_edge::ports::StoreError;
use serde_json::Value;

use crate::policy::hex;

/// How long a repeated request is recognized. Clients retry within seconds; people press a button again within minutes.
pub const REPEAT_SECONDS: u64 = 600;

/// A store that all isolates share.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait RegistrationStore {
    /// The value under `key`.
    ///
    /// # Errors
    /// What the store said.
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError>;

    /// Puts `value` under `key`, for `ttl` (a minute at least) if that is given. `listed` is shown by lists.
    ///
    /// # Errors
    /// What the store said.
    async fn put(
        &self,
        key: &str,
        value: &str,
        listed: Option<&Value>,
        ttl: Option<Duration>,
    ) -> Result<(), StoreError>;

    /// Removes what is under `key`, if there is anything.
    ///
    /// # Errors
    /// What the store said.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;

    /// One page of the keys that begin with `prefix`, in order.
    ///
    /// # Errors
    /// What the store said.
    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<Page, StoreError>;
}

/// A page of keys.
#[derive(Debug, Default, PartialEq)]
pub struct Page {
    /// Keys with what lists show of them.
    pub keys: Vec<(String, Value)>,
    /// Where the next page begins; `None` on the last.
    pub cursor: Option<String>,
}

/// `client/<client id>`
#[must_use]
pub fn client_key(client_id: &str) -> String {
    format!("{CLIENTS}{client_id}")
}

/// Beginning of the keys of all clients.
pub const CLIENTS: &str = "client/";

/// `owner/<hash>/`: beginning of the keys of one developer's clients. The hash keeps issuers and subjects apart, and
/// out of whatever lists keys.
#[must_use]
pub fn owner_prefix(issuer: &str, subject: &str) -> String {
    format!("owner/{}/", hex(&format!("{}:{issuer}{subject}", issuer.len())))
}

/// `request/<fingerprint>`
#[must_use]
pub fn request_key(fingerprint: &str) -> String {
    format!("request/{fingerprint}")
}

/// `usage/<client id>`
#[must_use]
pub fn usage_key(client_id: &str) -> String {
    format!("{USAGES}{client_id}")
}

/// Beginning of the keys of what is known of clients' use.
pub const USAGES: &str = "usage/";

/// `answered/<client id>`
#[must_use]
pub fn answered_key(client_id: &str) -> String {
    format!("answered/{client_id}")
}

/// `rate/<hash of what is counted>`, for an activity and who is at it.
#[must_use]
pub fn rate_key(activity: &str, who: &str) -> String {
    format!("rate/{}", hex(&format!("{activity} {who}")))
}

/// `initial-token/<hash of the token>`
#[must_use]
pub fn initial_token_key(token: &str) -> String {
    format!("initial-token/{}", hex(token))
}
