//! Messages as clients send them, and what becomes of them.

mod agreement;
mod batches;
mod others;
mod rebuilt;
mod strict;
mod subjects;

use mcp_edge_protocol::revision::Era;
use mcp_edge_runtime::http::RequestHead;

use super::*;

pub(super) const ALL: Offers = Offers { tools: true, prompts: true, resources: true, tasks: true };
pub(super) const MCP: Offers = Offers { tasks: false, ..ALL };

pub(super) const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// The headers of a request of the legacy era.
pub(super) fn legacy() -> RequestHead<'static> {
    RequestHead::new("POST", "/mcp").with_header("mcp-protocol-version", "2025-11-25")
}

/// The headers of a request of the modern era.
pub(super) fn modern<'a>(method: &'a str, name: Option<&'a str>) -> RequestHead<'a> {
    let head = RequestHead::new("POST", "/mcp")
        .with_header("mcp-protocol-version", "2026-07-28")
        .with_header("mcp-method", method);
    match name {
        Some(name) => head.with_header("mcp-name", name),
        None => head,
    }
}

/// A request with these parameters, as JSON.
pub(super) fn request(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}

/// The one message that was posted.
pub(super) fn one<'a>(head: &RequestHead<'_>, body: &'a str) -> Envelope<'a> {
    match read(head, body, ALL) {
        Ok(Payload::One(envelope)) => envelope,
        other => panic!("{body}: {other:?}"),
    }
}

/// Code, HTTP status, id and message of a refusal.
pub(super) fn refusal(head: &RequestHead<'_>, body: &str, offers: Offers) -> (i32, u16, Option<String>, String) {
    match read(head, body, offers) {
        Err(Refusal { id, error, era }) => {
            (error.reason.code(era), error.reason.status(era), id.map(str::to_owned), error.message.into_owned())
        }
        Ok(posted) => panic!("{body}: {posted:?}"),
    }
}

/// The code of a refusal; 0 for what is accepted.
pub(super) fn code(head: &RequestHead<'_>, body: &str) -> i32 {
    read(head, body, ALL).map_or_else(|refusal| refusal.error.reason.code(refusal.era), |_| 0)
}
