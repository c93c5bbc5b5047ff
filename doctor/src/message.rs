//! The JSON-RPC messages that the doctor sends, in both eras of the protocol, and how it reads the answers.

use serde_json::{Map, Value, json};

use crate::exchange::{Answer, Request};

/// The newest revision with a handshake.
pub const LEGACY_REVISION: &str = "2025-11-25";

/// The revision without one: every request speaks for itself.
pub const MODERN_REVISION: &str = "2026-07-28";

/// How clients introduce themselves; shown in servers' logs.
const CLIENT_NAME: &str = "mcp-edge-doctor";

/// The handshake of the legacy era, as SDK clients begin: without a version header, which is not settled yet.
#[must_use]
pub fn initialize(url: &str) -> Request {
    let params = json!({
        "protocolVersion": LEGACY_REVISION,
        "capabilities": {},
        "clientInfo": { "name": CLIENT_NAME, "version": env!("CARGO_PKG_VERSION") },
    });
    Request::post(url, request("initialize", &params))
}

/// A legacy request after the handshake.
#[must_use]
pub fn legacy(url: &str, session: &Session, method: &str, params: &Value) -> Request {
    session.headers(Request::post(url, request(method, params)))
}

/// The notification that ends the handshake.
#[must_use]
pub fn initialized(url: &str, session: &Session) -> Request {
    let message = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    session.headers(Request::post(url, message.to_string()))
}

/// The `GET` by which a legacy client asks for a stream of the server's own messages.
#[must_use]
pub fn open_stream(url: &str, session: &Session) -> Request {
    session.headers(Request::get(url).header("accept", "text/event-stream"))
}

/// A modern request. `name` is what the header `Mcp-Name` repeats, for `tools/call`.
#[must_use]
pub fn modern(url: &str, method: &str, mut params: Map<String, Value>, name: Option<&str>) -> Request {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN_REVISION,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": CLIENT_NAME, "version": env!("CARGO_PKG_VERSION") },
    });
    params.insert("_meta".to_owned(), meta);
    let request = Request::post(url, request(method, &Value::Object(params)))
        .header("mcp-protocol-version", MODERN_REVISION)
        .header("mcp-method", method);
    match name {
        Some(name) => request.header("mcp-name", name),
        None => request,
    }
}

fn request(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()
}

/// What a legacy handshake settled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Session {
    /// The revision that the server chose.
    pub revision: Option<String>,
    /// Its session, if it keeps one.
    pub id: Option<String>,
}

impl Session {
    /// Reads it from the answer to `initialize`.
    #[must_use]
    pub fn begun_by(answer: &Answer) -> Self {
        let revision = match response(answer) {
            Some(Response::Result(result)) => result["protocolVersion"].as_str().map(str::to_owned),
            _ => None,
        };
        // A value that could not be a header of ours is not repeated.
        let is_header = |id: &&str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic());
        Self { revision, id: answer.header("mcp-session-id").filter(is_header).map(str::to_owned) }
    }

    fn headers(&self, request: Request) -> Request {
        let is_header = |text: &&String| text.bytes().all(|byte| byte.is_ascii_graphic());
        let revision = self.revision.as_ref().filter(is_header).map_or(LEGACY_REVISION, String::as_str);
        let request = request.header("mcp-protocol-version", revision);
        match &self.id {
            Some(id) => request.header("mcp-session-id", id.clone()),
            None => request,
        }
    }
}

/// A JSON-RPC response.
#[derive(Debug, Clone, PartialEq)]
pub enum Response {
    /// Success, and what it says.
    Result(Value),
    /// An error: code and message.
    Error(i64, String),
}

/// The JSON-RPC response in an answer, whether it came as JSON or as an event stream. `None` if there is none.
#[must_use]
pub fn response(answer: &Answer) -> Option<Response> {
    if answer.media_type() == "text/event-stream" {
        return events(&answer.body).find_map(|data| read(&data));
    }
    read(&answer.body)
}

/// Whether this beginning of an event stream already holds a response, so that reading can end.
#[must_use]
pub fn holds_response(stream: &str) -> bool {
    // The last event is complete only if an empty line has followed it.
    let complete = stream.rfind("\n\n").or_else(|| stream.rfind("\r\n\r\n")).map_or("", |end| &stream[..end]);
    events(complete).any(|data| read(&data).is_some())
}

fn read(text: &str) -> Option<Response> {
    let message: Value = serde_json::from_str(text).ok()?;
    if let Some(error) = message.get("error").and_then(Value::as_object) {
        let code = error.get("code").and_then(Value::as_i64)?;
        let text = error.get("message").and_then(Value::as_str).unwrap_or_default();
        return Some(Response::Error(code, text.to_owned()));
    }
    message.get("result").filter(|result| result.is_object()).cloned().map(Response::Result)
}

/// The data of each event of a stream (the HTML standard, "server-sent events").
fn events(stream: &str) -> impl Iterator<Item = String> {
    let stream = stream.replace("\r\n", "\n").replace('\r', "\n");
    let events: Vec<String> = stream
        .split("\n\n")
        .map(|event| {
            let data = event.lines().filter_map(|line| line.strip_prefix("data:"));
            data.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
        })
        .filter(|data| !data.is_empty())
        .collect();
    events.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(kind: &str, body: &str) -> Answer {
        Answer { status: 200, headers: vec![("content-type".into(), kind.into())], body: body.into(), cut: None }
    }

    #[test]
    fn a_response_is_found_in_json_and_behind_notifications_of_a_stream() {
        let result = Some(Response::Result(json!({ "tools": [] })));
        let message = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#;
        assert_eq!(response(&answer("application/json", message)), result);
        let stream = format!(": keepalive\n\nevent: message\ndata: {{\"method\":\"x\"}}\n\ndata: {message}\n\n");
        assert_eq!(response(&answer("text/event-stream", &stream)), result);
        assert_eq!(response(&answer("text/event-stream", &stream.replace('\n', "\r\n"))), result);
    }

    #[test]
    fn an_error_keeps_its_code() {
        let message = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#;
        assert_eq!(response(&answer("application/json", message)), Some(Response::Error(-32601, "no".into())));
    }

    #[test]
    fn what_is_no_response_is_none() {
        for body in ["", "{}", "<html>", "[]", r#"{"error":"invalid_token"}"#, r#"{"result":7}"#] {
            assert_eq!(response(&answer("application/json", body)), None, "{body}");
        }
    }

    #[test]
    fn a_stream_is_read_until_the_event_with_the_response_is_complete() {
        let event = "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n";
        assert!(!holds_response(event));
        assert!(holds_response(&format!("{event}\n")));
        assert!(!holds_response("data: {\"method\":\"notifications/progress\"}\n\n"));
    }

    #[test]
    fn a_session_is_repeated_on_every_request() {
        let mut first = answer("application/json", r#"{"id":1,"result":{"protocolVersion":"2025-06-18"}}"#);
        first.headers.push(("mcp-session-id".into(), "s-1".into()));
        let request = legacy("https://h/mcp", &Session::begun_by(&first), "tools/list", &json!({}));
        assert!(request.headers.contains(&("mcp-session-id", "s-1".into())));
        assert!(request.headers.contains(&("mcp-protocol-version", "2025-06-18".into())));
    }
}
