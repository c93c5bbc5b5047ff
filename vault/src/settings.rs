//! What an operator decides.

use mcp_edge_oauth::settings::ResourceServerSettings;
use mcp_edge_runtime::{log::LogSettings, secret::Secret};
use mcp_edge_sign_in::client::Client;

/// The settings of the vault.
#[derive(Clone)]
pub struct Settings {
    /// The endpoint that the keys are for, and whom it trusts: the same settings as its own.
    pub server: ResourceServerSettings,
    /// The vault's client at the provider.
    pub client: Client,
    /// What ids, sealed grants and sessions are protected with; at least 32 characters.
    pub secret: Secret,
    /// Where Durable Objects may be (`eu`, `fedramp`), decided before the first one exists.
    pub jurisdiction: Option<String>,
    /// The prefix of keys.
    pub key_prefix: String,
    /// The scopes that users may give keys, without `SCOPE_PREFIX`.
    pub key_scopes: Vec<String>,
    /// The tools that users may choose from; if empty they write names.
    pub key_tools: Vec<String>,
    /// The longest life of a key, in days.
    pub max_days: u64,
    /// How many keys a user may have that work.
    pub keys_per_user: u32,
    /// Keys that were made before this moment (seconds since 1970) are revoked.
    pub not_before: Option<u64>,
    /// How many seconds ago the sign-in may be when a key is made.
    pub sign_in_max_age: u64,
    /// After how many days the provider forgets a refresh token that nobody uses.
    pub refresh_days: u64,
    /// What administration is authenticated with; `None`: there is none.
    pub admin_secret: Option<Secret>,
    /// What is logged.
    pub log: LogSettings,
}
