//! Tests of the server as a whole, one file per subject. What concerns one module only is tested there.

#![allow(clippy::needless_pass_by_value, clippy::too_many_lines, reason = "tables read better")]

mod access;
mod amounts;
mod awkward;
mod batches;
mod building;
#[cfg(feature = "connections")]
mod connections;
mod fuzz;
mod input_required;
mod ladder;
mod lists;
mod methods;
mod nulls;
mod portable;
mod skills;
mod streams;
mod tools;
mod variants;
mod violations;

use std::rc::Rc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Call, Capability, Handled, Prompt, RequestContext, Resource, ResourceTemplate, Server, ServerBuilder,
    ServerServices, Tool, ToolError,
    testing::{NOW, TestRuntime, run},
};
use mcp_edge_identity::Identity;
use mcp_edge_runtime::http::{BodyError, RequestHead, Response};

/// Builds what a test has put together.
fn build<E: 'static>(builder: ServerBuilder<E>) -> Server<E> {
    builder.build().unwrap_or_else(|error| panic!("{error}"))
}

#[derive(Deserialize, JsonSchema)]
struct Echo {
    /// Comes back
    #[schemars(extend("x-mcp-header" = "Text"))]
    text: String,
}

async fn echo(_call: Call, Echo { text }: Echo) -> String {
    text
}

async fn never(_call: Call) -> Result<String, ToolError> {
    panic!("this tool must not run")
}

/// A server with some of everything.
fn server() -> Server {
    build(
        Server::builder("test", "1.2.3")
            .title("Test")
            .instructions("Be careful.")
            .logging()
            .scope("notes", "See notes")
            .scope("notes:write", "Change notes")
            .tool(Tool::new("echo", echo).description("Says it again").read_only())
            .tool(Tool::new("restricted", never).scope("notes").scope("notes:write"))
            .tool(Tool::new("human", never).needs_user())
            .tool(Tool::new("ours", never).first_party_only())
            .tool(Tool::new("signed_in", never).refuses_keys())
            .tool(Tool::new("sampler", never).needs(Capability::Sampling))
            .resource(Resource::text("note://motd", "motd", "Hello").mime_type("text/plain"))
            .resource_template(ResourceTemplate::new("note://{id}/text", "note", note))
            .prompt(Prompt::new("greet", greet).complete_among("text", ["hello", "hi", "good day"])),
    )
}

async fn note(_call: Call, variables: Value) -> String {
    format!("Note {}", variables["id"])
}

async fn greet(_call: Call, Echo { text }: Echo) -> String {
    format!("Greet with {text}")
}

/// A request of the modern era that is right in all respects; tests change one.
struct Request {
    headers: Vec<(&'static str, String)>,
    body: Value,
}

impl Request {
    fn modern(method: &str, params: Value) -> Self {
        let named = params.get("name").or_else(|| params.get("uri")).and_then(Value::as_str).map(str::to_owned);
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("accept", "application/json, text/event-stream".to_owned()),
            ("mcp-protocol-version", "2026-07-28".to_owned()),
            ("mcp-method", method.to_owned()),
        ];
        if matches!(method, "tools/call" | "prompts/get" | "resources/read") {
            headers.extend(named.map(|name| ("mcp-name", name)));
        }
        let mut params = params;
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        Self { headers, body: json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}) }
    }

    fn legacy(method: &str, params: Value) -> Self {
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("accept", "application/json, text/event-stream".to_owned()),
            ("mcp-protocol-version", "2025-11-25".to_owned()),
        ];
        Self { headers, body: json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}) }
    }

    fn without(mut self, header: &str) -> Self {
        self.headers.retain(|(name, _)| *name != header);
        self
    }

    fn with(self, header: &'static str, value: &str) -> Self {
        let mut this = self.without(header);
        this.headers.push((header, value.to_owned()));
        this
    }

    /// Sets what a JSON pointer into the body points at, or removes it.
    fn body(mut self, pointer: &str, value: Option<Value>) -> Self {
        let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
        let name = name.replace("~1", "/");
        if let Some(Value::Object(members)) = self.body.pointer_mut(parent) {
            match value {
                Some(value) => members.insert(name, value),
                None => members.remove(&name),
            };
        }
        self
    }

    fn send(&self, server: &Server) -> Handled {
        self.send_text(server, &self.body.to_string())
    }

    fn send_text(&self, server: &Server, body: &str) -> Handled {
        let head = self
            .headers
            .iter()
            .fold(RequestHead::new("POST", "/mcp"), |head, (name, value)| head.with_header(name, value));
        run(server.handle(&head, body, context("notes"), &services()))
    }

    fn send_as(&self, server: &Server, identity: Identity) -> Handled {
        let head = self
            .headers
            .iter()
            .fold(RequestHead::new("POST", "/mcp"), |head, (name, value)| head.with_header(name, value));
        let context = RequestContext { identity: Rc::new(identity), ..context("") };
        run(server.handle(&head, &self.body.to_string(), context, &services()))
    }
}

fn context(scopes: &str) -> RequestContext {
    let identity = Rc::new(Identity::for_test("ada", scopes));
    RequestContext { identity, env: (), now: NOW, request_id: "r-1".to_owned(), connections: None }
}

/// A user with an access key: for these tools, or for all.
fn with_key(scopes: &str, tools: Option<&[&str]>) -> Identity {
    Identity::for_test("ada", scopes).with_access_key(tools)
}

fn services() -> Rc<ServerServices> {
    Rc::new(ServerServices::new(Rc::new(TestRuntime::default())))
}

fn response(handled: Handled) -> Response {
    handled.response.unwrap_or_else(|needed| panic!("{needed:?}"))
}

/// The answer as JSON.
fn message(response: &Response) -> Value {
    serde_json::from_str(response.text()).unwrap_or_default()
}

const VERSION: &str = "/params/_meta/io.modelcontextprotocol~1protocolVersion";
const CAPABILITIES: &str = "/params/_meta/io.modelcontextprotocol~1clientCapabilities";
