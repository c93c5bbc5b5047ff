//! Responses to MCP requests with a token: the JSON-RPC result, or a description of what was sent instead.

use serde_json::Value;

use super::response::unreadable;
use crate::{
    http::{HttpResponse, TransportError},
    mcp::{self, Era, List, RpcResponse},
    outcome::Skip,
    probe::Probe,
    quote::quote,
    record::Record,
};

/// The `kind` in the result of mcp-edge's `whoami` if the token belongs to a client instead of a user.
pub(super) const MACHINE: &str = "machine";

/// The `kind` if nothing in the token proves a user or a client.
pub(super) const UNKNOWN: &str = "unknown";

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
        _ => match unreadable(response) {
            Some(problem) => format!("{}: {problem}", response.summary()),
            None => response.summary(),
        },
    }
}

/// The JSON-RPC result in a 200 response.
pub(super) fn result(response: &HttpResponse) -> Option<Value> {
    match mcp::rpc_response(response) {
        Some(RpcResponse::Result(result)) if response.status == 200 => Some(result),
        _ => None,
    }
}

/// The tools of all pages in one era.
pub(super) fn listed_tools(record: &Record, era: Era) -> Option<&[Value]> {
    record.pages(era, List::Tools).map(|pages| pages.entries.as_slice())
}

/// Describes the result of a request for a page that has no list: the error, or what was sent instead.
pub(super) fn describe_no_list(result: &Result<HttpResponse, TransportError>, list: List) -> String {
    match result {
        Ok(response) if self::result(response).is_some() => format!("a result without {}", list.member()),
        Ok(response) => describe(response),
        Err(error) => error.to_string(),
    }
}

/// The tools of all pages, in the legacy era if both have a list.
///
/// # Errors
/// [`Skip`] if there is no list.
pub(super) fn require_tools(record: &Record) -> Result<&[Value], Skip> {
    require_authorized(record, Probe::LegacyInitialize)?;
    let tools = listed_tools(record, Era::Legacy).or_else(|| listed_tools(record, Era::Modern));
    tools.ok_or_else(|| Skip::new("there is no tool list (see legacy and modern)"))
}

/// The name of an entry of a list, quoted.
pub(super) fn name_of(entry: &Value) -> String {
    entry["name"].as_str().map_or_else(|| "without a name".to_owned(), quote)
}
