//! Logto natively: a tenant in memory that answers with what a real one was recorded to answer, and fails on demand.

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
use mcp_edge_runtime::ports::Fetch;
use mcp_edge_runtime::ports::FetchError;
use mcp_edge_runtime::ports::HttpRequest;
use mcp_edge_runtime::ports::HttpResponse;
use mcp_edge_runtime::ports::RequestContent;
use mcp_edge_runtime::ports::Runtime;
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
struct World {
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
        match self.longest_answer.get().filter(|longest| body.len() > *longest) {
            Some(longest) => Err(FetchError::TooLarge(longest)),
            None => Ok(HttpResponse { status, challenge: String::new(), body }),
        }
    }
}

fn texts(value: &Value) -> Vec<String> {
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
                        app.user_scopes.extend(texts(&body["userScopes"]));
                        app.resource_scopes.extend(texts(&body["resourceScopes"]));
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

#[test]
fn an_application_is_made_with_everything_that_belongs_to_it() {
    let (world, logto) = (World::default(), logto());
    let created = create(&world, &logto).unwrap();
    assert_eq!(created.secret.unwrap().expose(), "value of Default secret");
    assert_eq!(
        *world.calls.borrow(),
        [
            "GET /resources?includeScopes=true&page=1&page_size=100",
            "POST /applications",
            "POST /applications/app-1/user-consent-scopes",
            "PUT /applications/app-1/sign-in-experience",
            "GET /applications/app-1/secrets",
        ]
    );
    let apps = world.apps.borrow();
    let app = &apps["app-1"];
    assert_eq!(app.redirect_uris, json!(["https://agent.example.dev/cb"]));
    assert_eq!(
        (app.user_scopes.as_slice(), app.resource_scopes.as_slice()),
        (&["profile".to_owned()][..], &["scope-whoami".to_owned()][..])
    );
    assert_eq!(app.branding["branding"]["logoUrl"], "https://agent.example.dev/logo.png");
    assert_eq!(app.mark, "pending attempt-1");
}

#[test]
fn a_confirmed_application_is_not_marked_as_unfinished() {
    let (world, logto) = (World::default(), logto());
    let created = create(&world, &logto).unwrap();
    run(logto.at(&world, TOKEN_ENDPOINT, NOW).confirm(&created.client_id)).unwrap();
    assert_eq!(world.apps.borrow()["app-1"].mark, "complete");
    let later = logto.at(&world, TOKEN_ENDPOINT, NOW + 3000);
    assert_eq!(run(later.remove_abandoned(false)), Ok(vec![]));
}

#[test]
fn a_public_client_has_no_secret() {
    let (world, logto) = (World::default(), logto());
    let native = Application { kind: ApplicationType::Native, ..agent() };
    let created = run(logto.at(&world, TOKEN_ENDPOINT, NOW).create(&native, "attempt-1")).unwrap();
    assert_eq!(created.secret, None);
    assert_eq!(run(logto.at(&world, TOKEN_ENDPOINT, NOW).secret("app-1")), Ok(None));
}

/// The heart of "all or nothing": every call of a creation fails in every way, once and for good.
#[test]
fn a_fault_at_any_step_of_a_creation_leaves_nothing_behind() {
    let steps = {
        let world = World::default();
        create(&world, &logto()).unwrap();
        world.calls.borrow().len()
    };
    assert_eq!(steps, 5);
    for fault in
        [Fault::Status(500), Fault::Status(503), Fault::Status(429), Fault::Status(422), Fault::Down, Fault::LostAnswer]
    {
        for step in 0..steps {
            // Four in a row use up the first try and its three repetitions; a refusal is not repeated. Then the way
            // back is open.
            let last = if fault == Fault::Status(422) { step } else { step + 3 };
            let world = World { faults: Cell::new(Some((step, last, fault))), ..World::default() };
            match create(&world, &logto()) {
                Ok(created) => assert_eq!(world.ids(), [created.client_id], "{fault:?} at {step}"),
                Err(_) => assert_eq!(world.ids(), [""; 0], "{fault:?} at {step}: {:?}", world.calls.borrow()),
            }
        }
    }
}

#[test]
fn a_failed_creation_tells_what_was_begun() {
    let begun = |step: usize, fault| {
        let world = World { faults: Cell::new(Some((step, step + 3, fault))), ..World::default() };
        run(logto().at(&world, TOKEN_ENDPOINT, NOW).create(&agent(), "attempt-1")).unwrap_err().begun
    };
    // (1) and (2): looking permissions up, and a creation that was refused.
    assert_eq!((begun(0, Fault::Status(500)), begun(1, Fault::Status(422))), (None, None));
    for step in 2..5 {
        assert_eq!(begun(step, Fault::Status(500)).as_deref(), Some("app-1"), "{step}");
    }
}

#[test]
fn one_fault_is_got_over_wherever_repeating_is_safe() {
    for step in [0, 2, 3, 4] {
        for fault in [Fault::Status(500), Fault::Status(429), Fault::Down, Fault::LostAnswer] {
            let world = World { faults: Cell::new(Some((step, step, fault))), ..World::default() };
            assert!(create(&world, &logto()).is_ok(), "{fault:?} at {step}");
            assert_eq!(world.ids().len(), 1, "{fault:?} at {step}");
        }
    }
    // The creation itself is repeated after a 429 only: otherwise there might be two.
    let world = World { faults: Cell::new(Some((1, 1, Fault::Status(429)))), ..World::default() };
    assert!(create(&world, &logto()).is_ok());
    for fault in [Fault::Status(500), Fault::LostAnswer] {
        let world = World { faults: Cell::new(Some((1, 1, fault))), ..World::default() };
        assert!(create(&world, &logto()).is_err() && world.ids().is_empty(), "{fault:?}");
    }
}

#[test]
fn what_an_outage_leaves_behind_is_removed_by_the_next_run() {
    // From the third call on nothing works any more, the removal included.
    let (world, logto) = (World { faults: Cell::new(Some((2, usize::MAX, Fault::Down))), ..World::default() }, logto());
    assert!(create(&world, &logto).is_err());
    assert_eq!(world.ids(), ["app-1"]);
    world.faults.set(None);
    let at = |now| logto.at(&world, TOKEN_ENDPOINT, now);
    assert_eq!(run(at(NOW + 60).remove_abandoned(false)), Ok(vec![]), "its registration may still go on");
    assert_eq!(run(at(NOW + 1000).remove_abandoned(true)), Ok(vec!["app-1".to_owned()]));
    assert_eq!(world.ids(), ["app-1"], "a dry run removes nothing");
    assert_eq!(run(at(NOW + 1000).remove_abandoned(false)), Ok(vec!["app-1".to_owned()]));
    assert!(world.ids().is_empty());
}

#[test]
fn only_what_carries_our_mark_is_abandoned() {
    let (world, logto) = (World::default(), logto());
    for (id, mark) in [("by-hand", ""), ("ours", "complete"), ("odd", "pendingx")] {
        let app = App { mark: mark.to_owned(), created_at: NOW - 100_000, ..App::default() };
        world.apps.borrow_mut().insert(id.to_owned(), app);
    }
    assert_eq!(run(logto.at(&world, TOKEN_ENDPOINT, NOW).remove_abandoned(false)), Ok(vec![]));
    assert_eq!(world.ids().len(), 3);
}

#[test]
fn repetitions_are_few_and_further_and_further_apart() {
    let world = World { faults: Cell::new(Some((0, usize::MAX, Fault::Status(429)))), ..World::default() };
    let error = create(&world, &logto()).unwrap_err();
    assert!(matches!(&error, ProviderError::Unavailable(detail) if detail.contains("429")), "{error}");
    assert_eq!(world.calls.borrow().len(), 4);
    let slept: Vec<_> = world.slept.borrow().iter().map(Duration::as_millis).collect();
    assert_eq!(slept, [250, 1000, 3000]);
}

#[test]
fn the_machine_token_is_kept_until_shortly_before_it_expires() {
    let (world, logto) = (World::default(), logto());
    for (now, tokens) in [(NOW, 1), (NOW + 3539, 1), (NOW + 3540, 2)] {
        run(logto.at(&world, TOKEN_ENDPOINT, now).secret("app-1")).unwrap_err();
        assert_eq!(world.tokens_issued.get(), tokens, "{now}");
    }
}

#[test]
fn a_refused_machine_token_is_renewed_once() {
    let (world, logto) = (World::default(), logto());
    world.scripted.borrow_mut().push(recorded("auth", "key_rotated_away"));
    assert!(create(&world, &logto).is_ok());
    assert_eq!(world.tokens_issued.get(), 2);

    let world = World { scripted: RefCell::new(vec![recorded("auth", "wrong_audience"); 9]), ..World::default() };
    let error = create(&world, &self::logto()).unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
    assert_eq!(world.tokens_issued.get(), 2, "not a third time");
    assert!(!error.to_string().contains("alice"), "the answer repeats the token's claims: {error}");
}

#[test]
fn wrong_settings_are_called_that() {
    for (answer, mend) in [
        ((401, json!({"error": "invalid_client"})), "MANAGEMENT_CLIENT_SECRET"),
        ((400, json!({"error": "invalid_target"})), "MANAGEMENT_RESOURCE"),
        ((200, json!({"access_token": "x", "expires_in": 3600})), "role for Management API access"),
    ] {
        let world = World { token_answer: RefCell::new(Some(answer)), ..World::default() };
        let error = create(&world, &logto()).unwrap_err();
        assert!(matches!(&error, ProviderError::Misconfigured(detail) if detail.contains(mend)), "{error}");
        assert!(!error.to_string().contains("machine-secret"));
    }
    let world = World { scripted: RefCell::new(vec![recorded("auth", "without_scope_all")]), ..World::default() };
    assert!(matches!(create(&world, &logto()).unwrap_err(), ProviderError::Misconfigured(_)));

    let unknown = Application { ceiling: Scopes::parse("nope:read"), ..agent() };
    let world = World::default();
    let error = run(logto().at(&world, TOKEN_ENDPOINT, NOW).create(&unknown, "a")).unwrap_err().error;
    assert!(error.to_string().contains("\"nope:read\"") && world.ids().is_empty(), "{error}");
}

#[test]
fn what_logto_says_of_our_own_client_leads_to_its_fix() {
    for (name, fix) in [
        ("wrong secret", "check MANAGEMENT_CLIENT_ID and MANAGEMENT_CLIENT_SECRET"),
        ("unknown client", "check MANAGEMENT_CLIENT_ID and MANAGEMENT_CLIENT_SECRET"),
        ("public client", "check MANAGEMENT_CLIENT_ID and MANAGEMENT_CLIENT_SECRET"),
        ("secret has expired", "MANAGEMENT_CLIENT_SECRET has expired"),
        ("unknown resource", "MANAGEMENT_RESOURCE = \"https://tenant.example/api\" is not known to the provider"),
        ("without the role", "role for Management API access"),
    ] {
        let world = World { token_answer: RefCell::new(Some(recorded("token", name))), ..World::default() };
        let error = create(&world, &logto()).unwrap_err();
        assert!(matches!(&error, ProviderError::Misconfigured(detail) if detail.contains(fix)), "{name}: {error}");
    }
}

#[test]
fn a_status_without_an_oauth_error_says_nothing_about_our_client() {
    for (status, body) in [(401, json!("<html>")), (403, json!({})), (404, json!({"message": "x"})), (400, json!(null))]
    {
        let world = World { token_answer: RefCell::new(Some((status, body))), ..World::default() };
        let error = create(&world, &logto()).unwrap_err();
        assert!(matches!(&error, ProviderError::Unavailable(_)), "{status}: {error}");
    }
}

#[test]
fn a_refusal_names_the_code_and_the_members_and_nothing_else() {
    for (name, text) in [
        ("error_not_a_url", "POST /applications: 400 guard.invalid_input oidcClientMetadata.redirectUris.0"),
        ("error_machine_to_machine", "POST /applications: 400 application.invalid_third_party_application_type"),
        ("error_name_too_long", "POST /applications: 400 guard.invalid_input name"),
    ] {
        let world = World::default();
        let logto = logto();
        run(logto.at(&world, TOKEN_ENDPOINT, NOW).consent_for_test());
        world.scripted.borrow_mut().push(recorded("create", name));
        assert_eq!(create(&world, &logto), Err(ProviderError::Refused(text.to_owned())));
    }
}

impl super::LogtoNow<'_, World> {
    /// Looks the permissions up, so that the next call is the creation.
    async fn consent_for_test(&self) {
        let _ = self.update("nobody", &agent(), &agent()).await;
    }
}

#[test]
fn an_update_changes_addresses_scopes_and_branding() {
    let (world, logto) = (World::default(), logto());
    create(&world, &logto).unwrap();
    let after = Application {
        name: "SmartMail 2".to_owned(),
        redirect_uris: vec!["https://agent.example.dev/cb2".to_owned()],
        ceiling: Scopes::parse("email todos:write"),
        logo: None,
        ..agent()
    };
    run(logto.at(&world, TOKEN_ENDPOINT, NOW).update("app-1", &agent(), &after)).unwrap();
    let apps = world.apps.borrow();
    let app = &apps["app-1"];
    assert_eq!((app.name.as_str(), &app.redirect_uris), ("SmartMail 2", &json!(["https://agent.example.dev/cb2"])));
    assert_eq!(
        (app.user_scopes.as_slice(), app.resource_scopes.as_slice()),
        (&["email".to_owned()][..], &["scope-todos".to_owned()][..])
    );
    assert_eq!(app.branding["branding"], json!({}));
}

#[test]
fn an_update_takes_away_what_another_location_has_granted_meanwhile() {
    let (world, logto) = (World::default(), logto());
    create(&world, &logto).unwrap();
    {
        let mut apps = world.apps.borrow_mut();
        let app = apps.get_mut("app-1").unwrap();
        app.user_scopes.push("email".to_owned());
        app.resource_scopes.push("scope-todos".to_owned());
    }
    // What this location has read knows nothing of it.
    let after = Application { name: "SmartMail 2".to_owned(), ..agent() };
    run(logto.at(&world, TOKEN_ENDPOINT, NOW).update("app-1", &agent(), &after)).unwrap();
    let apps = world.apps.borrow();
    let app = &apps["app-1"];
    assert_eq!((app.user_scopes.join(" "), app.resource_scopes.join(" ")), ("profile".into(), "scope-whoami".into()));
}

#[test]
fn the_api_resource_is_found_among_many() {
    let (world, logto) = (World::default(), logto());
    let many: Vec<Value> =
        (0..100).map(|n| json!({"id": n, "indicator": format!("https://{n}.example/"), "scopes": []})).collect();
    world.scripted.borrow_mut().push((200, Value::Array(many)));
    create(&world, &logto).unwrap();
    assert_eq!(world.calls.borrow()[1], "GET /resources?includeScopes=true&page=2&page_size=100");
}

#[test]
fn a_failed_update_is_taken_back() {
    let after = Application {
        redirect_uris: vec!["https://agent.example.dev/cb2".to_owned()],
        ceiling: Scopes::parse("email"),
        ..agent()
    };
    let steps = 5..10;
    for step in steps {
        let (world, logto) = (World::default(), logto());
        create(&world, &logto).unwrap();
        world.faults.set(Some((step, step + 3, Fault::LostAnswer)));
        let outcome = run(logto.at(&world, TOKEN_ENDPOINT, NOW).update("app-1", &agent(), &after));
        let apps = world.apps.borrow();
        let app = &apps["app-1"];
        let (uri, scope) = if outcome.is_ok() { ("cb2", "email") } else { ("cb", "profile") };
        assert_eq!(app.redirect_uris, json!([format!("https://agent.example.dev/{uri}")]), "step {step}");
        assert_eq!(app.user_scopes, [scope], "step {step}");
    }
}

#[test]
fn a_rotation_leaves_one_secret_the_new_one_or_after_a_failure_the_old_one() {
    let rotate = |world: &World, logto: &Logto| run(logto.at(world, TOKEN_ENDPOINT, NOW).rotate_secret("app-1", "n1"));
    let (world, logto) = (World::default(), logto());
    create(&world, &logto).unwrap();
    assert_eq!(rotate(&world, &logto).unwrap().expose(), "value of n1");
    assert_eq!(world.apps.borrow()["app-1"].secrets, ["n1"]);
    assert_eq!(rotate(&world, &logto).unwrap().expose(), "value of n1", "the same rotation once more");

    for step in 5..8 {
        for fault in [Fault::Status(500), Fault::LostAnswer] {
            let (world, logto) = (World::default(), self::logto());
            create(&world, &logto).unwrap();
            world.faults.set(Some((step, step + 3, fault)));
            let outcome = rotate(&world, &logto);
            let secrets = world.apps.borrow()["app-1"].secrets.clone();
            match outcome {
                Ok(_) => assert_eq!(secrets, ["n1"], "{fault:?} at {step}"),
                Err(_) if fault == Fault::LostAnswer => {}
                Err(_) => assert!(secrets.contains(&"Default secret".to_owned()), "{fault:?} at {step}: {secrets:?}"),
            }
            assert!(!secrets.is_empty(), "{fault:?} at {step}");
        }
    }
}

#[test]
fn removing_what_is_gone_is_no_failure() {
    let (world, logto) = (World::default(), logto());
    create(&world, &logto).unwrap();
    let at = logto.at(&world, TOKEN_ENDPOINT, NOW);
    assert_eq!((run(at.remove("app-1")), run(at.remove("app-1"))), (Ok(()), Ok(())));
}

#[test]
fn only_logto_says_that_an_application_is_gone() {
    // A wrong address answers with 404, too, and a run that believed it would forget every client.
    for body in [json!("Not Found"), json!({"code": "session.not_found"}), json!({})] {
        let (world, logto) = (World::default(), logto());
        create(&world, &logto).unwrap();
        let at = logto.at(&world, TOKEN_ENDPOINT, NOW);
        let answer = || world.scripted.borrow_mut().push((404, body.clone()));
        answer();
        let error = run(at.usage("app-1", ALWAYS)).unwrap_err();
        assert!(matches!(&error, ProviderError::Misconfigured(detail) if detail.contains("MANAGEMENT_API")), "{error}");
        answer();
        assert!(matches!(run(at.remove("app-1")), Err(ProviderError::Misconfigured(_))), "{body}");
        assert_eq!(world.ids(), ["app-1"]);
    }
}

/// Everything until now.
const ALWAYS: Period = Period { from: 0, until_ms: None };

fn entry(result: &str, ms: u64) -> Value {
    json!({"id": "x", "key": "ExchangeTokenBy.AuthorizationCode", "payload": {"result": result}, "createdAt": ms})
}

fn usage(world: &World, period: Period) -> Result<LogReading, ProviderError> {
    run(logto().at(world, TOKEN_ENDPOINT, NOW).usage("app-1", period))
}

#[test]
fn the_last_sign_in_is_the_newest_success_in_the_log() {
    let (world, logto) = (World::default(), logto());
    create(&world, &logto).unwrap();
    let last = || usage(&world, ALWAYS).map(|reading| reading.last_success);
    let entry = |result: &str, seconds: u64| entry(result, seconds * 1000 + 7);
    *world.logs.borrow_mut() = json!([]);
    assert_eq!(last(), Ok(None));
    *world.logs.borrow_mut() = json!([entry("Error", NOW - 1), entry("Success", NOW - 5), entry("Success", NOW - 50)]);
    assert_eq!(last(), Ok(Some(NOW - 5)));
    world.apps.borrow_mut().clear();
    assert_eq!(last(), Err(ProviderError::Gone));
}

#[test]
fn the_last_sign_in_is_found_among_failures_or_is_not_known() {
    let world = World::default();
    create(&world, &logto()).unwrap();
    let end = NOW * 1000;
    let recent = Period { from: NOW - 86_400, until_ms: None };
    let log = |failures: u64, then: &str| {
        let mut entries: Vec<Value> = (0..failures).map(|n| entry("Error", end - n)).collect();
        entries.push(entry(then, end - failures));
        *world.logs.borrow_mut() = Value::Array(entries);
    };
    for failures in [0, 20, 99, 100, 199] {
        log(failures, "Success");
        let reading = LogReading { last_success: Some((end - failures) / 1000), ..LogReading::default() };
        assert_eq!(usage(&world, recent), Ok(reading), "{failures}");
    }
    for (failures, then) in [(200, "Success"), (5000, "Success"), (200, "Error"), (199, "Error")] {
        log(failures, then);
        let reading = LogReading { unread_until_ms: Some(end - 199), ..LogReading::default() };
        assert_eq!(usage(&world, recent), Ok(reading), "{failures} {then}");
    }
    // The next look goes on where this one ended, also if all came in the same millisecond.
    log(200, "Success");
    let rest = Period { until_ms: Some(end - 199), ..recent };
    assert_eq!(usage(&world, rest).unwrap().last_success, Some((end - 200) / 1000));
    let same = |result: &str| entry(result, end - 500_000);
    *world.logs.borrow_mut() = json!([same("Error"), same("Success")]);
    let rest = Period { until_ms: Some(end - 500_000), ..recent };
    assert_eq!(usage(&world, rest).unwrap().last_success, Some(NOW - 500));
    log(3, "Error");
    assert_eq!(usage(&world, recent), Ok(LogReading::default()), "there was certainly none");
}

#[test]
fn of_both_kinds_of_entries_the_newer_one_counts() {
    let world = World::default();
    create(&world, &logto()).unwrap();
    let end = NOW * 1000;
    let period = Period { from: NOW - 86_400, until_ms: None };
    let refreshed =
        |ms: u64| json!({"key": "ExchangeTokenBy.RefreshToken", "payload": {"result": "Success"}, "createdAt": ms});
    let failures = |newest: u64| (0..300).map(move |n| entry("Error", newest - n));
    // The failures that hide a code are older than a refresh: then it does not matter what they hide.
    *world.logs.borrow_mut() = failures(end - 5_000).chain([refreshed(end - 1_000)]).collect();
    assert_eq!(usage(&world, period), Ok(LogReading { last_success: Some(NOW - 1), ..LogReading::default() }));
    // They are newer: then the last success is at least that, and what they hide is to be read.
    *world.logs.borrow_mut() = failures(end).chain([refreshed(end - 5_000)]).collect();
    let reading = LogReading { last_success: Some(NOW - 5), unread_until_ms: Some(end - 199), forgotten_until: None };
    assert_eq!(usage(&world, period), Ok(reading));
}

#[test]
fn what_is_too_long_to_be_read_is_not_known() {
    let world = World::default();
    create(&world, &logto()).unwrap();
    let end = NOW * 1000;
    let period = Period { from: NOW - 86_400, until_ms: None };
    world.longest_answer.set(Some(50_000));
    let mut long = entry("Error", end - 1_000);
    long["payload"]["params"] = "x".repeat(60_000).into();
    *world.logs.borrow_mut() = json!([entry("Error", end), long, entry("Success", end - 2_000)]);
    let calls = world.calls.borrow().len();
    assert_eq!(usage(&world, period), Ok(LogReading { unread_until_ms: Some(end), ..LogReading::default() }));
    assert!(world.calls.borrow().len() - calls <= 6, "a short page is tried once: {:?}", world.calls.borrow());
}

#[test]
fn long_entries_are_read_in_short_pages_until_all_are_read() {
    let world = World::default();
    create(&world, &logto()).unwrap();
    world.longest_answer.set(Some(60_000));
    let long = |n: u64| {
        let mut entry = entry("Error", NOW * 1000 - n);
        entry["payload"]["params"] = "x".repeat(4_000).into();
        entry
    };
    *world.logs.borrow_mut() = (0..25).map(long).collect();
    let (mut until_ms, mut looks) = (None, 0);
    loop {
        let reading = usage(&world, Period { from: NOW - 86_400, until_ms }).unwrap();
        looks += 1;
        assert!(looks < 5, "no look gets further than {until_ms:?}");
        match reading.unread_until_ms {
            Some(unread) => until_ms = Some(unread),
            None => break,
        }
    }
    assert!(looks > 1, "not in one");
}

#[test]
fn what_the_provider_has_forgotten_may_have_been_used() {
    let world = World::default();
    create(&world, &logto()).unwrap();
    let days = |days: u64| NOW - days * 86_400;
    let period = |from: u64| Period { from, until_ms: None };
    *world.logs.borrow_mut() = json!([entry("Error", days(5) * 1000)]);
    assert_eq!(usage(&world, period(days(4))), Ok(LogReading::default()), "the log reaches back further");
    let forgotten = LogReading { forgotten_until: Some(days(2)), ..LogReading::default() };
    assert_eq!(usage(&world, period(days(6))), Ok(forgotten));
    assert_eq!(usage(&world, period(days(1))), Ok(LogReading::default()), "nobody forgets so fast");
}

#[test]
fn a_log_that_does_not_find_what_it_holds_proves_nothing() {
    let world = World::default();
    create(&world, &logto()).unwrap();
    let (_, app) = world.answer("GET", "/applications/app-1", &Value::Null);
    *world.scripted.borrow_mut() = vec![(200, app), (200, json!([entry("Error", NOW * 1000)])), (200, json!([]))];
    let error = usage(&world, ALWAYS).unwrap_err();
    assert!(matches!(&error, ProviderError::Unavailable(detail) if detail.contains("start_time")), "{error}");
}

#[test]
fn rotations_at_the_same_moment_leave_the_newest_secret() {
    for steps in 0..8 {
        for same_millisecond in [false, true] {
            let (world, logto) = (World::default(), logto());
            create(&world, &logto).unwrap();
            if same_millisecond {
                world.secrets_made.borrow_mut().extend([("n1".to_owned(), 5), ("n2".to_owned(), 5)]);
            }
            let at = logto.at(&world, TOKEN_ENDPOINT, NOW);
            let late = async {
                for _ in 0..steps {
                    others_go_on().await;
                }
                at.rotate_secret("app-1", "n2").await
            };
            let (one, other) = run(join(at.rotate_secret("app-1", "n1"), late));
            let left = world.apps.borrow()["app-1"].secrets.clone();
            assert!(left == ["n2"], "{steps} {same_millisecond}: {left:?}");
            assert_eq!(other.unwrap().expose(), "value of n2", "{steps}");
            assert!(["value of n1", "value of n2"].contains(&one.unwrap().expose()), "{steps}");
            assert_eq!(run(at.secret("app-1")).unwrap().unwrap().expose(), "value of n2");
        }
    }
}

#[test]
fn the_current_secret_is_the_newest_in_whatever_order_they_come() {
    let (world, logto) = (World::default(), logto());
    create(&world, &logto).unwrap();
    let secret = |name: &str, at: u64| json!({"name": name, "value": name, "createdAt": at});
    world.scripted.borrow_mut().push((200, json!([secret("b", 7), secret("c", 9), secret("a", 8)])));
    let current = run(logto.at(&world, TOKEN_ENDPOINT, NOW).secret("app-1")).unwrap().unwrap();
    assert_eq!(current.expose(), "c");
}
