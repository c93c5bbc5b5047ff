//! Whether the definition of a tool that is called is one that the operator has approved.
//!
//! A list hides the others, but a tool can be called by whoever knows its name. Where no list was seen since the isolate
//! started, the gateway asks for it before the call.

use mcp_edge_protocol::{
    era::VERSION_HEADER,
    params::{pick_members, text},
    revision::{Era, MODERN},
};
use mcp_edge_runtime::json::{Object, quote};
use serde_json::value::RawValue;

use crate::{
    access::Target,
    envelope::Envelope,
    pins::{Call, Pins},
};

/// Pages of a list that are read to find a tool. Lists of hundreds of tools have one or two.
pub const MAX_PAGES: usize = 20;

/// The id of the gateway's own requests, as JSON.
pub const REQUEST_ID: &str = "\"mcp-edge\"";

/// What is known of all tools that a message calls.
pub fn known(message: &Envelope<'_>, pins: &Pins) -> Call {
    let calls = message.targets.iter().filter_map(|target| match target {
        Target::Tool(name) => Some(pins.call(name)),
        _ => None,
    });
    calls.fold(Call::Approved, |all, call| match (all, call) {
        (Call::Refused, _) | (_, Call::Refused) => Call::Refused,
        (Call::Unseen, _) | (_, Call::Unseen) => Call::Unseen,
        (Call::Approved, Call::Approved) => Call::Approved,
    })
}

/// The request for a page of the upstream's tools.
pub fn list_request(era: Era, cursor: Option<&str>) -> String {
    let meta = match era {
        Era::Legacy => None,
        Era::Modern => Some(
            Object::new()
                .text("io.modelcontextprotocol/protocolVersion", MODERN.as_str())
                .raw("io.modelcontextprotocol/clientCapabilities", "{}")
                .close(),
        ),
    };
    let cursor = cursor.map(quote);
    let params = Object::new().maybe_raw("cursor", cursor.as_deref()).maybe_raw("_meta", meta.as_deref());
    Object::new()
        .raw("jsonrpc", "\"2.0\"")
        .raw("id", REQUEST_ID)
        .text("method", "tools/list")
        .raw("params", &params.close())
        .close()
}

/// The headers of that request. `version` is what the client's message names.
pub fn list_headers(era: Era, version: Option<&'static str>) -> Vec<(&'static str, &'static str)> {
    let version = version.map(|version| (VERSION_HEADER, version));
    let method = (era == Era::Modern).then_some(("mcp-method", "tools/list"));
    version.into_iter().chain(method).collect()
}

/// The cursor of the next page in a response; none if it is the last.
pub fn next_cursor(response: &str) -> Option<String> {
    let [result] = pick_members(response, &["result"]).ok()?;
    let [cursor] = pick_members(result.map(RawValue::get)?, &["nextCursor"]).ok()?;
    cursor.and_then(text).map(std::borrow::Cow::into_owned)
}
