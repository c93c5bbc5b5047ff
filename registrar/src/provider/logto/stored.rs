//! An application as Logto returns it, and its path.

use mcp_edge_oauth::client_authentication::form_encode;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Member of an application's custom data that is ours.
pub(super) const MARK: &str = "registrar";

/// The members of an application that are read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stored {
    pub(super) id: String,
    #[serde(default)]
    custom_data: Map<String, Value>,
    /// Milliseconds since 1970.
    pub(super) created_at: u64,
}

impl Stored {
    pub(super) fn mark(&self) -> Option<&str> {
        self.custom_data.get(MARK).and_then(Value::as_str)
    }
}

/// The path of an application.
pub(super) fn path_of(client_id: &str) -> String {
    format!("/applications/{}", form_encode(client_id))
}
