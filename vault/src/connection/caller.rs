//! Who asks: verified by the vault itself, which believes no endpoint.

use std::rc::Rc;

use mcp_edge_oauth::Identity;
use mcp_edge_runtime::secret::Secret;
use serde::{Deserialize, Serialize};

/// A caller whose credential was verified here.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What verification established.
    pub identity: Rc<Identity>,
    /// The caller's access token for `RESOURCE`: the credential itself, or what it was exchanged for.
    pub access_token: Secret,
}

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
