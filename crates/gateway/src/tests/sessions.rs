//! Sessions of the upstream: each for the caller who began it.

use super::*;

fn begin(deployment: &Deployment, identity: &Identity) -> String {
    let initialized = result(
        &json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "s", "version": "1"}}),
    );
    deployment.answers(200, &[("content-type", "application/json"), ("mcp-session-id", "s-1")], &initialized);
    let params =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}});
    let answer = response(deployment.legacy("initialize", params, identity));
    answer.header("mcp-session-id").expect("a session").to_owned()
}

#[test]
fn a_session_is_for_the_user_and_the_client_that_began_it() {
    let deployment = Deployment::new(&[]);
    let sealed = begin(&deployment, &alice());
    assert!(!sealed.contains("s-1"));
    deployment.answers_json(&result(&json!({"content": []})));
    let call = json!({"name": "ping"});
    assert_eq!(response(deployment.in_session("tools/call", &call, &alice(), Some(&sealed))).status, 200);
    assert_eq!(deployment.sent().header("mcp-session-id"), Some("s-1"));
    let sent = deployment.count();
    for stranger in [
        Identity::for_test("bob", "docs:read"),
        alice().with(|verified| verified.client_id = Some("other".to_owned())),
        alice().with(|verified| verified.issuer = "https://other.example".to_owned()),
        alice().with(|verified| verified.organization_id = Some("o".to_owned())),
    ] {
        let handled = deployment.in_session("tools/call", &call, &stranger, Some(&sealed));
        assert_eq!(outcome(handled), (404, -32001));
        for method in ["GET", "DELETE"] {
            let head = RequestHead::new(method, "/mcp")
                .with_header("accept", "text/event-stream")
                .with_header("mcp-session-id", &sealed);
            assert_eq!(response(deployment.handle(&head, "", &stranger)).status, 404);
        }
    }
    for forged in ["s-1", "", "AAAA", &sealed[1..]] {
        assert_eq!(outcome(deployment.in_session("tools/call", &call, &alice(), Some(forged))), (404, -32001));
    }
    assert_eq!(deployment.count(), sent);
}

#[test]
fn a_session_that_the_upstream_has_lost_is_lost() {
    let deployment = Deployment::new(&[]);
    let sealed = begin(&deployment, &alice());
    deployment.answers(404, &[("content-type", "text/plain")], "gone");
    assert_eq!(outcome(deployment.in_session("tools/list", &json!({}), &alice(), Some(&sealed))), (404, -32001));
    // Without a session, it is the upstream's fault.
    deployment.answers(404, &[("content-type", "text/plain")], "gone");
    assert_eq!(outcome(deployment.legacy("tools/list", json!({}), &alice())), (502, -32603));
}

#[test]
fn get_opens_a_stream_and_delete_ends_the_session() {
    let deployment = Deployment::new(&[]);
    let sealed = begin(&deployment, &alice());
    let head = |method| {
        RequestHead::new(method, "/mcp")
            .with_header("mcp-session-id", &sealed)
            .with_header("mcp-protocol-version", "2025-06-18")
    };
    deployment.answers(200, &[("content-type", "text/event-stream")], ": hello\n\n");
    let stream = head("GET").with_header("accept", "text/event-stream").with_header("last-event-id", "e9");
    assert_eq!(response(deployment.handle(&stream, "", &alice())).text(), ": hello\n\n");
    let sent = deployment.sent();
    assert_eq!(sent.names(), ["accept", "authorization", "last-event-id", "mcp-protocol-version", "mcp-session-id"]);
    assert_eq!((sent.method.as_str(), sent.header("mcp-session-id")), ("GET", Some("s-1")));
    assert_eq!(response(deployment.handle(&head("GET"), "", &alice())).status, 406);
    deployment.answers(204, &[], "");
    assert_eq!(response(deployment.handle(&head("DELETE"), "", &alice())).status, 200);
    assert_eq!((deployment.sent().method.as_str(), deployment.sent().names().len()), ("DELETE", 3));
    for (method, allow) in [("GET", "POST, DELETE, OPTIONS"), ("DELETE", "POST, GET, OPTIONS")] {
        deployment.answers(405, &[], "");
        let answer = response(deployment.handle(&head(method).with_header("accept", "*/*"), "", &alice()));
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allow)));
    }
    let modern =
        RequestHead::new("GET", "/mcp").with_header("accept", "*/*").with_header("mcp-protocol-version", "2026-07-28");
    assert_eq!(response(deployment.handle(&modern, "", &alice())).status, 405);
}
