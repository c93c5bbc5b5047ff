//! Reading one JSON-RPC message so that no other reader of it can find another one (JSON-RPC 2.0 §4 and §5).

use std::borrow::Cow;

use mcp_edge_protocol::{
    error::RpcError,
    jsonrpc::Unreadable,
    params::{is_short_id, text},
};
use serde_json::{error::Category, value::RawValue};

use super::{members::Members, params::Params};

/// The members of a message that are read. All others are left out of what is sent on.
const NAMES: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];

/// One message.
pub(super) enum Message<'a> {
    /// `id` is JSON.
    Request { id: &'a str, method: Cow<'a, str>, params: Params<'a> },
    /// A message that gets no answer.
    Notification { method: Cow<'a, str>, params: Params<'a> },
    /// The answer to a request of the upstream: its id, if it has one, and `result` or `error` with its JSON.
    Response { id: Option<&'a str>, member: &'static str, json: &'a str },
}

/// Reads one message.
///
/// # Errors
/// What is wrong with it, with the id to answer it with.
pub(super) fn read(body: &str) -> Result<Message<'_>, Unreadable<'_>> {
    let members = Members::read(body, &NAMES).map_err(|error| match error.classify() {
        Category::Data => RpcError::invalid_request(
            "the body is not a JSON-RPC message, or has a member twice or with a name in another spelling",
        ),
        Category::Syntax | Category::Eof | Category::Io => RpcError::parse(),
    })?;
    let id = members.raw("id").map(RawValue::get);
    let readable = id.filter(|id| is_short_id(id));
    let invalid = |message| Err(Unreadable { id: readable, error: RpcError::invalid_request(message) });

    if members.raw("jsonrpc").and_then(text).is_none_or(|version| version != "2.0") {
        return invalid("`jsonrpc` must be \"2.0\"");
    }
    // `null` is what a client with one type for all messages writes for members that it leaves out.
    let Some(method) = members.get("method") else {
        let (member, json) = match (members.get("result"), members.get("error")) {
            (Some(_), Some(_)) => return invalid("a response has either a result or an error"),
            (Some(result), None) => ("result", result),
            (None, Some(error)) => ("error", error),
            (None, None) => match members.raw("result") {
                Some(null) if members.raw("error").is_none() => ("result", null),
                _ => return invalid("the body is neither a request nor a notification"),
            },
        };
        return match (id, readable) {
            (None | Some("null"), _) => Ok(Message::Response { id: None, member, json: json.get() }),
            (_, Some(id)) => Ok(Message::Response { id: Some(id), member, json: json.get() }),
            _ => invalid("`id` must be a string or an integer of at most 1024 bytes"),
        };
    };
    let Some(method) = text(method) else { return invalid("`method` must be a string") };
    if members.get("result").or(members.get("error")).is_some() {
        return invalid("a message is either a request or a response");
    }
    let params = match Params::read(members.raw("params")) {
        Ok(params) => params,
        Err(error) => return Err(Unreadable { id: readable, error }),
    };
    match (id, readable) {
        (None, _) => Ok(Message::Notification { method, params }),
        // The same client's notification.
        (Some("null"), _) if method.starts_with("notifications/") => Ok(Message::Notification { method, params }),
        (_, Some(id)) => Ok(Message::Request { id, method, params }),
        _ => invalid("`id` must be a string or an integer of at most 1024 bytes"),
    }
}
