//! To the service and back: every way in which it leads nowhere.

use super::*;

#[test]
fn an_account_is_held_until_its_user_confirms_it_and_no_token_gets_anywhere_else() {
    let (deployed, browser) = Connecting::with_link();
    let mut seen = Vec::new();
    let leaving = browser.post(LINK, &[]).response;
    let state = state_in(&leaving);
    let back = browser.back_at("github", &answer(&state));
    let question = back.response.header("location").unwrap().to_owned();
    assert!(question.starts_with("/account/connections/github/confirm?hold="), "{question}");
    assert!(!browser.has_in_a_cookie("authorize") && browser.cookies.borrow().len() == 1, "the session alone is left");
    let page = browser.get(&question).response;
    assert!(page.text().contains("This is <strong>octocat</strong> at GitHub &lt;b&gt;"), "{}", page.text());
    let new = deployed.user("alice", |user| user.held["github"].1.clone());
    assert_eq!((new.access_token.as_str(), new.refresh_token.as_deref()), (ACCESS_TOKEN, Some(REFRESH_TOKEN)));
    assert_eq!(
        (new.name.as_str(), new.scopes.as_str(), new.client_id.as_str()),
        ("octocat", "repo:read", "our-client")
    );
    assert_eq!(new.until, Some(world::NOW + 3_600));
    assert!(deployed.user("alice", |user| user.accounts.is_empty()), "nothing is connected yet");
    let connected = browser.decide(&question, "confirm");
    assert_eq!(connected.response.status, 200, "{}", connected.response.text());
    for handled in [&back, &connected] {
        seen.push(format!("{:?}{}{}", handled.response.headers, handled.response.text(), handled.record.get("detail")));
    }
    seen.extend([
        page.text().to_owned(),
        leaving.text().to_owned(),
        browser.get("/account/connections").response.text().to_owned(),
    ]);
    seen.push(deployed.log());
    for token in [ACCESS_TOKEN, REFRESH_TOKEN, "the-code"] {
        assert!(seen.iter().all(|text| !text.contains(token)), "{token}");
        assert!(!browser.has_in_a_cookie(token));
    }
}

#[test]
fn an_answer_is_good_once() {
    let (deployed, browser) = Connecting::with_link();
    let state = browser.agree(&[]);
    let cookies = browser.cookies.borrow().clone();
    browser.back(&state);
    // A reload: the cookie is gone.
    let again = browser.back_at("github", &answer(&state)).response;
    assert!(again.status == 400 && again.text().contains("finished already"), "{}", again.text());
    // Somebody who kept the cookie: a code that came twice would have the service end what it issued.
    *browser.cookies.borrow_mut() = cookies;
    let replayed = browser.back_at("github", &answer(&state)).response;
    assert!(replayed.status == 409 && replayed.text().contains("was used before"), "{}", replayed.text());
    assert_eq!((deployed.servers.redeemed.get(), deployed.changes("alice")), (1, vec!["spend", "hold"]));
    assert!(deployed.servers.revoked.borrow().is_empty(), "what is held is left alone");
}

#[test]
fn an_answer_that_is_old_foreign_or_of_another_redeems_nothing() {
    let (deployed, alice) = Connecting::with_link();
    let refused = |browser: &Browser, connection: &str, fields: &[(&str, &str)], status: u16, text: &str| {
        let handled = browser.back_at(connection, fields);
        let page = handled.response;
        assert!(page.status == status && page.text().contains(text), "{status} {text}: {}", page.text());
        assert!(!handled.record.get("detail").is_empty(), "the operator learns it");
    };
    // Of another browser, with another user.
    let bob = Browser::of(&deployed, "bob");
    let state = alice.agree(&[]);
    refused(&bob, "github", &answer(&state), 400, "not begun in this browser");
    refused(&bob, "github", &answer("state999-invented"), 400, "not begun in this browser");
    // At the address of another connection.
    refused(&alice, "calendar", &answer(&state), 400, "another request");
    // Another user signs in midway, in the same browser.
    let state = alice.agree(&[("again", "1")]);
    alice.sign_in("bob");
    refused(&alice, "github", &answer(&state), 403, "Another user has signed in");
    // The session has ended.
    let alice = Browser::of(&deployed, "alice");
    let state = alice.agree(&[("again", "1")]);
    alice.cookies.borrow_mut().remove("__Host-account");
    refused(&alice, "github", &answer(&state), 403, "Signed out meanwhile");
    // Too long ago.
    let alice = Browser::of(&deployed, "alice");
    let state = alice.agree(&[("again", "1")]);
    deployed.outside.now.set(world::NOW + 600);
    refused(&alice, "github", &answer(&state), 400, "more than ten minutes ago");
    deployed.outside.now.set(world::NOW);
    // Of another issuer, of none, and twice.
    for (fields, text) in [
        (vec![("code", "the-code"), ("iss", "https://evil.example")], "did not come from GitHub"),
        (vec![("code", "the-code")], "did not come from GitHub"),
        (vec![("code", "the-code"), ("code", "other"), ("iss", SERVICE)], "cannot be read"),
        (vec![("iss", SERVICE)], "cannot be read"),
    ] {
        let state = alice.agree(&[("again", "1")]);
        let fields: Vec<_> = fields.into_iter().chain([("state", state.as_str())]).collect();
        refused(&alice, "github", &fields, 400, text);
    }
    let state = alice.agree(&[("again", "1")]);
    refused(&alice, "github", &[("code", "the-code"), ("state", &state), ("state", &state), ("iss", SERVICE)], 400, "");
    assert_eq!((deployed.servers.redeemed.get(), deployed.changes("alice")), (0, vec!["spend"]));
    assert!(deployed.changes("bob").is_empty());
}

#[test]
fn a_state_of_one_kind_is_none_of_another() {
    let (deployed, browser) = Connecting::with_link();
    // What was sent to a service comes back at the provider's address, with the provider's name.
    let state = browser.agree(&[]);
    let query = encode(&[("code", "the-code"), ("state", &state), ("iss", ISSUER)]);
    let page = browser.get(&format!("/account/callback?{query}")).response;
    assert_eq!(page.status, 400, "{}", page.text());
    // What was sent to the provider comes back at a service's.
    let redeemed = deployed.outside.redeemed.borrow().len();
    let sent = browser.begin("/account/keys", &FORM);
    let back =
        browser.back_at("github", &[("code", "the-code"), ("state", sent.first("state")), ("iss", ISSUER)]).response;
    assert!(back.status == 400 && back.text().contains("another request"), "{}", back.text());
    assert_eq!((deployed.servers.redeemed.get(), deployed.outside.redeemed.borrow().len()), (0, redeemed));
    assert!(deployed.outside.entries().is_empty() && deployed.changes("alice") == ["spend"]);
}

#[test]
fn a_service_that_refuses_fails_or_is_gone_connects_nothing_and_one_can_start_again() {
    let (deployed, browser) = Connecting::with_link();
    let starts_again = format!("href=\"{LINK}\">Start again");
    for (error, status, text) in [
        ("access_denied", 403, "You did not agree at GitHub"),
        ("temporarily_unavailable", 503, "does not answer right now"),
        ("invalid_scope", 403, "refused the request"),
    ] {
        let state = browser.agree(&[("again", "1")]);
        let page = browser.back_at("github", &[("error", error), ("state", &state), ("iss", SERVICE)]).response;
        assert!(page.status == status && page.text().contains(text), "{error}: {}", page.text());
        assert!(page.text().contains(&starts_again), "{}", page.text());
        assert!(!page.text().to_lowercase().contains("no key"), "nothing about keys: {}", page.text());
    }
    for (error, status, text) in [
        (ServiceError::Ended, 400, "too old, or was used before"),
        (ServiceError::Unavailable("reset".to_owned()), 503, "does not answer right now"),
        (ServiceError::Client("invalid_client".to_owned()), 500, "Only the operator can change this"),
        (ServiceError::WiderScopes("admin".to_owned()), 403, "granted more than this server asked for"),
    ] {
        *deployed.servers.redeems.borrow_mut() = Err(error.clone());
        let state = browser.agree(&[("again", "1")]);
        let handled = browser.back_at("github", &answer(&state));
        let page = &handled.response;
        assert!(page.status == status && page.text().contains(text), "{error}: {}", page.text());
        assert!(handled.record.get("detail").contains(&error.to_string()), "{}", handled.record.get("detail"));
    }
    assert_eq!(deployed.changes("alice"), ["spend"]);
}

#[test]
fn a_link_whose_user_cancelled_says_so_and_the_page_stands_among_the_connected_accounts() {
    let (_deployed, browser) = Connecting::with_link();
    let state = browser.agree(&[]);
    let page = browser.back_at("github", &[("error", "access_denied"), ("state", &state), ("iss", SERVICE)]).response;
    let place = "<a href=\"/account/connections\" aria-current=\"true\">";
    assert!(page.text().contains("<h1>Cancelled</h1>") && page.text().contains(place), "{}", page.text());
    let again = browser.get(LINK).response;
    assert!(again.text().contains("before and cancelled") && !again.text().contains("was used"), "{}", again.text());
    // At the confirmation.
    let (_deployed, browser) = Connecting::with_link();
    let question = browser.back(&browser.agree(&[]));
    browser.decide(&question, "discard");
    let again = browser.get(LINK).response;
    assert!(again.text().contains("before and cancelled"), "{}", again.text());
    // Once it has led to an account, it is one that was used, also after the account was disconnected.
    let question = browser.back(&browser.agree(&[("again", "1")]));
    browser.decide(&question, "confirm");
    browser.post("/account/connections/github", &[("action", "disconnect")]);
    let again = browser.get(LINK).response;
    assert!(again.text().contains("was used") && !again.text().contains("cancelled"), "{}", again.text());
}

#[test]
fn a_scope_is_described_as_the_operator_does_and_shown_as_it_is_where_nobody_does() {
    let (deployed, browser) = Connecting::with_link();
    deployed.user("alice", |user| {
        user.links.get_mut(ID).unwrap().0.scopes = vec!["repo:read".to_owned(), "user:read".to_owned()];
    });
    let described = "Read your &lt;profile&gt; (<code>user:read</code>)";
    let in_list = format!("<li><code>repo:read</code></li><li>{described}</li>");
    let consent = browser.get(LINK).response;
    assert!(consent.text().contains(&in_list), "{}", consent.text());
    let question = browser.back(&browser.agree(&[]));
    let confirmation = browser.get(&question).response;
    assert!(confirmation.text().contains(&in_list), "{}", confirmation.text());
    browser.decide(&question, "confirm");
    let list = browser.get("/account/connections").response;
    assert!(list.text().contains(&format!("access to <code>repo:read</code>, {described}")), "{}", list.text());
}

#[test]
fn what_cannot_be_held_is_given_back() {
    let (deployed, browser) = Connecting::with_link();
    let state = browser.agree(&[]);
    *deployed.servers.name.borrow_mut() = Err(ServiceError::Unavailable("reset".to_owned()));
    let page = browser.back_at("github", &answer(&state)).response;
    assert_eq!((page.status, page.header("retry-after")), (503, Some("10")), "{}", page.text());
    *deployed.servers.name.borrow_mut() = Ok(None);
    deployed.outside.broken.set("\"hold\"");
    let state = browser.agree(&[("again", "1")]);
    let page = browser.back_at("github", &answer(&state)).response;
    assert!(page.status == 503 && page.text().contains("Not now"), "{}", page.text());
    let revoked = format!("github our-client {REFRESH_TOKEN}");
    assert_eq!(*deployed.servers.revoked.borrow(), [revoked.clone(), revoked]);
    // An object that cannot say whether the authorization was used redeems nothing.
    deployed.outside.broken.set("\"use\"");
    let state = browser.agree(&[("again", "1")]);
    assert_eq!(browser.back_at("github", &answer(&state)).response.status, 503);
    assert_eq!((deployed.servers.redeemed.get(), deployed.changes("alice")), (2, vec!["spend"]));
}

#[test]
fn an_attempt_that_fails_ends_no_account_that_is_connected_or_held() {
    let (deployed, browser) = Connecting::with_link();
    let question = browser.back(&browser.agree(&[]));
    *deployed.servers.name.borrow_mut() = Err(ServiceError::Unavailable("reset".to_owned()));
    let fails = || {
        let state = state_in(&browser.post("/account/connections/github", &[("action", "connect")]).response);
        assert_eq!(browser.back_at("github", &answer(&state)).response.status, 503);
    };
    fails();
    browser.decide(&question, "confirm");
    fails();
    deployed.user("alice", |user| user.accounts.clear());
    deployed.outside.broken.set("\"list\"");
    fails();
    assert!(deployed.servers.revoked.borrow().is_empty(), "the service may end all of them");
    assert_eq!(deployed.servers.redeemed.get(), 4);
}

#[test]
fn the_agent_of_a_link_may_have_a_long_name() {
    let (deployed, browser) = Connecting::with_link();
    deployed.link(Agent::Client("x".repeat(4_000)));
    browser.agree(&[]);
}

#[test]
fn an_attempt_that_fits_into_no_cookie_is_said_to_be_one() {
    let (deployed, browser) = Connecting::with_link();
    deployed.user("alice", |user| {
        user.links.get_mut(ID).unwrap().0.scopes = vec!["repo:read".to_owned(); 400];
    });
    let page = browser.post(LINK, &[]).response;
    assert!(page.status == 500 && page.text().contains("Not set up"), "{}", page.text());
    assert!(deployed.changes("alice").is_empty());
}
