//! Responses to MCP requests with a token: the JSON-RPC result, or a description of what was sent instead.

use serde_json::Value;

use crate::{
    http::HttpResponse,
    mcp::{self, RpcResponse},
    outcome::Skip,
    probe::Probe,
    quote::quote,
    record::Record,
};

/// The `kind` in the result of mcp-edge's `whoami` if the token belongs to a client instead of a user.
pub(super) const MACHINE: &str = "machine";

/// The response to a probe with a token.
///
/// # Errors
/// [`Skip`] if there is none, or if the server rejected the token.
pub(super) fn require_authorized(record: &Record, probe: Probe) -> Result<&HttpResponse, Skip> {
    if record.is_protected() && record.token.is_none() {
        return Err(Skip::new("needs an access token (see token)"));
    }
    // Probes that need a session are sent only after a successful `initialize`.
    let probe_sent = if record.result(probe).is_some() { probe } else { Probe::LegacyInitialize };
    if let Some(HttpResponse { status: status @ (401 | 403), .. }) = record.response(probe_sent) {
        return Err(Skip::new(format!("the server answers {status} (see token)")));
    }
    record.require_response(probe)
}

/// Describes a response that is not a result.
pub(super) fn describe(response: &HttpResponse) -> String {
    match mcp::rpc_response(response) {
        Some(RpcResponse::Error(code, message)) => {
            format!("{} with error {code} {}", response.status, quote(&message))
        }
        _ => response.summary(),
    }
}

/// The JSON-RPC result in a 200 response.
pub(super) fn result(response: &HttpResponse) -> Option<Value> {
    match mcp::rpc_response(response) {
        Some(RpcResponse::Result(result)) if response.status == 200 => Some(result),
        _ => None,
    }
}

/// The tools in the response to a `tools/list` probe.
pub(super) fn listed_tools(record: &Record, probe: Probe) -> Option<Vec<Value>> {
    result(record.response(probe)?)?.get("tools")?.as_array().cloned()
}
