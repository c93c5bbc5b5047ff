//! Methods, headers, sessions, forms of others.

use super::*;
use crate::key::message::State;

#[test]
fn there_is_nothing_but_the_routes() {
    let deployed = deploy(&[]);
    let status = |method: &str, path: &str| deployed.send(method, path, &[], "").response.status;
    for path in [
        "/",
        "/account/x",
        "/account/keys/",
        "/account/keys/a/b",
        "/account/keys/..",
        "/accounts",
        "/mcp",
        "/account/administration",
        "/account/sign-in/",
        "/account//keys",
    ] {
        assert_eq!(status("GET", path), if path == "/account/keys/" { 303 } else { 404 }, "{path}");
    }
    assert_eq!(status("POST", "/account/administration"), 404, "without ADMIN_SECRET");
    for (method, path, allow) in [
        ("DELETE", "/account/keys", "GET, POST"),
        ("PUT", "/account/keys/0000000000000000", "GET, POST"),
        ("GET", "/account/keys/revoke", "POST"),
        ("GET", "/account/sign-out", "POST"),
        ("POST", "/account/sign-in", "GET"),
        ("POST", "/account/callback", "GET"),
    ] {
        let response = deployed.send(method, path, &[], "").response;
        assert_eq!((response.status, response.header("allow")), (405, Some(allow)), "{method} {path}");
    }
    let root = deployed.send("GET", "/account", &[], "").response;
    assert_eq!((root.status, root.header("location")), (303, Some("/account/keys")));
}

#[test]
fn every_page_has_the_strict_headers() {
    let deployed = deploy(&[]);
    let browser = Browser::of(&deployed, "alice");
    for page in [
        browser.get("/account/keys"),
        browser.get("/account/nowhere"),
        browser.get("/account/callback?code=x&state=aaaaaaaaaaaa"),
        deployed.send("GET", "/account/keys", &[], ""),
    ] {
        let header = |name| page.response.header(name).unwrap_or_default().to_owned();
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe") && policy.contains("form-action 'self'"));
        assert_eq!((header("cache-control"), header("referrer-policy")), ("no-store".into(), "same-origin".into()));
        assert_eq!((header("x-content-type-options"), header("x-frame-options")), ("nosniff".into(), "DENY".into()));
        let text = page.response.text();
        assert!(!text.contains(" style=") && !text.contains("<style") && !text.contains(" onclick"));
        assert!(!text.contains("<script>") && text.contains("lang=\"en\"") && text.contains("<main id=\"main\">"));
    }
    for (path, media_type) in [("/account/style.css", "text/css"), ("/account/script.js", "text/javascript")] {
        let response = deployed.send("GET", path, &[], "").response;
        assert!(response.status == 200 && response.header("content-type").unwrap().starts_with(media_type));
    }
    let style = deploy(&[("PAGE_COLOR", "#663399")]).send("GET", "/account/style.css", &[], "").response;
    assert!(style.text().starts_with(":root{--accent:#663399"), "the operator's colour");
}

#[test]
fn signed_out_there_is_the_way_in() {
    let deployed = deploy(&[]);
    let welcome = deployed.send("GET", "/account/keys", &[], "").response;
    assert!(welcome.status == 200 && welcome.text().contains("Sign in at tenant.example"));
    let one = deployed.send("GET", "/account/keys/0000000000000000", &[], "").response;
    assert_eq!((one.status, one.header("location")), (303, Some("/account/sign-in")));
    let lost = deployed.post_form("/account/keys", &FORM).response;
    assert!(lost.status == 403 && lost.text().contains("You were signed out meanwhile"));
}

#[test]
fn no_header_but_the_cookie_says_who_the_user_is() {
    let deployed = deploy(&[]);
    let alice = Browser::of(&deployed, "alice");
    let key = alice.make(&FORM, "alice");
    let names = deployed.vault.header_names();
    assert_eq!(names.always, ["content-type", "cookie", "origin", "sec-fetch-site"]);
    let bearer = format!("Bearer {key}");
    let page = deployed.send("GET", "/account/keys", &[("authorization", &bearer)], "").response;
    assert!(page.text().contains("Sign in at"), "a key lists no keys");
    let made = deployed.send(
        "POST",
        "/account/keys",
        &[("authorization", &bearer), ("content-type", "application/x-www-form-urlencoded")],
        &encode(&FORM),
    );
    assert_eq!(made.response.status, 403, "a key makes no keys");
}

#[test]
fn a_form_is_accepted_only_from_our_own_pages() {
    const FORM_TYPE: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
    let deployed = deploy(&[]);
    let browser = Browser::of(&deployed, "alice");
    let key = browser.make(&FORM, "alice");
    let csrf = browser.csrf();
    let path = format!("/account/keys/{}", id_of(&key));
    let of_bob = Browser::of(&deployed, "bob").csrf();
    for (token, headers, status) in [
        (csrf.as_str(), vec![FORM_TYPE, ("origin", "https://evil.example")], 403),
        (&csrf, vec![FORM_TYPE, ("origin", "null")], 403),
        (&csrf, vec![FORM_TYPE, ("origin", HOST), ("sec-fetch-site", "same-site")], 403),
        (&csrf, vec![FORM_TYPE, ("sec-fetch-site", "cross-site")], 403),
        ("", vec![FORM_TYPE, ("origin", HOST)], 403),
        (&of_bob, vec![FORM_TYPE, ("origin", HOST)], 403),
        (&csrf, vec![("content-type", "text/plain"), ("origin", HOST)], 415),
        (&csrf, vec![("origin", HOST)], 415),
    ] {
        let body = encode(&[("action", "revoke"), ("csrf", token)]);
        let response = browser.send("POST", &path, &headers, &body).response;
        assert_eq!(response.status, status, "{headers:?}");
        assert_eq!(deployed.outside.state(id_of(&key)), Some(State::Active));
    }
    let long = format!("csrf={csrf}&action=revoke&x={}", "x".repeat(64 * 1024));
    assert_eq!(browser.send("POST", &path, &[FORM_TYPE, ("origin", HOST)], &long).response.status, 413);
    let body = encode(&[("action", "revoke"), ("csrf", &csrf)]);
    assert_eq!(browser.send("POST", &path, &[FORM_TYPE, ("origin", HOST)], &body).response.status, 200);
}

#[test]
fn signing_out_ends_both_sessions_and_the_next_sign_in_asks() {
    let deployed = deploy(&[]);
    let browser = Browser::of(&deployed, "alice");
    let page = browser.post("/account/sign-out", &[]).response;
    let end = format!(
        "{ISSUER}/session/end?client_id=vault&amp;post_logout_redirect_uri=https%3A%2F%2Fmcp.example.com%2Faccount"
    );
    assert!(page.status == 200 && page.text().contains(&end), "{}", page.text());
    assert_eq!(browser.cookies.borrow().keys().collect::<Vec<_>>(), ["__Host-account-asks"]);
    let again = browser.get("/account/sign-in").response;
    assert!(again.header("location").unwrap().contains("prompt=login"));
    browser.sign_in("bob");
    assert!(!browser.cookies.borrow().contains_key("__Host-account-asks"));
    // A provider that does not offer it.
    let deployed = deploy(&[]);
    deployed.outside.discovery.borrow_mut()["end_session_endpoint"] = Value::Null;
    let browser = Browser::of(&deployed, "alice");
    let response = browser.post("/account/sign-out", &[]).response;
    assert_eq!((response.status, response.header("location")), (303, Some("/account/keys")));
}

#[test]
fn a_session_ends_after_an_hour_and_belongs_to_its_deployment() {
    let deployed = deploy(&[]);
    let browser = Browser::of(&deployed, "alice");
    deployed.outside.now.set(world::NOW + 3_600);
    assert!(browser.get("/account/keys").response.text().contains("Sign in at"));
    let alice = Browser::of(&deployed, "alice");
    let staging = deploy(&[("RESOURCE", "https://staging.example.com/mcp")]);
    let stranger = Browser { deployed: staging, cookies: RefCell::new(alice.cookies.borrow().clone()) };
    assert!(stranger.get("/account/keys").response.text().contains("Sign in at"));
}

#[test]
fn a_provider_that_is_down_is_said_to_be() {
    let deployed = deploy(&[]);
    deployed.outside.provider_is_down.set(true);
    let handled = deployed.send("GET", "/account/sign-in", &[], "");
    assert_eq!((handled.response.status, handled.response.header("retry-after")), (503, Some("10")));
    assert!(handled.record.get("detail").contains("connection refused"), "{}", handled.record.get("detail"));
}

#[test]
fn the_log_names_the_user_unless_the_operator_does_not_want_that() {
    for (setting, subject) in [("true", "alice"), ("false", "")] {
        let deployed = deploy(&[("LOG_SUBJECT", setting)]);
        let handled = Browser::of(&deployed, "alice").get("/account/keys");
        assert_eq!((handled.record.get("route"), handled.record.get("sub")), ("account", subject));
    }
}
