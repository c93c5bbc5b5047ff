//! What is refused.

use mcp_edge_runtime::json::quote;

use super::*;

#[test]
fn what_is_no_message_is_refused_as_the_server_does() {
    for body in ["", "{", "{}x", "nope", r#"{"jsonrpc":"2.0","id":1,"method":"ping",}"#, r#"{"\ud800":1}"#] {
        assert_eq!(code(&legacy(), body), -32700, "{body}");
    }
    for body in [
        "1",
        "null",
        "{}",
        r#"{"jsonrpc":"2.0"}"#,
        r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":null,"id":1,"method":"ping"}"#,
        r#"{"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"\ud800"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":3}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
    ] {
        assert_eq!(code(&legacy(), body), -32600, "{body}");
    }
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#;
    assert_eq!(refusal(&legacy(), body, ALL).3, "`params` must be an object");
    let long = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"ping"}}"#, "i".repeat(1023));
    assert_eq!(code(&legacy(), &long), -32600);
    assert_eq!(refusal(&legacy(), r#"{"jsonrpc":"1.0","id":-7,"method":"ping"}"#, ALL).2.as_deref(), Some("-7"));
}

#[test]
fn members_of_a_message_have_one_spelling_and_occur_once() {
    for name in ["JSONRPC", "json_rpc", "Id", "METHOD", "Method", "Params", "RESULT", "Error", "paramſ"] {
        for value in ["null", "1", "\"tools/call\""] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping",{}:{value}}}"#, quote(name));
            assert_eq!(code(&legacy(), &body), -32600, "{body}");
        }
    }
    for member in [r#""id":1"#, r#""method":"ping""#, r#""m\u0065thod":"ping""#, r#""jsonrpc":"2.0""#] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping",{member}}}"#);
        assert_eq!(code(&legacy(), &body), -32600, "{body}");
    }
}

#[test]
fn members_of_params_have_one_spelling_and_occur_once() {
    let known = [
        "name",
        "uri",
        "arguments",
        "ref",
        "argument",
        "context",
        "taskId",
        "task",
        "_meta",
        "cursor",
        "notifications",
        "requestState",
        "inputResponses",
        "protocolVersion",
        "capabilities",
        "clientInfo",
        "level",
    ];
    for known in known {
        for name in
            [known.to_ascii_uppercase(), format!("{known}_"), known.replacen('s', "ſ", 1), known.replacen('i', "İ", 1)]
        {
            if name == known {
                continue;
            }
            let body = request("tools/call", &format!(r#"{{"x":"a",{}:null}}"#, quote(&name)));
            assert_eq!(code(&legacy(), &body), -32600, "{body}");
        }
    }
    for params in [
        r#"{"name":"a","name":"a"}"#,
        r#"{"name":"a","n\u0061me":"b"}"#,
        r#"{"name":"a","x":1,"x":1}"#,
        r#"{"name":"a","\ud800":1}"#,
        r#"{"name":"a","task_id":1}"#,
        r#"{"name":"a","meta":{}}"#,
    ] {
        let refused = refusal(&legacy(), &request("tools/call", params), ALL);
        assert_eq!((refused.0, refused.1, refused.2.as_deref()), (-32600, 400, Some("1")), "{params}");
    }
    assert_eq!(code(&legacy(), &request("tools/call", r#"{"name":"a","title":1,"Title":2}"#)), 0);
}

#[test]
fn members_of_meta_have_one_spelling_and_occur_once() {
    for meta in [
        r#"{"io.modelcontextprotocol/ProtocolVersion":"2026-07-28"}"#,
        r#"{"IO.modelcontextprotocol/protocolVersion":"2026-07-28"}"#,
        r#"{"io.modelcontextprotocol/protocol_version":"2026-07-28"}"#,
        r#"{"io.modelcontextprotocol/clientcapabilities":{}}"#,
        r#"{"io.modelcontextprotocol/clientInfo":{},"io.modelcontextprotocol/clientInfo":{}}"#,
        r#"{"progress_token":1}"#,
        r#"{"x":1,"x":1}"#,
    ] {
        let body = request("tools/call", &format!(r#"{{"name":"a","_meta":{meta}}}"#));
        assert_eq!(code(&legacy(), &body), -32600, "{body}");
    }
}

#[test]
fn objects_have_a_limit() {
    let members = |count: usize| (0..count).map(|index| format!(",\"m{index}\":0")).collect::<Vec<_>>().concat();
    for (count, expected) in [(63, 0), (64, -32600)] {
        let body = request("tools/call", &format!(r#"{{"name":"a"{}}}"#, members(count)));
        assert_eq!(code(&legacy(), &body), expected);
        let body = request("tools/call", &format!(r#"{{"name":"a","_meta":{{"t":0{}}}}}"#, members(count)));
        assert_eq!(code(&legacy(), &body), expected);
    }
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping"{}}}"#, members(62));
    assert_eq!(code(&legacy(), &body), -32600);
}

#[test]
fn headers_say_what_the_body_says() {
    let body = request("tools/call", &format!(r#"{{"name":"a",{META}}}"#));
    let head = || RequestHead::new("POST", "/mcp");
    for head in [
        head().with_header("mcp-method", "tools/call").with_header("mcp-name", "a"),
        head().with_header("mcp-protocol-version", "2026-07-28").with_header("mcp-name", "a"),
        modern("tools/list", Some("a")),
        modern("tools/call", None),
        modern("tools/call", Some("b")),
        modern("tools/call", Some("A")),
        modern("tools/call", Some("=?base64?YQ=?=")),
        legacy(),
    ] {
        let refused = refusal(&head, &body, ALL);
        assert_eq!((refused.0, refused.1), (-32020, 400), "{head:?}");
    }
    for (method, params) in [("resources/read", r#""uri":"a""#), ("tasks/get", r#""taskId":"a""#)] {
        let body = request(method, &format!("{{{params},{META}}}"));
        assert_eq!(code(&modern(method, Some("b")), &body), -32020);
        assert_eq!(code(&modern(method, None), &body), -32020);
        assert_eq!(code(&modern(method, Some("a")), &body), 0);
    }
}

#[test]
fn requests_have_the_era_that_the_server_finds() {
    let named = |method: &str, params: &str| request(method, &format!("{{{params}{META}}}"));
    // The envelope is missing or incomplete.
    let bare = request("tools/list", "{}");
    assert_eq!(refusal(&modern("tools/list", None), &bare, ALL).3, "params lack _meta");
    assert_eq!(code(&modern("tools/list", None), &bare), -32602);
    let unknown = named("tools/list", "").replace("2026-07-28", "2030-01-01");
    let head = RequestHead::new("POST", "/mcp")
        .with_header("mcp-protocol-version", "2030-01-01")
        .with_header("mcp-method", "tools/list");
    assert_eq!(code(&head, &unknown), -32022);
    // What only the other era has does not exist, with or without the header of a name.
    for (method, params) in [
        ("initialize", r#""protocolVersion":"2026-07-28","#),
        ("ping", ""),
        ("logging/setLevel", ""),
        ("resources/subscribe", r#""uri":"a","#),
        ("tasks/list", ""),
        ("tasks/result", r#""taskId":"a","#),
        ("notifications/initialized", ""),
        ("nonsense", ""),
    ] {
        let refused = refusal(&modern(method, None), &named(method, params), ALL);
        assert_eq!((refused.0, refused.1, refused.2.as_deref()), (-32601, 404, Some("1")), "{method}");
    }
    for method in ["server/discover", "subscriptions/listen", "tasks/update", "nonsense", "notifications/initialized"] {
        let refused = refusal(&legacy(), &request(method, "{}"), ALL);
        assert_eq!((refused.0, refused.1), (-32601, 200), "{method}");
    }
    let head = RequestHead::new("POST", "/mcp").with_header("mcp-protocol-version", "2025-01-01");
    assert_eq!(code(&head, &request("tools/list", "{}")), -32600);
}

#[test]
fn what_is_not_offered_does_not_exist() {
    let nothing = Offers { tools: false, prompts: false, resources: false, tasks: false };
    for (method, params) in [
        ("tools/list", "{}"),
        ("tools/call", r#"{"name":"a"}"#),
        ("prompts/get", r#"{"name":"a"}"#),
        ("resources/read", r#"{"uri":"a:b"}"#),
        ("completion/complete", "{}"),
        ("tasks/list", "{}"),
    ] {
        assert_eq!(refusal(&legacy(), &request(method, params), nothing).0, -32601, "{method}");
    }
    // Without a name, too: a header that lacks is not asked for then.
    let body = request("tools/call", &format!(r#"{{"name":"a",{META}}}"#));
    assert_eq!(refusal(&modern("tools/call", None), &body, nothing).0, -32601);
}

#[test]
fn capabilities_have_a_limit() {
    let body = |bytes: usize| {
        let meta = META.replace("{}", &format!(r#"{{"x":"{}"}}"#, "a".repeat(bytes)));
        request("tools/call", &format!(r#"{{"name":"a",{meta}}}"#))
    };
    let head = modern("tools/call", Some("a"));
    assert_eq!(code(&head, &body(60 * 1024)), 0);
    for offers in [ALL, MCP] {
        let refused = refusal(&head, &body(64 * 1024), offers);
        assert_eq!(refused.1, 400);
        assert!(refused.3.contains("64 KiB"), "{}", refused.3);
    }
}
