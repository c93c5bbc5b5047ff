//! The key-value store: its port and its layout.
//!
//! | module | contents |
//! |---|---|
//! | [`keys`] | the names of keys |
//! | [`records`] | typed access to what is stored of clients |
//!
//! | key | value | written by | ends |
//! |---|---|---|---|
//! | `client/<client id>` | [`Record`](crate::record::Record); metadata [`Listed`](crate::record::Listed) | the registration, once | with the client |
//! | `metadata/<client id>` | [`ClientMetadata`](crate::client_metadata::ClientMetadata) since it was changed; none: that of the record | changes (`PUT`, the portal) | with the client |
//! | `owner/<hash of issuer and subject>/<client id>` | empty; metadata [`Listed`](crate::record::Listed) | the registration, once | with the client |
//! | `usage/<client id>` | [`Usage`](crate::record::Usage), also as metadata | the scheduled run | with the client |
//! | `form/<fingerprint>` | the client id that a form of the portal led to | the registration, once | after [`REPEAT_SECONDS`](keys::REPEAT_SECONDS) |
//! | `rate/<hash of what is counted>` | [`Window`](crate::rate_window::Window) | earlier versions | with its period |
//! | `initial-token/<hash of the token>` | [`InitialToken`](crate::initial_token::InitialToken) | the operator, once | when it expires or is revoked |
//! | `initial-use/<hash of the token>/<client id>` | empty; for `tokens.mjs list` | the registration, once | when the token expires |
//!
//! Neither a client's secret nor any token is stored, only hashes of tokens.
//!
//! The store is eventually consistent: another location may see a change up to a minute late, absence included, and the
//! last of two writes stays, even if it was made from older data. What authorizes something (a record, an initial access token) is
//! therefore written once and later only removed: a location that still sees it cannot restore it. What changes has a
//! key of its own with one kind of writer. Where that is not enough, the [`ledger`](crate::ledger) decides. README.md says
//! what two locations can do ("What two locations can do at the same moment").
//!
//! Earlier versions wrote changes of metadata into the record, and uses of an initial access token into its value. Both
//! are read as they are; nothing is migrated.

pub mod keys;
pub mod records;

use std::time::Duration;

use mcp_edge_runtime::ports::StoreError;
use serde_json::Value;

/// Why something could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// The store failed.
    #[error("the store: {0}")]
    Unavailable(#[from] StoreError),
    /// A value does not have the form that it should have.
    #[error("the store: {what} of {client_id} cannot be read")]
    Unreadable {
        /// What the value is.
        what: &'static str,
        /// The client that it belongs to.
        client_id: String,
    },
}

/// A key-value store that all isolates share.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait RegistrationStore {
    /// The value under `key`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError>;

    /// Puts `value` under `key`, for `ttl` (a minute at least) if that is given. `listed` is shown by lists.
    ///
    /// # Errors
    /// [`StoreError`].
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
    /// [`StoreError`].
    async fn delete(&self, key: &str) -> Result<(), StoreError>;

    /// One page of the keys that begin with `prefix`, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<Page, StoreError>;
}

impl<S: RegistrationStore> RegistrationStore for &S {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        (**self).get(key).await
    }

    async fn put(
        &self,
        key: &str,
        value: &str,
        listed: Option<&Value>,
        ttl: Option<Duration>,
    ) -> Result<(), StoreError> {
        (**self).put(key, value, listed, ttl).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        (**self).delete(key).await
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<Page, StoreError> {
        (**self).list(prefix, cursor).await
    }
}

/// A page of keys.
#[derive(Debug, Default, PartialEq)]
pub struct Page {
    /// Keys with what lists show of them.
    pub keys: Vec<(String, Value)>,
    /// Where the next page begins; `None` on the last.
    pub cursor: Option<String>,
}
