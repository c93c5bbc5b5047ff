//! Calling tools: arguments, results, failures.

use std::{cell::RefCell, time::Duration};

use serde::Serialize;

use crate::{ContentBlock, Json, ToolResult, testing::Client, tests::*};

#[derive(Deserialize, JsonSchema)]
struct Order {
    #[schemars(range(min = 1, max = 9))]
    count: u8,
    #[serde(default)]
    gift: bool,
    size: Option<Size>,
}

#[derive(Debug, Deserialize, JsonSchema)]
enum Size {
    Small,
    Large,
}

#[derive(Serialize, JsonSchema)]
struct Receipt {
    total: u32,
}

async fn order(_call: Call, Order { count, gift, size }: Order) -> Result<Json<Receipt>, ToolError> {
    match size {
        Some(Size::Large) if gift => Err(ToolError::new("large orders cannot be gifts")),
        _ => Ok(Json(Receipt { total: u32::from(count) * 3 })),
    }
}

fn shop() -> Server {
    build(Server::builder("shop", "1").tool(Tool::new("order", order)))
}

#[test]
fn typed_arguments_become_a_structured_result_with_a_text_copy() {
    let server = shop();
    for client in [Client::new(&server), Client::new(&server).legacy()] {
        let answer = run(client.call_tool("order", json!({"count": 2, "size": "Small"})));
        assert_eq!(answer.result()["structuredContent"], json!({"total": 6}));
        assert_eq!(answer.text(), "{\"total\":6}");
        assert_eq!(answer.result().get("isError"), None);
    }
}

#[test]
fn a_whole_number_with_a_fraction_is_an_integer() {
    let server = shop();
    let client = Client::new(&server).legacy();
    let head = RequestHead::new("POST", "/mcp");
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"order","arguments":{"count":2.0}}}"#;
    assert_eq!(run(client.post(&head, body)).0.text(), "{\"total\":6}");
}

#[test]
fn arguments_that_do_not_fit_are_reported_to_the_model() {
    let server = shop();
    for client in [Client::new(&server), Client::new(&server).legacy()] {
        for (arguments, words) in [
            (json!({}), "arguments.count: required, expected an integer"),
            (json!({"count": 10}), "arguments.count: expected at most 9, got 10"),
            (json!({"count": 0}), "arguments.count: expected at least 1, got 0"),
            (json!({"count": "2"}), "arguments.count: expected an integer, got a string"),
            (json!({"count": 1, "gift": 1}), "arguments.gift: expected a boolean, got a number"),
            (json!({"count": 1, "size": "Huge"}), "arguments.size: expected one of \"Small\", \"Large\""),
        ] {
            let answer = run(client.call_tool("order", arguments));
            assert!(answer.is_error() && answer.status == 200);
            assert!(answer.text().contains(words), "{}", answer.text());
        }
    }
}

#[test]
fn a_tool_without_arguments_ignores_what_it_is_given() {
    let server = build(Server::builder("t", "1").tool(Tool::new("hello", |_: Call| async { "hello" })));
    let client = Client::new(&server);
    assert_eq!(run(client.request("tools/call", json!({"name": "hello"}))).text(), "hello");
    // What some clients add to every call.
    let added = json!({"toolCallId": "c1", "sessionId": "s1", "action": "sendMessage", "chatInput": "hi"});
    assert_eq!(run(client.call_tool("hello", added)).text(), "hello");
    let listed = run(client.request("tools/list", json!({})));
    assert_eq!(listed.result()["tools"][0]["inputSchema"], json!({"type": "object", "properties": {}}));
}

#[test]
fn failures_for_the_model_are_results() {
    let server = shop();
    let answer = run(Client::new(&server).call_tool("order", json!({"count": 1, "gift": true, "size": "Large"})));
    assert!(answer.is_error());
    assert_eq!(answer.text(), "large orders cannot be gifts");
    assert_eq!(answer.error_code(), None);
}

#[test]
fn internal_failures_are_reported_to_the_operator_alone() {
    async fn broken(_call: Call) -> Result<String, ToolError> {
        Err(ToolError::internal("database password is hunter2"))
    }
    let server = build(Server::builder("t", "1").tool(Tool::new("broken", broken)));
    let lines = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&lines);
    let client = Client::new(&server).report(move |line| log.borrow_mut().push(line.to_owned()));
    let answer = run(client.call_tool("broken", json!({})));
    assert!(answer.is_error());
    assert_eq!(answer.text(), "internal error; it is in the server's log under test-request");
    assert_eq!(*lines.borrow(), ["tools/call broken: database password is hunter2"]);
}

#[test]
fn handwritten_schemas_are_listed_as_they_are_and_checked() {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"city": {"type": "string"}}}},
        "properties": {
            "address": {"$ref": "#/$defs/address"},
            "phone": {"type": "string"},
            "email": {"type": "string"}
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "additionalProperties": false
    });
    let tool = Tool::new("contact", |_: Call, arguments: Value| async move { arguments.to_string() });
    let server = build(Server::builder("t", "1").tool(tool.input_schema(schema.clone())));
    let client = Client::new(&server);
    let listed = run(client.request("tools/list", json!({})));
    assert_eq!(listed.result()["tools"][0]["inputSchema"], schema);
    assert!(run(client.call_tool("contact", json!({}))).is_error());
    assert!(run(client.call_tool("contact", json!({"phone": "1", "address": {"city": 1}}))).is_error());
    assert_eq!(run(client.call_tool("contact", json!({"phone": "1"}))).text(), "{\"phone\":\"1\"}");
}

#[test]
fn a_tool_has_its_time() {
    async fn slow(call: Call) -> &'static str {
        call.sleep(Duration::from_hours(1)).await;
        "done"
    }
    let quick = Tool::new("quick", slow).time_limit(Duration::from_secs(5));
    let patient = Tool::new("patient", slow).time_limit(Duration::from_secs(4000));
    let server = build(Server::builder("t", "1").tool(Tool::new("slow", slow)).tool(quick).tool(patient));
    let client = Client::new(&server);
    for (tool, words) in
        [("slow", "gave up after 60 seconds"), ("quick", "gave up after 5 seconds"), ("patient", "done")]
    {
        let answer = run(client.call_tool(tool, json!({})));
        assert_eq!((answer.text().as_str(), answer.is_error()), (words, tool != "patient"));
    }
}

#[test]
fn a_tool_knows_its_caller_and_its_surroundings() {
    #[derive(Clone)]
    struct Env {
        greeting: &'static str,
    }
    async fn greet(call: Call<Env>) -> String {
        let client = call.client_info().map_or("?", |client| client.name.as_str());
        let user = call.user().unwrap_or("nobody");
        let (greeting, revision) = (call.env().greeting, call.revision());
        format!("{greeting} {user} of {client}, {revision}, {}, {}", call.now(), call.request_id())
    }
    let server = build(Server::<Env>::builder("t", "1").tool(Tool::new("greet", greet)));
    let client = || Client::with_env(&server, Env { greeting: "Hi" });
    let answer = run(client().call_tool("greet", json!({})));
    assert_eq!(answer.text(), "Hi test of test, 2026-07-28, 1800000000, test-request");
    let answer = run(client().legacy().call_tool("greet", json!({})));
    assert_eq!(answer.text(), "Hi test of ?, 2025-11-25, 1800000000, test-request");
}

#[test]
fn results_may_be_put_together_by_hand() {
    async fn mixed(_call: Call) -> ToolResult {
        ToolResult::new()
            .content("text")
            .content(ContentBlock::image([0], "image/png"))
            .structured(&json!([1]))
            .meta("com.example/trace", json!("t"))
    }
    let server = build(Server::builder("t", "1").tool(Tool::new("mixed", mixed)));
    let modern = run(Client::new(&server).call_tool("mixed", json!({})));
    assert_eq!(modern.result()["structuredContent"], json!([1]));
    assert_eq!(modern.result()["_meta"]["com.example/trace"], "t");
    assert!(modern.result()["_meta"]["io.modelcontextprotocol/serverInfo"].is_object());
    let legacy = run(Client::new(&server).legacy().call_tool("mixed", json!({})));
    assert_eq!(legacy.result()["structuredContent"], json!({"result": [1]}));
    assert_eq!(legacy.result()["_meta"], json!({"com.example/trace": "t"}));
}

#[test]
fn errors_of_the_authors_own_can_be_tool_errors() {
    enum Problem {
        NoSuchNote(u32),
    }
    impl From<Problem> for ToolError {
        fn from(Problem::NoSuchNote(id): Problem) -> Self {
            Self::new(format!("there is no note {id}"))
        }
    }
    async fn read(_call: Call) -> Result<String, Problem> {
        Err(Problem::NoSuchNote(7))
    }
    let server = build(Server::builder("t", "1").tool(Tool::new("read", read)));
    assert_eq!(run(Client::new(&server).call_tool("read", json!({}))).text(), "there is no note 7");
}

#[test]
fn deep_arguments_are_refused_without_overflow() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"echo","arguments":{{"text":{deep}}}}}}}"#
    );
    let response = response(Request::legacy("tools/call", json!({})).send_text(&server(), &body));
    assert_eq!(message(&response)["error"]["code"], -32602);
}
