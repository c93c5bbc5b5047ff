//! What reaches the upstream, and what comes back.

use super::*;

#[test]
fn nothing_of_the_clients_request_reaches_the_upstream_but_what_is_listed() {
    let deployment = Deployment::new(&[]);
    deployment.answers_json(&result(&json!({"content": []})));
    let params = json!({"name": "search", "arguments": {"q": "x"}});
    let body = json!({"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": params, "extra": 1}).to_string();
    let head = post()
        .with_header("mcp-protocol-version", "2025-06-18")
        .with_header("mcp-method", "tools/list")
        .with_header("authorization", "Bearer secret")
        .with_header("cookie", "a=b")
        .with_header("x-forwarded-for", "1.2.3.4");
    let answer = response(deployment.handle(&head, &body, &alice()));
    assert_eq!(answer.status, 200);
    let sent = deployment.sent();
    assert_eq!((sent.method.as_str(), sent.url.as_str()), ("POST", "https://upstream.example/mcp"));
    assert_eq!(sent.names(), ["accept", "authorization", "content-type", "mcp-protocol-version"]);
    assert_eq!(sent.header("mcp-protocol-version"), Some("2025-06-18"));
    assert!(!sent.header("authorization").unwrap().contains("secret"));
    assert_eq!(sent.json(), json!({"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": params}));
    assert_eq!(sent.client_headers_prefix, None);
}

#[test]
fn a_secret_is_sent_where_the_operator_says_so_and_nothing_else() {
    let deployment = Deployment::new(&[
        ("UPSTREAM_AUTH", "secret"),
        ("UPSTREAM_SIGNING_KEY", ""),
        ("UPSTREAM_SECRET", "s3cr3t"),
        ("UPSTREAM_SECRET_HEADER", "X-Api-Key"),
    ]);
    deployment.answers_json(&result(&json!({"content": []})));
    deployment.legacy("tools/call", json!({"name": "ping"}), &alice());
    assert_eq!(deployment.sent().header("x-api-key"), Some("s3cr3t"));
    assert_eq!(deployment.sent().header("authorization"), None);
    assert_eq!(deployment.gateway.public_keys(), None);
}

#[test]
fn of_the_upstreams_headers_nothing_comes_back_but_the_media_type() {
    let deployment = Deployment::new(&[]);
    let headers = [
        ("content-type", "Text/Event-Stream; charset=utf-8"),
        ("set-cookie", "__Host-a=b"),
        ("www-authenticate", "Bearer"),
        ("location", "https://evil.example/"),
        ("access-control-allow-origin", "*"),
        ("mcp-session-id", "another"),
    ];
    deployment.answers(200, &headers, "data: {}\n\n");
    let answer = response(deployment.legacy("tools/call", json!({"name": "ping"}), &alice()));
    let names: Vec<_> = answer.headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["content-type", "cache-control", "x-accel-buffering", "x-content-type-options"]);
    assert_eq!((answer.header("content-type"), answer.text()), (Some("text/event-stream"), "data: {}\n\n"));
}

#[test]
fn a_stream_ends_with_the_token() {
    let deployment = Deployment::new(&[]);
    deployment.answers_json(&result(&json!({"content": []})));
    let identity = alice().with(|verified| verified.expires_at = NOW + 90);
    deployment.legacy("tools/call", json!({"name": "ping"}), &identity);
    assert_eq!(deployment.sent().ends_after, Some(Duration::from_secs(90)));
    // It was accepted, so it is good for a call.
    deployment.answers_json(&result(&json!({"content": []})));
    let identity = alice().with(|verified| verified.expires_at = NOW - 4);
    deployment.legacy("tools/call", json!({"name": "ping"}), &identity);
    assert_eq!(deployment.sent().ends_after, Some(Duration::from_secs(5)));
}

#[test]
fn lists_are_written_anew_for_the_caller_also_from_an_event_stream() {
    let deployment = Deployment::new(&[]);
    let tools =
        json!([{"name": "search", "inputSchema": {}}, {"name": "delete_all"}, {"name": "other"}, {"name": "ping"}]);
    let list = result(&json!({"tools": tools, "nextCursor": "n", "ttlMs": 1, "cacheScope": "public"}));
    deployment.answers(200, &[("content-type", "text/event-stream")], &format!("event: message\ndata: {list}\n\n"));
    deployment.answers_json(&list);
    for _ in 0..2 {
        let answer = response(deployment.legacy("tools/list", json!({}), &alice()));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let shown = &json_of(&answer)["result"];
        let [search, ping] =
            [json!(["docs:read"]), json!([])].map(|scopes| json!([{"type": "oauth2", "scopes": scopes}]));
        let expected = json!([
            {"name": "search", "inputSchema": {}, "securitySchemes": search, "_meta": {"securitySchemes": search}},
            {"name": "ping", "securitySchemes": ping, "_meta": {"securitySchemes": ping}},
        ]);
        assert_eq!(shown["tools"], expected);
        assert_eq!((&shown["nextCursor"], &shown["cacheScope"]), (&json!("n"), &json!("private")));
        // Nobody who resumes the stream of another request gets what the upstream has said.
        assert_eq!((&json_of(&answer)["id"], &deployment.sent().json()["id"]), (&json!(7), &json!(OWN_ID)));
    }
}

#[test]
fn messages_without_an_answer_are_accepted() {
    let deployment = Deployment::new(&[]);
    let head = post().with_header("mcp-protocol-version", "2025-11-25");
    for (status, body) in [
        (202, r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#),
        (204, r#"{"jsonrpc":"2.0","id":3,"result":{"action":"decline"}}"#),
    ] {
        deployment.answers(status, &[], "");
        let answer = response(deployment.handle(&head, body, &alice()));
        assert_eq!((answer.status, answer.text()), (202, ""));
        assert_eq!(deployment.sent().body, body);
    }
    let handled = deployment.handle(&head, r#"{"jsonrpc":"2.0","method":"notifications/unknown"}"#, &alice());
    assert_eq!((response(handled).status, deployment.count()), (202, 2));
}

#[test]
fn a_batch_is_passed_on_as_one() {
    let deployment = Deployment::new(&[]);
    let call =
        |id: u8, name: &str| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": name}});
    let batch = |name: &str| json!([call(1, "ping"), call(2, name)]).to_string();
    deployment.answers(200, &[("content-type", "application/json")], "[]");
    assert_eq!(response(deployment.handle(&post(), &batch("search"), &alice())).status, 200);
    assert_eq!(deployment.sent().json(), json!([call(1, "ping"), call(2, "search")]));
    let denied = deployment.handle(&post(), &batch("other"), &alice());
    assert_eq!((outcome(denied), deployment.count()), ((200, -32602), 1));
    let needed = deployment.handle(&post(), &batch("delete_all"), &alice()).response.unwrap_err();
    assert_eq!(needed, AccessNeeded::Scopes(Scopes::parse("docs:delete")));
}
