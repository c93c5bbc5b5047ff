//! The software that asks for a token of another service.

use serde::{Deserialize, Serialize};

/// The software that asks, as users see it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agent {
    /// A client, by its verified `client_id`.
    Client(String),
    /// A job with an access key, by the key's id.
    AccessKey(String),
    /// A job with a personal access token.
    PersonalToken,
    /// The token names no client.
    Unnamed,
}
