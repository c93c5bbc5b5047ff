//! Who may use and see what.

use crate::{AccessNeeded, Outcome, tests::*};
use mcp_edge_identity::{Kind, Party, Scopes};

fn call(tool: &str, identity: Identity) -> Handled {
    let request = Request::modern("tools/call", json!({"name": tool}));
    let head = request
        .headers
        .iter()
        .fold(RequestHead::new("POST", "/mcp"), |head, (name, value)| head.with_header(name, value));
    let context = RequestContext { identity: Rc::new(identity), ..context("") };
    run(server().handle(&head, &request.body.to_string(), context, &services()))
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
    let names = |identity: Identity| {
        let request = Request::legacy("tools/list", json!({}));
        let context = RequestContext { identity: Rc::new(identity), ..context("") };
        let handled =
            run(server().handle(&RequestHead::new("POST", "/mcp"), &request.body.to_string(), context, &services()));
        let tools = message(&response(handled))["result"]["tools"].as_array().cloned().unwrap_or_default();
        tools.iter().filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect::<Vec<_>>().join(" ")
    };
    let ada = |scopes: &str| Identity::for_test("ada", scopes);
    assert_eq!(names(ada("")), "echo human sampler");
    assert_eq!(names(ada("notes notes:write")), "echo restricted human sampler");
    assert_eq!(names(ada("").with(|verified| verified.kind = Kind::Machine)), "echo sampler");
    assert_eq!(names(ada("").with(|verified| verified.party = Party::First)), "echo human ours sampler");
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
