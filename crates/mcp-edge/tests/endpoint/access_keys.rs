//! An endpoint with a vault: its pages are passed on, and keys are exchanged.

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures_util::future::{FutureExt, LocalBoxFuture, ready};
use mcp_edge::{endpoint::Endpoint, settings::Settings};
use mcp_edge_runtime::{
    app::App,
    context::{Connection, RequestContext},
    http::{RequestHead, Response},
    log::LogRecord,
    proxy::{Proxy, ProxyError, ProxyRequest},
    service_call::{CallError, CallService},
};
use mcp_edge_server::{Call, Server, Tool};
use serde_json::json;

use crate::{
    requests::{Deployment, Untouchable},
    support::{
        tokens::{ISSUER, RESOURCE},
        world::World,
    },
};

/// The pages of a vault: what they were asked, and what they answer.
#[derive(Default)]
struct Pages {
    asked: RefCell<Vec<(String, Vec<&'static str>, usize)>>,
    failure: RefCell<Option<ProxyError>>,
}

impl Proxy for Pages {
    fn pass_on<'a>(
        &'a self,
        _: &'a RequestContext,
        request: ProxyRequest<'a>,
    ) -> LocalBoxFuture<'a, Result<Response, ProxyError>> {
        self.asked.borrow_mut().push((request.url.to_owned(), request.headers.to_vec(), request.max_body));
        let response = match &*self.failure.borrow() {
            Some(error) => Err(error.clone()),
            None => Ok(Response::empty(303).with_header("location", "/account/keys")),
        };
        ready(response).boxed_local()
    }
}

/// A vault that has an answer to every call, and notes them.
#[derive(Clone, Default)]
struct Vault(Rc<RefCell<(String, Vec<String>)>>);

impl CallService for Vault {
    async fn call(&self, message: String) -> Result<String, CallError> {
        let mut inner = self.0.borrow_mut();
        inner.1.push(message);
        Ok(inner.0.clone())
    }
}

/// The client is a browser that asks for a page.
struct Browser;

impl Connection for Browser {
    fn address(&self) -> Option<String> {
        None
    }

    fn header(&self, name: &str) -> Option<String> {
        (name == "accept").then(|| "text/html,application/xhtml+xml,*/*;q=0.8".to_owned())
    }
}

struct WithVault {
    deployment: Deployment,
    pages: Rc<Pages>,
    vault: Vault,
}

/// A key whose checksum is right.
const KEY: &str = "mcpk_0123456789ABCDEF_sssssssssssssssssssssssssssssssssssssssssss0cu2NM";

const BOUND: [&str; 2] = ["VAULT", "VAULT_CALLS"];

fn settings(bound: &[&str], more: &[(&str, &str)]) -> Result<Settings, String> {
    let all = [("ISSUER", ISSUER), ("RESOURCE", RESOURCE), ("REQUIRED_SCOPES", "whoami:read")];
    let setting =
        |name: &str| all.iter().chain(more).find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Settings::parse_bound(setting, |name| bound.contains(&name)).map_err(|error| error.to_string())
}

fn with_vault() -> WithVault {
    with_vault_and(&[])
}

fn with_vault_and(more: &[(&str, &str)]) -> WithVault {
    let Deployment { world, .. } = Deployment::new(&[]);
    let tool = |name: &str| {
        Tool::new(name, async |call: Call| match call.identity().key_id() {
            Some(id) => format!("{} with {id}", call.identity().subject()),
            None => call.identity().subject().to_owned(),
        })
        .read_only()
    };
    let server = Server::builder("test", "1").tool(tool("open")).tool(tool("other"));
    let server = server.scope("whoami:write", "Change who you are").tool(tool("scoped").scope("whoami:write"));
    let server = server.build().expect("good tools");
    let settings = settings(&BOUND, more).expect("good settings");
    let (pages, vault) = (Rc::new(Pages::default()), Vault::default());
    let endpoint: Endpoint<(), World> = Endpoint::new(settings, server, (), world.clone());
    let endpoint = endpoint.with_access_keys(Some(Rc::<Pages>::clone(&pages)), Some(vault.clone()));
    WithVault { deployment: Deployment { world, endpoint }, pages, vault }
}

impl WithVault {
    fn get(&self, target: &str) -> (Response, LogRecord) {
        self.deployment.send(&RequestHead::new("GET", target), Untouchable)
    }

    /// A key, for which the vault will give a token of alice.
    fn key(&self, tools: Option<&[&str]>) -> String {
        let until = self.deployment.world.now() + 60;
        let token = self.deployment.token(|_| ());
        let answer = json!(["key", token, "0123456789ABCDEF", ISSUER, "alice", "whoami:read", tools, until]);
        self.vault.0.borrow_mut().0 = answer.to_string();
        KEY.to_owned()
    }
}

#[test]
fn account_is_passed_on_with_its_query_and_without_credentials() {
    let with = with_vault();
    for target in ["/account", "/account/keys", "/account/callback?code=a%20b&state=c"] {
        let head = RequestHead::new("GET", target).with_header("authorization", "Bearer a.b.c");
        let (response, log) = with.deployment.send(&head, Untouchable);
        assert_eq!((response.status, response.header("location")), (303, Some("/account/keys")));
        assert_eq!((log.get("route"), log.get("reason")), ("account", ""));
        assert_eq!(response.header("access-control-allow-origin"), None);
        let (url, headers, max_body) = with.pages.asked.borrow_mut().pop().expect("it was passed on");
        assert_eq!((url, max_body), (format!("https://mcp.example.com{target}"), 65_536));
        let allowed = ["cookie", "content-type", "origin", "sec-fetch-site", "accept-language", "cf-connecting-ip"];
        assert_eq!(headers, allowed);
    }
}

#[test]
fn nothing_beside_account_is_passed_on() {
    let with = with_vault();
    for target in ["/", "/accounts", "/mcp", "/account%2Fkeys", "//account/keys", "/healthz", "/Account/keys"] {
        with.get(target);
        assert!(with.pages.asked.borrow().is_empty(), "{target}");
    }
}

#[test]
fn without_a_vault_there_is_no_account() {
    let deployment = Deployment::new(&[]);
    for target in ["/account", "/account/keys", "/account/keys/revoke"] {
        let (response, log) = deployment.send(&RequestHead::new("POST", target), Untouchable);
        assert_eq!((response.status, log.get("route")), (404, "elsewhere"), "{target}");
    }
}

#[test]
fn a_vault_that_does_not_answer_is_an_outage_for_programs_and_for_people() {
    let with = with_vault();
    for (failure, shown) in [
        (ProxyError::Network("connection refused".to_owned()), "connection refused"),
        (ProxyError::Timeout(Duration::from_mins(1)), "no response within 60s"),
        (ProxyError::Unbound("VAULT".to_owned()), "no binding named VAULT"),
    ] {
        with.pages.failure.replace(Some(failure));
        let (response, log) = with.get("/account/keys");
        assert_eq!((response.status, response.header("retry-after")), (503, Some("5")));
        assert_eq!(
            (log.get("reason"), response.header("content-type")),
            ("vault_unavailable", Some("application/json"))
        );
        assert!(log.get("detail").contains(shown), "{}", log.get("detail"));
    }
    let context = RequestContext { connection: Rc::new(Browser), ..with.deployment.world.context() };
    let head = RequestHead::new("GET", "/account/keys");
    let handled = with.deployment.world.run(with.deployment.endpoint.handle(&head, Untouchable, &context));
    assert_eq!((handled.response.status, handled.response.header("retry-after")), (503, Some("5")));
    assert_eq!(handled.response.header("content-type"), Some("text/html; charset=utf-8"));
    let page = handled.response.text();
    assert!(page.contains("Please try again") && page.contains("connected accounts"), "{page}");
}

#[test]
fn what_the_client_does_is_no_outage() {
    let with = with_vault();
    let failures = [(ProxyError::TooLarge(65_536), 413), (ProxyError::Truncated, 400), (ProxyError::Disconnected, 499)];
    for (failure, status) in failures {
        with.pages.failure.replace(Some(failure));
        let (response, log) = with.deployment.send(&RequestHead::new("POST", "/account/keys"), Untouchable);
        assert_eq!((response.status, log.get("reason")), (status, ""));
    }
}

#[test]
fn a_key_is_exchanged_once_and_narrows_its_user() {
    let with = with_vault();
    let key = with.key(None);
    for _ in 0..3 {
        let (response, log) = with.deployment.call("open", &key);
        assert_eq!(response.status, 200, "{} {log:?}", response.text());
        assert!(response.text().contains("alice with 0123456789ABCDEF"), "{}", response.text());
    }
    let calls = with.vault.0.borrow().1.clone();
    assert_eq!(calls, [json!(["use_key", key]).to_string()]);
}

#[test]
fn a_key_may_call_its_tools_alone() {
    let with = with_vault();
    let key = with.key(Some(&["open"]));
    assert_eq!(with.deployment.call("open", &key).0.status, 200);
    let (response, log) = with.deployment.call("other", &key);
    assert_eq!((response.status, log.get("reason")), (403, "key_for_other_tools"));
}

#[test]
fn a_key_that_lacks_a_scope_is_refused_plainly_since_signing_in_changes_no_key() {
    for (step_up, status) in [("result", 200), ("both", 403)] {
        let with = with_vault_and(&[("STEP_UP", step_up)]);
        let token = with.deployment.token(|_| ());
        let (response, log) = with.deployment.call("scoped", &token);
        assert_eq!((response.status, log.get("reason")), (status, "insufficient_scope"), "{step_up}");
        assert!(response.text().contains("mcp/www_authenticate"), "{}", response.text());
        let (response, log) = with.deployment.call("scoped", &with.key(None));
        assert_eq!((response.status, log.get("reason")), (403, "insufficient_scope"), "{step_up}");
        assert!(!response.text().contains("mcp/www_authenticate"), "{}", response.text());
    }
}

#[test]
fn without_a_vault_a_key_is_refused_and_sent_nowhere() {
    let with = with_vault();
    let key = with.key(None);
    let Deployment { world, endpoint } = Deployment::new(&[]);
    let deployment = Deployment { world, endpoint: endpoint.with_access_keys(None, None::<Vault>) };
    let (response, log) = deployment.call("open", &key);
    assert_eq!((response.status, log.get("reason")), (401, "keys_not_accepted"));
}

#[test]
fn further_headers_are_read_only_where_other_credentials_are_accepted() {
    let always = |deployment: &Deployment| deployment.endpoint.header_names().always;
    assert_eq!(always(&Deployment::new(&[])), ["origin"]);
    assert_eq!(always(&with_vault().deployment), ["origin", "cookie", "x-api-key", "dpop"]);
}

#[test]
fn pages_without_calls_are_an_error_and_calls_without_pages_are_not() {
    let errors = settings(&["VAULT"], &[]).expect_err("keys that nobody accepts");
    assert!(errors.contains("VAULT needs VAULT_CALLS") && errors.contains("entrypoint = \"Internal\""), "{errors}");
    assert!(settings(&["VAULT_CALLS"], &[]).is_ok());
    let keys = settings(&BOUND, &[]).expect("good settings").access_keys;
    assert!(keys.has_pages && keys.has_vault && keys.are_enabled());
    assert!(!settings(&[], &[]).expect("good settings").access_keys.are_enabled());
}
