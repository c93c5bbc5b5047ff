//! What each method answers, member by member.

use crate::{Cache, ContentBlock, PromptMessage, PromptResult, ResourceContents, testing::Client, tests::*};

fn result(request: &Request) -> Value {
    let response = response(request.send(&server()));
    assert_eq!(response.status, 200);
    assert!(!response.text().contains('\n'), "answers are on one line");
    message(&response)["result"].clone()
}

#[test]
fn discover_describes_the_server() {
    assert_eq!(
        result(&Request::modern("server/discover", json!({}))),
        json!({
            "resultType": "complete",
            "supportedVersions": ["2026-07-28"],
            "capabilities": {"tools": {}, "resources": {}, "prompts": {}, "completions": {}, "logging": {}},
            "instructions": "Be careful.",
            "ttlMs": 300_000,
            "cacheScope": "public",
            "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "test", "version": "1.2.3", "title": "Test"}},
        })
    );
}

#[test]
fn a_handshake_agrees_on_a_revision() {
    for (requested, agreed) in [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-03-26"),
        ("2024-11-05", "2024-11-05"),
        ("2024-10-07", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("nonsense", "2025-11-25"),
    ] {
        let request = Request::legacy("initialize", json!({"protocolVersion": requested, "capabilities": {}}));
        assert_eq!(
            result(&request.without("mcp-protocol-version")),
            json!({
                "protocolVersion": agreed,
                "capabilities": {"tools": {}, "resources": {}, "prompts": {}, "completions": {}, "logging": {}},
                "serverInfo": {"name": "test", "version": "1.2.3", "title": "Test"},
                "instructions": "Be careful.",
            }),
            "{requested}"
        );
    }
}

#[test]
fn what_has_no_result_has_a_result_without_members() {
    for (method, params) in [
        ("ping", json!({})),
        ("logging/setLevel", json!({"level": "debug"})),
        ("resources/subscribe", json!({"uri": "note://motd"})),
        ("resources/unsubscribe", json!({"uri": "note://motd"})),
    ] {
        assert_eq!(result(&Request::legacy(method, params)), json!({}), "{method}");
    }
}

#[test]
fn modern_results_say_what_they_are_and_legacy_ones_do_not() {
    let call = json!({"name": "echo", "arguments": {"text": "hi"}});
    let info = json!({"io.modelcontextprotocol/serverInfo": {"name": "test", "version": "1.2.3", "title": "Test"}});
    let content = json!([{"type": "text", "text": "hi"}]);
    assert_eq!(
        result(&Request::modern("tools/call", call.clone()).with("mcp-param-text", "hi")),
        json!({"resultType": "complete", "content": content, "_meta": info})
    );
    assert_eq!(result(&Request::legacy("tools/call", call)), json!({"content": content}));
}

#[test]
fn caching_hints_are_where_they_belong_and_nowhere_else() {
    let complete = json!({"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "text", "value": "h"}});
    for (method, params, scope) in [
        ("server/discover", json!({}), Some("public")),
        ("tools/list", json!({}), Some("private")),
        ("resources/list", json!({}), Some("public")),
        ("resources/templates/list", json!({}), Some("public")),
        ("prompts/list", json!({}), Some("public")),
        ("resources/read", json!({"uri": "note://motd"}), Some("public")),
        ("resources/read", json!({"uri": "note://1/text"}), Some("private")),
        ("prompts/get", json!({"name": "greet", "arguments": {"text": "x"}}), None),
        ("completion/complete", complete, None),
    ] {
        let modern = result(&Request::modern(method, params.clone()));
        assert_eq!(modern.get("cacheScope").and_then(Value::as_str), scope, "{method}");
        assert_eq!(modern.get("ttlMs").is_some_and(Value::is_u64), scope.is_some(), "{method}");
        if method != "server/discover" {
            let legacy = result(&Request::legacy(method, params));
            assert!(legacy.get("cacheScope").is_none() && legacy.get("ttlMs").is_none(), "{method}");
        }
    }
}

#[test]
fn resources_are_read_exactly_or_by_template() {
    let read = |uri: &str| result(&Request::modern("resources/read", json!({"uri": uri})))["contents"].clone();
    assert_eq!(read("note://motd"), json!([{"uri": "note://motd", "text": "Hello", "mimeType": "text/plain"}]));
    assert_eq!(read("note://a%2Fb/text"), json!([{"uri": "note://a%2Fb/text", "text": "Note \"a/b\""}]));
}

#[test]
fn resources_keep_the_cache_hints_they_were_given() {
    let bytes = Resource::bytes("img://dot", "dot", [1_u8, 2]).cache(Cache::private(std::time::Duration::from_secs(9)));
    let several = Resource::new("dir://", "dir", |_: Call| async {
        vec![ResourceContents::text("dir://a", "a"), ResourceContents::bytes("dir://b", [0])]
    });
    let server = build(Server::builder("t", "1").resource(bytes).resource(several));
    let client = Client::new(&server);
    let answer = run(client.read_resource("img://dot"));
    assert_eq!(answer.result()["contents"], json!([{"uri": "img://dot", "blob": "AQI="}]));
    assert_eq!((&answer.result()["ttlMs"], &answer.result()["cacheScope"]), (&json!(9000), &json!("private")));
    let answer = run(client.read_resource("dir://"));
    assert_eq!(
        answer.result()["contents"],
        json!([{"uri": "dir://a", "text": "a"}, {"uri": "dir://b", "blob": "AA=="}])
    );
    assert_eq!(answer.result()["ttlMs"], 0);
}

#[test]
fn a_prompt_is_filled_in() {
    let params = json!({"name": "greet", "arguments": {"text": "hello"}});
    assert_eq!(
        result(&Request::legacy("prompts/get", params)),
        json!({"messages": [{"role": "user", "content": {"type": "text", "text": "Greet with hello"}}]})
    );
    let number = Request::legacy("prompts/get", json!({"name": "greet", "arguments": {"text": 1}}));
    assert_eq!(message(&response(number.send(&server())))["error"]["code"], -32602);
    let prompt = Prompt::new("p", |_: Call| async {
        PromptResult::new(vec![
            PromptMessage::user(ContentBlock::image([0], "image/png")),
            PromptMessage::assistant("ok"),
        ])
        .description("d")
    });
    let server = build(Server::builder("t", "1").prompt(prompt));
    let answer = run(Client::new(&server).legacy().get_prompt("p", json!({})));
    assert_eq!(
        answer.result(),
        &json!({"description": "d", "messages": [
            {"role": "user", "content": {"type": "image", "data": "AA==", "mimeType": "image/png"}},
            {"role": "assistant", "content": {"type": "text", "text": "ok"}}
        ]})
    );
}

#[test]
fn completion_suggests_what_fits() {
    let complete = |reference: Value, name: &str| {
        let params = json!({"ref": reference, "argument": {"name": name, "value": "h"}, "context": {"arguments": {}}});
        message(&response(Request::legacy("completion/complete", params).send(&server())))
    };
    let prompt = json!({"type": "ref/prompt", "name": "greet"});
    let completion = &complete(prompt.clone(), "text")["result"]["completion"];
    assert_eq!(completion, &json!({"values": ["hello", "hi"], "total": 2, "hasMore": false}));
    let template = json!({"type": "ref/resource", "uri": "note://{id}/text"});
    assert_eq!(complete(template, "id")["result"]["completion"]["values"], json!([]));
    let uri = json!({"type": "ref/resource", "uri": "note://1/text"});
    assert_eq!(complete(uri, "id")["result"]["completion"]["values"], json!([]));
    for (reference, name) in [
        (prompt, "other"),
        (json!({"type": "ref/prompt", "name": "none"}), "text"),
        (json!({"type": "ref/resource", "uri": "none://"}), "id"),
        (json!({"type": "ref/tool", "name": "echo"}), "text"),
        (json!(null), "text"),
    ] {
        assert_eq!(complete(reference, name)["error"]["code"], -32602);
    }
}

#[test]
fn what_is_not_offered_does_not_exist() {
    let tools_only = build(Server::builder("t", "1").tool(Tool::new("echo", echo)));
    for method in ["prompts/list", "prompts/get", "resources/list", "resources/read", "completion/complete"] {
        let modern = response(Request::modern(method, json!({})).send(&tools_only));
        assert_eq!((modern.status, message(&modern)["error"]["code"].as_i64()), (404, Some(-32601)), "{method}");
        let legacy = response(Request::legacy(method, json!({})).send(&tools_only));
        assert_eq!((legacy.status, message(&legacy)["error"]["code"].as_i64()), (200, Some(-32601)), "{method}");
    }
    let set_level = Request::legacy("logging/setLevel", json!({"level": "info"}));
    assert_eq!(message(&response(set_level.send(&tools_only)))["error"]["code"], -32601);
    let discover = message(&response(Request::modern("server/discover", json!({})).send(&tools_only)));
    assert_eq!(discover["result"]["capabilities"], json!({"tools": {}}));
}

#[test]
fn the_summary_names_only_what_the_server_has_named() {
    let server = server();
    let summary = |request: Request| {
        let summary = request.send(&server).summary;
        (summary.revision.map(crate::Revision::as_str), summary.method, summary.name.map(|name| name.to_string()))
    };
    let modern = Some("2026-07-28");
    let call = json!({"name": "echo", "arguments": {"text": "hi"}});
    let call = Request::modern("tools/call", call).with("mcp-param-text", "hi");
    assert_eq!(summary(call), (modern, Some("tools/call"), Some("echo".to_owned())));
    let unknown = Request::modern("tools/call", json!({"name": "nope"}));
    assert_eq!(summary(unknown), (modern, Some("tools/call"), None));
    let read = Request::modern("resources/read", json!({"uri": "note://secret/text"}));
    assert_eq!(summary(read), (modern, Some("resources/read"), Some("note://{id}/text".to_owned())));
    assert_eq!(summary(Request::modern("evil/method", json!({}))), (None, None, None));
    let initialize = Request::legacy("initialize", json!({"protocolVersion": "2025-06-18"}));
    assert_eq!(summary(initialize), (Some("2025-06-18"), Some("initialize"), None));
    let initialized = Request::legacy("notifications/initialized", json!({})).body("/id", None);
    assert_eq!(summary(initialized), (None, Some("notifications/initialized"), None));
}
