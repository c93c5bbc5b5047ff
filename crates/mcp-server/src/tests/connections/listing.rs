//! What lists say of connections, and what may be declared.

use super::*;

#[test]
fn lists_say_which_connections_are_used() {
    let server = server();
    let meta = |scopes: Value| json!({"mcp-edge/connections": [{"name": "github", "scopes": scopes}]});
    let script = script(&[not_connected()]);
    for client in [client(&server, &script), client(&server, &script).legacy()] {
        let list = |method: &str, member: &str| run(client.request(method, json!({}))).result()[member].clone();
        let tools = list("tools/list", "tools");
        let tool = |name: &str| tools.as_array().into_iter().flatten().find(|tool| tool["name"] == name).cloned();
        assert_eq!(tool("issues").unwrap_or_default()["_meta"], meta(json!(["repo:read", "user"])));
        assert_eq!(tool("repeated").unwrap_or_default()["_meta"], meta(json!([])));
        assert_eq!(tool("both").unwrap_or_default()["_meta"]["mcp-edge/connections"][1]["name"], "calendar");
        assert_eq!(tool("undeclared_at_all").unwrap_or_default().get("_meta"), None);
        for (method, member) in [
            ("resources/list", "resources"),
            ("resources/templates/list", "resourceTemplates"),
            ("prompts/list", "prompts"),
        ] {
            assert_eq!(list(method, member)[0]["_meta"], meta(json!(["repo:read"])), "{method}");
        }
    }
    let names: Vec<_> = server.connections().map(|connection| &*connection.name).collect();
    assert!(names.contains(&"github") && names.contains(&"calendar") && names.len() == 12, "{names:?}");
    assert_eq!(self::build(Server::builder("t", "1").tool(Tool::<()>::new("plain", echo))).connections().count(), 0);
    assert_eq!(server.tools().find(|tool| tool.name == "both").map(|tool| tool.connections.len()), Some(2));
}

#[test]
fn clients_learn_which_scopes_a_tool_needs() {
    let server = server().with_security_schemes(|scopes| {
        scopes
            .iter()
            .map(|scope| ["api:", scope].concat())
            .chain(["base".to_owned()])
            .collect::<Vec<_>>()
            .iter()
            .map(String::as_str)
            .collect()
    });
    let script = script(&[not_connected()]);
    let tools = run(client(&server, &script).request("tools/list", json!({}))).result()["tools"].clone();
    let tool = |name: &str| tools.as_array().into_iter().flatten().find(|tool| tool["name"] == name).cloned();
    let issues = tool("issues").unwrap_or_default();
    let schemes = json!([{"type": "oauth2", "scopes": ["api:issues:read", "base"]}]);
    assert_eq!(issues["securitySchemes"], schemes);
    assert_eq!(issues["_meta"]["securitySchemes"], schemes);
    assert_eq!(issues["_meta"]["mcp-edge/connections"][0]["name"], "github");
    let without = tool("undeclared_at_all").unwrap_or_default();
    let schemes = json!([{"type": "oauth2", "scopes": ["base"]}]);
    assert_eq!((&without["securitySchemes"], &without["_meta"]), (&schemes, &json!({ "securitySchemes": schemes })));
}

#[test]
fn what_no_setting_can_mean_is_refused_when_the_server_is_built() {
    let tool = |name: &str, scopes: &[&str]| Tool::<()>::new("t", echo).connection(name, scopes.iter().copied());
    let built = |tool| Server::builder("t", "1").tool(tool).build().err();
    assert_eq!(built(tool("git-hub2", &["https://example.com/auth/x", "a:b"])), None);
    for name in ["", "GitHub", "git hub", "git_hub", "2hub"] {
        let error = BuildError::ConnectionName(name.to_owned());
        assert_eq!(built(tool(name, &[])), Some(error));
    }
    for scope in ["", "a b", "\"", "ä"] {
        assert_eq!(built(tool("github", &[scope])), Some(BuildError::ScopeName(scope.to_owned())));
    }
    let twice = BuildError::Duplicate { kind: "connection", name: "github".to_owned() };
    assert_eq!(built(tool("github", &["a"]).connection("github", ["b"])), Some(twice));
    let shared = Resource::<()>::new("x:y", "y", async |_: Call| "text".to_owned())
        .cache(Cache::public(Duration::from_mins(1)))
        .connection("github", ["a"]);
    let error = Server::builder("t", "1").resource(shared).build().err();
    assert_eq!(error, Some(BuildError::PublicCache("x:y".to_owned())));
}
