//! Responses at paths where nothing is: they name the endpoint.

use mcp_edge_runtime::{cors, http::Response, json::to_json};
use serde_json::json;

use super::Endpoint;

impl<E, S> Endpoint<E, S> {
    /// The transport of 2024-11-05 is not supported: messages of a session came in other requests, so a client that knew
    /// the session could use the identity that had opened it.
    pub(super) fn retired_transport(&self) -> Response {
        let url = &self.settings.resource.url;
        let body = json!({
            "error": "gone",
            "error_description": format!("The HTTP+SSE transport is not offered. Use Streamable HTTP at {url}"),
            "endpoint": url,
        });
        cors::public(Response::json(410, to_json(&body)))
    }

    pub(super) fn elsewhere(&self) -> Response {
        let body = json!({
            "error": "not_found",
            "error_description": format!("Not found. The MCP endpoint is {}", self.settings.resource.url),
        });
        cors::public(Response::json(404, to_json(&body)))
    }
}
