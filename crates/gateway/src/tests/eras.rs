//! Clients of one era in front of an upstream of the other.

use super::*;

pub(super) fn discovered() -> Value {
    json!({"jsonrpc": "2.0", "id": "mcp-edge", "result": {
        "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {}, "ttlMs": 0, "cacheScope": "public",
    }})
}

#[test]
fn an_upstream_is_asked_once_for_a_while() {
    let mut deployment = Deployment::new(&[]);
    deployment.answers_json(&discovered());
    for _ in 0..3 {
        deployment.answers_json(&result(&json!({"resultType": "complete", "content": []})));
        assert_eq!(response(deployment.modern("tools/call", json!({"name": "ping"}), &alice())).status, 200);
    }
    assert_eq!(deployment.count(), 4);
    assert_eq!(deployment.sent().header("mcp-name"), Some("ping"));
    deployment.now += 300;
    deployment.answers_json(&discovered());
    deployment.answers_json(&result(&json!({"resultType": "complete", "content": []})));
    deployment.modern("tools/call", json!({"name": "ping"}), &alice());
    assert_eq!(deployment.count(), 6);
}

/// What the gateway's own question is answered, and what becomes of a call then.
fn probed(deployment: &Deployment, status: u16, content_type: &'static str, body: &Value) -> Response {
    deployment.answers(status, &[("content-type", content_type)], body);
    response(deployment.modern("tools/call", json!({"name": "ping"}), &alice()))
}

fn error(code: i64) -> Value {
    json!({"jsonrpc": "2.0", "id": null, "error": {"code": code, "message": "m"}})
}

#[test]
fn clients_without_a_handshake_learn_that_the_upstream_needs_one() {
    let none_in_common = json!({"jsonrpc": "2.0", "id": "mcp-edge", "result": {"supportedVersions": ["2099-01-01"], "capabilities": {}}});
    for (status, body) in [(200, error(-32601)), (400, error(-32000)), (404, error(-32601)), (200, none_in_common)] {
        let deployment = Deployment::new(&[]);
        let answer = probed(&deployment, status, "application/json", &body);
        let error = &json_of(&answer)["error"];
        assert_eq!((answer.status, &error["code"]), (400, &json!(-32022)), "{body}");
        assert_eq!(error["data"]["supported"], json!(["2025-11-25", "2025-06-18", "2025-03-26"]));
        assert_eq!(error["data"]["requested"], "2026-07-28");
        // Known from now on.
        assert_eq!(outcome(deployment.modern("tools/list", json!({}), &alice())), (400, -32022));
        assert_eq!(outcome(deployment.modern("server/discover", json!({}), &alice())), (400, -32022));
        assert_eq!(deployment.count(), 1, "{body}");
    }
}

#[test]
fn what_may_be_an_accident_is_not_remembered() {
    for (status, content_type, body) in [
        (404, "text/html", json!("<h1>404</h1>")),
        (404, "application/json", json!({"error": "no route"})),
        (431, "text/plain", json!("")),
        (500, "application/json", error(-32603)),
    ] {
        let deployment = Deployment::new(&[]);
        assert_eq!(probed(&deployment, status, content_type, &body).status, 400, "{status}");
        deployment.answers_json(&discovered()).answers_json(&result(&json!({"content": []})));
        assert_eq!(response(deployment.modern("tools/call", json!({"name": "ping"}), &alice())).status, 200);
    }
    // This says nothing about eras at all.
    for (status, content_type, body) in [
        (500, "text/html", json!("")),
        (500, "application/json", json!("oops")),
        (200, "text/html", json!("")),
        (200, "application/json", json!({"jsonrpc": "2.0", "id": 9, "result": {}})),
        (200, "text/event-stream", json!("")),
    ] {
        assert_eq!(probed(&Deployment::new(&[]), status, content_type, &body).status, 502, "{status} {content_type}");
    }
}

#[test]
fn an_error_that_only_newer_servers_have_is_one_of_them() {
    let deployment = Deployment::new(&[]);
    deployment.answers(400, &[("content-type", "application/json")], &error(-32021));
    deployment.answers_json(&result(&json!({"content": []})));
    assert_eq!(response(deployment.modern("tools/call", json!({"name": "ping"}), &alice())).status, 200);
}

#[test]
fn what_the_gateway_asks_for_all_has_nothing_of_one_clients_request() {
    let deployment = Deployment::new(&[]);
    deployment.answers_json(&discovered()).answers_json(&result(&json!({"content": []})));
    deployment.modern("tools/call", json!({"name": "ping"}), &alice());
    let sent = deployment.upstream.0.sent.borrow();
    assert_eq!((sent[0].client_headers_prefix, sent[1].client_headers_prefix), (None, Some("mcp-param-")));
    assert_eq!(sent[0].json()["method"], "server/discover");
}

#[test]
fn an_outage_says_nothing_about_eras() {
    let deployment = Deployment::new(&[]);
    deployment.fails(ForwardError::Timeout(Duration::from_mins(1)));
    assert_eq!(outcome(deployment.modern("tools/call", json!({"name": "ping"}), &alice())), (504, -32603));
    for status in [401, 503] {
        deployment.answers(status, &[], "");
        assert_eq!(outcome(deployment.modern("tools/call", json!({"name": "ping"}), &alice())), (502, -32603));
    }
    deployment.answers_json(&discovered());
    deployment.answers_json(&result(&json!({"resultType": "complete", "content": []})));
    assert_eq!(response(deployment.modern("tools/call", json!({"name": "ping"}), &alice())).status, 200);
}

#[test]
fn a_clients_own_discovery_is_answered() {
    let deployment = Deployment::new(&[("PROMPT_SCOPES", "")]);
    let capabilities = json!({"tools": {}, "prompts": {}, "resources": {"subscribe": true}, "extensions": {"io.modelcontextprotocol/tasks": {}, "x/y": {}}});
    let answer = result(
        &json!({"resultType": "complete", "supportedVersions": ["2026-07-28", "2099-01-01"], "capabilities": capabilities, "ttlMs": 5, "cacheScope": "public"}),
    );
    deployment.answers_json(&discovered()).answers_json(&answer);
    let answer = response(deployment.modern("server/discover", json!({}), &alice()));
    let shown = &json_of(&answer)["result"];
    assert_eq!(shown["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(
        shown["capabilities"],
        json!({"tools": {}, "resources": {"subscribe": true}, "extensions": {"x/y": {}}})
    );
    assert_eq!(shown["cacheScope"], "private");
    deployment.answers_json(&result(&json!({"resultType": "complete", "content": []})));
    deployment.modern("tools/call", json!({"name": "ping"}), &alice());
    assert_eq!(deployment.count(), 3);
}

#[test]
fn what_an_upstream_without_handshakes_says_of_one_is_passed_back() {
    let deployment = Deployment::new(&[]);
    let error = json!({"jsonrpc": "2.0", "id": 7, "error": {"code": -32022, "message": "m", "data": {"supported": ["2026-07-28"]}}});
    deployment.answers(400, &[("content-type", "application/json")], &error);
    let params =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}});
    let answer = response(deployment.legacy("initialize", params, &alice()));
    assert_eq!((answer.status, json_of(&answer)), (400, error));
}
