//! Who may use and see what.

use crate::{AccessNeeded, Outcome, tests::*};
use mcp_edge_identity::{Credential, Kind, Party, Scopes};

fn call(tool: &str, identity: Identity) -> Handled {
    Request::modern("tools/call", json!({"name": tool})).send_as(&server(), identity)
}

/// The names of the tools that are listed for a caller.
fn tools_of(identity: Identity) -> String {
    let handled = Request::legacy("tools/list", json!({})).send_as(&server(), identity);
    let tools = message(&response(handled))["result"]["tools"].as_array().cloned().unwrap_or_default();
    tools.iter().filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_the_identity_lacks_is_found_before_the_tool_runs() {
    let ada = || Identity::for_test("ada", "notes");
    let machine = || ada().with(|verified| verified.kind = Kind::Machine);
    for (tool, identity, needed) in [
        ("restricted", ada(), AccessNeeded::Scopes(Scopes::parse("notes notes:write"))),
        ("human", machine(), AccessNeeded::User),
        ("ours", ada(), AccessNeeded::FirstParty),
    ] {
        let handled = call(tool, identity);
        assert_eq!(handled.summary.outcome, Outcome::Refused);
        assert_eq!(handled.summary.name.as_deref(), Some(tool));
        assert_eq!(handled.response.err(), Some(needed), "{tool}");
    }
}

#[test]
fn headers_are_checked_before_scopes() {
    let request = Request::modern("tools/call", json!({"name": "restricted"})).without("mcp-name");
    assert_eq!(response(request.send(&server())).status, 400);
}

#[test]
fn scopes_are_checked_before_arguments() {
    let request = Request::legacy("tools/call", json!({"name": "restricted", "arguments": {"no": "such"}}));
    assert!(request.send(&server()).response.is_err());
}

#[test]
fn lists_show_what_the_identity_may_use() {
    let ada = |scopes: &str| Identity::for_test("ada", scopes);
    assert_eq!(tools_of(ada("")), "echo human signed_in sampler");
    assert_eq!(tools_of(ada("notes notes:write")), "echo restricted human signed_in sampler");
    assert_eq!(tools_of(ada("").with(|verified| verified.kind = Kind::Machine)), "echo signed_in sampler");
    assert_eq!(tools_of(ada("").with(|verified| verified.party = Party::First)), "echo human ours signed_in sampler");
}

#[test]
fn a_key_is_for_its_tools_alone() {
    let only = |tools| with_key("notes notes:write", Some(tools));
    // Before its arguments are looked at, of which there are none.
    for (tool, identity) in [
        ("echo", only(&["restricted"])),
        ("echo", only(&[])),
        ("echo", only(&["Echo", "echo ", "ech*", "*"])),
        // No scope would help.
        ("restricted", with_key("", Some(&["echo"]))),
    ] {
        let handled = call(tool, identity);
        assert_eq!((handled.summary.outcome, handled.summary.name.as_deref()), (Outcome::Refused, Some(tool)));
        assert_eq!(handled.response.err(), Some(AccessNeeded::KeyForTool), "{tool}");
    }
    let echo = Request::modern("tools/call", json!({"name": "echo", "arguments": {"text": "x"}}));
    let echo = echo.with("mcp-param-text", "x");
    for identity in [only(&["restricted", "echo"]), with_key("", None)] {
        let answer = message(&response(echo.send_as(&server(), identity)));
        assert_eq!(answer["result"]["content"][0]["text"], "x", "{answer}");
    }
    // What does not exist is unknown, be it one of the key's or not.
    for tools in [&["nope"][..], &["echo"]] {
        let answer = message(&response(call("nope", only(tools))));
        assert_eq!(answer["error"]["message"], "unknown tool: nope");
    }
    // Resources and prompts are a matter of scopes.
    let read = Request::modern("resources/read", json!({"uri": "note://motd"}));
    assert_eq!(response(read.send_as(&server(), only(&[]))).status, 200);
}

#[test]
fn lists_show_what_a_key_is_for() {
    assert_eq!(tools_of(with_key("notes notes:write", Some(&["restricted", "nope", "ours"]))), "restricted");
    assert_eq!(tools_of(with_key("notes", Some(&["restricted", "echo"]))), "echo");
    assert_eq!(tools_of(with_key("", Some(&[]))), "");
    assert_eq!(tools_of(with_key("", None)), "echo human sampler");
    // Nobody else sees the list of a key in a shared cache.
    let open = build(Server::builder("t", "1").tool(Tool::new("a", never)).tool(Tool::new("b", never)));
    let cache = |identity| {
        let answer = message(&response(Request::modern("tools/list", json!({})).send_as(&open, identity)));
        answer["result"]["cacheScope"].as_str().map(str::to_owned)
    };
    assert_eq!(cache(Identity::for_test("ada", "")).as_deref(), Some("public"));
    assert_eq!(cache(with_key("", None)).as_deref(), Some("public"));
    assert_eq!(cache(with_key("", Some(&["a"]))).as_deref(), Some("private"));
}

#[test]
fn what_refuses_keys_is_for_access_tokens_alone() {
    let personal = Identity::for_test("ada", "").with(|verified| verified.credential = Credential::PersonalAccessToken);
    for identity in [with_key("", None), with_key("", Some(&["signed_in"])), personal] {
        assert_eq!(call("signed_in", identity.clone()).response.err(), Some(AccessNeeded::AccessToken));
        assert!(!tools_of(identity).contains("signed_in"));
    }
    assert!(server().tools().all(|tool| tool.refuses_keys == (tool.name == "signed_in")));

    let server = build(
        Server::builder("t", "1")
            .resource(Resource::text("a://b", "b", "secret").refuses_keys())
            .resource_template(ResourceTemplate::new("c://{d}", "d", note).refuses_keys())
            .prompt(Prompt::new("p", greet).refuses_keys().complete_among("text", ["secret"])),
    );
    let complete = json!({"ref": {"type": "ref/prompt", "name": "p"}, "argument": {"name": "text", "value": ""}});
    for (method, params) in [
        ("resources/read", json!({"uri": "a://b"})),
        ("resources/read", json!({"uri": "c://d"})),
        ("prompts/get", json!({"name": "p", "arguments": {"text": "x"}})),
        ("completion/complete", complete),
    ] {
        let request = Request::modern(method, params);
        let handled = request.send_as(&server, with_key("", None));
        assert_eq!(handled.response.err(), Some(AccessNeeded::AccessToken), "{method}");
        assert_eq!(response(request.send(&server)).status, 200, "{method}");
    }
    for (method, list) in [
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
        ("prompts/list", "prompts"),
    ] {
        let request = Request::modern(method, json!({}));
        let listed = |handled| message(&response(handled))["result"].clone();
        let (of_key, of_token) = (listed(request.send_as(&server, with_key("", None))), listed(request.send(&server)));
        assert_eq!((&of_key[list], &of_key["cacheScope"]), (&json!([]), &json!("private")), "{method}");
        assert_eq!(of_token[list].as_array().map(Vec::len), Some(1), "{method}");
    }
}

#[test]
fn resources_prompts_and_completions_are_protected_too() {
    let server = build(
        Server::builder("t", "1")
            .scope("s", "S")
            .resource(Resource::text("a://b", "b", "secret").scope("s"))
            .resource_template(ResourceTemplate::new("c://{d}", "d", note).scope("s"))
            .prompt(Prompt::new("p", greet).scope("s").complete_among("text", ["secret"])),
    );
    let complete = json!({"ref": {"type": "ref/prompt", "name": "p"}, "argument": {"name": "text", "value": ""}});
    for (method, params) in [
        ("resources/read", json!({"uri": "a://b"})),
        ("resources/read", json!({"uri": "c://d"})),
        ("prompts/get", json!({"name": "p", "arguments": {"text": "x"}})),
        ("completion/complete", complete),
    ] {
        let handled = Request::modern(method, params).send(&server);
        assert_eq!(handled.response.err(), Some(AccessNeeded::Scopes(Scopes::parse("s"))), "{method}");
    }
    for method in ["resources/list", "resources/templates/list", "prompts/list"] {
        let answer = message(&response(Request::modern(method, json!({})).send(&server)));
        assert_eq!(answer["result"]["cacheScope"], "private");
        assert!(!answer.to_string().contains("a://b") && !answer.to_string().contains("\"p\""), "{answer}");
    }
}

#[test]
fn the_server_knows_its_scopes() {
    let server = server();
    assert_eq!(server.scopes(), Scopes::parse("notes notes:write"));
    assert_eq!(server.scope_descriptions().next(), Some(("notes", "See notes")));
    let restricted = server.tools().find(|tool| tool.name == "restricted");
    assert_eq!(restricted.map(|tool| tool.scopes.to_string()).as_deref(), Some("notes notes:write"));
    let names: Vec<&str> = server.header_names().collect();
    assert!(names.contains(&"mcp-param-text") && names.contains(&"mcp-name"), "{names:?}");
}
