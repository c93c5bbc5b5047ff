//! How much a request may bring along: nothing is made of it for those who have no access, and not too much for others.

use std::time::Duration;

use crate::{AccessNeeded, CreateMessageParams, ElicitResult, Limits, VALUES, testing::Client, tests::*};
use mcp_edge_identity::Scopes;
use mcp_edge_runtime::http::Body;

/// One value more than there may be.
fn too_many() -> Value {
    Value::from(vec![0; VALUES])
}

/// Arguments that are a text of so many bytes.
fn large(bytes: usize) -> Value {
    json!({"text": "x".repeat(bytes)})
}

const HEAVY: usize = 7 * 1024 * 1024;

async fn slow(call: Call, arguments: Value) -> String {
    call.sleep(Duration::from_secs(5)).await;
    arguments["text"].as_str().map_or(0, str::len).to_string()
}

fn guarded() -> Server {
    build(
        Server::builder("t", "1")
            .scope("s", "S")
            .tool(Tool::new("slow", slow).scope("s").input_schema(json!({"type": "object"})))
            .resource(Resource::new("a://b", "b", async |_: Call| "text".to_owned()).scope("s"))
            .resource_template(ResourceTemplate::new("c://{d}", "d", note).scope("s").complete_among("d", ["x"]))
            .prompt(Prompt::new("p", greet).scope("s").complete_among("text", ["secret"])),
    )
}

fn send<'s>(server: &'s Server, request: &Request, scopes: &str) -> impl Future<Output = Handled> + use<'s> {
    let head = request.headers.iter();
    let head = head.fold(RequestHead::new("POST", "/mcp"), |head, (name, value)| head.with_header(name, value));
    server.handle(&head, &request.body.to_string(), context(scopes), &services())
}

/// Each place of which values are made, by method.
fn places() -> Vec<(&'static str, Value)> {
    let reference = |kind: &str, name: &str, value: &str| json!({"type": kind, name: value});
    let (prompt, template) = (reference("ref/prompt", "name", "p"), reference("ref/resource", "uri", "c://{d}"));
    vec![
        ("tools/call", json!({"name": "slow", "arguments": {"x": too_many()}})),
        ("tools/call", json!({"name": "slow", "arguments": {}, "inputResponses": {"x": too_many()}})),
        ("resources/read", json!({"uri": "a://b", "inputResponses": {"x": too_many()}})),
        ("resources/read", json!({"uri": "c://d", "inputResponses": {"x": too_many()}})),
        ("prompts/get", json!({"name": "p", "arguments": {"text": too_many()}})),
        ("prompts/get", json!({"name": "p", "arguments": {"text": ""}, "inputResponses": {"x": too_many()}})),
        ("completion/complete", json!({"ref": prompt, "argument": {"name": "text", "value": "", "x": too_many()}})),
        (
            "completion/complete",
            json!({"ref": template, "argument": {"name": "d", "value": ""}, "context": {"arguments": too_many()}}),
        ),
    ]
}

#[test]
fn access_is_decided_before_anything_is_counted_or_made() {
    let server = guarded();
    for (method, params) in places() {
        for request in [Request::modern(method, params.clone()), Request::legacy(method, params.clone())] {
            let handled = run(send(&server, &request, "other"));
            assert_eq!(handled.response.err(), Some(AccessNeeded::Scopes(Scopes::parse("s"))), "{method}");
        }
    }
    // Nor does anybody without access learn what would have been wrong.
    let request = Request::modern("tools/call", json!({"name": "slow", "arguments": []}));
    assert!(run(send(&server, &request, "other")).response.is_err());
}

#[test]
fn more_values_than_there_may_be_are_an_error_that_says_how_many() {
    let server = guarded();
    for (method, params) in places() {
        let answer = message(&response(run(send(&server, &Request::modern(method, params), "s"))));
        assert_eq!(answer["error"]["code"], -32602, "{method}");
        let text = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(text.contains("more than 100000 values"), "{method}: {text}");
    }
}

#[test]
fn as_many_values_as_there_may_be_are_taken_and_the_author_may_set_how_many() {
    let with = |values: usize, limit: usize| {
        let limits = Limits { values: limit, ..Limits::default() };
        let server = build(
            Server::builder("t", "1")
                .limits(limits)
                .tool(Tool::new("slow", slow).input_schema(json!({"type": "object"}))),
        );
        let client = Client::new(&server);
        // The object with its member, the list, and what is in it.
        run(client.call_tool("slow", json!({"x": vec![0; values - 2]}))).error_code()
    };
    assert_eq!(with(VALUES, VALUES), None);
    assert_eq!(with(VALUES + 1, VALUES), Some(-32602));
    assert_eq!(with(2_000, 2_000), None);
    assert_eq!(with(2_001, 2_000), Some(-32602));
}

#[test]
fn arguments_and_answers_may_be_so_deep_and_no_deeper() {
    let server = build(Server::builder("t", "1").tool(Tool::new("slow", slow).input_schema(json!({"type": "object"}))));
    for (member, around) in [("arguments", ""), ("inputResponses", r#""arguments":{},"#)] {
        let code = |levels: usize| {
            let deep = ["[".repeat(levels), "]".repeat(levels)].concat();
            let request = Request::modern("tools/call", json!({"name": "slow"}));
            let params = format!(r#""params":{{{around}"{member}":{{"x":{deep}}},"#);
            let body = request.body.to_string().replace(r#""params":{"#, &params);
            message(&response(request.send_text(&server, &body)))["error"]["code"].clone()
        };
        // The object around them is a level, too.
        assert_eq!(code(126), Value::Null, "{member}");
        for levels in [127, 10_000, 90_000] {
            assert_eq!(code(levels), -32602, "{member}: {levels}");
        }
    }
}

#[test]
fn the_messages_of_a_batch_have_as_many_values_together() {
    let server = guarded();
    let batch = |values: usize| {
        let call = Request::legacy("tools/call", json!({"name": "slow", "arguments": {"x": vec![0; values]}}));
        let call = call.with("mcp-protocol-version", "2025-03-26");
        let body = json!([call.body, call.body, call.body]);
        let codes = message(&response(run(send(&server, &Request { body, ..call }, "s"))));
        codes.as_array().into_iter().flatten().filter(|answer| answer["error"]["code"] == -32602).count()
    };
    assert_eq!(batch(VALUES / 3 - 10), 0);
    assert_eq!(batch(VALUES / 2 - 10), 1);
}

#[test]
fn a_heavy_call_is_refused_while_others_hold_what_there_is_and_light_ones_never() {
    let server = guarded();
    let call = |arguments| Request::modern("tools/call", json!({"name": "slow", "arguments": arguments}));
    let (heavy, light) = (call(large(HEAVY)), call(large(10)));
    let first = send(&server, &heavy, "s");
    let refused = response(run(send(&server, &heavy, "s")));
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    assert_eq!(message(&refused)["error"]["code"], -32603);
    assert_eq!(message(&refused)["id"], 7);
    assert_eq!(response(run(send(&server, &light, "s"))).status, 200);
    assert_eq!(response(run(first)).status, 200);
    assert_eq!(response(run(send(&server, &heavy, "s"))).status, 200);
}

#[test]
fn the_room_of_a_call_is_free_when_its_stream_is_dropped() {
    let server = guarded();
    let heavy = Request::modern("tools/call", json!({"name": "slow", "arguments": large(HEAVY)}));
    drop(send(&server, &heavy, "s"));
    assert_eq!(response(run(send(&server, &heavy, "s"))).status, 200);
    let talking = build(
        Server::builder("t", "1").logging().tool(
            Tool::new("slow", async |call: Call, arguments: Value| {
                call.log(crate::LoggingLevel::Error, "working").await;
                slow(call, arguments).await
            })
            .input_schema(json!({"type": "object"})),
        ),
    );
    let talk = heavy.body("/params/_meta/io.modelcontextprotocol~1logLevel", Some(json!("debug")));
    let streaming = response(run(send(&talking, &talk, "s")));
    assert!(matches!(streaming.body, Body::Stream { .. }));
    assert_eq!(response(run(send(&talking, &talk, "s"))).status, 503);
    drop(streaming);
    assert_eq!(response(run(send(&talking, &talk, "s"))).status, 200);
}

#[test]
fn what_is_unknown_is_skipped_however_much_it_is() {
    let server = server();
    for pointer in [CAPABILITIES, "/params/_meta", "/params"] {
        let request = Request::modern("tools/list", json!({}));
        let request = request.body(&format!("{pointer}/x"), Some(json!({"y": too_many()})));
        assert_eq!(response(request.send(&server)).status, 200, "{pointer}");
    }
}

#[test]
fn what_comes_back_in_answers_is_short() {
    let server = server();
    let long = "x".repeat(2_000);
    let code = |request: Request| message(&response(request.send(&server)))["error"]["code"].clone();
    let list = || Request::modern("tools/list", json!({}));
    assert_eq!(code(list().body("/id", Some(json!(long)))), -32600);
    assert_eq!(code(list().body("/params/_meta/progressToken", Some(json!(long)))), -32602);
    assert_eq!(code(list().body("/params/_meta/progressToken", Some(json!("x".repeat(1_000))))), Value::Null);
    let uri = format!("note://{}/text", "x".repeat(20_000));
    let header = |request: Request| request.with("mcp-name", &uri);
    assert_eq!(code(header(Request::modern("resources/read", json!({"uri": uri})))), -32602);
    let reference = json!({"type": "ref/resource", "uri": uri});
    let complete = json!({"ref": reference, "argument": {"name": "id", "value": ""}});
    assert_eq!(code(Request::modern("completion/complete", complete)), -32602);
}

#[derive(Deserialize, JsonSchema)]
struct Names {
    #[allow(dead_code, reason = "only the schema is looked at")]
    names: std::collections::BTreeMap<String, Needs>,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only the schema is looked at")]
struct Needs {
    a: u8,
    b: u8,
    c: u8,
    d: u8,
    e: u8,
}

#[derive(Deserialize, JsonSchema)]
struct Address {
    #[serde(deserialize_with = "nobody")]
    #[allow(dead_code, reason = "is never made")]
    ip: String,
}

/// Quotes what it does not take, as many types do.
fn nobody<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    Err(serde::de::Error::invalid_value(serde::de::Unexpected::Str(&text), &"another text"))
}

#[test]
fn what_is_wrong_with_arguments_is_told_briefly() {
    async fn names(_: Call, _: Names) -> String {
        String::new()
    }
    async fn address(_: Call, _: Address) -> String {
        String::new()
    }
    let server = build(Server::builder("t", "1").tool(Tool::new("names", names)).tool(Tool::new("address", address)));
    let client = Client::new(&server);
    let long = "\u{7f}".repeat(100_000);
    for (tool, arguments) in [("names", json!({"names": {long.as_str(): {}}})), ("address", json!({"ip": long}))] {
        let answer = run(client.call_tool(tool, arguments));
        assert!(answer.is_error());
        assert!(answer.text().len() < 10_000, "{tool}: {}", answer.text().len());
    }
}

#[test]
fn an_answer_can_be_looked_at_twice() {
    let tool = Tool::new("twice", |call: Call| async move {
        let text = |sampled: crate::CreateMessageResult| sampled.text();
        let first = call.sample("key", CreateMessageParams::new("?", 1)).map(text)?;
        let second = call.sample("key", CreateMessageParams::new("?", 1)).map(text)?;
        let other = call.elicit_url("other", "?", "https://x.example")?;
        Ok::<_, ToolError>(format!("{first}{second}{}", other == ElicitResult::Accepted(())))
    });
    let server = build(Server::builder("t", "1").tool(tool));
    let key = crate::StateKey::derive(&[7; 32], "https://mcp.example.com/mcp");
    let capabilities = json!({"sampling": {}, "elicitation": {"url": {}}});
    let client = Client::new(&server).capabilities(capabilities).state_key(key);
    let sampled = json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "a"}});
    let params = json!({"name": "twice", "inputResponses": {"key": sampled}});
    let asked = run(client.request("tools/call", params));
    assert_eq!(asked.result()["resultType"], "input_required");
    // The answer of the first round travels in the state.
    let state = asked.result()["requestState"].clone();
    let params = json!({"name": "twice", "inputResponses": {"other": {"action": "accept"}}, "requestState": state});
    assert_eq!(run(client.request("tools/call", params)).text(), "aatrue");
}
