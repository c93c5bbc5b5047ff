//! Clients of one era in front of an upstream of the other.

use super::*;

fn discovered() -> Value {
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

#[test]
fn clients_without_a_handshake_learn_that_the_upstream_needs_one() {
    let json = [("content-type", "application/json")];
    for (status, body) in [
        (200, json!({"jsonrpc": "2.0", "id": "mcp-edge", "error": {"code": -32601, "message": "m"}})),
        (400, json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32000, "message": "no session"}})),
        (404, json!("not found")),
        (500, json!("not found")),
        (
            200,
            json!({"jsonrpc": "2.0", "id": "mcp-edge", "result": {"supportedVersions": ["2099-01-01"], "capabilities": {}}}),
        ),
    ] {
        let deployment = Deployment::new(&[]);
        deployment.answers(status, &json, &body);
        let answer = response(deployment.modern("tools/call", json!({"name": "ping"}), &alice()));
        let error = &json_of(&answer)["error"];
        assert_eq!((answer.status, &error["code"]), (400, &json!(-32022)), "{body}");
        assert_eq!(error["data"]["supported"], json!(["2025-11-25", "2025-06-18", "2025-03-26"]));
        assert_eq!(error["data"]["requested"], "2026-07-28");
        // Known from now on, unless it may have been an accident.
        if status != 500 {
            assert_eq!(outcome(deployment.modern("tools/list", json!({}), &alice())), (400, -32022));
            assert_eq!(deployment.count(), 1);
        }
    }
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
fn a_clients_own_discovery_is_answered_and_remembered() {
    let deployment = Deployment::new(&[("PROMPT_SCOPES", "")]);
    let capabilities = json!({"tools": {}, "prompts": {}, "resources": {"subscribe": true}, "extensions": {"io.modelcontextprotocol/tasks": {}, "x/y": {}}});
    let answer = result(
        &json!({"resultType": "complete", "supportedVersions": ["2026-07-28", "2099-01-01"], "capabilities": capabilities, "ttlMs": 5, "cacheScope": "public"}),
    );
    deployment.answers_json(&answer);
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
    assert_eq!(deployment.count(), 2);
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
