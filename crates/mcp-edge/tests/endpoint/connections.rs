//! An endpoint whose tools use connections: what the vault is asked, and what is wrong without it.

use std::{cell::RefCell, rc::Rc};

use mcp_edge::{endpoint::Endpoint, settings::Settings};
use mcp_edge_connections::{
    access::ServiceAccess,
    port::NoAccess,
    vault_call::{AccessAnswer, AccessRequest, answer_to_json},
};
use mcp_edge_runtime::{
    secret::Secret,
    service_call::{CallError, CallService},
};
use mcp_edge_server::{Call, Server, Tool, ToolError};
use serde_json::{Value, json};

use crate::{
    requests::{Deployment, Untouchable},
    support::tokens::{ISSUER, RESOURCE},
};
use mcp_edge_runtime::http::RequestHead;

const LINK: &str = "https://mcp.example.com/account/connect/abc";

/// A vault with one answer.
#[derive(Clone)]
struct Vault {
    answer: Rc<RefCell<Result<String, CallError>>>,
    asked: Rc<RefCell<Vec<String>>>,
}

impl CallService for Vault {
    async fn call(&self, message: String) -> Result<String, CallError> {
        self.asked.borrow_mut().push(message);
        self.answer.borrow().clone()
    }
}

fn settings(bound: &[&str], more: &[(&str, &str)]) -> Settings {
    let all = [("ISSUER", ISSUER), ("RESOURCE", RESOURCE), ("REQUIRED_SCOPES", "whoami:read")];
    let setting =
        |name: &str| all.iter().chain(more).find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Settings::parse_bound(setting, |name| bound.contains(&name)).expect("good settings")
}

fn server() -> Server {
    let issues = async |call: Call| {
        let github = call.access("github").await?;
        Ok::<_, ToolError>(github.scopes)
    };
    Server::builder("test", "1")
        .scope("issues:read", "See issues")
        .tool(Tool::new("issues", issues).scope("issues:read").connection("github", ["repo:read"]))
        .tool(Tool::new("open", async |_: Call| "open"))
        .build()
        .expect("good tools")
}

fn deployment(answer: &AccessAnswer, more: &[(&str, &str)]) -> (Deployment, Vault) {
    let Deployment { world, .. } = Deployment::new(&[]);
    let vault = Vault { answer: Rc::new(RefCell::new(Ok(answer_to_json(answer)))), asked: Rc::default() };
    let endpoint = Endpoint::new(settings(&["VAULT", "VAULT_CALLS"], more), server(), (), world.clone());
    (Deployment { world, endpoint: endpoint.with_connections(vault.clone()) }, vault)
}

fn access() -> ServiceAccess {
    ServiceAccess {
        connection: "github".to_owned(),
        token: Secret::new("gho_secret"),
        scopes: "repo:read".to_owned(),
        url: "https://api.example.com".to_owned(),
    }
}

fn result(deployment: &Deployment, tool: &str, token: &str) -> Value {
    let (response, _) = deployment.call(tool, token);
    serde_json::from_str::<Value>(response.text()).unwrap_or_default()["result"].clone()
}

fn token(deployment: &Deployment) -> String {
    deployment.token(|claims| claims["scope"] = "whoami:read issues:read".into())
}

#[test]
fn the_vault_is_asked_with_the_credential_that_was_sent() {
    let (deployment, vault) = deployment(&Ok(access()), &[]);
    let token = token(&deployment);
    assert_eq!(result(&deployment, "issues", &token)["content"][0]["text"], "repo:read");
    let asked = vault.asked.take();
    assert_eq!(
        asked.iter().map(|message| AccessRequest::from_json(message)).collect::<Vec<_>>(),
        [Some(AccessRequest {
            credential: Secret::new(token),
            connection: "github".to_owned(),
            scopes: vec!["repo:read".to_owned()],
            user_of_token: "issues".to_owned(),
            refused: None,
        })]
    );
}

#[test]
fn nothing_is_asked_for_a_caller_or_a_tool_that_has_no_use_for_it() {
    let (deployment, vault) = deployment(&Ok(access()), &[]);
    assert_eq!(result(&deployment, "open", &token(&deployment))["content"][0]["text"], "open");
    let narrow = deployment.token(|claims| claims["scope"] = "whoami:read".into());
    assert_eq!(deployment.call("issues", &narrow).0.status, 403);
    assert_eq!(deployment.call("issues", "a.b.c").0.status, 401);
    assert!(vault.asked.borrow().is_empty());
}

#[test]
fn nothing_is_kept_between_calls() {
    let (deployment, vault) = deployment(&Ok(access()), &[]);
    let token = token(&deployment);
    result(&deployment, "issues", &token);
    let absent = Err(NoAccess::NotConnected { title: "GitHub".to_owned(), url: Some(LINK.to_owned()) });
    *vault.answer.borrow_mut() = Ok(answer_to_json(&absent));
    let result = result(&deployment, "issues", &token);
    assert_eq!(result["isError"], true);
    assert!(result["content"][0]["text"].as_str().is_some_and(|text| text.ends_with(LINK)), "{result}");
}

#[test]
fn an_outage_of_the_vault_is_said_to_both_sides() {
    let (deployment, vault) = deployment(&Ok(access()), &[]);
    *vault.answer.borrow_mut() = Err(CallError::Failed(500));
    let answer = result(&deployment, "issues", &token(&deployment));
    assert_eq!(
        answer["content"][0]["text"],
        "github cannot be reached at the moment. Nothing is lost. Try again in 5 seconds."
    );
    let errors = deployment.world.warnings();
    assert!(
        errors.iter().any(|line| line.contains("issues: connection github: the vault: the service failed")),
        "{errors:?}"
    );
}

#[test]
fn lists_name_the_scopes_as_clients_request_them() {
    let prefix = [("SCOPE_PREFIX", "api://x/"), ("PROVIDER", "generic")];
    let (deployment, _) = deployment(&Ok(access()), &prefix);
    let token = deployment.token(|claims| claims["scope"] = "api://x/whoami:read api://x/issues:read".into());
    let authorization = format!("Bearer {token}");
    let head = RequestHead::new("POST", "/mcp")
        .with_header("authorization", &authorization)
        .with_header("content-type", "application/json")
        .with_header("accept", "application/json, text/event-stream")
        .with_header("mcp-protocol-version", "2025-11-25");
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    let (response, _) = deployment.send(&head, body.as_str());
    let list: Value = serde_json::from_str(response.text()).unwrap_or_default();
    let schemes = json!([{"type": "oauth2", "scopes": ["api://x/issues:read", "api://x/whoami:read"]}]);
    assert_eq!(list["result"]["tools"][0]["securitySchemes"], schemes, "{list}");
    let basic = json!([{"type": "oauth2", "scopes": ["api://x/whoami:read"]}]);
    assert_eq!(list["result"]["tools"][1]["securitySchemes"], basic, "{list}");
}

#[test]
fn the_page_says_which_tools_use_a_connection() {
    for (bound, tag) in [
        (["VAULT", "VAULT_CALLS"].as_slice(), "<a class=\"tag\" href=\"/account/connections\">uses github</a>"),
        (&["VAULT_CALLS"], "<span class=\"tag\">uses github</span>"),
    ] {
        let Deployment { world, .. } = Deployment::new(&[]);
        let endpoint = Endpoint::new(settings(bound, &[]), server(), (), world.clone());
        let (response, _) = Deployment { world, endpoint }.send(&RequestHead::new("GET", "/"), Untouchable);
        if cfg!(feature = "page") {
            assert_eq!(response.text().matches(tag).count(), 1, "{bound:?}");
        }
    }
}

#[test]
fn tools_with_connections_need_the_vault() {
    let check = |bound: &[&str]| settings(bound, &[]).check_connections(server().first_connection());
    assert_eq!(check(&["VAULT", "VAULT_CALLS"]), Ok(()));
    assert_eq!(check(&["VAULT_CALLS"]), Ok(()));
    let error = check(&[]).unwrap_err();
    assert!(error.contains("github") && error.contains("binding = \"VAULT_CALLS\""), "{error}");
    assert_eq!(settings(&[], &[]).check_connections(None), Ok(()));
}

#[test]
fn the_operator_reads_that_nobody_can_connect_an_account() {
    let Deployment { world, .. } = Deployment::new(&[]);
    let vault = Vault { answer: Rc::new(RefCell::new(Err(CallError::Forbidden))), asked: Rc::default() };
    let endpoint = Endpoint::new(settings(&["VAULT_CALLS"], &[]), server(), (), world.clone());
    let _ = endpoint.with_connections(vault);
    let errors = world.warnings();
    assert!(errors.iter().any(|line| line.contains("VAULT is not bound")), "{errors:?}");
}
