//! Forms in which honest clients send messages, although others would do: all are understood.

use crate::tests::*;

const META: &str = "/params/_meta";

fn send(request: &Request) -> (u16, Value) {
    let response = response(request.send(&server()));
    (response.status, message(&response))
}

/// The message is answered as it is without the member.
fn counts_as_absent(request: impl Fn() -> Request, pointer: &str) {
    let expected = send(&request().body(pointer, None));
    assert_eq!(send(&request().body(pointer, Some(Value::Null))), expected, "{pointer}");
}

fn call(make: fn(&str, Value) -> Request) -> Request {
    make("tools/call", json!({"name": "echo", "arguments": {"text": "hi"}})).with("mcp-param-text", "hi")
}

fn greet(make: fn(&str, Value) -> Request) -> Request {
    make("prompts/get", json!({"name": "greet", "arguments": {"text": "you"}}))
}

fn complete(make: fn(&str, Value) -> Request) -> Request {
    let reference = json!({"type": "ref/prompt", "name": "greet"});
    make("completion/complete", json!({"ref": reference, "argument": {"name": "text", "value": "h"}}))
}

#[test]
fn optional_members_that_are_null_count_as_absent() {
    for make in [Request::modern, Request::legacy] {
        for list in ["tools/list", "resources/list", "resources/templates/list", "prompts/list"] {
            let request = || make(list, json!({}));
            assert_eq!(send(&request().body("/params/cursor", Some(Value::Null))).0, 200);
            assert!(send(&request().body("/params/cursor", Some(Value::Null))).1["result"].is_object(), "{list}");
            counts_as_absent(request, "/params/cursor");
        }
        for pointer in ["/params/inputResponses", "/params/requestState", "/params/task"] {
            counts_as_absent(|| call(make), pointer);
            counts_as_absent(|| greet(make), pointer);
            counts_as_absent(|| make("resources/read", json!({"uri": "note://motd"})), pointer);
            assert!(send(&call(make).body(pointer, Some(Value::Null))).1["result"].is_object(), "{pointer}");
        }
        counts_as_absent(|| make("tools/call", json!({"name": "none"})), "/params/arguments");
        counts_as_absent(|| complete(make), "/params/context");
    }
    counts_as_absent(|| Request::legacy("tools/list", json!({})), META);
    counts_as_absent(|| Request::legacy("tools/list", json!({"_meta": {}})), "/params/_meta/progressToken");
}

#[test]
fn arguments_that_are_null_are_an_empty_object() {
    let tools = build(Server::builder("t", "1").tool(Tool::new("hello", async |_call: Call| "Hello")));
    for make in [Request::modern, Request::legacy] {
        let request = make("tools/call", json!({"name": "hello", "arguments": null}));
        let answer = message(&response(request.send(&tools)));
        assert_eq!(answer["result"]["content"][0]["text"], "Hello", "{answer}");
    }
}

/// PHP writes an empty map as an empty array.
#[test]
fn an_empty_array_in_place_of_parameters_or_arguments_counts_as_absent() {
    let none = build(
        Server::builder("t", "1")
            .tool(Tool::new("hello", async |_call: Call| "Hello"))
            .tool(Tool::new("optional", async |_call: Call, Optional { name }: Optional| name.unwrap_or_default()))
            .prompt(Prompt::new("hello", async |_call: Call, _: Optional| "Hello")),
    );
    for make in [Request::modern, Request::legacy] {
        for (method, name) in [("tools/call", "hello"), ("tools/call", "optional"), ("prompts/get", "hello")] {
            let answer = |arguments| {
                let request = make(method, json!({"name": name, "arguments": arguments}));
                message(&response(request.send(&none)))
            };
            assert!(answer(json!([]))["result"].is_object(), "{}", answer(json!([])));
            for other in [json!([1]), json!([[]]), json!("[]"), json!(""), json!(0), json!(false)] {
                assert_eq!(answer(other)["error"]["code"], -32602, "{method}");
            }
        }
    }
    let spaced = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"hello","arguments":[  ]}}"#;
    let answer = message(&response(Request::legacy("tools/call", json!({})).send_text(&none, spaced)));
    assert!(answer["result"].is_object(), "{answer}");

    for method in ["tools/list", "ping"] {
        let answer = send(&Request::legacy(method, json!([]))).1;
        assert!(answer["result"].is_object(), "{answer}");
        for other in [json!([1]), json!("[]"), json!(1)] {
            assert_eq!(send(&Request::legacy(method, other)).1["error"]["code"], -32600);
        }
    }
    let notification = Request::legacy("notifications/initialized", json!([])).body("/id", None);
    assert_eq!(send(&notification), (202, Value::Null));
    let request = || complete(Request::legacy);
    assert_eq!(send(&request().body("/params/context", Some(json!([])))), send(&request()));
}

#[test]
fn members_of_the_envelope_that_are_null_count_as_absent() {
    for name in ["progressToken", "io.modelcontextprotocol~1logLevel", "io.modelcontextprotocol~1clientInfo"] {
        let pointer = format!("{META}/{name}");
        let answer = send(&call(Request::modern).body(&pointer, Some(Value::Null))).1;
        assert_eq!(answer["result"]["content"][0]["text"], "hi", "{answer}");
        counts_as_absent(|| call(Request::modern), &pointer);
    }
    // A claim of `null` is none, so the header decides.
    counts_as_absent(|| call(Request::modern), VERSION);
    let legacy = || call(Request::modern).with("mcp-protocol-version", "2025-11-25");
    counts_as_absent(legacy, VERSION);
    assert_eq!(send(&legacy().body(VERSION, Some(Value::Null))).1["result"]["content"][0]["text"], "hi");
}

#[test]
fn null_in_place_of_what_is_required_is_still_refused() {
    for (request, pointer) in [
        (call(Request::legacy), "/params/name"),
        (Request::legacy("resources/read", json!({"uri": ""})), "/params/uri"),
        (Request::legacy("logging/setLevel", json!({"level": "info"})), "/params/level"),
        (Request::legacy("initialize", json!({"protocolVersion": "2025-11-25"})), "/params/protocolVersion"),
        (complete(Request::legacy), "/params/ref"),
        (complete(Request::legacy), "/params/argument"),
    ] {
        assert_eq!(send(&request.body(pointer, Some(Value::Null))).1["error"]["code"], -32602, "{pointer}");
    }
    assert_eq!(send(&call(Request::modern).body(CAPABILITIES, Some(Value::Null))).1["error"]["code"], -32602);
}

#[test]
fn a_null_that_occurs_twice_is_still_a_member_that_occurs_twice() {
    let body = r#"{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"cursor":null,"cursor":"x"}}"#;
    let response = response(Request::legacy("tools/list", json!({})).send_text(&server(), body));
    assert_eq!(message(&response)["error"]["code"], -32600);
}

#[test]
fn optional_arguments_of_prompts_and_completions_may_be_null() {
    let prompt = Prompt::new("hello", async |_call: Call, Optional { name }: Optional| {
        format!("Hello {}", name.unwrap_or_else(|| "nobody".to_owned()))
    });
    let prompts = build(Server::builder("t", "1").prompt(prompt));
    for arguments in [json!({"name": null}), json!({"name": null, "other": null}), json!({}), Value::Null] {
        let request = Request::legacy("prompts/get", json!({"name": "hello", "arguments": arguments}));
        let answer = message(&response(request.send(&prompts)));
        assert_eq!(answer["result"]["messages"][0]["content"]["text"], "Hello nobody", "{answer}");
    }
    let missing = send(&greet(Request::legacy).body("/params/arguments/text", Some(Value::Null))).1;
    assert_eq!(missing["error"]["message"], "argument text is missing");
    for context in
        [json!({}), json!({"arguments": null}), json!({"arguments": []}), json!({"arguments": {"other": null}})]
    {
        let answer = send(&complete(Request::legacy).body("/params/context", Some(context))).1;
        assert_eq!(answer["result"]["completion"]["values"], json!(["hello", "hi"]), "{answer}");
    }
}

#[derive(Deserialize, JsonSchema)]
struct Optional {
    #[serde(default)]
    name: Option<String>,
}

#[test]
fn members_of_a_response_that_are_null_do_not_make_a_request_one() {
    for make in [Request::modern, Request::legacy] {
        let list = make("tools/list", json!({})).body("/result", Some(Value::Null)).body("/error", Some(Value::Null));
        assert!(send(&list).1["result"]["tools"].is_array());
    }
    let both = Request::legacy("tools/list", json!({})).body("/result", Some(json!({})));
    assert_eq!(send(&both).1["error"]["code"], -32600);
    let reply = Request::legacy("x", json!({})).body("/method", Some(Value::Null)).body("/result", Some(Value::Null));
    assert_eq!(send(&reply), (202, Value::Null));
}

#[test]
fn a_notification_may_have_an_id_of_null_and_a_request_may_not() {
    for method in ["notifications/initialized", "notifications/unknown"] {
        let notification = Request::legacy(method, json!({})).body("/id", Some(Value::Null));
        assert_eq!(send(&notification), (202, Value::Null), "{method}");
    }
    let request = Request::legacy("ping", json!({})).body("/id", Some(Value::Null));
    assert_eq!(send(&request).1["error"]["code"], -32600);
}

#[test]
fn an_integer_may_be_written_with_a_fraction_of_zero() {
    for (id, code) in [("1.0", Value::Null), ("-7.0", Value::Null), ("1.5", json!(-32600)), (".0", json!(-32700))] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let response = response(Request::legacy("ping", json!({})).send_text(&server(), &body));
        assert_eq!(message(&response)["error"]["code"], code, "{id}");
        assert!(code != Value::Null || response.text().contains(&format!(r#""id":{id},"#)), "{}", response.text());
    }
}

#[test]
fn names_of_versions_that_are_no_dates_are_negotiated() {
    let long = "x".repeat(5_000);
    for name in ["DRAFT-2025-v3", "2025-11-25-draft", "2026-07-28-rc1", "draft", "v999", "9", "", "2026-7-28", &long] {
        let initialize = || Request::legacy("initialize", json!({"protocolVersion": name, "capabilities": {}}));
        for request in [initialize().without("mcp-protocol-version"), initialize().with("mcp-protocol-version", name)] {
            let (status, answer) = send(&request);
            assert_eq!((status, &answer["result"]["protocolVersion"]), (200, &json!("2025-11-25")), "{answer}");
            let whole = request.body(
                META,
                Some(json!({
                    "io.modelcontextprotocol/protocolVersion": name, "io.modelcontextprotocol/clientCapabilities": {}
                })),
            );
            assert_eq!(send(&whole).1["result"]["protocolVersion"], "2025-11-25", "{name}");
        }
    }
}

#[test]
fn names_of_versions_that_are_not_known_get_an_error_that_names_the_known_ones() {
    let long = "ü".repeat(5_000);
    let known = json!(["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"]);
    for name in ["DRAFT-2025-v3", "2025-11-25-draft", "2026-07-28-rc1", "v999", "", "1999-01-01", &long] {
        let echoed = if name == long { format!("{}…", "ü".repeat(80)) } else { name.to_owned() };
        let data = json!({"supported": known, "requested": echoed});
        for method in ["tools/list", "tools/call", "ping", "unknown"] {
            let (status, answer) = send(&Request::legacy(method, json!({})).with("mcp-protocol-version", name));
            assert_eq!((status, &answer["error"]["code"], &answer["error"]["data"]), (400, &json!(-32600), &data));
            let message = answer["error"]["message"].as_str().unwrap_or_default();
            assert!(message.ends_with("supported: 2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26"), "{message}");
            assert!(message.chars().count() < 250, "{message}");
        }
        for body in [
            Request::legacy("notifications/initialized", json!({})).body("/id", None),
            Request::legacy("x", json!({})).body("/method", None).body("/result", Some(json!({}))),
        ] {
            let (status, answer) = send(&body.with("mcp-protocol-version", name));
            assert_eq!((status, &answer["error"]["data"]), (400, &data), "{name}");
        }
        let claim = Request::modern("tools/list", json!({})).body(VERSION, Some(json!(name)));
        let (status, answer) = send(&claim.with("mcp-protocol-version", name));
        let data = json!({"supported": ["2026-07-28"], "requested": echoed});
        assert_eq!((status, &answer["error"]["code"], &answer["error"]["data"]), (400, &json!(-32022), &data));
    }
}
