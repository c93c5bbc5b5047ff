//! Upstreams that fail: never the client's fault, and never in the upstream's words.

use super::*;

#[test]
fn every_failure_has_its_status() {
    let deployment = Deployment::new(&[]);
    let json = [("content-type", "application/json")];
    let html = [("content-type", "text/html")];
    for (status, headers, body, expected) in [
        (401, &json, "{}", 502),
        (403, &json, "{}", 502),
        (429, &json, "{}", 503),
        (500, &json, "{}", 502),
        (503, &html, "<h1>secret</h1>", 502),
        (200, &html, "<h1>secret</h1>", 502),
        (204, &html, "", 502),
        (400, &html, "secret", 502),
        (400, &json, r#"{"error":"secret"}"#, 502),
        (404, &json, "secret", 502),
    ] {
        deployment.answers(status, headers, body);
        let handled = deployment.legacy("tools/call", json!({"name": "ping"}), &alice());
        let failure = handled.failure.clone();
        let answer = response(handled);
        assert_eq!(answer.status, expected, "{status}");
        let message = json_of(&answer);
        assert_eq!((&message["id"], &message["error"]["code"]), (&json!(7), &json!(-32603)));
        assert!(!answer.text().contains("secret") && !answer.text().contains("upstream.example"), "{}", answer.text());
        assert!(failure.is_some(), "{status}");
    }
}

#[test]
fn no_response_is_said_with_how_long_it_was_waited_for() {
    let deployment = Deployment::new(&[]);
    deployment.fails(ForwardError::Timeout(Duration::from_mins(1)));
    let answer = response(deployment.legacy("tools/call", json!({"name": "ping"}), &alice()));
    assert_eq!(answer.status, 504);
    assert!(answer.text().contains("within 60 s"), "{}", answer.text());
    for error in [
        ForwardError::Redirect(302),
        ForwardError::Network("refused".to_owned()),
        ForwardError::Unbound("UPSTREAM".to_owned()),
    ] {
        deployment.fails(error);
        assert_eq!(outcome(deployment.legacy("tools/call", json!({"name": "ping"}), &alice())), (502, -32603));
    }
    deployment.fails(ForwardError::ClientHeaders);
    assert_eq!(outcome(deployment.legacy("tools/call", json!({"name": "ping"}), &alice())), (400, -32020));
}

#[test]
fn a_pause_that_the_upstream_asks_for_is_passed_on() {
    let deployment = Deployment::new(&[]);
    for (asked, expected) in [("17", "17"), ("Thu, 26 Nov 2026 12:00:00 GMT", "5"), ("-1", "5")] {
        deployment.answers(429, &[("retry-after", asked)], "");
        let answer = response(deployment.legacy("tools/call", json!({"name": "ping"}), &alice()));
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some(expected)));
    }
}

#[test]
fn errors_of_json_rpc_keep_their_status() {
    let deployment = Deployment::new(&[]);
    let error = |id: Value| json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32600, "message": "m", "data": 1}});
    for id in [json!(7), Value::Null] {
        deployment.answers(400, &[("content-type", "application/json")], &error(id));
        let answer = response(deployment.legacy("tools/call", json!({"name": "ping"}), &alice()));
        assert_eq!((answer.status, json_of(&answer)), (400, error(json!(7))));
    }
    deployment.answers(400, &[("content-type", "application/json")], &error(json!(8)));
    assert_eq!(outcome(deployment.legacy("tools/call", json!({"name": "ping"}), &alice())), (502, -32603));
}

#[test]
fn what_has_to_be_read_has_a_limit_and_a_form() {
    let deployment = Deployment::new(&[]);
    let json = [("content-type", "application/json")];
    deployment.answers(200, &json, &result(&json!({"tools": [], "x": "a".repeat(4 << 20)})));
    let handled = deployment.legacy("tools/list", json!({}), &alice());
    assert!(handled.failure.as_deref().is_some_and(|failure| failure.contains("longer than")), "{:?}", handled.failure);
    assert_eq!(response(handled).status, 502);
    for body in
        ["", "[]", "{", r#"{"jsonrpc":"2.0","id":8,"result":{"tools":[]}}"#, r#"{"jsonrpc":"2.0","id":7,"result":{}}"#]
    {
        deployment.answers(200, &json, body);
        assert_eq!(outcome(deployment.legacy("tools/list", json!({}), &alice())), (502, -32603), "{body}");
    }
    deployment.answers(200, &[("content-type", "text/event-stream")], ": nothing\n\n");
    assert_eq!(outcome(deployment.legacy("tools/list", json!({}), &alice())), (502, -32603));
}
