//! Event streams whose messages contain any text: an independent reader gets exactly the messages that were sent.

use std::rc::Rc;

use futures_util::StreamExt;
use mcp_edge::{
    Call, Identity, JsonSchema, LoggingLevel, RequestContext, Server, ServerServices, Tool, ToolError, schemars,
    testing,
};
use mcp_edge_runtime::http::{Body, RequestHead};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    sse::{Event, events},
    with_text,
};

/// What the tool does.
#[derive(Deserialize, JsonSchema)]
struct Speech {
    /// What it reports, one after another.
    progress: Vec<String>,
    /// What it logs.
    log: Option<String>,
    /// What it returns.
    text: String,
    /// Whether that is a failure.
    fails: bool,
}

async fn speak(call: Call, speech: Speech) -> Result<String, ToolError> {
    for (at, text) in speech.progress.iter().enumerate() {
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        call.progress(f64::from(number) + 1.0, None, Some(text)).await;
    }
    if let Some(log) = &speech.log {
        call.log(LoggingLevel::Warning, log).await;
    }
    if speech.fails { Err(ToolError::new(speech.text)) } else { Ok(speech.text) }
}

thread_local! {
    static SERVER: Server = Server::builder("fuzz", "1")
        .logging()
        .tool(Tool::new("speak", speak))
        .build()
        .expect("the tool is good");
}

/// Each line is a text, in which `\n`, `\r` and `\0` are escapes: the id, the progress token, the log, the result, and what
/// is reported. The first character of the id decides about the era, the second about failure.
pub fn check(input: &[u8]) {
    with_text(input, |input| {
        let text = |line: &str| line.replace("\\n", "\n").replace("\\r", "\r").replace("\\0", "\0");
        let mut lines = input.split('\n').map(text);
        let mut next = || lines.next().unwrap_or_default();
        let (id, token, log, result) = (next(), next(), next(), next());
        // Longer ones are refused.
        let [id, token] = [id, token].map(|text| text.chars().take(32).collect::<String>());
        let progress: Vec<String> = lines.take(8).collect();
        let (is_modern, fails) = (!id.starts_with('l'), id.chars().nth(1) == Some('f'));
        let revision = if is_modern { "2026-07-28" } else { "2025-11-25" };
        let head = RequestHead::new("POST", "/mcp")
            .with_header("content-type", "application/json")
            .with_header("accept", "application/json, text/event-stream")
            .with_header("mcp-protocol-version", revision)
            .with_header("mcp-method", "tools/call")
            .with_header("mcp-name", "speak");
        let mut meta = json!({"progressToken": token});
        if is_modern {
            meta["io.modelcontextprotocol/protocolVersion"] = revision.into();
            meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
            meta["io.modelcontextprotocol/clientInfo"] = json!({"name": "fuzz", "version": "1"});
            meta["io.modelcontextprotocol/logLevel"] = "debug".into();
        }
        let arguments = json!({"progress": progress, "log": log, "text": result, "fails": fails});
        let params = json!({"name": "speak", "arguments": arguments, "_meta": meta});
        let body = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}).to_string();

        let messages = SERVER.with(|server| testing::run(send(server, &head, &body)));
        let logged = messages.iter().find(|message| message["method"] == "notifications/message");
        assert!(logged.is_none_or(|message| message["params"]["data"] == log.as_str()), "{logged:?}");
        assert!(logged.is_some(), "{messages:?}");
        let reported: Vec<&Value> = messages
            .iter()
            .filter(|message| message["method"] == "notifications/progress")
            .map(|it| &it["params"])
            .collect();
        assert_eq!(reported.len(), progress.len(), "{messages:?}");
        for (params, text) in reported.into_iter().zip(&progress) {
            assert_eq!((&params["message"], &params["progressToken"]), (&json!(text), &json!(token)));
        }
        let last = messages.last().unwrap_or(&Value::Null);
        assert_eq!((&last["id"], &last["result"]["content"][0]["text"]), (&json!(id), &json!(result)), "{last}");
        assert_eq!(last["result"]["isError"] == true, fails, "{last}");
        assert_eq!(messages.len(), progress.len() + 2, "{messages:?}");
    });
}

/// The messages of the response, however it is framed.
async fn send(server: &Server, head: &RequestHead<'_>, body: &str) -> Vec<Value> {
    let identity = Rc::new(Identity::for_test("ada", ""));
    let context =
        RequestContext { identity, env: (), now: testing::NOW, request_id: "fuzz".to_owned(), connections: None };
    let services = Rc::new(ServerServices::new(Rc::new(testing::TestRuntime::default())));
    let response = server.handle(head, body, context, &services).await.response.expect("no scope is needed");
    assert_eq!(response.status, 200);
    match response.body {
        Body::Text(text) => {
            assert!(!text.contains(['\r', '\n']), "a document of several lines: {text:?}");
            vec![message(&text)]
        }
        Body::Stream { chunks, .. } => {
            let stream: String = chunks.collect().await;
            let events: Vec<Event> = events(&stream);
            assert_eq!(stream.matches("event: message\n").count(), events.len(), "{stream:?}");
            let data = events.into_iter().map(|(kind, data)| {
                assert_eq!(kind, "message");
                message(&data)
            });
            data.collect()
        }
        body => panic!("{body:?}"),
    }
}

fn message(text: &str) -> Value {
    let message: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!(message["jsonrpc"], "2.0");
    message
}
