//! The handling of an authenticated message: parsing it, determining its era, calling a tool or listing fifty, and writing
//! the response.

use std::rc::Rc;

use futures_util::FutureExt;
use gungraun::{library_benchmark, library_benchmark_group};
use mcp_edge::schemars::{self, JsonSchema};
use mcp_edge_identity::Identity;
use mcp_edge_runtime::http::RequestHead;
use mcp_edge_server::{Call, Handled, Json, RequestContext, Server, ServerServices, Tool};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::world::World;

/// The time of the message, in seconds since 1970.
const NOW: u64 = 1_800_000_000;

#[derive(Serialize, JsonSchema)]
pub struct WhoAmI {
    sub: String,
    issuer: String,
    client_id: Option<String>,
    scopes: Vec<String>,
    expires_at: u64,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Search {
    /// Words to look for
    query: String,
    /// How many to return at most
    limit: Option<u8>,
}

/// A tool like the deployed one.
pub fn whoami() -> Tool<()> {
    let answer = async |call: Call| {
        let identity = call.identity();
        Json(WhoAmI {
            sub: identity.subject().to_owned(),
            issuer: identity.issuer().to_owned(),
            client_id: identity.client_id().map(str::to_owned),
            scopes: identity.scopes().iter().map(str::to_owned).collect(),
            expires_at: identity.expires_at(),
        })
    };
    Tool::new("whoami", answer).description("Tells who is signed in.").read_only()
}

/// A server, a message to it, and its sender.
pub struct Exchange {
    server: Server<()>,
    head: RequestHead<'static>,
    body: &'static str,
    context: RequestContext<()>,
    services: Rc<ServerServices>,
}

impl Exchange {
    /// One exchange has gone before: what is made once per isolate is there.
    fn new(server: Server<()>, head: RequestHead<'static>, body: &Value) -> Self {
        let identity = Rc::new(Identity::for_test("alice", "whoami:read"));
        let context =
            RequestContext { identity, env: (), now: NOW, request_id: "request-1".to_owned(), connections: None };
        let services = Rc::new(ServerServices::new(Rc::new(World::new())));
        let exchange = Self { server, head, body: body.to_string().leak(), context, services };
        exchange.handle(exchange.context.clone());
        exchange
    }

    fn handle(&self, context: RequestContext<()>) -> Handled {
        let handling = self.server.handle(&self.head, self.body, context, &self.services);
        handling.now_or_never().expect("nothing here has to wait")
    }
}

/// The head of a message of the modern era.
pub fn modern_head(method: &'static str) -> RequestHead<'static> {
    RequestHead::new("POST", "/mcp")
        .with_header("content-type", "application/json")
        .with_header("accept", "application/json, text/event-stream")
        .with_header("mcp-protocol-version", "2026-07-28")
        .with_header("mcp-method", method)
}

/// A call of `whoami` in that era.
pub fn modern_call() -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "whoami", "arguments": {},
        "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "client", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {}}}})
}

fn whoami_server() -> Server<()> {
    Server::builder("bench", "1").tool(whoami()).build().expect("good tools")
}

fn modern_whoami() -> Exchange {
    Exchange::new(whoami_server(), modern_head("tools/call").with_header("mcp-name", "whoami"), &modern_call())
}

fn legacy_whoami() -> Exchange {
    let head = RequestHead::new("POST", "/mcp")
        .with_header("content-type", "application/json")
        .with_header("accept", "application/json, text/event-stream")
        .with_header("mcp-protocol-version", "2025-11-25");
    let body =
        json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "whoami", "arguments": {}}});
    Exchange::new(whoami_server(), head, &body)
}

fn list_of_fifty() -> Exchange {
    let search = async |_: Call, _: Search| "";
    let tools = (1..=50).map(|number| Tool::new(format!("search_{number}"), search).description("Finds records."));
    let server = tools.fold(Server::builder("bench", "1"), mcp_edge_server::ServerBuilder::tool);
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {
        "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {}}}});
    Exchange::new(server.build().expect("good tools"), modern_head("tools/list"), &body)
}

fn text_of(handled: &Handled) -> &str {
    handled.response.as_ref().expect("access is granted").text()
}

fn names_alice((_, handled): (Exchange, Handled)) {
    assert!(text_of(&handled).contains(r#""structuredContent":{"sub":"alice""#), "{}", text_of(&handled));
}

fn lists_fifty((_, handled): (Exchange, Handled)) {
    let answer: Value = serde_json::from_str(text_of(&handled)).expect("JSON");
    assert_eq!(answer["result"]["tools"].as_array().map(Vec::len), Some(50));
}

// `tools/call` of `whoami` in either era.
#[library_benchmark]
#[bench::modern(setup = modern_whoami, teardown = names_alice)]
#[bench::legacy(setup = legacy_whoami, teardown = names_alice)]
fn call_whoami(exchange: Exchange) -> (Exchange, Handled) {
    let handled = exchange.handle(exchange.context.clone());
    (exchange, handled)
}

// `tools/list`.
#[library_benchmark]
#[bench::fifty(setup = list_of_fifty, teardown = lists_fifty)]
fn list_tools(exchange: Exchange) -> (Exchange, Handled) {
    let handled = exchange.handle(exchange.context.clone());
    (exchange, handled)
}

library_benchmark_group!(name = messages, benchmarks = [call_whoami, list_tools]);
