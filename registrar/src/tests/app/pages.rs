//! What stands in the portal's pages: forms as they were filled in, what is wrong with them, and nobody's markup.

use super::{
    portal::{Browser, FORM},
    *,
};

/// The value of the hidden field of this name.
fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let start = format!(r#"<input type="hidden" name="{name}" value=""#);
    page.split_once(&start).and_then(|(_, rest)| rest.split_once('"')).map_or("", |(value, _)| value)
}

/// The form for a new application after these fields were sent.
fn refused(browser: &Browser, changes: &[(&str, &str)]) -> String {
    let fields: Vec<_> = FORM
        .iter()
        .filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name))
        .chain(changes)
        .copied()
        .collect();
    let response = browser.post("/applications", &fields).response;
    assert_eq!(response.status, 422, "{changes:?}");
    response.text().to_owned()
}

#[test]
fn a_new_form_offers_everything_and_has_a_number_of_its_own() {
    let browser = Browser::new();
    let response = browser.get("/applications/new").response;
    let page = response.text();
    assert_eq!(response.status, 200);
    assert!(page.contains("<title>Create an application – "), "{page}");
    assert!(!page.contains("Please look at this again"));
    for scope in ["profile", "whoami:read"] {
        assert!(page.contains(&format!(r#"name="scope" value="{scope}" checked"#)), "{scope}");
    }
    assert!(
        page.contains(r#"name="kind" value="public" required>"#)
            && page.contains(r#"name="kind" value="server" required>"#)
    );
    assert!(page.contains("<details><summary>") && !page.contains("aria-invalid"));
    let once = hidden(page, "once").to_owned();
    assert!(once.len() >= 40 && hidden(page, "csrf").len() >= 40);
    assert_ne!(hidden(browser.get("/applications/new").response.text(), "once"), once);
}

#[test]
fn what_is_wrong_stands_beside_its_field_and_the_rest_stays() {
    let browser = Browser::new();
    let page = refused(&browser, &[("client_name", ""), ("logo_uri", "http://x"), ("once", "form-1")]);
    assert!(page.contains("<title>Not yet: create an application – "), "{page}");
    assert!(page.contains("Please look at this again"));
    assert!(page.contains(r##"<li><a href="#client_name">It must not be empty: users read it when they are asked to allow access.</a></li>"##), "{page}");
    assert!(page.contains(r#"<p class="problem" id="client_name-error">It must not be empty: "#));
    assert!(page.contains(r#"<p class="problem" id="redirect_uris-error"></p>"#), "nothing is wrong there");
    assert_eq!(page.matches(r#"aria-invalid="true""#).count(), 2);
    assert!(page.contains(r#"name="logo_uri" type="url" value="http://x""#) && page.contains("<details open>"));
    assert!(
        page.contains(r#"name="kind" value="server" required checked>"#)
            && page.contains(r#"name="kind" value="public" required>"#)
    );
    assert!(
        page.contains(r#"name="scope" value="whoami:read" checked>"#)
            && page.contains(r#"name="scope" value="profile">"#)
    );
    assert_eq!(hidden(&page, "once"), "form-1");
    assert!(page.contains(">https://agent.example.com/cb</textarea>"));
    let page = refused(&browser, &[("redirect_uris", "https://agent.example.com/cb\r\nftp://x")]);
    assert!(page.contains(r#"id="redirect_uris-error">Line 2 "#), "{page}");
}

#[test]
fn a_change_that_is_refused_changes_nothing() {
    let browser = Browser::new();
    browser.create("form-1");
    let response = browser.post("/applications/app-1", &[("client_name", ""), FORM[2], FORM[3]]).response;
    let page = response.text();
    assert_eq!(response.status, 422);
    assert!(
        page.contains("<h1>Not changed yet</h1>") && page.contains(r#"<a href="/applications/app-1">My Agent</a>"#),
        "{page}"
    );
    assert!(page.contains(r#"id="client_name-error">It must not be empty"#));
    assert_eq!(hidden(page, "kind"), "server");
    let name = browser.deployed.outside.world.record("app-1").expect("a record").metadata.client_name;
    assert_eq!(name, "My Agent");
}

#[test]
fn a_form_that_is_being_filled_in_is_checked_by_the_same_rules() {
    let browser = Browser::new();
    let check = |fields: &[(&str, &str)]| -> Value {
        let response = browser.post("/check", fields).response;
        assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
        serde_json::from_str(response.text()).expect("JSON")
    };
    assert_eq!(check(&FORM), json!({}));
    let problems = check(&[FORM[1], FORM[2]]);
    assert_eq!(
        problems,
        json!({"client_name": "It must not be empty: users read it when they are asked to allow access."})
    );
    assert_eq!(browser.get("/applications/app-1").response.status, 404, "nothing is made");
}

#[test]
fn an_application_shows_how_to_use_it() {
    let browser = Browser::new();
    browser.create("form-1");
    let response = browser.get("/applications/app-1").response;
    let page = response.text();
    assert!(page.contains(r#"<code id="client-id">app-1</code>"#));
    assert!(page.contains("<dt>Kind</dt><dd>web server application</dd>"), "{page}");
    assert!(page.contains("<dt>May ask users for</dt><dd><code>whoami:read</code></dd>"), "{page}");
    assert!(
        page.contains("https://mcp.example.dev/mcp")
            && page.contains("mcp-remote")
            && page.contains("your client secret")
    );
    assert!(page.contains("Replace the client secret") && hidden(page, "once").len() >= 40);
    assert!(!page.contains(r#"role="status""#), "nothing was done");
    let public: Vec<_> =
        FORM.iter().map(|(name, value)| (*name, if *name == "kind" { "public" } else { *value })).collect();
    let response = browser.post("/applications", &public).response;
    let page = response.text();
    assert!(page.contains(r#"<p class="note" role="status">Created.</p>"#));
    assert!(page.contains("<dt>Kind</dt><dd>single-page application</dd>"), "{page}");
    assert!(!page.contains("secret</h2>") && !page.contains("your client secret"), "it has none");
}

#[test]
fn the_list_says_how_old_each_application_is_and_how_many_there_may_be() {
    let browser = Browser::new();
    browser.create("form-1");
    assert!(browser.get("/").response.text().contains("created today"));
    // What a browser keeps ends earlier, so another session looks.
    for (days, age) in [(1, "created yesterday"), (2, "created 2 days ago"), (30, "created 30 days ago")] {
        let world = browser.deployed.outside.world;
        world.now.set(crate::testing::NOW + days * crate::testing::DAY);
        let registrar = isolate(browser.deployed.outside, &super::portal::PORTAL);
        let later = Browser::of(Deployed { registrar, outside: browser.deployed.outside }, "alice");
        let response = later.get("/").response;
        assert!(response.text().contains(age), "{}", response.text());
        assert!(response.text().contains("1 of ") && response.text().contains(" used."));
    }
}

#[test]
fn names_are_text_and_pages_are_for_their_reader_alone() {
    let browser = Browser::new();
    let response = browser.get("/").response;
    assert!(response.text().contains("<span>Alice &lt;b&gt;</span>"), "{}", response.text());
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("x-frame-options"), Some("DENY"));
    assert!(response.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'")));
}
