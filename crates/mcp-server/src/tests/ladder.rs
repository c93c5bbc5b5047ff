//! Every step by which a request is classified or refused, with its status and code.

use crate::tests::*;

/// Status, JSON-RPC code (0: a result), and whether the id came back.
fn outcome(request: &Request) -> (u16, i64) {
    let response = response(request.send(&server()));
    let message = message(&response);
    if !message.is_null() {
        assert_eq!(message["id"], 7, "the id is echoed: {message}");
    }
    (response.status, message["error"]["code"].as_i64().unwrap_or_default())
}

fn call() -> Request {
    Request::modern("tools/call", json!({"name": "echo", "arguments": {"text": "hi"}})).with("mcp-param-text", "hi")
}

fn list() -> Request {
    Request::modern("tools/list", json!({}))
}

fn initialize() -> Request {
    let params =
        json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}});
    Request::legacy("initialize", params).without("mcp-protocol-version")
}

#[test]
fn every_step_has_its_status_and_code() {
    let modern_initialize = Request::modern("initialize", json!({"protocolVersion": "2026-07-28"}));
    let legacy_list = || Request::legacy("tools/list", json!({}));
    let rows: Vec<(&str, Request, (u16, i64))> = vec![
        ("a good request", list(), (200, 0)),
        ("a good call", call(), (200, 0)),
        // Step 7: initialize.
        ("a handshake", initialize(), (200, 0)),
        ("a handshake with a legacy header", initialize().with("mcp-protocol-version", "2025-11-25"), (200, 0)),
        (
            "a handshake with an unknown legacy header",
            initialize().with("mcp-protocol-version", "1999-01-01"),
            (200, 0),
        ),
        ("a handshake with a method header", initialize().with("mcp-method", "initialize"), (200, 0)),
        ("a handshake with a modern header", initialize().with("mcp-protocol-version", "2026-07-28"), (400, -32020)),
        (
            "a handshake with a claim of a legacy version",
            initialize().body("/params/_meta", Some(json!({"io.modelcontextprotocol/protocolVersion": "2025-11-25"}))),
            (200, 0),
        ),
        (
            "a handshake with half a claim",
            initialize().body("/params/_meta", Some(json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"}))),
            (200, 0),
        ),
        ("initialize with a whole claim", modern_initialize, (404, -32601)),
        // Step 8a: the envelope.
        ("a version that is a number", list().body(VERSION, Some(json!(2026))), (400, -32602)),
        ("a version that is null", list().body(VERSION, Some(Value::Null)), (400, -32602)),
        ("no capabilities", list().body(CAPABILITIES, None), (400, -32602)),
        ("capabilities that are an array", list().body(CAPABILITIES, Some(json!([]))), (400, -32602)),
        ("capabilities that are null", list().body(CAPABILITIES, Some(Value::Null)), (400, -32602)),
        (
            "a bad envelope comes before a bad header",
            list().body(CAPABILITIES, None).with("mcp-protocol-version", "2025-11-25"),
            (400, -32602),
        ),
        // Step 8b: the version header contradicts.
        ("another version in the header", list().with("mcp-protocol-version", "2025-11-25"), (400, -32020)),
        (
            "an unknown version in the body and another in the header",
            list().body(VERSION, Some(json!("v999.0.0"))),
            (400, -32020),
        ),
        // Step 8c: the method header contradicts.
        ("another method in the header", list().with("mcp-method", "tools/call"), (400, -32020)),
        ("a method in other case", list().with("mcp-method", "Tools/List"), (400, -32020)),
        (
            "a contradicting method comes before an unknown version",
            list()
                .body(VERSION, Some(json!("v999.0.0")))
                .with("mcp-protocol-version", "v999.0.0")
                .with("mcp-method", "ping"),
            (400, -32020),
        ),
        // Step 8d: the version is not spoken here.
        (
            "an unknown version in both",
            list().body(VERSION, Some(json!("v999.0.0"))).with("mcp-protocol-version", "v999.0.0"),
            (400, -32022),
        ),
        (
            "a legacy version in both",
            list().body(VERSION, Some(json!("2025-11-25"))).with("mcp-protocol-version", "2025-11-25"),
            (400, -32022),
        ),
        (
            "an unknown version comes before missing headers",
            list().body(VERSION, Some(json!("1900-01-01"))).without("mcp-protocol-version").without("mcp-method"),
            (400, -32022),
        ),
        // Step 8e: required headers.
        ("no version header", list().without("mcp-protocol-version"), (400, -32020)),
        ("no method header", list().without("mcp-method"), (400, -32020)),
        ("no name header", call().without("mcp-name"), (400, -32020)),
        ("another name", call().with("mcp-name", "other"), (400, -32020)),
        ("an encoded name", call().with("mcp-name", "=?base64?ZWNobw==?="), (200, 0)),
        ("a badly encoded name", call().with("mcp-name", "=?base64?ZWNobw?="), (400, -32020)),
        (
            "no name header for a resource",
            Request::modern("resources/read", json!({"uri": "note://motd"})).without("mcp-name"),
            (400, -32020),
        ),
        (
            "no name header where the body has no name",
            call().body("/params/name", None).without("mcp-name"),
            (200, -32602),
        ),
        ("a name header on a list", list().with("mcp-name", "anything"), (200, 0)),
        // Step 8f: the method.
        ("ping", Request::modern("ping", json!({})), (404, -32601)),
        ("logging/setLevel", Request::modern("logging/setLevel", json!({"level": "info"})), (404, -32601)),
        ("resources/subscribe", Request::modern("resources/subscribe", json!({"uri": "note://motd"})), (404, -32601)),
        ("resources/unsubscribe", Request::modern("resources/unsubscribe", json!({})), (404, -32601)),
        ("subscriptions/listen", Request::modern("subscriptions/listen", json!({"notifications": {}})), (404, -32601)),
        ("tasks/get", Request::modern("tasks/get", json!({"taskId": "1"})), (404, -32601)),
        ("an unknown method", Request::modern("unknown/method", json!({})), (404, -32601)),
        // Step 8g: capabilities.
        ("a capability that is not declared", Request::modern("tools/call", json!({"name": "sampler"})), (400, -32021)),
        // Step 8h: headers that repeat arguments.
        ("no parameter header", call().without("mcp-param-text"), (400, -32020)),
        ("another parameter", call().with("mcp-param-text", "ho"), (400, -32020)),
        ("an encoded parameter", call().with("mcp-param-text", "=?base64?aGk=?="), (200, 0)),
        ("a badly encoded parameter", call().with("mcp-param-text", "=?base64?aGk?="), (400, -32020)),
        ("a parameter for an argument that is missing", call().body("/params/arguments", None), (400, -32020)),
        ("a parameter of no tool", call().with("mcp-param-other", "x"), (200, 0)),
        // Step 8j: parameters.
        ("an unknown tool", call().body("/params/name", Some(json!("x"))).with("mcp-name", "x"), (200, -32602)),
        ("arguments that are an array", call().body("/params/arguments", Some(json!([1]))), (200, -32602)),
        ("a cursor that was not given out", list().body("/params/cursor", Some(json!("x"))), (200, -32602)),
        (
            "an unknown level",
            list().body("/params/_meta/io.modelcontextprotocol~1logLevel", Some(json!("loud"))),
            (200, -32602),
        ),
        (
            "a progress token that is an object",
            list().body("/params/_meta/progressToken", Some(json!({}))),
            (200, -32602),
        ),
        ("an unknown resource", Request::modern("resources/read", json!({"uri": "note://none"})), (200, -32602)),
        ("an unknown prompt", Request::modern("prompts/get", json!({"name": "none"})), (200, -32602)),
        ("a missing prompt argument", Request::modern("prompts/get", json!({"name": "greet"})), (200, -32602)),
        // Step 9: a modern header without a claim.
        ("no envelope", list().body("/params/_meta", None), (400, -32602)),
        ("no params at all", list().body("/params", None), (400, -32602)),
        ("no version in the envelope", list().body(VERSION, None), (400, -32602)),
        ("an envelope that is an array", list().body("/params/_meta", Some(json!([]))), (400, -32602)),
        (
            "a header of the far future",
            list().body("/params/_meta", None).with("mcp-protocol-version", "2999-01-01"),
            (400, -32602),
        ),
        // Step 10: legacy.
        ("a legacy list", legacy_list(), (200, 0)),
        ("a legacy list without a header", legacy_list().without("mcp-protocol-version"), (200, 0)),
        ("each legacy revision", legacy_list().with("mcp-protocol-version", "2025-06-18"), (200, 0)),
        ("the oldest legacy revision", legacy_list().with("mcp-protocol-version", "2024-11-05"), (200, 0)),
        ("an unknown legacy revision", legacy_list().with("mcp-protocol-version", "2025-01-01"), (400, -32600)),
        ("a revision that is no date", legacy_list().with("mcp-protocol-version", "v999"), (400, -32600)),
        ("an empty revision", legacy_list().with("mcp-protocol-version", ""), (400, -32600)),
        ("a contradicting method header is not looked at", legacy_list().with("mcp-method", "ping"), (200, 0)),
        ("legacy ping", Request::legacy("ping", json!({})), (200, 0)),
        ("a legacy method that is unknown", Request::legacy("unknown/method", json!({})), (200, -32601)),
        ("a legacy server/discover", Request::legacy("server/discover", json!({})), (200, -32601)),
        ("a legacy unknown tool", Request::legacy("tools/call", json!({"name": "x"})), (200, -32602)),
        ("a legacy unknown resource", Request::legacy("resources/read", json!({"uri": "note://none"})), (200, -32002)),
        ("legacy capabilities are not known", Request::legacy("tools/call", json!({"name": "sampler"})), (200, 0)),
        ("a legacy unknown level", Request::legacy("logging/setLevel", json!({"level": "loud"})), (200, -32602)),
    ];
    for (name, request, expected) in rows {
        assert_eq!(outcome(&request), expected, "{name}");
    }
}

#[test]
fn refusals_say_what_would_have_been_right() {
    let data = |request: Request| message(&response(request.send(&server())))["error"]["data"].clone();
    let future = list().body(VERSION, Some(json!("v999"))).with("mcp-protocol-version", "v999");
    assert_eq!(data(future), json!({"supported": ["2026-07-28"], "requested": "v999"}));
    let sampler = Request::modern("tools/call", json!({"name": "sampler"}));
    assert_eq!(data(sampler), json!({"requiredCapabilities": {"sampling": {}}}));
    let resource = Request::modern("resources/read", json!({"uri": "note://none"}));
    assert_eq!(data(resource), json!({"uri": "note://none"}));
    let resource = Request::legacy("resources/read", json!({"uri": "note://none"}));
    assert_eq!(data(resource), json!({"uri": "note://none"}));
}

#[test]
fn bodies_that_are_no_message_are_refused() {
    for (body, code) in [
        ("", -32700),
        ("nope", -32700),
        ("{\"jsonrpc\":\"2.0\"", -32700),
        ("[]", -32600),
        ("[1]", -32600),
        ("17", -32600),
        ("{}", -32600),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#, -32600),
    ] {
        for request in [list(), Request::legacy("ping", json!({}))] {
            let response = response(request.send_text(&server(), body));
            assert_eq!((response.status, message(&response)["error"]["code"].as_i64()), (400, Some(code)), "{body}");
        }
    }
}

#[test]
fn ids_come_back_as_they_were() {
    for id in [json!(0), json!(-1), json!("7"), json!("\u{1f600}\"\\"), json!(9_007_199_254_740_993_i64)] {
        for request in [list(), Request::legacy("ping", json!({})), Request::modern("unknown", json!({}))] {
            let answer = message(&response(request.body("/id", Some(id.clone())).send(&server())));
            assert_eq!(answer["id"], id);
        }
    }
}

#[test]
fn notifications_and_responses_are_accepted_without_an_answer() {
    let notification = |request: Request| request.body("/id", None);
    let cancelled = json!({"requestId": 1});
    let claim_only = notification(list()).without("mcp-protocol-version");
    let legacy = Request::legacy("notifications/initialized", json!({}));
    let reply = Request::legacy("x", json!({})).body("/method", None).body("/result", Some(json!({})));
    for (name, request, status) in [
        ("initialized", notification(legacy), 202),
        ("a modern one", notification(Request::modern("notifications/cancelled", cancelled)), 202),
        ("one without headers", notification(list()).without("mcp-method"), 202),
        ("one with a claim alone", claim_only, 202),
        ("one with a header alone", notification(list()).body("/params/_meta", None), 202),
        ("one whose header contradicts", notification(list()).with("mcp-protocol-version", "2025-11-25"), 400),
        (
            "one of no known revision",
            notification(Request::legacy("x", json!({}))).with("mcp-protocol-version", "1"),
            400,
        ),
        ("a response", reply, 202),
    ] {
        let response = response(request.send(&server()));
        assert_eq!(response.status, status, "{name}");
        assert_eq!(response.text().is_empty(), status == 202, "{name}");
    }
}

#[test]
fn a_modern_client_sends_no_responses() {
    let reply = list().body("/method", None).body("/params", None).body("/result", Some(json!({})));
    let response = response(reply.send(&server()));
    assert_eq!((response.status, message(&response)["error"]["code"].as_i64()), (400, Some(-32600)));
}

#[test]
fn other_methods_and_media_types_are_refused_before_the_body_is_read() {
    let server = server();
    let status = |head: &RequestHead<'_>| server.admit(head).err().map(|response| response.status);
    let json = |method| RequestHead::new(method, "/mcp").with_header("content-type", "application/json; charset=utf-8");
    assert_eq!(status(&json("POST")), None);
    for method in ["GET", "DELETE", "PUT", "HEAD", "post"] {
        let refusal = server.admit(&json(method)).err().unwrap_or_else(|| Response::empty(0));
        assert_eq!((refusal.status, refusal.header("allow")), (405, Some("POST, OPTIONS")), "{method}");
    }
    assert_eq!(status(&RequestHead::new("POST", "/mcp")), Some(415));
    assert_eq!(status(&RequestHead::new("POST", "/mcp").with_header("content-type", "text/plain")), Some(415));
    let encoded = |coding| json("POST").with_header("content-encoding", coding);
    assert_eq!(status(&encoded("identity")), None);
    for coding in ["gzip", "br", "identity, zstd"] {
        let refusal = server.admit(&encoded(coding)).err().unwrap_or_else(|| Response::empty(0));
        assert_eq!((refusal.status, refusal.header("accept-encoding")), (415, Some("identity")), "{coding}");
        assert_eq!(message(&refusal)["error"]["code"], -32600, "{coding}");
    }
}

#[test]
fn a_body_that_could_not_be_read_has_a_json_rpc_error() {
    for (error, expected) in [
        (BodyError::TooLarge, (413, -32600)),
        (BodyError::Truncated, (400, -32700)),
        (BodyError::NotUtf8, (400, -32700)),
    ] {
        let response = crate::unreadable_body(error);
        let answer = message(&response);
        assert_eq!((response.status, answer["error"]["code"].as_i64()), (expected.0, Some(expected.1)), "{error}");
        assert_eq!(answer["id"], Value::Null);
    }
}
