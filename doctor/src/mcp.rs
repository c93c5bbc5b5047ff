//! MCP over HTTP: requests of both protocol eras, and the JSON-RPC responses to them.
//!
//! The legacy era begins with an `initialize` handshake (up to 2025-11-25). The modern era has none: every request
//! carries its revision (2026-07-28).

use serde_json::{Map, Value, json};

use crate::http::{HttpRequest, HttpResponse};

/// A protocol era.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Era {
    /// With a handshake: up to 2025-11-25.
    Legacy,
    /// Without one: from 2026-07-28.
    Modern,
}

impl Era {
    /// Both, the older one first.
    pub const ALL: [Self; 2] = [Self::Legacy, Self::Modern];
}

/// A list that a server returns in pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// `tools/list`.
    Tools,
    /// `prompts/list`.
    Prompts,
    /// `resources/list`.
    Resources,
    /// `resources/templates/list`.
    ResourceTemplates,
}

impl List {
    /// Every list.
    pub const ALL: [Self; 4] = [Self::Tools, Self::Prompts, Self::Resources, Self::ResourceTemplates];

    /// The method that returns it.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
            Self::Resources => "resources/list",
            Self::ResourceTemplates => "resources/templates/list",
        }
    }

    /// The member of the result that holds it.
    #[must_use]
    pub const fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::ResourceTemplates => "resourceTemplates",
        }
    }

    /// The capability that announces it.
    #[must_use]
    pub const fn capability(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources | Self::ResourceTemplates => "resources",
        }
    }
}

/// The newest revision of the legacy era.
pub const LEGACY_REVISION: &str = "2025-11-25";

/// The revision of the modern era.
pub const MODERN_REVISION: &str = "2026-07-28";

/// The client name in requests; servers may log it.
const CLIENT_NAME: &str = "mcp-edge-doctor";

/// Creates the `initialize` request of the legacy era. It has no `MCP-Protocol-Version` header, because the revision is
/// not negotiated yet.
#[must_use]
pub fn initialize(url: &str) -> HttpRequest {
    let params = json!({
        "protocolVersion": LEGACY_REVISION,
        "capabilities": {},
        "clientInfo": { "name": CLIENT_NAME, "version": env!("CARGO_PKG_VERSION") },
    });
    HttpRequest::post(url, json_rpc("initialize", &params))
}

/// Creates a legacy request that follows the handshake.
#[must_use]
pub fn legacy_request(url: &str, session: &Session, method: &str, params: &Value) -> HttpRequest {
    session.add_headers(HttpRequest::post(url, json_rpc(method, params)))
}

/// Creates the notification that ends the handshake.
#[must_use]
pub fn initialized(url: &str, session: &Session) -> HttpRequest {
    let message = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    session.add_headers(HttpRequest::post(url, message.to_string()))
}

/// Creates the `GET` with which a legacy client opens a stream of server messages.
#[must_use]
pub fn open_stream(url: &str, session: &Session) -> HttpRequest {
    session.add_headers(HttpRequest::get(url).header("accept", "text/event-stream"))
}

/// Creates a modern request. `name` is the value of the header `Mcp-Name`, which `tools/call` needs.
#[must_use]
pub fn modern_request(url: &str, method: &str, mut params: Map<String, Value>, name: Option<&str>) -> HttpRequest {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN_REVISION,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": CLIENT_NAME, "version": env!("CARGO_PKG_VERSION") },
    });
    params.insert("_meta".to_owned(), meta);
    let request = HttpRequest::post(url, json_rpc(method, &Value::Object(params)))
        .header("mcp-protocol-version", MODERN_REVISION)
        .header("mcp-method", method);
    match name {
        Some(name) => request.header("mcp-name", name),
        None => request,
    }
}

fn json_rpc(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()
}

/// What a legacy handshake negotiated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Session {
    /// The revision that the server chose.
    pub revision: Option<String>,
    /// The session ID. `None` if the server is stateless.
    pub id: Option<String>,
}

impl Session {
    /// Creates a session from the response to `initialize`.
    #[must_use]
    pub fn from_response(http: &HttpResponse) -> Self {
        let revision = match rpc_response(http) {
            Some(RpcResponse::Result(result)) => result["protocolVersion"].as_str().map(str::to_owned),
            _ => None,
        };
        // The server's value is sent back only if it is a valid header value.
        let is_header = |id: &&str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic());
        Self { revision, id: http.header("mcp-session-id").filter(is_header).map(str::to_owned) }
    }

    fn add_headers(&self, request: HttpRequest) -> HttpRequest {
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
pub enum RpcResponse {
    /// The result object.
    Result(Value),
    /// Code and message of the error.
    Error(i64, String),
}

/// The JSON-RPC response in an HTTP response, as JSON or in an event stream. `None` if there is none.
#[must_use]
pub fn rpc_response(http: &HttpResponse) -> Option<RpcResponse> {
    if http.media_type() == "text/event-stream" {
        return events(http.text()).find_map(|data| parse(&data));
    }
    parse(http.text())
}

/// Whether the beginning of an event stream contains a JSON-RPC response, so that reading can stop.
#[must_use]
pub fn holds_response(stream: &str) -> bool {
    // An event is complete only after the empty line that follows it.
    let complete = stream.rfind("\n\n").or_else(|| stream.rfind("\r\n\r\n")).map_or("", |end| &stream[..end]);
    events(complete).any(|data| parse(&data).is_some())
}

fn parse(text: &str) -> Option<RpcResponse> {
    let message: Value = serde_json::from_str(text).ok()?;
    if let Some(error) = message.get("error").and_then(Value::as_object) {
        let code = error.get("code").and_then(Value::as_i64)?;
        let text = error.get("message").and_then(Value::as_str).unwrap_or_default();
        return Some(RpcResponse::Error(code, text.to_owned()));
    }
    message.get("result").filter(|result| result.is_object()).cloned().map(RpcResponse::Result)
}

/// The data of each event in a stream (HTML standard, "Server-sent events").
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

    fn http(kind: &str, body: &str) -> HttpResponse {
        HttpResponse {
            status: 200,
            headers: vec![("content-type".into(), kind.into())],
            body: body.into(),
            truncated: None,
        }
    }

    #[test]
    fn a_response_is_found_in_json_and_after_notifications_in_a_stream() {
        let result = Some(RpcResponse::Result(json!({ "tools": [] })));
        let message = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#;
        assert_eq!(rpc_response(&http("application/json", message)), result);
        let stream = format!(": keepalive\n\nevent: message\ndata: {{\"method\":\"x\"}}\n\ndata: {message}\n\n");
        assert_eq!(rpc_response(&http("text/event-stream", &stream)), result);
        assert_eq!(rpc_response(&http("text/event-stream", &stream.replace('\n', "\r\n"))), result);
    }

    #[test]
    fn an_error_keeps_its_code() {
        let message = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#;
        assert_eq!(rpc_response(&http("application/json", message)), Some(RpcResponse::Error(-32601, "no".into())));
    }

    #[test]
    fn what_is_not_a_response_is_none() {
        for body in ["", "{}", "<html>", "[]", r#"{"error":"invalid_token"}"#, r#"{"result":7}"#] {
            assert_eq!(rpc_response(&http("application/json", body)), None, "{body}");
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
        let mut first = http("application/json", r#"{"id":1,"result":{"protocolVersion":"2025-06-18"}}"#);
        first.headers.push(("mcp-session-id".into(), "s-1".into()));
        let request = legacy_request("https://h/mcp", &Session::from_response(&first), "tools/list", &json!({}));
        assert!(request.headers.contains(&("mcp-session-id", "s-1".into())));
        assert!(request.headers.contains(&("mcp-protocol-version", "2025-06-18".into())));
    }
}
