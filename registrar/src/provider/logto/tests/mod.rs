//! Logto natively: a tenant in memory that answers with what a real one was recorded to answer, and fails on demand.

mod api;
mod changes;
mod creation;
mod sign_in_log;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{LocalBoxFuture, join, ready},
};
use mcp_edge_oauth::Scopes;
use mcp_edge_runtime::ports::{Fetch, FetchError, HttpRequest, HttpResponse, RequestContent, Runtime};
use serde_json::{Value, json};

use super::{
    super::{Applications, LogReading, Period, ProviderError},
    Logto, Tenant,
};
use crate::{
    application::{Application, ApplicationType},
    secret::Secret,
    testing::{block_on, others_go_on},
};

const NOW: u64 = 1_795_305_700;
const API: &str = "https://tenant.example/api";
const TOKEN_ENDPOINT: &str = "https://tenant.example/oidc/token";

/// A recorded exchange.
fn recorded(file: &str, name: &str) -> (u16, Value) {
    let text = match file {
        "create" => include_str!("../../../../tests/logto/management-create-app.json"),
        "app" => include_str!("../../../../tests/logto/management-app.json"),
        "auth" => include_str!("../../../../tests/logto/management-auth-errors.json"),
        "token" => include_str!("../../../../tests/logto/token-own-client.json"),
        _ => panic!("{file}"),
    };
    let exchange = serde_json::from_str::<Value>(text).unwrap()[name].clone();
    (u16::try_from(exchange["status"].as_u64().unwrap()).unwrap(), exchange["body"].clone())
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// This status, and no effect.
    Status(u16),
    /// No connection, and no effect.
    Down,
    /// The effect takes place, but the answer never arrives.
    LostAnswer,
}

#[derive(Default)]
struct App {
    name: String,
    mark: String,
    created_at: u64,
    redirect_uris: Value,
    user_scopes: Vec<String>,
    resource_scopes: Vec<String>,
    branding: Value,
    secrets: Vec<String>,
    is_confidential: bool,
}

/// The tenant, and everything else outside.
#[derive(Default)]
pub(crate) struct World {
    apps: RefCell<BTreeMap<String, App>>,
    /// Method and path of every call to the API.
    calls: RefCell<Vec<String>>,
    tokens_issued: Cell<usize>,
    /// The calls that fail, from the first to the last of these (counted from 0), and how.
    faults: Cell<Option<(usize, usize, Fault)>>,
    slept: RefCell<Vec<Duration>>,
    token_answer: RefCell<Option<(u16, Value)>>,
    /// Answers to calls of one path, instead of the tenant's.
    scripted: RefCell<Vec<(u16, Value)>>,
    /// Entries of the audit log, in any order.
    logs: RefCell<Value>,
    /// Answers that are longer than this are too long.
    longest_answer: Cell<Option<usize>>,
    /// When a secret was made, by its name; a millisecond each.
    secrets_made: RefCell<BTreeMap<String, u64>>,
}

impl Runtime for World {
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        self.slept.borrow_mut().push(duration);
        ready(()).boxed_local()
    }

    fn random(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

impl Fetch for World {
    async fn fetch(&self, call: HttpRequest<'_>) -> Result<HttpResponse, FetchError> {
        if call.url == TOKEN_ENDPOINT {
            assert!(call.authorization.unwrap().starts_with("Basic "));
            let RequestContent::Form(form) = call.body else { panic!("a form") };
            assert_eq!(form, "grant_type=client_credentials&resource=https%3A%2F%2Ftenant.example%2Fapi&scope=all");
            self.tokens_issued.set(self.tokens_issued.get() + 1);
            let number = self.tokens_issued.get();
            let good = json!({"access_token": format!("token-{number}"), "expires_in": 3600, "scope": "all"});
            let (status, body) = self.token_answer.borrow().clone().unwrap_or((200, good));
            return Ok(HttpResponse { status, challenge: String::new(), body: body.to_string() });
        }
        others_go_on().await;
        let path = call.url.strip_prefix(API).unwrap();
        let index = self.calls.borrow().len();
        self.calls.borrow_mut().push(format!("{} {path}", call.method.as_str()));
        assert_eq!(call.authorization, Some(format!("Bearer token-{}", self.tokens_issued.get()).as_str()));
        let fault = self.faults.get().filter(|(first, last, _)| (*first..=*last).contains(&index));
        match fault {
            Some((_, _, Fault::Status(status))) => {
                return Ok(HttpResponse { status, challenge: String::new(), body: "<html>".to_owned() });
            }
            Some((_, _, Fault::Down)) => return Err(FetchError::Network("connection refused".to_owned())),
            _ => {}
        }
        if !self.scripted.borrow().is_empty() {
            let (status, body) = self.scripted.borrow_mut().remove(0);
            return Ok(HttpResponse { status, challenge: String::new(), body: body.to_string() });
        }
        let body = match call.body {
            RequestContent::Json(text) => serde_json::from_str(text).unwrap(),
            _ => Value::Null,
        };
        let (status, body) = self.answer(call.method.as_str(), path, &body);
        if fault.is_some() {
            return Err(FetchError::Timeout(call.timeout));
        }
        let body = body.to_string();
        let longest = self.longest_answer.get().unwrap_or(call.max_body);
        if body.len() > longest {
            return Err(FetchError::TooLarge(longest));
        }
        Ok(HttpResponse { status, challenge: String::new(), body })
    }
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

impl World {
    /// What Logto does and answers.
    #[allow(clippy::too_many_lines, reason = "one table of requests and answers")]
    fn answer(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let mut apps = self.apps.borrow_mut();
        let stored = |id: &str, app: &App| {
            let (_, mut answer) = recorded("create", "Native");
            answer["id"] = id.into();
            answer["name"] = app.name.as_str().into();
            answer["customData"] = json!({"registrar": app.mark});
            answer["createdAt"] = (app.created_at * 1000).into();
            answer
        };
        match (method, segments.as_slice()) {
            ("GET", ["resources"]) => (
                200,
                json!([
                    {"id": "other", "indicator": "https://other.example/", "scopes": [{"id": "wrong", "name": "whoami:read"}]},
                    {"id": "mcp", "indicator": "https://mcp.example.dev/mcp", "scopes": [
                        {"id": "scope-whoami", "name": "whoami:read"}, {"id": "scope-todos", "name": "todos:write"}]},
                ]),
            ),
            ("GET", ["applications"]) => {
                assert!(query.contains("isThirdParty=true"), "{query}");
                (200, apps.iter().map(|(id, app)| stored(id, app)).collect())
            }
            ("POST", ["applications"]) => {
                assert_eq!(body["isThirdParty"], true);
                assert_eq!(body["oidcClientMetadata"]["postLogoutRedirectUris"], json!([]));
                let id = format!("app-{}", apps.len() + 1);
                let app = App {
                    name: body["name"].as_str().unwrap().to_owned(),
                    mark: body["customData"]["registrar"].as_str().unwrap().to_owned(),
                    created_at: NOW,
                    redirect_uris: body["oidcClientMetadata"]["redirectUris"].clone(),
                    is_confidential: body["type"] == "Traditional",
                    secrets: if body["type"] == "Traditional" { vec!["Default secret".to_owned()] } else { vec![] },
                    ..App::default()
                };
                let answer = stored(&id, &app);
                apps.insert(id, app);
                (200, answer)
            }
            ("GET", ["logs"]) => (200, self.logged(query)),
            (_, ["applications", id, rest @ ..]) => {
                let Some(app) = apps.get_mut(*id) else { return recorded("app", "get_unknown") };
                match (method, rest) {
                    ("GET", []) => (200, stored(id, app)),
                    ("DELETE", []) => {
                        apps.remove(*id);
                        (204, Value::Null)
                    }
                    ("PATCH", []) => {
                        app.name = body["name"].as_str().unwrap().to_owned();
                        app.redirect_uris = body["oidcClientMetadata"]["redirectUris"].clone();
                        (200, stored(id, app))
                    }
                    ("PATCH", ["custom-data"]) => {
                        app.mark = body["registrar"].as_str().unwrap().to_owned();
                        (200, json!({"registrar": app.mark}))
                    }
                    ("GET", ["user-consent-scopes"]) => {
                        let (status, mut body) = recorded("app", "consent_scopes_get");
                        body["userScopes"] = json!(app.user_scopes);
                        body["resourceScopes"][0]["scopes"] =
                            app.resource_scopes.iter().map(|id| json!({"id": id})).collect();
                        (status, body)
                    }
                    ("POST", ["user-consent-scopes"]) => {
                        app.user_scopes.extend(strings(&body["userScopes"]));
                        app.resource_scopes.extend(strings(&body["resourceScopes"]));
                        for scopes in [&mut app.user_scopes, &mut app.resource_scopes] {
                            scopes.sort();
                            scopes.dedup();
                        }
                        recorded("app", "consent_scopes_add")
                    }
                    ("DELETE", ["user-consent-scopes", "user-scopes", name]) => {
                        app.user_scopes.retain(|known| known != name);
                        recorded("app", "consent_scopes_delete_user_scope")
                    }
                    ("DELETE", ["user-consent-scopes", "resource-scopes", id]) => {
                        app.resource_scopes.retain(|known| known != id);
                        recorded("app", "consent_scopes_delete_resource_scope")
                    }
                    ("PUT", ["sign-in-experience"]) => {
                        app.branding = body.clone();
                        recorded("app", "branding_first_put")
                    }
                    ("GET", ["secrets"]) => (200, app.secrets.iter().map(|name| self.secret(name)).collect()),
                    ("POST", ["secrets"]) if !app.is_confidential => recorded("app", "secret_on_native"),
                    ("POST", ["secrets"]) => {
                        let name = body["name"].as_str().unwrap().to_owned();
                        if app.secrets.contains(&name) {
                            return recorded("app", "secret_name_taken");
                        }
                        let secret = self.secret(&name);
                        app.secrets.push(name);
                        let (status, recorded) = recorded("app", "secret_create");
                        let mut body = recorded;
                        for member in ["name", "value", "createdAt"] {
                            body[member] = secret[member].clone();
                        }
                        (status, body)
                    }
                    ("DELETE", ["secrets", name]) => {
                        let name = name.replace("%20", " ");
                        app.secrets.retain(|known| *known != name);
                        recorded("app", "secret_delete")
                    }
                    _ => panic!("{method} {path}"),
                }
            }
            _ => panic!("{method} {path}"),
        }
    }

    /// A secret with the time at which it was first seen, which is when it was made.
    fn secret(&self, name: &str) -> Value {
        let mut made = self.secrets_made.borrow_mut();
        let next = 1 + made.len() as u64;
        let created_at = *made.entry(name.to_owned()).or_insert(next);
        json!({"name": name, "value": format!("value of {name}"), "createdAt": created_at, "expiresAt": null})
    }

    /// A page of the audit log, newest first: entries after `start_time` and up to `end_time`.
    fn logged(&self, query: &str) -> Value {
        let of = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let number = |name: &str| of(name).map(|text| text.parse::<u64>().unwrap());
        let (after, until) = (number("start_time").unwrap_or(0), number("end_time").unwrap_or(u64::MAX));
        let logs = self.logs.borrow();
        let mut found: Vec<&Value> = logs.as_array().map(|logs| logs.iter().collect()).unwrap_or_default();
        let at = |entry: &Value| entry["createdAt"].as_u64().unwrap();
        found.retain(|entry| of("logKey").is_none_or(|key| entry["key"] == key));
        found.retain(|entry| at(entry) > after && at(entry) <= until);
        found.sort_by_key(|entry| std::cmp::Reverse(at(entry)));
        let position = |name: &str| usize::try_from(number(name).unwrap()).unwrap();
        let (page, size) = (position("page"), position("page_size"));
        assert!(size <= 100, "Logto gives no more");
        found.into_iter().skip((page - 1) * size).take(size).cloned().collect()
    }

    /// Somebody removes every application, not through us.
    pub(crate) fn forget(&self) {
        self.apps.borrow_mut().clear();
    }

    fn ids(&self) -> Vec<String> {
        self.apps.borrow().keys().cloned().collect()
    }
}

fn logto() -> Logto {
    Logto::new(Tenant {
        api: API.to_owned(),
        indicator: "https://tenant.example/api".to_owned(),
        client_id: "machine".to_owned(),
        client_secret: Secret::new("machine-secret"),
        mcp_resource: "https://mcp.example.dev/mcp".to_owned(),
    })
}

fn agent() -> Application {
    Application {
        name: "SmartMail AI".to_owned(),
        description: "third-party agent".to_owned(),
        kind: ApplicationType::Traditional,
        redirect_uris: vec!["https://agent.example.dev/cb".to_owned()],
        ceiling: Scopes::parse("openid profile whoami:read"),
        logo: Some("https://agent.example.dev/logo.png".to_owned()),
        terms: None,
        privacy: None,
    }
}

/// Runs a future that never waits for anything outside of this thread.
fn run<T>(future: impl Future<Output = T>) -> T {
    block_on(future)
}

fn create(world: &World, logto: &Logto) -> Result<super::super::Created, ProviderError> {
    run(logto.at(world, TOKEN_ENDPOINT, NOW).create(&agent(), "attempt-1")).map_err(|not_created| not_created.error)
}

impl super::LogtoApplications<'_, World> {
    /// Looks the permissions up, so that the next call is the creation.
    async fn consent_for_test(&self) {
        let _ = self.update("nobody", &agent(), &agent()).await;
    }
}

/// Everything until now.
const ALWAYS: Period = Period { from: 0, until_ms: None };
