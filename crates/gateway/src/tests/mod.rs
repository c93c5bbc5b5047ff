//! The gateway in front of an upstream that answers as the test says, and keeps what it was sent.

mod authorizing;
mod connecting;
mod eras;
mod failing;
mod passing;
mod pinning;
mod sessions;

use std::{cell::RefCell, collections::VecDeque, rc::Rc, time::Duration};

use futures_util::future::{FutureExt, LocalBoxFuture};
use mcp_edge_connections::port::Connections;
use mcp_edge_identity::{AccessNeeded, Identity, Kind, Scopes};
use mcp_edge_runtime::{
    context::{Connection, RequestContext},
    forward::{Forward, ForwardContent, ForwardError, ForwardRequest, ReadError, UpstreamBody, UpstreamResponse},
    http::{Body, RequestHead, Response},
    keys::{KeyError, SigningKey},
    ports::Runtime,
    settings::Reader,
};
use serde_json::{Value, json};

use crate::{
    gateway::{Gateway, Handled, PassOn},
    settings::{GatewaySettings, Surroundings},
    upstream::Caller,
};

/// 2026-11-26, noon.
const NOW: u64 = 1_795_694_400;

/// The id of the gateway's own requests, as long as nothing is random.
const OWN_ID: &str = "mcp-edge-BQUFBQUFBQUFBQUF";

/// What the upstream was sent.
#[derive(Debug, Clone)]
struct Sent {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
    ends_after: Option<Duration>,
    client_headers_prefix: Option<&'static str>,
}

impl Sent {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// What the upstream answers: a response, or none.
type Answer = Result<(u16, Vec<(&'static str, String)>, String), ForwardError>;

/// An upstream.
#[derive(Clone, Default)]
struct Upstreams(Rc<World>);

#[derive(Default)]
struct World {
    sent: RefCell<Vec<Sent>>,
    answers: RefCell<VecDeque<Answer>>,
}

struct Text(String);

impl UpstreamBody for Text {
    fn into_body(self) -> Body {
        Body::Text(self.0.into())
    }

    async fn text(self, limit: usize, _: Duration) -> Result<String, ReadError> {
        if self.0.len() > limit { Err(ReadError::TooLarge(limit)) } else { Ok(self.0) }
    }
}

impl Forward for Upstreams {
    type Body = Text;

    async fn forward(
        &self,
        _: &RequestContext,
        request: ForwardRequest<'_>,
    ) -> Result<UpstreamResponse<Text>, ForwardError> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.0.sent.borrow_mut().push(Sent {
            method: request.method.to_string(),
            url: request.url.to_owned(),
            headers: request.headers.iter().map(owned).collect(),
            body: if let ForwardContent::Text(text) = request.body { text.to_owned() } else { String::new() },
            ends_after: request.ends_after,
            client_headers_prefix: request.client_headers_prefix,
        });
        let (status, headers, body) = self.0.answers.borrow_mut().pop_front().expect("an answer")?;
        // Where the gateway asks under an id of its own, that is the one to answer.
        let is_own = matches!(request.body, ForwardContent::Text(text) if text.contains(OWN_ID));
        let body = if is_own { body.replace("\"id\":7", &format!("\"id\":\"{OWN_ID}\"")) } else { body };
        let headers = headers.into_iter().filter(|(name, _)| request.response_headers.contains(name)).collect();
        Ok(UpstreamResponse { status, headers, body: Text(body) })
    }
}

/// A key whose signatures anybody can make.
struct Key;

impl SigningKey for Key {
    async fn sign(&self, _: &[u8]) -> Result<[u8; 64], KeyError> {
        Ok([7; 64])
    }
}

struct Clockless;

impl Runtime for Clockless {
    fn sleep(&self, _: Duration) -> LocalBoxFuture<'static, ()> {
        unreachable!("a gateway does not wait")
    }

    fn random(&self, buffer: &mut [u8]) {
        buffer.fill(5);
    }
}

struct Nobody;

impl Connection for Nobody {
    fn address(&self) -> Option<String> {
        None
    }
}

/// A gateway and what is behind it.
struct Deployment {
    gateway: Gateway<Upstreams, Key>,
    upstream: Upstreams,
    now: u64,
}

const SIGNING_KEY: &str = r#"{"kty":"EC","crv":"P-256","kid":"k1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

impl Deployment {
    /// With these settings beside the usual ones; an empty value takes one away.
    fn new(changes: &[(&str, &str)]) -> Self {
        let usual = [
            ("UPSTREAM", "https://upstream.example/mcp"),
            ("UPSTREAM_SIGNING_KEY", SIGNING_KEY),
            ("STATE_SECRET", "0123456789abcdef0123456789abcdef"),
            (
                "TOOL_SCOPES",
                "search*=docs:read delete_*=docs:delete whoami=user ping=allow admin=first_party,docs:read",
            ),
            ("PROMPT_SCOPES", "review=docs:read"),
            ("RESOURCE_SCOPES", "docs://*=docs:read docs://secret/*=deny"),
        ];
        let find = |list: &[(&str, &str)], name: &str| {
            list.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let get = |name: &str| find(changes, name).or_else(|| find(&usual, name));
        let mut reader = Reader::new(&get);
        let surroundings = Surroundings {
            resource: "https://mcp.example.com/mcp",
            origin: "https://mcp.example.com",
            issuer: "https://issuer.example",
            is_bound: false,
            has_vault: true,
        };
        let settings = GatewaySettings::read(&mut reader, surroundings);
        let settings = reader.finish(settings).unwrap().unwrap();
        let upstream = Upstreams::default();
        Self { gateway: Gateway::new(&settings, upstream.clone(), |_| Key), upstream, now: NOW }
    }

    /// What the upstream answers next.
    fn answers(&self, status: u16, headers: &[(&'static str, &str)], body: &(impl ToString + ?Sized)) -> &Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.upstream.0.answers.borrow_mut().push_back(Ok((status, headers, body.to_string())));
        self
    }

    fn answers_json(&self, body: &Value) -> &Self {
        self.answers(200, &[("content-type", "application/json")], body)
    }

    /// Answers the gateway's own question, under its id.
    #[allow(clippy::needless_pass_by_value, reason = "for `json!`")]
    fn answers_own(&self, result: Value) -> &Self {
        self.answers_json(&json!({"jsonrpc": "2.0", "id": OWN_ID, "result": result}))
    }

    fn answers_own_error(&self) -> &Self {
        self.answers_json(&json!({"jsonrpc": "2.0", "id": OWN_ID, "error": {"code": -32603, "message": "m"}}))
    }

    fn fails(&self, error: ForwardError) -> &Self {
        self.upstream.0.answers.borrow_mut().push_back(Err(error));
        self
    }

    /// What the upstream was sent last.
    fn sent(&self) -> Sent {
        self.upstream.0.sent.borrow().last().expect("something was sent").clone()
    }

    fn count(&self) -> usize {
        self.upstream.0.sent.borrow().len()
    }

    fn handle(&self, head: &RequestHead<'_>, body: &str, identity: &Identity) -> Handled {
        self.handle_by(head, body, identity, &Clockless, None).now_or_never().expect("nothing to wait for")
    }

    /// Handles a request of a caller with connections.
    async fn handle_by(
        &self,
        head: &RequestHead<'_>,
        body: &str,
        identity: &Identity,
        runtime: &dyn Runtime,
        connections: Option<&dyn Connections>,
    ) -> Handled {
        let context = RequestContext { request_id: "r1".to_owned(), now: self.now, connection: Rc::new(Nobody) };
        let caller = Caller::new(identity, &context, runtime, connections);
        self.gateway.admit(head).expect("admitted");
        self.gateway.handle(head, body, caller).await
    }

    /// Posts a request of the legacy era.
    #[allow(clippy::needless_pass_by_value, reason = "for `json!`")]
    fn legacy(&self, method: &str, params: Value, identity: &Identity) -> Handled {
        self.in_session(method, &params, identity, None)
    }

    fn in_session(&self, method: &str, params: &Value, identity: &Identity, session: Option<&str>) -> Handled {
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string();
        let mut head = post().with_header("mcp-protocol-version", "2025-11-25");
        if let Some(session) = session {
            head = head.with_header("mcp-session-id", session);
        }
        self.handle(&head, &body, identity)
    }

    /// Posts a request of the modern era.
    fn modern(&self, method: &str, mut params: Value, identity: &Identity) -> Handled {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let name =
            params.get("name").or_else(|| params.get("uri")).and_then(Value::as_str).unwrap_or_default().to_owned();
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string();
        let mut head = post().with_header("mcp-protocol-version", "2026-07-28").with_header("mcp-method", method);
        if !name.is_empty() {
            head = head.with_header("mcp-name", &name);
        }
        self.handle(&head, &body, identity)
    }
}

fn post<'a>() -> RequestHead<'a> {
    RequestHead::new("POST", "/mcp")
        .with_header("content-type", "application/json")
        .with_header("accept", "application/json, text/event-stream")
}

fn alice() -> Identity {
    Identity::for_test("alice", "docs:read")
}

fn response(handled: Handled) -> Response {
    handled.response.expect("the token suffices")
}

fn json_of(response: &Response) -> Value {
    serde_json::from_str(response.text()).unwrap_or_else(|error| panic!("{error}: {}", response.text()))
}

/// Status and code of the JSON-RPC error; 0 if there is none.
fn outcome(handled: Handled) -> (u16, i64) {
    let response = response(handled);
    let code =
        if response.text().is_empty() { 0 } else { json_of(&response)["error"]["code"].as_i64().unwrap_or_default() };
    (response.status, code)
}

fn result(members: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "result": members})
}
