//! Request bodies with any content: every response is a valid JSON-RPC response.

use std::borrow::Cow;

use mcp_edge::{Call, JsonSchema, Limits, Prompt, PromptError, Resource, Server, Tool, schemars, testing};
use mcp_edge_runtime::http::RequestHead;
use serde::Deserialize;
use serde_json::Value;

use crate::with_text;

#[derive(Deserialize, JsonSchema)]
struct Echo {
    #[schemars(extend("x-mcp-header" = "Text"))]
    text: String,
    times: Option<u8>,
}

async fn echo(_: Call, Echo { text, times }: Echo) -> String {
    text.repeat(usize::from(times.unwrap_or(1).min(4)))
}

#[derive(Deserialize, JsonSchema)]
struct Greeting {
    name: String,
}

async fn greet(_: Call, Greeting { name }: Greeting) -> Result<String, PromptError> {
    Ok(format!("Greet {name}."))
}

async fn motd(_: Call) -> String {
    "Hello".to_owned()
}

thread_local! {
    static SERVER: Server = Server::builder("fuzz", "1")
        .scope("notes", "See notes")
        .tool(Tool::new("echo", echo).read_only())
        .tool(Tool::new("closed", motd).scope("notes"))
        .resource(Resource::new("note://motd", "motd", motd))
        .prompt(Prompt::new("greet", greet))
        .logging()
        // Low enough to be exceeded.
        .limits(Limits { values: 40, ..Limits::default() })
        .build()
        .expect("the tools are good");
}

/// The first line contains the headers that repeat the body: revision, method, name, parameter.
pub fn check(input: &[u8]) {
    with_text(input, |input| {
        let (line, body) = input.split_once('\n').unwrap_or(("", input));
        let mut values = line.split('|');
        let names = ["mcp-protocol-version", "mcp-method", "mcp-name", "mcp-param-text"];
        let head = RequestHead::new("POST", "/mcp")
            .with_header("content-type", "application/json")
            .with_header("accept", "application/json, text/event-stream");
        let head = names.into_iter().fold(head, |head, name| match values.next() {
            Some(value) if !value.is_empty() => head.with_header(name, value),
            _ => head,
        });
        SERVER.with(|server| {
            let (answer, _) = testing::run(testing::Client::new(server).post(&head, body));
            assert!(matches!(answer.status, 200 | 202 | 400 | 403 | 404), "{}", answer.status);
            assert_eq!(answer.status == 403, answer.refused.is_some());
            assert!(answer.status != 202 || answer.message.is_null());
            let ids = ids_of(body);
            for message in answer.notifications.iter().chain((!answer.message.is_null()).then_some(&answer.message)) {
                let batch = message.as_array().map_or_else(|| Cow::Owned(vec![message.clone()]), Cow::Borrowed);
                for message in batch.iter() {
                    check_message(message, ids.as_deref());
                }
            }
        });
    });
}

fn check_message(message: &Value, ids: Option<&[Value]>) {
    assert_eq!(message["jsonrpc"], "2.0", "{message}");
    let kinds = ["result", "error", "method"].iter().filter(|kind| message.get(*kind).is_some()).count();
    assert_eq!(kinds, 1, "{message}");
    assert_ne!(message["error"]["code"], Value::from(-32603), "an internal error: {message}");
    if let Some(ids) = ids.filter(|_| message.get("method").is_none()) {
        // Null where the request could not be read.
        let id = &message["id"];
        assert!(id.is_null() && message.get("error").is_some() || ids.contains(id), "{message} to {ids:?}");
    }
}

/// The ids that the body asks about; `None` if some part of it is no JSON, which need not be read to know the id.
fn ids_of(body: &str) -> Option<Vec<Value>> {
    let messages = match serde_json::from_str(body).ok()? {
        Value::Array(batch) => batch,
        message => vec![message],
    };
    Some(messages.iter().map(|message| message["id"].clone()).filter(|id| !id.is_null()).collect())
}
