//! What is kept, and where: the layout of the key-value namespace on one page.
//!
//! | key | value | written by | ends |
//! |---|---|---|---|
//! | `client/<client id>` | [`Record`](crate::record::Record); metadata [`Listed`](crate::record::Listed) | the registration, once | with the client |
//! | `metadata/<client id>` | [`ClientMetadata`](crate::registration::metadata::ClientMetadata) since it was changed; none: that of the record | changes (`PUT`, the portal) | with the client |
//! | `owner/<hash of issuer and subject>/<client id>` | empty; metadata [`Listed`](crate::record::Listed) | the registration, once | with the client |
//! | `usage/<client id>` | [`Usage`](crate::record::Usage), also as metadata | the scheduled run | with the client |
//! | `form/<fingerprint>` | the client id that a form of the portal led to | the registration, once | after [`REPEAT_SECONDS`] |
//! | `rate/<hash of what is counted>` | [`Window`](crate::policy::Window) | the [`limiter`](crate::limiter) | with its period |
//! | `initial-token/<hash of the token>` | [`InitialToken`](crate::initial_token::InitialToken) | the operator, once | when it expires or is revoked |
//! | `initial-use/<hash of the token>/<client id>` | empty | the registration, once | when the token expires |
//!
//! Neither a client's secret nor any token is kept, only hashes of tokens.
//!
//! The store is eventually consistent: another location may see a change up to a minute later, what it has not found
//! included, and the last of two writes stays, whatever it was made from. So what opens something (a record, an initial
//! access token) is written once and only ever removed: whoever still sees it later than that cannot bring it back. What
//! changes is under a key of its own that has one kind of writer. Where that is not enough, README.md says what two
//! locations can do ("What two locations can do at the same moment").
//!
//! Earlier versions wrote changes of metadata into the record, and uses of an initial access token into its value. Both
//! are read as they are; nothing is migrated.

use std::time::Duration;

use mcp_edge::ports::StoreError;
use serde_json::Value;

use crate::policy::hex;

/// How long a form that is sent again is recognized. People press a button again, or reload its answer, within minutes.
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

/// `metadata/<client id>`
#[must_use]
pub fn metadata_key(client_id: &str) -> String {
    format!("{METADATA}{client_id}")
}

/// Beginning of the keys of changed metadata.
pub const METADATA: &str = "metadata/";

/// `form/<fingerprint>`
#[must_use]
pub fn form_key(fingerprint: &str) -> String {
    format!("form/{fingerprint}")
}

/// `usage/<client id>`
#[must_use]
pub fn usage_key(client_id: &str) -> String {
    format!("{USAGES}{client_id}")
}

/// Beginning of the keys of what is known of clients' use.
pub const USAGES: &str = "usage/";

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

/// `initial-use/<hash of the token>/`: beginning of the keys of its uses.
#[must_use]
pub fn initial_use_prefix(token: &str) -> String {
    format!("initial-use/{}/", hex(token))
}
