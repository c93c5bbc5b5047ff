//! What a POST must be before its body is read as a message.

use mcp_edge_runtime::http::{BodyError, RequestHead, Response};

use crate::{
    error::Reason,
    headers::{is_encoded, is_json},
    jsonrpc,
};

/// 4 MiB of body: the limit that clients already meet, since the TypeScript SDK's server has the same.
pub const BODY_BYTES: usize = 4 * 1024 * 1024;

/// Looks at the headers that describe the body.
///
/// # Errors
/// The response to send instead: 415 for another media type than JSON and for a compressed body. What a few bytes of that
/// unfold to has no limit until it has been unfolded.
pub fn check_content(head: &RequestHead<'_>) -> Result<(), Response> {
    if !is_json(head.header("content-type")) {
        let body = jsonrpc::anonymous_error(Reason::InvalidRequest, "the content type must be application/json");
        return Err(Response::json(415, body));
    }
    if head.header("content-encoding").is_some_and(is_encoded) {
        let text = "the body must not be compressed: send it without Content-Encoding";
        let body = jsonrpc::anonymous_error(Reason::InvalidRequest, text);
        // That it is the encoding, and what would be accepted (RFC 9110 §12.5.3, §15.5.16).
        return Err(Response::json(415, body).with_header("accept-encoding", "identity"));
    }
    Ok(())
}

/// The response to a method that is not served at an MCP endpoint. `served` goes into the message, `allowed` into `Allow`.
#[must_use]
pub fn method_not_allowed(served: &'static str, allowed: &'static str) -> Response {
    Response::json(405, jsonrpc::anonymous_error(Reason::InvalidRequest, served)).with_header("allow", allowed)
}

/// The response to a body that could not be read: 413 for more than its limit, otherwise 400.
#[must_use]
pub fn unreadable_body(error: BodyError) -> Response {
    let (status, reason, text) = match error {
        BodyError::TooLarge => (413, Reason::InvalidRequest, "the body is too large"),
        BodyError::Truncated => (400, Reason::Parse, "the body is truncated"),
        BodyError::NotUtf8 => (400, Reason::Parse, "the body is not UTF-8"),
    };
    Response::json(status, jsonrpc::anonymous_error(reason, text))
}
