//! Links: who may open them, and what opening them does.

use super::*;
use crate::key::message::State;

#[test]
fn opening_a_link_changes_nothing_and_says_nothing_to_a_stranger() {
    let (deployed, browser) = Connecting::with_link();
    for method in ["GET", "HEAD"] {
        let page = deployed.send(method, LINK, &[], "").response;
        assert_eq!((page.status, page.header("cache-control")), (200, Some("no-store")), "{method}");
        assert!(page.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
        for detail in ["GitHub", "claude", "repo:read", "issues", "alice"] {
            assert!(!page.text().contains(detail), "{detail}: {}", page.text());
        }
        assert_eq!(page.text().is_empty(), method == "HEAD");
        let signed_in = browser.send(method, LINK, &[], "").response;
        assert_eq!((signed_in.status, signed_in.text().is_empty()), (200, method == "HEAD"));
    }
    let page = deployed.send("GET", LINK, &[], "").response;
    assert!(
        page.text().contains(&format!("href=\"/account/sign-in?connect={ID}\"")) && page.text().contains("noindex")
    );
    assert!(deployed.changes("alice").is_empty() && deployed.servers.begun.borrow().is_empty());
    for method in ["PUT", "DELETE"] {
        let response = deployed.send(method, LINK, &[], "").response;
        assert_eq!((response.status, response.header("allow")), (405, Some("GET, HEAD, POST")));
    }
}

#[test]
fn a_sign_in_leads_back_to_the_link_and_nowhere_else() {
    let (deployed, _) = Connecting::with_link();
    for (query, location) in [
        (format!("?connect={ID}"), LINK),
        ("?to=connections".to_owned(), "/account/connections"),
        (String::new(), "/account/keys"),
        ("?connect=https://evil.example".to_owned(), "/account/keys"),
        ("?connect=//evil.example".to_owned(), "/account/keys"),
        ("?connect=..%2Fkeys".to_owned(), "/account/keys"),
        ("?to=https%3A%2F%2Fevil.example".to_owned(), "/account/keys"),
    ] {
        let browser = Browser::new(&deployed);
        assert_eq!(browser.sign_in_at(&format!("/account/sign-in{query}"), "alice"), location, "{query}");
    }
    // A sign-in that leads nowhere leads back, too.
    let browser = Browser::new(&deployed);
    let begun = browser.get(&format!("/account/sign-in?connect={ID}")).response;
    let sent = Form::parse(begun.header("location").unwrap().split_once('?').unwrap().1);
    let query = encode(&[("error", "access_denied"), ("state", sent.first("state")), ("iss", ISSUER)]);
    let page = browser.get(&format!("/account/callback?{query}")).response;
    assert!(page.status == 403 && page.text().contains(&format!("href=\"{LINK}\"")), "{}", page.text());
    assert!(page.text().contains("You did not agree at the provider") && !page.text().contains("key was made"));
}

#[test]
fn the_consent_says_who_asks_for_what_where_and_how_to_end_it() {
    let (deployed, browser) = Connecting::with_link();
    let page = browser.get(LINK).response;
    for text in [
        "<strong>claude.example</strong>",
        "<code>https://claude.example/oauth/client.json</code>",
        "GitHub &lt;b&gt;",
        "<code>api.github.example</code>",
        "<li><code>repo:read</code></li>",
        "<code>list_&lt;issues&gt;</code>",
        "Alice &lt;a&gt;",
        "You can end it at any time",
        "Not now",
    ] {
        assert!(page.text().contains(text), "{text}: {}", page.text());
    }
    assert!(!page.text().contains("user:read"), "nothing that was not asked for");
    for (agent, name) in [
        (Agent::Client("x1y2".to_owned()), "<strong>the agent with the id x1y2</strong>"),
        (
            Agent::Client("https://claude.example@evil.example/".to_owned()),
            "<strong>the agent with the id https://claude.example@evil.example/</strong>",
        ),
        (Agent::PersonalToken, "a personal access token of yours"),
        (Agent::Unnamed, "a program that your provider does not name"),
        (Agent::AccessKey("0000000000000000".to_owned()), "the access key 0000000000000000"),
    ] {
        deployed.link(agent);
        let page = browser.get(LINK).response;
        assert!(page.text().contains(name), "{name}: {}", page.text());
    }
    let key = browser.make(&FORM, "alice");
    deployed.link(Agent::AccessKey(id_of(&key).to_owned()));
    assert!(browser.get(LINK).response.text().contains("your access key “Nightly &lt;build&gt;”"));
    // The key of somebody else has no name here.
    deployed.outside.change_key(id_of(&key), |key| key.subject = "bob".to_owned());
    assert!(!browser.get(LINK).response.text().contains("Nightly"));
    assert_eq!(deployed.outside.state(id_of(&key)), Some(State::Active));
    assert!(deployed.changes("alice").is_empty());
}

#[test]
fn the_consent_names_all_that_the_service_is_asked_for() {
    let (deployed, browser) = Connecting::with_link();
    deployed.user("alice", |user| {
        let link = &mut user.links.get_mut(ID).unwrap().0;
        (link.connection, link.scopes) = ("drive".to_owned(), vec!["files:read".to_owned()]);
    });
    let page = browser.get(LINK).response;
    assert!(page.text().contains("<code>drive.example:8443</code>"), "{}", page.text());
    browser.agree(&[]);
    let asked = deployed.servers.begun.borrow()[0].1.clone();
    assert_eq!(asked, ["openid", "files:read", "offline_access"]);
    for scope in asked {
        assert!(page.text().contains(&format!("<li><code>{scope}</code></li>")), "{scope}: {}", page.text());
    }
    assert!(!page.text().contains("files:write"));
}

#[test]
fn a_link_of_another_user_connects_nothing_and_tells_nobody_anything() {
    let (deployed, alice) = Connecting::with_link();
    let bob = Browser::of(&deployed, "bob");
    let foreign = bob.get(LINK).response;
    assert!(
        foreign.status == 404 && foreign.text().contains("This link is not for this account"),
        "{}",
        foreign.text()
    );
    assert!(!foreign.text().contains("GitHub") && !foreign.text().contains("claude"));
    assert!(foreign.text().contains(&format!("/account/sign-in?connect={ID}&amp;prompt=login")));
    let another = bob.get(&format!("/account/sign-in?connect={ID}&prompt=login")).response;
    assert!(another.header("location").unwrap().contains("prompt=login"), "the provider asks who it is");
    assert_eq!(bob.post(LINK, &[]).response.status, 404);
    assert_eq!(bob.post(LINK, &[("again", "1")]).response.status, 404);
    // What does not exist looks the same, and so does what is over.
    let csrf_free = |page: &Response| page.text().split("csrf").next().unwrap().to_owned();
    let unknown = bob.get("/account/connect/nowhere").response;
    assert_eq!((unknown.status, csrf_free(&unknown).replace("nowhere", ID)), (404, csrf_free(&foreign)));
    deployed.outside.now.set(world::NOW + 600);
    assert_eq!(alice.get(LINK).response.status, 404);
    assert!(deployed.changes("alice").is_empty() && deployed.servers.begun.borrow().is_empty());
    let log = deployed.log();
    assert!(log.contains(r#"{"audit":"link_of_another_user","sub":"bob"}"#) && !log.contains("connected"), "{log}");
}

#[test]
fn agreeing_uses_the_link_up_and_leads_to_the_service() {
    let (deployed, browser) = Connecting::with_link();
    let page = browser.post(LINK, &[]).response;
    let state = state_in(&page);
    assert!(
        page.text().contains("Continue at GitHub &lt;b&gt;") && page.header("location").is_none(),
        "{}",
        page.text()
    );
    let cookie = page.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with(&format!("__Host-authorize-{}=", &state[..8])) && cookie.contains("; Secure; HttpOnly;")
    );
    assert_eq!(deployed.changes("alice"), ["spend"]);
    assert_eq!(*deployed.servers.begun.borrow(), [("github".to_owned(), vec!["repo:read".to_owned()], false)]);
    // A second click, and a second look.
    let again = browser.post(LINK, &[]).response;
    assert!(again.status == 409 && again.text().contains("Start again"), "{}", again.text());
    assert_eq!(deployed.servers.begun.borrow().len(), 1);
    let page = browser.get(LINK).response;
    assert!(page.status == 200 && page.text().contains("name=\"again\""), "{}", page.text());
    state_in(&browser.post(LINK, &[("again", "1")]).response);
    assert_eq!((deployed.servers.begun.borrow().len(), deployed.changes("alice")), (2, vec!["spend"]));
}

#[test]
fn a_scope_or_a_service_that_is_not_offered_any_more_is_not_asked_for() {
    let (deployed, browser) = Connecting::with_link();
    deployed.user("alice", |user| user.links.get_mut(ID).unwrap().0.scopes.push("admin".to_owned()));
    assert!(!browser.get(LINK).response.text().contains("admin"));
    browser.agree(&[]);
    assert_eq!(deployed.servers.begun.borrow()[0].1, ["repo:read"]);
    deployed.user("alice", |user| user.links.get_mut(ID).unwrap().0.connection = "gone".to_owned());
    let page = browser.get(LINK).response;
    assert!(page.status == 404 && page.text().contains("does not offer this connection"), "{}", page.text());
}

#[test]
fn not_now_changes_nothing() {
    let (deployed, browser) = Connecting::with_link();
    let page = browser.get(&format!("{LINK}?answer=later")).response;
    assert!(page.status == 200 && page.text().contains("You can close this page"));
    assert!(deployed.changes("alice").is_empty() && deployed.servers.begun.borrow().is_empty());
}

#[test]
fn a_service_that_cannot_be_asked_uses_no_link_up() {
    let (deployed, browser) = Connecting::with_link();
    for (error, status) in [
        (ServiceError::Unavailable("connection refused".to_owned()), 503),
        (ServiceError::Client("client_id is unknown".to_owned()), 500),
        (ServiceError::ForeignEndpoint("a foreign host".to_owned()), 500),
    ] {
        *deployed.servers.begins.borrow_mut() = Err(error.clone());
        let handled = browser.post(LINK, &[]);
        assert_eq!(handled.response.status, status, "{}", handled.response.text());
        assert!(handled.record.get("detail").contains(&error.to_string()), "the operator learns it");
        assert_eq!(handled.record.get("connection"), "github");
        assert!(!handled.response.text().contains(&error.to_string()), "the user does not need it");
    }
    assert!(deployed.changes("alice").is_empty());
    *deployed.servers.begins.borrow_mut() = Ok(());
    browser.agree(&[]);
}

#[test]
fn only_our_own_page_agrees() {
    const FORM_TYPE: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
    let (deployed, browser) = Connecting::with_link();
    let (csrf, of_bob) = (browser.csrf(), Browser::of(&deployed, "bob").csrf());
    for path in [LINK, "/account/connections/github", "/account/connections/github/confirm"] {
        for (token, headers, status) in [
            (csrf.as_str(), vec![FORM_TYPE, ("origin", "https://evil.example")], 403),
            (&csrf, vec![FORM_TYPE, ("origin", "null")], 403),
            (&csrf, vec![FORM_TYPE, ("origin", HOST), ("sec-fetch-site", "cross-site")], 403),
            ("", vec![FORM_TYPE, ("origin", HOST)], 403),
            (&of_bob, vec![FORM_TYPE, ("origin", HOST)], 403),
            (&csrf, vec![("content-type", "text/plain"), ("origin", HOST)], 415),
        ] {
            let body = encode(&[("csrf", token), ("action", "connect"), ("decision", "confirm")]);
            let page = browser.send("POST", path, &headers, &body).response;
            assert_eq!(page.status, status, "{path} {headers:?}");
            let leads_back = page.text().contains("class=\"button\" href=\"/account/connections\"");
            assert!(leads_back || status != 403, "{}", page.text());
        }
        let lost = deployed.post_form(path, &[("csrf", &csrf)]).response;
        assert!(lost.status == 403 && lost.text().contains("You were signed out meanwhile"));
        let leads_back = if path == LINK { format!("connect={ID}") } else { "to=connections".to_owned() };
        assert!(lost.text().contains(&leads_back), "{}", lost.text());
    }
    assert!(deployed.changes("alice").is_empty() && deployed.servers.begun.borrow().is_empty());
}

#[test]
fn there_are_no_pages_without_connections() {
    let without = deploy(&[]);
    let browser = Browser::of(&without, "alice");
    for path in [
        LINK,
        "/account/connections",
        "/account/connections/github",
        "/account/connections/github/callback",
        "/account/connections/github/confirm",
        "/account/connections/github/client.json",
    ] {
        assert_eq!(browser.get(path).response.status, 404, "{path}");
        assert_eq!(browser.post(path, &[]).response.status, 404, "{path}");
    }
    assert!(!browser.get("/account/keys").response.text().contains("<nav"));
    assert_eq!(without.send("GET", "/account", &[], "").response.header("location"), Some("/account/keys"));
    let with = deploy_connecting(&[]);
    let browser = Browser::of(&with, "alice");
    for (path, current) in [("/account/keys", "/account/keys"), ("/account/connections", "/account/connections")] {
        let page = browser.get(path).response;
        assert!(page.text().contains(&format!("<a href=\"{current}\" aria-current=\"true\">")), "{}", page.text());
        assert_eq!(page.text().matches("aria-current").count(), 1);
    }
    assert_eq!(with.send("GET", "/account", &[], "").response.header("location"), Some("/account/connections"));
    for name in ["nowhere", "github/nowhere"] {
        assert_eq!(browser.get(&format!("/account/connections/{name}/callback")).response.status, 404);
    }
    assert_eq!(with.send("HEAD", "/account/connections/github/callback?code=x", &[], "").response.status, 405);
}
