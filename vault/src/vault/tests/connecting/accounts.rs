//! The list, connecting from there, and disconnecting.

use super::*;
use crate::connected::message::{Account, Revocation, Use};

/// An account of alice's, with changes.
fn connect(deployed: &Connecting, connection: &str, change: impl FnOnce(&mut Account)) {
    let mut account = Account {
        connection: connection.to_owned(),
        name: "octo<cat>".to_owned(),
        scopes: "repo:read".to_owned(),
        connected_at: world::NOW - 86_400,
        uses: Vec::new(),
        ended_at: None,
    };
    change(&mut account);
    deployed.user("alice", |user| user.accounts.insert(connection.to_owned(), account));
}

fn used(at: u64, agent: Agent, user_of_token: &str) -> Use {
    Use { at, agent, user_of_token: user_of_token.to_owned() }
}

#[test]
fn the_list_says_what_is_connected_and_when_which_agent_used_it_with_which_tool() {
    let deployed = deploy_connecting(&[]);
    let browser = Browser::of(&deployed, "alice");
    let page = browser.get("/account/connections").response;
    assert!(page.text().contains("You have connected no account"), "{}", page.text());
    assert!(page.text().contains("/account/connections/calendar?action=connect"));
    let key = browser.make(&FORM, "alice");
    connect(&deployed, "github", |account| {
        account.uses = vec![
            used(world::NOW - 60, Agent::Client(CLIENT.to_owned()), "list_issues"),
            used(world::NOW - 120, Agent::AccessKey(id_of(&key).to_owned()), "gateway:"),
        ];
    });
    let page = browser.get("/account/connections").response;
    for text in [
        "GitHub &lt;b&gt;: octo&lt;cat&gt;",
        "access to <code>repo:read</code>",
        "connected <time datetime=\"2027-01-14\">14 January 2027</time>",
        "last used <time datetime=\"2027-01-15T07:59Z\">15 January 2027, 07:59 UTC</time> by claude.example, through the tool <code>list_issues</code>",
        "by your access key “Nightly &lt;build&gt;”, through the server that this one passes requests on to",
        "/account/connections/github?action=disconnect",
        "/account/connections/calendar?action=connect",
    ] {
        assert!(page.text().contains(text), "{text}: {}", page.text());
    }
    assert!(!page.text().contains("/account/connections/github?action=connect"));
    let welcome = deployed.send("GET", "/account/connections", &[], "").response;
    assert!(welcome.text().contains("/account/sign-in?to=connections") && !welcome.text().contains("GitHub"));
    let bob = Browser::of(&deployed, "bob");
    assert!(!bob.get("/account/connections").response.text().contains("octo"));
}

#[test]
fn an_account_that_has_ended_or_is_not_offered_any_more_is_said_to_be_one() {
    let deployed = deploy_connecting(&[]);
    let browser = Browser::of(&deployed, "alice");
    connect(&deployed, "github", |account| account.ended_at = Some(world::NOW));
    connect(&deployed, "gone", |_| ());
    let page = browser.get("/account/connections").response;
    for text in ["does not accept it any more", "Connect again", "Remove", "does not offer this service any more"] {
        assert!(page.text().contains(text), "{text}: {}", page.text());
    }
    let question = browser.get("/account/connections/gone?action=disconnect").response;
    assert!(question.status == 200 && question.text().contains("Disconnect gone?"), "{}", question.text());
    assert_eq!(browser.post("/account/connections/gone", &[("action", "disconnect")]).response.status, 200);
    assert_eq!(browser.get("/account/connections/gone?action=connect").response.status, 404);
    assert_eq!(browser.post("/account/connections/gone", &[("action", "connect")]).response.status, 404);
    assert!(deployed.servers.begun.borrow().is_empty());
}

#[test]
fn without_any_connection_accounts_that_are_left_are_shown_and_disconnected() {
    for connections in ["", r#"{"api": {"kind": "static", "url": "https://api.example"}}"#] {
        let deployed = deploy_connecting(&[("CONNECTIONS", connections), ("CONNECTION_API_SECRET", "hunter2")]);
        let browser = Browser::of(&deployed, "alice");
        connect(&deployed, "github", |_| ());
        let page = browser.get("/account/connections").response;
        assert!(page.text().contains("does not offer this service any more"), "{}", page.text());
        assert!(!page.text().contains("action=connect\""));
        assert_eq!(browser.post("/account/connections/github", &[("action", "disconnect")]).response.status, 200);
        assert_eq!(deployed.changes("alice"), ["disconnect"]);
        assert_eq!(browser.get("/account").response.header("location"), Some("/account/keys"), "the keys come first");
    }
    // Without the secret there is nothing to open.
    let deployed = deploy_connecting(&[("CONNECTIONS", ""), ("CONNECTIONS_SECRET", "")]);
    assert_eq!(Browser::of(&deployed, "alice").get("/account/connections").response.status, 404);
}

#[test]
fn an_account_is_disconnected_after_a_question() {
    for (revocation, text) in [
        (Revocation::Revoked, "ended at GitHub &lt;b&gt; as well"),
        (Revocation::Pending, "tried again by itself"),
        (Revocation::NotOffered, "has no way to end it from here"),
    ] {
        let deployed = deploy_connecting(&[]);
        let browser = Browser::of(&deployed, "alice");
        connect(&deployed, "github", |_| ());
        deployed.user("alice", |user| user.revocation = Some(revocation));
        let question = browser.get("/account/connections/github?action=disconnect").response;
        assert!(question.text().contains("<strong>octo&lt;cat&gt;</strong>") && question.text().contains("Keep it"));
        assert!(deployed.changes("alice").is_empty(), "a question changes nothing");
        let bob = Browser::of(&deployed, "bob");
        assert_eq!(bob.get("/account/connections/github?action=disconnect").response.status, 404);
        assert_eq!(bob.post("/account/connections/github", &[("action", "disconnect")]).response.status, 404);
        let page = browser.post("/account/connections/github", &[("action", "disconnect")]).response;
        assert!(page.status == 200 && page.text().contains(text), "{}", page.text());
        assert_eq!(deployed.changes("alice"), ["disconnect"]);
        assert!(deployed.log().contains(r#"{"audit":"account_disconnected","connection":"github","sub":"alice"}"#));
        let again = browser.post("/account/connections/github", &[("action", "disconnect")]).response;
        assert!(again.status == 200 && again.text().contains(text), "{}", again.text());
        assert_eq!(deployed.log().matches("account_disconnected").count(), 1, "once");
        let never = browser.post("/account/connections/calendar", &[("action", "disconnect")]).response;
        assert!(never.status == 404 && never.text().contains("disconnected already"), "{}", never.text());
    }
}

#[test]
fn a_disconnection_whose_answer_was_lost_is_in_the_log_once() {
    let deployed = deploy_connecting(&[]);
    let browser = Browser::of(&deployed, "alice");
    connect(&deployed, "github", |_| ());
    let disconnect = || browser.post("/account/connections/github", &[("action", "disconnect")]).response.status;
    deployed.outside.broken.set("\"disconnect\"");
    assert_eq!((disconnect(), deployed.log().contains("account_disconnected")), (503, false), "it is still connected");
    deployed.outside.broken.set("\u{0}");
    deployed.outside.broken_after.set("\"disconnect\"");
    assert_eq!(disconnect(), 503);
    deployed.outside.broken_after.set("\u{0}");
    assert_eq!(disconnect(), 200);
    assert_eq!(deployed.log().matches("account_disconnected").count(), 1);
}

#[test]
fn an_account_is_connected_from_the_list_with_what_is_offered() {
    let deployed = deploy_connecting(&[]);
    let browser = Browser::of(&deployed, "alice");
    let question = browser.get("/account/connections/github?action=connect").response;
    for text in [
        "<li><code>repo:read</code></li>",
        "<li>Read your &lt;profile&gt; (<code>user:read</code>)</li>",
        "You can end it at any time",
    ] {
        assert!(question.text().contains(text), "{text}: {}", question.text());
    }
    assert!(deployed.servers.begun.borrow().is_empty(), "a question begins nothing");
    let state = state_in(&browser.post("/account/connections/github", &[("action", "connect")]).response);
    let question = browser.back(&state);
    assert!(!question.contains("link"));
    // Another account asks for the same again.
    let state = state_in(&browser.decide(&question, "another").response);
    assert_eq!(deployed.servers.begun.borrow().last().unwrap().1, ["repo:read", "user:read"]);
    let question = browser.back(&state);
    let done = browser.decide(&question, "confirm").response;
    assert!(done.status == 200 && !done.text().contains("Go back"), "{}", done.text());
    assert!(deployed.log().contains(r#"{"audit":"account_connected","connection":"github","sub":"alice"}"#));
    for path in ["/account/connections/github", "/account/connections/github?action=other"] {
        assert_eq!(browser.get(path).response.header("location"), Some("/account/connections"), "{path}");
    }
    assert_eq!(browser.post("/account/connections/github", &[("action", "other")]).response.status, 404);
}

#[test]
fn an_object_that_does_not_answer_is_no_answer() {
    let (deployed, browser) = Connecting::with_link();
    let question = browser.back(&browser.agree(&[]));
    connect(&deployed, "github", |_| ());
    deployed.outside.broken.set("\"owner\"");
    for path in ["/account/connections", LINK, &question, "/account/connections/github?action=disconnect"] {
        let handled = browser.get(path);
        assert_eq!((handled.response.status, handled.response.header("retry-after")), (503, Some("10")), "{path}");
        assert!(!handled.record.get("detail").is_empty());
    }
    for decision in ["confirm", "another", "discard"] {
        assert_eq!(browser.decide(&question, decision).response.status, 503, "{decision}");
    }
    assert_eq!(browser.post(LINK, &[]).response.status, 503);
    assert_eq!(browser.post("/account/connections/github", &[("action", "disconnect")]).response.status, 503);
    assert_eq!(deployed.changes("alice"), ["spend", "hold"]);
}

#[test]
fn a_service_reads_who_we_are() {
    let deployed = deploy_connecting(&[]);
    for method in ["GET", "HEAD"] {
        let document = deployed.send(method, "/account/connections/calendar/client.json", &[], "").response;
        assert_eq!((document.status, document.header("content-type")), (200, Some("application/json")), "{method}");
        assert_eq!(document.header("cache-control"), Some("public, max-age=300"));
        if method == "GET" {
            let document: Value = serde_json::from_str(document.text()).unwrap();
            assert_eq!(document["client_id"], format!("{HOST}/account/connections/calendar/client.json"));
            assert_eq!(document["redirect_uris"], json!([format!("{HOST}/account/connections/calendar/callback")]));
            assert_eq!((&document["client_name"], &document["scope"]), (&json!("Notes"), &json!("read")));
        }
    }
    // One that the operator has registered has no document, and what is no connection has none either.
    for name in ["github", "nowhere"] {
        let path = format!("/account/connections/{name}/client.json");
        assert_eq!(deployed.send("GET", &path, &[], "").response.status, 404, "{name}");
    }
}
