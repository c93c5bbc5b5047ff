//! What is sent on.

use mcp_edge_protocol::revision::Revision;

use super::*;

#[test]
fn a_call_is_written_anew_with_the_same_content() {
    let body = format!(
        " {{ \"id\" : \"x\\u0079\", \"params\" : {{ \"n\\u0061me\": \"se\\u0061rch\", \"arguments\": {{\"a\": [1, 2]}}, \"other\": null, {META} }},\n\"method\":\"tools\\/call\", \"jsonrpc\":\"2.0\" }} "
    );
    let head = modern("tools/call", Some("search"));
    let envelope = one(&head, &body);
    assert_eq!(
        envelope.body,
        format!(
            r#"{{"jsonrpc":"2.0","id":"x\u0079","method":"tools/call","params":{{"name":"search","arguments":{{"a": [1, 2]}},"other":null,{META}}}}}"#
        )
    );
    assert_eq!((envelope.method, envelope.id), (Some(Method::ToolsCall), Some(r#""x\u0079""#)));
    assert_eq!((envelope.era, envelope.revision), (Era::Modern, Some(Revision::V2026_07_28)));
    assert_eq!(envelope.targets, [Target::Tool("search".into())]);
    let headers: Vec<_> = envelope.headers.iter().collect();
    assert_eq!(headers, [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", "search")]);
}

#[test]
fn members_that_no_message_has_are_left_out() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping","Trace":1,"headers":{"a":1}}"#;
    assert_eq!(one(&legacy(), body).body, r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
}

#[test]
fn null_is_left_out_where_it_counts_as_absent() {
    let params = r#"{"_meta":{"progressToken":null,"traceparent":null},"cursor":null,"name":"a","arguments":null,"inputResponses":null,"x":null}"#;
    let body =
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","result":null,"error":null,"params":{params}}}"#);
    assert_eq!(
        one(&legacy(), &body).body,
        request("tools/call", r#"{"_meta":{"traceparent":null},"name":"a","x":null}"#)
    );
    for params in ["null", "[]", "[ ]"] {
        assert_eq!(one(&legacy(), &request("ping", params)).body, r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    }
    assert_eq!(one(&legacy(), &request("tools/list", "{}")).body, request("tools/list", "{}"));
}

#[test]
fn an_empty_array_is_no_object() {
    let body = request("tools/call", r#"{"name":"a","arguments":[],"context":[ ],"_meta":[]}"#);
    assert_eq!(one(&legacy(), &body).body, request("tools/call", r#"{"name":"a"}"#));
    let body = request("tools/call", r#"{"name":"a","arguments":[1],"cursor":[]}"#);
    assert_eq!(one(&legacy(), &body).body, body);
}

#[test]
fn what_decides_nothing_passes_as_it_is() {
    let arguments = r#"{"Name":"x","name":1,"name":2,"\ud800":"\udfff","n":1e999}"#;
    let body = request("tools/call", &format!(r#"{{"arguments":{arguments},"name":"a","requestState":"\u0061"}}"#));
    let expected = request("tools/call", &format!(r#"{{"arguments":{arguments},"name":"a","requestState":"\u0061"}}"#));
    assert_eq!(one(&legacy(), &body).body, expected);
    let deep = ["{\"name\":\"a\",\"arguments\":", &"[".repeat(100_000), &"]".repeat(100_000), "}"].concat();
    let body = request("tools/call", &deep);
    assert_eq!(one(&legacy(), &body).body, body);
}

#[test]
fn a_name_that_no_header_can_carry_is_encoded() {
    for (name, value) in
        [("a b", "a b"), ("sök", "=?base64?c8O2aw==?="), ("=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?=")]
    {
        let body = request("prompts/get", &format!(r#"{{"name":"{name}",{META}}}"#));
        let head = modern("prompts/get", Some(value));
        assert_eq!(one(&head, &body).headers.name.as_deref(), Some(value));
    }
    // The client may encode what need not be.
    let body = request("tools/call", &format!(r#"{{"name":"a",{META}}}"#));
    assert_eq!(one(&modern("tools/call", Some("=?base64?YQ==?=")), &body).headers.name.as_deref(), Some("a"));
}

#[test]
fn the_legacy_era_has_one_header() {
    let body = request("tools/call", r#"{"name":"a"}"#);
    let head = RequestHead::new("POST", "/mcp").with_header("mcp-method", "tools/list").with_header("mcp-name", "b");
    let envelope = one(&head, &body);
    assert_eq!(envelope.headers, RoutingHeaders::default());
    assert_eq!((envelope.era, envelope.revision), (Era::Legacy, Some(Revision::V2025_03_26)));
    let envelope = one(&head.with_header("mcp-protocol-version", "2025-06-18"), &body);
    assert_eq!(envelope.headers.iter().collect::<Vec<_>>(), [("mcp-protocol-version", "2025-06-18")]);
    assert_eq!(envelope.revision, Some(Revision::V2025_06_18));
}

#[test]
fn a_handshake_names_its_revision() {
    let of = |version: &str| format!(r#"{{"capabilities":{{"a":1}},"protocolVersion":"{version}","clientInfo":{{}}}}"#);
    for (version, revision) in
        [("2025-11-25", Some(Revision::V2025_11_25)), ("2024-11-05", Some(Revision::V2024_11_05)), ("DRAFT", None)]
    {
        let body = request("initialize", &of(version));
        let head = RequestHead::new("POST", "/mcp").with_header("mcp-protocol-version", "DRAFT-2025-v3");
        let envelope = one(&head, &body);
        assert_eq!(envelope.body, body);
        assert_eq!((envelope.era, envelope.revision), (Era::Legacy, revision));
        assert_eq!(envelope.headers, RoutingHeaders::default());
    }
    let body = request("initialize", &of("2025\\u002d11-25"));
    assert_eq!(one(&legacy(), &body).body, request("initialize", &of("2025-11-25")));
    let body = request("initialize", r#"{"protocolVersion":7}"#);
    assert_eq!(refusal(&legacy(), &body, ALL).0, -32602);
}

#[test]
fn clients_do_not_declare_tasks_where_none_are_offered() {
    let meta = |capabilities: &str| {
        format!(
            r#"{{"_meta":{{"io.modelcontextprotocol/clientCapabilities":{capabilities},"io.modelcontextprotocol/protocolVersion":"2026-07-28"}},"name":"a"}}"#
        )
    };
    let declared = r#"{"roots":{},"extensions":{"a/b":{"x":1},"io.modelcontextprotocol/tasks":{}},"sampling":{}}"#;
    let body = request("tools/call", &meta(declared));
    let head = modern("tools/call", Some("a"));
    assert_eq!(one(&head, &body).body, body);
    let Ok(Payload::One(envelope)) = read(&head, &body, MCP) else { panic!("{body}") };
    let rest = r#"{"roots":{},"extensions":{"a/b":{"x":1}},"sampling":{}}"#;
    assert_eq!(envelope.body, request("tools/call", &meta(rest)));
    let hidden = request("tools/call", &meta(&declared.replace("/tasks", "\\/t\\u0061sks")));
    let Ok(Payload::One(envelope)) = read(&head, &hidden, MCP) else { panic!("{hidden}") };
    assert_eq!(envelope.body, request("tools/call", &meta(rest)));
    let twice = r#"{"extensions":{"io.modelcontextprotocol/tasks":{},"io.modelcontextprotocol/Tasks":{}}}"#;
    assert_eq!(refusal(&head, &request("tools/call", &meta(twice)), MCP).0, -32602);
}
