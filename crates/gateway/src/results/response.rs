//! JSON-RPC responses of an upstream: the result or the error that answers a request of ours (JSON-RPC 2.0 §5).

use mcp_edge_protocol::members::string;
use mcp_edge_runtime::json::{Object, quote};

use super::{UnreadableResult, split};

/// What a response says.
pub(super) enum Answer<'a> {
    /// `result`, JSON.
    Result(&'a str),
    /// `error`
    Error(RemoteError<'a>),
}

/// An error of the upstream.
pub(super) struct RemoteError<'a> {
    /// JSON, an integer.
    code: &'a str,
    /// JSON, a string.
    message: &'a str,
    /// JSON.
    data: Option<&'a str>,
}

/// Reads a response. `id` is the JSON of the request's id.
pub(super) fn read<'a>(response: &'a str, id: &str) -> Result<Answer<'a>, UnreadableResult> {
    let [version, answered, method, result, error] =
        split(response, ["jsonrpc", "id", "method", "result", "error"])?.known;
    if !version.is_some_and(|version| is_string(version, "2.0")) || method.is_some() {
        return Err(UnreadableResult::NotAResponse);
    }
    if !answered.is_some_and(|answered| is_same_id(answered, id)) {
        return Err(UnreadableResult::AnotherId);
    }
    match (result, error) {
        (Some(result), None) => Ok(Answer::Result(result)),
        (None, Some(error)) => read_error(error).map(Answer::Error),
        _ => Err(UnreadableResult::NotAResponse),
    }
}

/// Reads a response that is an error, and may have been sent before the id was read.
pub(super) fn read_refusal<'a>(response: &'a str, id: Option<&str>) -> Result<RemoteError<'a>, UnreadableResult> {
    let [version, answered, method, result, error] =
        split(response, ["jsonrpc", "id", "method", "result", "error"])?.known;
    if !version.is_some_and(|version| is_string(version, "2.0")) || method.is_some() || result.is_some() {
        return Err(UnreadableResult::NotAResponse);
    }
    // `null` counts as absent.
    if answered.is_some_and(|answered| !id.is_some_and(|id| is_same_id(answered, id))) {
        return Err(UnreadableResult::AnotherId);
    }
    error.ok_or(UnreadableResult::NotAResponse).and_then(read_error)
}

impl RemoteError<'_> {
    /// The code.
    pub(super) fn code(&self) -> i64 {
        self.code.parse().unwrap_or_default()
    }
}

fn read_error(error: &str) -> Result<RemoteError<'_>, UnreadableResult> {
    let [code, message, data] = split(error, ["code", "message", "data"])?.known;
    let code = code.map(integer).filter(|code| code.parse::<i64>().is_ok());
    let message = message.filter(|message| string(message).is_some());
    match (code, message) {
        (Some(code), Some(message)) => Ok(RemoteError { code, message, data }),
        _ => Err(UnreadableResult::Member("error")),
    }
}

/// The response with this error.
pub(super) fn error(id: &str, error: &RemoteError<'_>) -> String {
    let message = string(error.message).unwrap_or_default();
    let body = Object::new().raw("code", error.code).raw("message", &quote(&message)).maybe_raw("data", error.data);
    Object::new().raw("jsonrpc", "\"2.0\"").raw("id", id).raw("error", &body.close()).close()
}

/// The response with these members of the result.
pub(super) fn result(id: &str, members: &Object) -> String {
    mcp_edge_protocol::jsonrpc::result(id, &[members])
}

/// Whether the JSON of two ids is the same value. Languages whose only numbers are floating-point write `1.0` for `1`, and
/// strings can be written with other escapes.
pub(super) fn is_same_id(one: &str, another: &str) -> bool {
    if one.starts_with('"') || another.starts_with('"') {
        return one == another || string(one).is_some_and(|text| string(another).as_ref() == Some(&text));
    }
    integer(one) == integer(another)
}

/// A number without a fraction that is zero.
fn integer(number: &str) -> &str {
    match number.split_once('.') {
        Some((integer, zeros)) if zeros.bytes().all(|byte| byte == b'0') => integer,
        _ => number,
    }
}

/// Whether `json` is this string.
pub(super) fn is_string(json: &str, text: &str) -> bool {
    string(json).is_some_and(|string| string == text)
}
