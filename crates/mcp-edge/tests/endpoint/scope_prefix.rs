//! Clients read scopes with the prefix under which the provider knows them; tools and settings name them without it.

use mcp_edge::settings::Settings;
use mcp_edge_identity::Scopes;
use mcp_edge_runtime::http::{RequestHead, Response};
use serde_json::{Value, json};

use crate::{
    requests::{Deployment, METADATA_URL, Untouchable},
    support::tokens::{ISSUER, RESOURCE},
};

const PREFIX: (&str, &str) = ("SCOPE_PREFIX", "api://mcp/");

fn challenged_scope(response: &Response) -> &str {
    let (_, scope) =
        response.header("www-authenticate").and_then(|value| value.rsplit_once(", scope=")).expect("a scope");
    scope
}

#[test]
fn the_metadata_lists_scopes_as_clients_request_them() {
    let deployment = Deployment::new(&[PREFIX, ("REQUIRED_SCOPES", "openid offline_access email basic")]);
    let path = METADATA_URL.trim_start_matches("https://mcp.example.com");
    let (response, _) = deployment.send(&RequestHead::new("GET", path), Untouchable);
    let document: Value = serde_json::from_str(response.text()).expect("JSON");
    assert_eq!(
        document["scopes_supported"],
        json!(["api://mcp/basic", "api://mcp/whoami:read", "api://mcp/whoami:write", "email", "openid"])
    );
}

#[test]
fn challenges_name_scopes_as_clients_request_them() {
    let without_token = |deployment: &Deployment| deployment.send(&RequestHead::new("POST", "/mcp"), Untouchable).0;
    // Without a basic set, everything that any tool needs.
    let deployment = Deployment::new(&[PREFIX]);
    assert_eq!(challenged_scope(&without_token(&deployment)), r#""api://mcp/whoami:read api://mcp/whoami:write""#);

    let deployment = Deployment::new(&[PREFIX, ("REQUIRED_SCOPES", "basic email")]);
    let response = without_token(&deployment);
    assert_eq!((response.status, challenged_scope(&response)), (401, r#""api://mcp/basic email""#));
    // A token without the basic set, and one without what a tool needs.
    let (response, _) = deployment.call("open", &deployment.token(|_| ()));
    assert_eq!((response.status, challenged_scope(&response)), (403, r#""api://mcp/basic email""#));
    let basic = deployment.token(|claims| claims["scope"] = "api://mcp/basic email".into());
    assert_eq!(deployment.call("open", &basic).0.status, 200);
    let (response, log) = deployment.call("scoped", &basic);
    let expected = r#""api://mcp/basic api://mcp/whoami:read api://mcp/whoami:write email""#;
    assert_eq!((response.status, challenged_scope(&response)), (403, expected));
    assert_eq!(log.get("detail"), "needs basic email whoami:read whoami:write", "operators know the names of settings");
}

#[test]
fn a_token_with_what_the_challenge_names_is_enough() {
    let deployment = Deployment::new(&[PREFIX, ("REQUIRED_SCOPES", "basic")]);
    for scope in ["api://mcp/basic api://mcp/whoami:read api://mcp/whoami:write", "basic whoami:read whoami:write"] {
        let token = deployment.token(|claims| claims["scope"] = scope.into());
        assert_eq!(deployment.call("scoped", &token).0.status, 200, "{scope}");
    }
    let other =
        deployment.token(|claims| claims["scope"] = "basic api://other/whoami:read api://other/whoami:write".into());
    assert_eq!(deployment.call("scoped", &other).0.status, 403);
}

fn read(more: &[(&str, &str)]) -> Settings {
    let all: Vec<_> = more.iter().chain(&[("ISSUER", ISSUER), ("RESOURCE", RESOURCE)]).collect();
    let find = |name: &str| all.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Settings::parse(find).expect("good settings")
}

#[test]
fn tools_name_their_scopes_without_the_prefix() {
    let settings = read(&[("SCOPE_PREFIX", "api://notes/")]);
    assert_eq!(settings.check_scopes(&Scopes::parse("read api://other/read email")), Ok(()));
    assert_eq!(
        settings.check_scopes(&Scopes::parse("email api://notes/read")),
        Err("the scope api://notes/read of the tools must be named without SCOPE_PREFIX".to_owned())
    );
    assert_eq!(read(&[]).check_scopes(&Scopes::parse("api://notes/read")), Ok(()));
}
