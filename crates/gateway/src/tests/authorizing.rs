//! Who may use what: decided before anything is passed on.

use super::*;

#[test]
fn only_a_lack_of_scopes_is_said_to_be_one() {
    let deployment = Deployment::new(&[]);
    let machine = alice().with(|verified| verified.kind = Kind::Machine);
    let needed = deployment.legacy("tools/call", json!({"name": "delete_all"}), &alice()).response.unwrap_err();
    assert_eq!(needed, AccessNeeded::Scopes(Scopes::parse("docs:delete")));
    for (method, params, identity) in [
        ("tools/call", json!({"name": "other"}), alice()),
        ("tools/call", json!({"name": "whoami"}), machine),
        ("tools/call", json!({"name": "admin"}), alice()),
        ("tools/call", json!({"name": "SEARCH"}), alice()),
        ("prompts/get", json!({"name": "other"}), alice()),
        ("resources/read", json!({"uri": "docs://secret/1"}), alice()),
        ("resources/read", json!({"uri": "docs://a/../secret/1"}), alice()),
        ("resources/subscribe", json!({"uri": "file:///etc"}), alice()),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "other"}, "argument": {"name": "a", "value": ""}}),
            alice(),
        ),
    ] {
        let handled = deployment.legacy(method, params.clone(), &identity);
        let (status, code) = outcome(handled);
        assert_eq!(status, 200, "{method} {params}");
        assert!(matches!(code, -32602 | -32002), "{method} {params}: {code}");
    }
    assert_eq!(deployment.count(), 0);
}

/// Alice with an access key for these tools, or for all.
fn with_key(tools: Option<&[&str]>) -> Identity {
    alice().with_access_key(tools)
}

#[test]
fn a_key_may_call_its_tools_alone() {
    let deployment = Deployment::new(&[("TOOL_SCOPES", "search*=docs:read delete_*=docs:delete n=no_keys d=deny")]);
    let call = |name: &str, identity: &Identity| {
        [deployment.legacy("tools/call", json!({"name": name}), identity), {
            let params = json!({"name": name, "arguments": {"unread": [1]}});
            deployment.modern("tools/call", params, identity)
        }]
        .map(|handled| handled.response.map(|response| json_of(&response)["error"]["message"].clone()))
    };
    let only = with_key(Some(&["search", "n"]));
    for (name, identity, needed) in [
        ("search_all", &only, AccessNeeded::KeyForTool),
        ("delete_all", &only, AccessNeeded::KeyForTool),
        ("search", &with_key(Some(&[])), AccessNeeded::KeyForTool),
        ("n", &only, AccessNeeded::AccessToken),
        ("n", &with_key(None), AccessNeeded::AccessToken),
        ("delete_all", &with_key(None), AccessNeeded::Scopes(Scopes::parse("docs:delete"))),
    ] {
        assert_eq!(call(name, identity), [Err(needed.clone()), Err(needed)], "{name}");
    }
    for name in ["d", "other", "Search"] {
        let message = json!(format!("unknown tool: {name}"));
        assert_eq!(call(name, &only), [Ok(message.clone()), Ok(message)]);
    }
    assert_eq!(deployment.count(), 0);
    deployment.answers_json(&result(&json!({"content": []})));
    assert_eq!(outcome(deployment.legacy("tools/call", json!({"name": "search"}), &only)), (200, 0));
}

#[test]
fn a_batch_of_a_key_is_refused_for_one_tool_that_it_is_not_for() {
    let deployment = Deployment::new(&[]);
    let call = |name: &str| json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": name}});
    let batch = json!([call("search"), call("delete_all"), call("ping")]).to_string();
    let head = post().with_header("mcp-protocol-version", "2025-03-26");
    let needed = deployment.handle(&head, &batch, &with_key(Some(&["search", "delete_all"]))).response.unwrap_err();
    assert_eq!(needed, AccessNeeded::KeyForTool);
    assert_eq!(deployment.count(), 0);
}

#[test]
fn a_key_for_some_tools_has_no_tasks() {
    let deployment = Deployment::new(&[("TASK_SCOPES", "docs:read")]);
    let only = with_key(Some(&["search"]));
    for (method, params) in [
        ("tasks/list", json!({})),
        ("tasks/get", json!({"taskId": "t"})),
        ("tasks/result", json!({"taskId": "t"})),
        ("tasks/cancel", json!({"taskId": "t"})),
    ] {
        assert_eq!(outcome(deployment.legacy(method, params.clone(), &only)), (200, -32601), "{method}");
        deployment.answers_json(&result(&json!({})));
        assert_eq!(outcome(deployment.legacy(method, params, &with_key(None))), (200, 0), "{method}");
    }
    let task = json!({"name": "search", "task": {}});
    let count = deployment.count();
    assert_eq!(outcome(deployment.legacy("tools/call", task.clone(), &only)), (200, -32602));
    assert_eq!(deployment.count(), count);
    deployment.answers_json(&result(&json!({"task": {"taskId": "t"}})));
    assert_eq!(outcome(deployment.legacy("tools/call", task, &with_key(None))), (200, 0));
}

#[test]
fn lists_show_the_tools_of_a_key() {
    for (mode, all) in [("granted", ["ping", "search"].as_slice()), ("obtainable", &["ping", "search", "delete_x"])] {
        let tables = "search*=docs:read delete_*=docs:delete ping=allow n=no_keys";
        let deployment = Deployment::new(&[("TOOL_SCOPES", tables), ("LIST_TOOLS", mode)]);
        let listed = |identity: &Identity| {
            let tools = ["ping", "search", "delete_x", "n"].map(|name| json!({"name": name, "inputSchema": {}}));
            deployment.answers_json(&result(&json!({"tools": tools})));
            let response = response(deployment.legacy("tools/list", json!({}), identity));
            let tools = json_of(&response)["result"]["tools"].as_array().cloned().unwrap_or_default();
            tools.iter().filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        assert_eq!(listed(&with_key(None)), all);
        assert_eq!(listed(&with_key(Some(&["search", "n", "other"]))), ["search"]);
        assert_eq!(listed(&with_key(Some(&[]))), [""; 0]);
        assert_eq!(listed(&alice()), [all, &["n"]].concat());
    }
}

#[test]
fn what_no_table_offers_does_not_exist() {
    let deployment = Deployment::new(&[("PROMPT_SCOPES", ""), ("RESOURCE_SCOPES", "*=deny")]);
    for method in [
        "prompts/list",
        "prompts/get",
        "resources/list",
        "resources/templates/list",
        "completion/complete",
        "tasks/list",
    ] {
        assert_eq!(outcome(deployment.legacy(method, json!({"name": "a"}), &alice())), (200, -32601), "{method}");
    }
    assert_eq!(outcome(deployment.modern("tasks/get", json!({"taskId": "a"}), &alice())), (404, -32601));
    assert_eq!(deployment.count(), 0);
}

#[test]
fn the_log_names_what_was_called() {
    let deployment = Deployment::new(&[]);
    deployment.answers_json(&result(&json!({"content": []})));
    let Handled { summary, .. } = deployment.legacy("tools/call", json!({"name": "search"}), &alice());
    assert_eq!((summary.method, summary.name.as_deref()), (Some("tools/call"), Some("search")));
}
