//! Callers who have to connect an account first.

use super::*;

#[test]
fn a_client_that_visits_urls_is_asked_to() {
    for (method, params) in [
        ("tools/call", ping()),
        ("prompts/get", json!({"name": "review"})),
        ("resources/read", json!({"uri": "docs://a"})),
    ] {
        let deployment = modern_deployment();
        let (handled, waited) = deployment.send(&visits(), method, params, &Account::new([Err(not_connected())]));
        assert_eq!(handled.failure, None);
        assert_eq!((format!("{:?}", handled.summary.outcome), waited), ("InputRequired".to_owned(), 0));
        let expected = json!({"jsonrpc": "2.0", "id": 7, "result": {"resultType": "input_required", "inputRequests": {KEY: {
            "method": "elicitation/create",
            "params": {"mode": "url", "message": "This needs an account of yours at Notes. Open the page to connect it.", "url": LINK},
        }}}});
        assert_eq!(json_of(&response(handled)), expected);
        assert_eq!(deployment.count(), 0, "{method}");
    }
}

#[test]
fn a_client_that_does_not_gets_a_tool_error_with_the_link() {
    let declared = [
        json!({}),
        json!({"elicitation": {}}),
        json!({"elicitation": {"url": null}}),
        json!({"elicitation": {"url": true}}),
    ];
    for client in declared.into_iter().map(Client::Modern).chain([Client::Legacy]) {
        let deployment = modern_deployment();
        let (handled, _) = deployment.send(&client, "tools/call", ping(), &Account::new([Err(not_connected())]));
        assert_eq!(format!("{:?}", handled.summary.outcome), "ToolFailed");
        let answer = response(handled);
        let kind = matches!(client, Client::Modern(_)).then_some("complete");
        assert_eq!(json_of(&answer)["result"].get("resultType").and_then(Value::as_str), kind);
        assert!(answer.text().contains(LINK) && answer.text().contains("Notes"), "{}", answer.text());
        assert_eq!((&json_of(&answer)["id"], deployment.count()), (&json!(7), 0));
    }
}

#[test]
fn other_methods_get_an_error_with_the_link() {
    let handshake =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}});
    for (client, method, params) in [
        (visits(), "server/discover", json!({})),
        (visits(), "tools/list", json!({})),
        (
            visits(),
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "review"}, "argument": {"name": "a", "value": ""}}),
        ),
        (Client::Modern(json!({})), "resources/read", json!({"uri": "docs://a"})),
        (Client::Legacy, "initialize", handshake),
        (Client::Legacy, "tools/list", json!({})),
        (Client::Legacy, "prompts/get", json!({"name": "review"})),
        (Client::Legacy, "ping", json!({})),
    ] {
        let deployment = modern_deployment();
        let (handled, _) = deployment.send(&client, method, params, &Account::new([Err(not_connected())]));
        let answer = response(handled);
        let json = json_of(&answer);
        let error = &json["error"];
        assert_eq!((answer.status, &json["id"], &error["code"]), (200, &json!(7), &json!(-32603)), "{method}");
        assert_eq!(error["data"], json!({"url": LINK}));
        assert!(error["message"].as_str().is_some_and(|message| message.contains(LINK)), "{error}");
        assert_eq!(deployment.count(), 0);
    }
}

#[test]
fn what_has_no_response_of_json_rpc_is_refused_with_a_status_of_its_own() {
    let deployment = deployment(&[]);
    let account = Account::new([Err(not_connected())]);
    let legacy = post().with_header("mcp-protocol-version", "2025-11-25");
    let get = RequestHead::new("GET", "/mcp").with_header("accept", "text/event-stream");
    for (head, body) in [(legacy, r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#), (get, "")] {
        let (handled, _) = deployment.post_as(&alice(), &head, body, &account);
        let answer = response(handled);
        assert_eq!((answer.status, &json_of(&answer)["id"]), (409, &Value::Null));
        assert!(answer.text().contains(LINK));
    }
    // A batch has requests.
    let body = r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ping"}}]"#;
    let (handled, _) = deployment.post_as(&alice(), &post(), body, &account);
    let answer = response(handled);
    assert_eq!((answer.status, &json_of(&answer)["error"]["code"], deployment.count()), (200, &json!(-32603), 0));
    assert!(answer.text().contains(LINK));
}

#[test]
fn the_request_that_is_repeated_is_passed_on_without_the_answer() {
    for (answers, waits) in [
        (vec![Ok(access("up-alice"))], 0),
        (vec![Err(not_connected()), Err(not_connected()), Err(not_connected()), Ok(access("up-alice"))], 3),
    ] {
        let deployment = modern_deployment();
        deployment.answers_json(&result(&json!({"resultType": "complete", "content": []})));
        let (handled, waited) = deployment.send(&visits(), "tools/call", answered("accept"), &Account::new(answers));
        assert_eq!((response(handled).status, waited), (200, waits));
        let sent = deployment.sent();
        assert_eq!(sent.header("authorization"), Some("Bearer up-alice"));
        let params = &sent.json()["params"];
        assert_eq!(params["arguments"], json!({"q": 1}));
        assert!(params.get("inputResponses").is_none() && !sent.body.contains("connect:"), "{}", sent.body);
    }
}

#[test]
fn the_upstreams_own_questions_are_kept_apart() {
    let deployment = modern_deployment();
    let asked = result(&json!({"resultType": "input_required", "requestState": "s",
        "inputRequests": {"name": {"method": "elicitation/create", "params": {"mode": "form", "message": "m", "requestedSchema": {}}}}}));
    deployment.answers_json(&asked);
    let account = Account::of("up-alice");
    let (handled, _) = deployment.send(&visits(), "tools/call", ping(), &account);
    assert_eq!(json_of(&response(handled)), asked);
    let of_upstream =
        json!({"name": {"action": "accept", "content": {"name": "Ada"}}, "connect:upstream": {"action": "decline"}});
    for own in [None, Some("accept"), Some("decline"), Some("unknown")] {
        let mut answers = of_upstream.clone();
        if let Some(action) = own {
            answers[KEY] = json!({"action": action});
        }
        deployment.answers_json(&result(&json!({"resultType": "complete", "content": []})));
        let params = json!({"name": "ping", "inputResponses": answers, "requestState": "s"});
        let (handled, _) = deployment.send(&visits(), "tools/call", params, &account);
        assert_eq!(response(handled).status, 200);
        let params = deployment.sent().json()["params"].clone();
        assert_eq!((&params["inputResponses"], &params["requestState"]), (&of_upstream, &json!("s")));
    }
}

#[test]
fn answers_that_can_be_read_in_two_ways_are_refused() {
    let deployment = modern_deployment();
    for answers in [
        json!(7).to_string(),
        format!(r#"{{"{KEY}":{{}},"{KEY}":{{}}}}"#),
        format!(r#"{{"{}":{{}}}}"#, KEY.to_uppercase()),
    ] {
        let meta = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"ping","inputResponses":{answers},"_meta":{meta}}}}}"#
        );
        let head = post()
            .with_header("mcp-protocol-version", "2026-07-28")
            .with_header("mcp-method", "tools/call")
            .with_header("mcp-name", "ping");
        let (handled, _) = deployment.post_as(&alice(), &head, &body, &Account::of("up-alice"));
        assert_eq!((outcome(handled), deployment.count()), ((200, -32602), 0), "{answers}");
    }
}

#[test]
fn an_answer_without_an_account_is_waited_for_and_then_a_tool_error() {
    let deployment = modern_deployment();
    let account = Account::new([Err(not_connected())]);
    let (handled, waited) = deployment.send(&visits(), "tools/call", answered("accept"), &account);
    assert_eq!(waited, 20);
    assert!((2..=25).contains(&account.count()), "{}", account.count());
    let text = tool_error(handled);
    assert!(text.contains(LINK), "{text}");
    // Nobody waits for a user who cannot connect one here.
    let nowhere = NoAccess::NotConnected { title: "Notes".to_owned(), url: None };
    let (handled, waited) = deployment.send(&visits(), "tools/call", answered("accept"), &Account::new([Err(nowhere)]));
    assert!(tool_error(handled).contains("Notes"));
    assert_eq!((waited, deployment.count()), (0, 0));
}

#[test]
fn an_account_is_waited_for_through_an_outage() {
    let deployment = modern_deployment();
    deployment.answers_json(&result(&json!({"resultType": "complete", "content": []})));
    let outage = NoAccess::Unavailable { title: "Notes".to_owned(), retry_after: 9, cause: "down".to_owned() };
    let account = Account::new([Err(not_connected()), Err(outage), Err(not_connected()), Ok(access("up-alice"))]);
    let (handled, waited) = deployment.send(&visits(), "tools/call", answered("accept"), &account);
    assert_eq!((outcome(handled), waited), ((200, 0), 3));
    assert_eq!(deployment.authorizations(), ["Bearer up-alice"]);
}

#[test]
fn prompts_and_resources_say_that_the_user_has_declined() {
    for (method, mut params) in
        [("prompts/get", json!({"name": "review"})), ("resources/read", json!({"uri": "docs://a"}))]
    {
        params["inputResponses"] = json!({KEY: {"action": "decline"}});
        let deployment = modern_deployment();
        let (handled, _) = deployment.send(&visits(), method, params, &Account::new([Err(not_connected())]));
        let answer = response(handled);
        let error = &json_of(&answer)["error"];
        let expected = json!({"code": -32603, "message": "The user does not want to connect an account of Notes."});
        assert_eq!((error, deployment.count()), (&expected, 0), "{method}");
    }
}

#[test]
fn a_user_who_declines_is_not_asked_again() {
    for action in ["decline", "cancel"] {
        let deployment = modern_deployment();
        let account = Account::new([Err(not_connected())]);
        let (handled, waited) = deployment.send(&visits(), "tools/call", answered(action), &account);
        let text = tool_error(handled);
        assert!(text.contains("does not want") && text.contains("Notes") && !text.contains(LINK), "{text}");
        assert_eq!((waited, account.count()), (0, 1));
    }
}

#[test]
fn an_answer_that_is_none_is_asked_for_again() {
    for own in [json!({}), json!(null), json!([]), json!({"action": 1}), json!({"action": "Accept"})] {
        let deployment = modern_deployment();
        let params = json!({"name": "ping", "inputResponses": {KEY: own}});
        let (handled, waited) = deployment.send(&visits(), "tools/call", params, &Account::new([Err(not_connected())]));
        assert_eq!(json_of(&response(handled))["result"]["resultType"], "input_required");
        assert_eq!(waited, 0);
    }
}

#[test]
fn an_account_that_ends_with_a_refusal_is_connected_anew() {
    let deployment = modern_deployment();
    deployment.answers(401, &[], "");
    let account = Account::new([Ok(access("old")), Err(not_connected())]);
    let (handled, _) = deployment.send(&visits(), "tools/call", ping(), &account);
    assert_eq!(json_of(&response(handled))["result"]["resultType"], "input_required");
    assert_eq!(deployment.count(), 1);
}
