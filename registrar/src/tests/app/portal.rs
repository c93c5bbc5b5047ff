//! The portal: what a developer who is signed in may do, and what others may not.

use mcp_edge_sign_in::session::Session;

use super::*;
use crate::portal::session::{sealer, sessions};

pub const SECRET: &str = "0123456789abcdef0123456789abcdef";

pub const PORTAL: [(&str, &str); 3] =
    [("PORTAL_CLIENT_ID", "portal"), ("PORTAL_CLIENT_SECRET", "portal-secret"), ("SESSION_SECRET", SECRET)];

/// The fields of a good form.
pub const FORM: [(&str, &str); 4] = [
    ("client_name", "My Agent"),
    ("kind", "server"),
    ("redirect_uris", "https://agent.example.com/cb"),
    ("scope", "whoami:read"),
];

/// A browser with a session.
pub struct Browser {
    pub deployed: Deployed,
    cookie: String,
    csrf: String,
}

impl Browser {
    /// The browser of a developer.
    pub fn of(deployed: Deployed, subject: &str) -> Self {
        let runtime = deployed.outside.world;
        let session = Session::new(ISSUER.to_owned(), subject.to_owned(), "Alice <b>".to_owned(), &runtime);
        let sessions = sessions(sealer(&crate::secret::Secret::new(SECRET), RESOURCE));
        let cookie = sessions.begun(&session, deployed.now(), &runtime);
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Self { deployed, cookie, csrf: session.csrf().to_owned() }
    }

    /// The developer Alice at a new deployment.
    pub fn new() -> Self {
        Self::of(deploy(&PORTAL), "alice")
    }

    pub fn get(&self, path: &str) -> app::Handled {
        self.deployed.send("GET", path, &[("cookie", &self.cookie)], "")
    }

    /// Sends a form of the session's with these fields and headers.
    pub fn post_with(&self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> app::Handled {
        let encode = mcp_edge_oauth::client_authentication::form_encode;
        let all = fields.iter().map(|(name, value)| format!("{name}={}", encode(value)));
        let body = all.collect::<Vec<_>>().join("&");
        let headers: Vec<_> = headers.iter().copied().chain([("cookie", &*self.cookie)]).collect();
        self.deployed.send("POST", path, &headers, &body)
    }

    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> app::Handled {
        let fields: Vec<_> = fields.iter().copied().chain([("csrf", &*self.csrf)]).collect();
        self.post_with(path, &fields, &[("origin", HOST), ("sec-fetch-site", "same-origin")])
    }

    /// Makes the good application, and returns its page.
    pub fn create(&self, once: &str) -> String {
        let fields: Vec<_> = FORM.iter().copied().chain([("once", once)]).collect();
        let handled = self.post("/applications", &fields);
        assert_eq!(handled.response.status, 200, "{}", handled.response.text());
        handled.response.text().to_owned()
    }
}

#[test]
fn an_application_is_made_shown_changed_and_removed() {
    let browser = Browser::new();
    assert!(browser.get("/").response.text().contains("You have none yet"));
    let page = browser.create("form-1");
    assert!(page.contains("Created.") && page.contains("value of Default secret"), "{page}");
    assert!(browser.get("/").response.text().contains(r#"href="/applications/app-1">My Agent</a>"#));
    let handled = browser.get("/applications/app-1");
    let (page, status) = (handled.response.text(), handled.response.status);
    assert_eq!((status, handled.record.get("client_id"), handled.record.get("sub")), (200, "app-1", "alice"));
    assert!(page.contains("<h1>My Agent</h1>") && !page.contains("value of"), "no secret is shown again");

    let changed = browser.post("/applications/app-1", &[("client_name", "Renamed"), FORM[2], FORM[3]]).response;
    assert_eq!((changed.status, changed.header("location")), (303, Some("/applications/app-1")));
    let record = browser.deployed.outside.world.record("app-1").expect("a record");
    assert_eq!(record.metadata.client_name, "Renamed");
    assert!(record.metadata.token_endpoint_auth_method.has_secret(), "its kind stays");

    let question = browser.get("/applications/app-1/delete").response;
    assert!(question.status == 200 && question.text().contains("Delete Renamed?"));
    assert!(browser.deployed.outside.world.record("app-1").is_some());
    let removed = browser.post("/applications/app-1/delete", &[]).response;
    assert_eq!((removed.status, removed.header("location")), (303, Some("/")));
    assert_eq!(browser.deployed.outside.world.record("app-1"), None);
    assert_eq!(browser.get("/applications/app-1").response.status, 404);
    // The log says who did it.
    let audit = browser.deployed.outside.world.audit.borrow();
    for event in ["client_updated", "client_removed"] {
        let is_by_alice = |line: &String| line.contains(event) && line.contains("developer:alice");
        assert!(audit.iter().any(is_by_alice), "{event}: {audit:?}");
    }
}

#[test]
fn a_form_that_is_sent_again_makes_no_second_application() {
    let browser = Browser::new();
    assert!(browser.create("form-1").contains("Created."));
    assert!(browser.create("form-1").contains("This form had created it already."));
    assert_eq!(browser.get("/applications/app-2").response.status, 404);
    assert!(browser.create("form-2").contains("Created."));
}

#[test]
fn a_change_keeps_what_forms_have_no_field_for() {
    let deployed = deploy(&PORTAL);
    let body = json!({
        "client_name": "Agent", "redirect_uris": ["https://agent.example.com/cb"], "scope": "whoami:read",
        "contacts": ["dev@example.com"], "software_id": "agent", "software_version": "1.2",
        "grant_types": ["authorization_code"], "token_endpoint_auth_method": "client_secret_post",
    });
    let (status, _) = deployed.call("POST", "/register", &access_token(deployed.now(), |_| ()), &body);
    assert_eq!(status, 201);
    let before = deployed.outside.world.record("app-1").expect("a record").metadata;
    let browser = Browser::of(deployed, "alice");
    assert_eq!(
        browser.post("/applications/app-1", &[("client_name", "Renamed"), FORM[2], FORM[3]]).response.status,
        303
    );
    let after = browser.deployed.outside.world.record("app-1").expect("a record").metadata;
    assert_eq!(after.client_name, "Renamed");
    assert_eq!(
        (&after.contacts, &after.software_id, &after.software_version, &after.grant_types),
        (&before.contacts, &before.software_id, &before.software_version, &before.grant_types)
    );
    assert!(!before.contacts.is_empty() && before.software_id.is_some() && before.software_version.is_some());
    assert_eq!(after.token_endpoint_auth_method, before.token_endpoint_auth_method);
}

#[test]
fn a_secret_is_replaced_once_for_each_form() {
    let browser = Browser::new();
    browser.create("form-1");
    let rotated = browser.post("/applications/app-1/secret", &[("once", "number-1")]).response;
    assert!(rotated.status == 200 && rotated.text().contains("The client secret was replaced"));
    assert!(rotated.text().contains(r#"<code id="secret">"#));
    assert_eq!(browser.post("/applications/app-1/secret", &[]).response.status, 404, "without a number");
    let public: Vec<_> =
        FORM.iter().map(|(name, value)| (*name, if *name == "kind" { "public" } else { *value })).collect();
    assert!(browser.post("/applications", &public).response.text().contains("Created."));
    assert_eq!(browser.post("/applications/app-2/secret", &[("once", "number-2")]).response.status, 404, "it has none");
}

#[test]
fn somebody_elses_application_is_as_unknown_as_one_that_does_not_exist() {
    let alice = Browser::new();
    alice.create("form-1");
    let bob = Browser::of(alice.deployed, "bob");
    for path in ["/applications/app-1", "/applications/app-1/delete", "/applications/nobody", "/applications/a.b"] {
        let response = bob.get(path).response;
        assert!(response.status == 404 && response.text().contains("or it is not yours"), "{path}");
    }
    for path in ["/applications/app-1", "/applications/app-1/delete", "/applications/app-1/secret"] {
        assert_eq!(bob.post(path, &[FORM[0], FORM[2], ("once", "1")]).response.status, 404, "{path}");
    }
    assert!(bob.get("/").response.text().contains("You have none yet"));
    assert_eq!(
        bob.deployed.outside.world.record("app-1").map(|record| record.metadata.client_name),
        Some("My Agent".into())
    );
}

#[test]
fn a_form_is_accepted_only_from_our_own_pages() {
    let browser = Browser::new();
    browser.create("form-1");
    let csrf = ("csrf", &*browser.csrf);
    for (fields, headers, status) in [
        (vec![csrf], vec![], 303),
        (vec![csrf], vec![("origin", HOST)], 303),
        (vec![csrf], vec![("sec-fetch-site", "none")], 303),
        (vec![csrf], vec![("origin", "https://evil.example")], 403),
        (vec![csrf], vec![("origin", HOST), ("sec-fetch-site", "same-site")], 403),
        (vec![csrf], vec![("sec-fetch-site", "cross-site")], 403),
        (vec![csrf], vec![("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")], 403),
        (vec![], vec![("origin", HOST), ("sec-fetch-site", "same-origin")], 403),
        (vec![("csrf", "guess")], vec![("origin", HOST)], 403),
    ] {
        let fields: Vec<_> = fields.into_iter().chain([FORM[0], FORM[2], FORM[3]]).collect();
        let response = browser.post_with("/applications/app-1", &fields, &headers).response;
        assert_eq!(response.status, status, "{fields:?} {headers:?}");
        assert!(status == 303 || response.text().contains("was not sent by this site"), "{headers:?}");
    }
    let response = browser.deployed.send("DELETE", "/applications/app-1", &[("cookie", &browser.cookie)], "").response;
    assert_eq!((response.status, response.header("allow")), (405, Some("GET, POST")));
    for path in ["/nowhere", "/applications/app-1/nowhere"] {
        assert_eq!(browser.get(path).response.status, 404, "{path}");
    }
}

#[test]
fn signed_out_there_is_the_way_in_and_nothing_else() {
    let deployed = deploy(&PORTAL);
    let welcome = deployed.send("GET", "/", &[], "").response;
    assert!(welcome.status == 200 && welcome.text().contains("Sign in as a developer"));
    for path in ["/applications/new", "/applications/app-1", "/nowhere"] {
        let response = deployed.send("GET", path, &[], "").response;
        assert_eq!((response.status, response.header("location")), (303, Some("/sign-in")), "{path}");
    }
    let lost = deployed.send("POST", "/applications", &[("origin", HOST)], "client_name=x").response;
    assert!(lost.status == 403 && lost.text().contains("You were signed out meanwhile"));
    assert_eq!(lost.header("set-cookie"), None);
    // Signing out twice: the next sign-in asks, unless a page of somebody else's sent this.
    let out = deployed.send("POST", "/sign-out", &[("origin", HOST)], "").response;
    assert_eq!(out.status, 403);
    let cookie = out.header("set-cookie").unwrap_or_default();
    assert!(cookie.starts_with("sign-in-asks=1;") && cookie.ends_with("Max-Age=2592000"), "a month: {cookie}");
    let foreign = deployed.send("POST", "/sign-out", &[("origin", "https://evil.example")], "").response;
    assert_eq!((foreign.status, foreign.header("set-cookie")), (403, None));
    for (path, media_type) in
        [("/portal.css", "text/css; charset=utf-8"), ("/portal.js", "text/javascript; charset=utf-8")]
    {
        let response = deployed.send("GET", path, &[], "").response;
        assert_eq!((response.status, response.header("content-type")), (200, Some(media_type)));
        assert!(!response.text().is_empty());
    }
}

#[test]
fn signing_out_ends_both_sessions() {
    let browser = Browser::new();
    let response = browser.post("/sign-out", &[]).response;
    let cookies: Vec<_> =
        response.headers.iter().filter(|(name, _)| *name == "set-cookie").map(|(_, value)| value.as_ref()).collect();
    assert!(cookies[0].starts_with("__Host-session=;") && cookies[1].starts_with("sign-in-asks=1;"), "{cookies:?}");
    let home = "https%3A%2F%2Fapps.example.com%2F";
    let end = format!("{ISSUER}/session/end?client_id=portal&amp;post_logout_redirect_uri={home}");
    assert!(response.status == 200 && response.text().contains(&format!("url={end}")), "{}", response.text());
    // A provider that does not offer it.
    let browser = Browser::new();
    browser.deployed.outside.discovery.borrow_mut()["end_session_endpoint"] = Value::Null;
    let response = browser.post("/sign-out", &[]).response;
    assert_eq!((response.status, response.header("location")), (303, Some("/")));
}

#[test]
fn an_outage_of_the_provider_is_shown_as_one() {
    let browser = Browser::new();
    browser.deployed.outside.is_down.set(true);
    let fields: Vec<_> = FORM.iter().copied().chain([("once", "form-1")]).collect();
    let handled = browser.post("/applications", &fields);
    assert_eq!((handled.response.status, handled.response.header("retry-after")), (503, Some("10")));
    assert!(handled.record.get("detail").contains("connection refused"), "{}", handled.record.get("detail"));
    // Not found is no failure, so the log has nothing to explain; an application that has ended is one.
    assert_eq!(browser.get("/applications/nobody").record.get("detail"), "");
    browser.deployed.outside.is_down.set(false);
    browser.deployed.outside.world.now.set(browser.deployed.now() + 60);
    browser.create("form-2");
    browser.deployed.outside.tenant.forget();
    let handled = browser.post("/applications/app-1", &[FORM[0], FORM[2], FORM[3]]);
    assert_eq!(handled.response.status, 404);
    assert!(handled.record.get("detail").contains("no such client"), "{}", handled.record.get("detail"));
}
