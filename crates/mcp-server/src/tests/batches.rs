//! Batches, which only the revision of 2025-03-26 has.

use crate::{AccessNeeded, tests::*};
use mcp_edge_identity::Scopes;

fn send(version: Option<&'static str>, batch: &Value) -> Handled {
    let request = Request::legacy("", json!({})).without("mcp-protocol-version");
    let request = match version {
        Some(version) => request.with("mcp-protocol-version", version),
        None => request,
    };
    request.send_text(&server(), &batch.to_string())
}

fn ping(id: u32) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "ping"})
}

fn call(id: &str, tool: &str) -> Value {
    let params = json!({"name": tool, "arguments": {"text": id}, "_meta": {"progressToken": 1}});
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
}

#[test]
fn each_request_is_answered_and_nothing_else() {
    let notification = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let unknown = json!({"jsonrpc": "2.0", "id": 3, "method": "nope"});
    for version in [None, Some("2025-03-26")] {
        let response = response(send(version, &json!([ping(1), notification, call("a", "echo"), unknown])));
        assert_eq!(response.status, 200);
        let answers = message(&response);
        let ids: Vec<&Value> = answers.as_array().into_iter().flatten().map(|answer| &answer["id"]).collect();
        assert_eq!(ids, [&json!(1), &json!("a"), &json!(3)]);
        assert_eq!(answers[1]["result"]["content"][0]["text"], "a");
        assert_eq!(answers[2]["error"]["code"], -32601);
    }
    let response = response(send(None, &json!([notification, {"jsonrpc": "2.0", "id": 1, "result": {}}])));
    assert_eq!((response.status, response.text()), (202, ""));
}

#[test]
fn batches_elsewhere_and_bad_ones_are_refused() {
    let claim = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
    let modern = json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"_meta": claim}});
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "x"}});
    let long: Vec<Value> = (0..101).map(ping).collect();
    for (name, version, batch) in [
        ("empty", None, json!([])),
        ("a later revision", Some("2025-06-18"), json!([ping(1)])),
        ("the last legacy revision", Some("2025-11-25"), json!([ping(1)])),
        ("the modern revision", Some("2026-07-28"), json!([ping(1)])),
        ("an unknown revision", Some("x"), json!([ping(1)])),
        ("an element that is no message", None, json!([ping(1), 2])),
        ("an element with a claim", None, json!([ping(1), modern])),
        ("a handshake", None, json!([initialize])),
        ("a batch within", None, json!([[ping(1)]])),
        ("too long", None, Value::from(long)),
    ] {
        let response = response(send(version, &batch));
        assert_eq!((response.status, message(&response)["error"]["code"].as_i64()), (400, Some(-32600)), "{name}");
    }
}

#[test]
fn what_one_lacks_is_lacking_for_all() {
    let handled = send(None, &json!([ping(1), call("a", "restricted")]));
    assert_eq!(handled.response.err(), Some(AccessNeeded::Scopes(Scopes::parse("notes notes:write"))));
    let handled = send(None, &json!([call("a", "restricted"), call("b", "ours")]));
    assert_eq!(handled.response.err(), Some(AccessNeeded::FirstParty));
}

#[test]
fn what_a_key_may_not_comes_before_scopes_that_would_not_help() {
    let as_key = |tools, batch: &Value| {
        let mut request = Request::legacy("", json!({})).without("mcp-protocol-version");
        request.body = batch.clone();
        request.send_as(&server(), with_key("", tools)).response.err()
    };
    let both_orders = |tools, one: Value, another: Value| {
        let needed = as_key(tools, &json!([one, another]));
        assert_eq!(needed, as_key(tools, &json!([another, ping(1), one])));
        needed
    };
    let scopes = Some(AccessNeeded::Scopes(Scopes::parse("notes notes:write")));
    let (echo, restricted) = (call("a", "echo"), call("b", "restricted"));
    assert_eq!(both_orders(None, echo.clone(), restricted.clone()), scopes);
    let only = Some(&["restricted"][..]);
    assert_eq!(both_orders(only, echo, restricted.clone()), Some(AccessNeeded::KeyForTool));
    assert_eq!(both_orders(None, call("c", "signed_in"), restricted), Some(AccessNeeded::AccessToken));
}
