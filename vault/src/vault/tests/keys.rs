//! What users see of their keys, and what others may not.

use super::*;
use crate::{account::message::GrantOutcome, key::message::State};

#[test]
fn a_key_is_revoked_after_a_question() {
    for (grant, text) in [
        (GrantOutcome::Revoked, "was revoked at tenant.example as well"),
        (GrantOutcome::Shared, "may be shared by other keys"),
        (GrantOutcome::Pending, "is tried again by itself"),
    ] {
        let deployed = deploy(&[]);
        let browser = Browser::of(&deployed, "alice");
        let key = browser.make(&FORM, "alice");
        let path = format!("/account/keys/{}", id_of(&key));
        let question = browser.get(&format!("{path}?action=revoke")).response;
        assert!(question.status == 200 && question.text().contains("Revoke Nightly &lt;build&gt;?"));
        assert_eq!(deployed.outside.state(id_of(&key)), Some(State::Active));
        deployed.outside.grant.set(grant);
        let done = browser.post(&path, &[("action", "revoke")]).response;
        assert!(done.status == 200 && done.text().contains(text), "{}", done.text());
        assert_eq!(deployed.outside.state(id_of(&key)), Some(State::Revoked));
        let log = deployed.outside.log.borrow().join("\n");
        assert!(log.contains("key_revoked") && log.contains("\"by\":\"user\""), "{log}");
        let list = browser.get("/account/keys").response;
        assert!(list.text().contains("<h2>Ended</h2>") && list.text().contains("It was revoked."));
        // It cannot be replaced any more, and revoking it again does no harm.
        assert_eq!(browser.post(&path, &[("action", "rotate")]).response.status, 409);
        assert_eq!(browser.post(&path, &[("action", "revoke")]).response.status, 200);
        assert!(!browser.get(&format!("{path}?action=revoke")).response.text().contains("cannot be undone"));
    }
}

#[test]
fn somebody_elses_key_is_as_unknown_as_one_that_does_not_exist() {
    let deployed = deploy(&[]);
    let alice = Browser::of(&deployed, "alice");
    let key = alice.make(&FORM, "alice");
    let bob = Browser::of(&deployed, "bob");
    let page = |target: &str| {
        let response = bob.get(target).response;
        assert_eq!(response.status, 404, "{target}");
        response.text().to_owned()
    };
    let of_alice = page(&format!("/account/keys/{}", id_of(&key)));
    assert_eq!(of_alice, page("/account/keys/0000000000000000"));
    assert_eq!(of_alice, page(&format!("/account/keys/{}?action=revoke", id_of(&key))));
    for action in ["revoke", "rotate"] {
        let path = format!("/account/keys/{}", id_of(&key));
        assert_eq!(bob.post(&path, &[("action", action)]).response.status, 404, "{action}");
    }
    assert_eq!(deployed.outside.state(id_of(&key)), Some(State::Active));
    assert!(bob.get("/account/keys").response.text().contains("You have no keys that work"));
}

#[test]
fn the_list_says_what_users_must_know() {
    let deployed = deploy(&[]);
    let browser = Browser::of(&deployed, "alice");
    let key = browser.make(&[FORM[0], FORM[1], ("days", "90")], "alice");
    let list = |days: u64| {
        deployed.outside.now.set(world::NOW + days * 86_400);
        browser.sign_in("alice");
        browser.get("/account/keys").response.text().to_owned()
    };
    assert!(list(0).contains("<code>whoami:read notes:read</code> · all tools") && list(0).contains("never used"));
    assert!(list(9).contains("It must be used in the last days before") && !list(9).contains("class=\"warning\""));
    let near = list(10);
    assert!(near.contains("class=\"warning\"") && near.contains("4 days are left"), "{near}");
    deployed.outside.change_key(id_of(&key), |key| {
        key.last_used_day = Some(world::NOW / 86_400 + 10);
        key.refreshed_at = world::NOW + 10 * 86_400;
    });
    assert!(!list(10).contains("class=\"warning\"") && list(10).contains("last used <time"));
    deployed.outside.change_key(id_of(&key), |key| key.state = State::Ended);
    assert!(list(11).contains("The provider has ended the access behind it"));
    deployed.outside.change_key(id_of(&key), |key| key.state = State::Active);
    assert!(list(90).contains("Its time was over."));
}

#[test]
fn keys_of_before_a_moment_are_shown_as_revoked() {
    let deployed = deploy(&[("KEYS_NOT_BEFORE", &(world::NOW + 1).to_string())]);
    let browser = Browser::of(&deployed, "alice");
    browser.make(&FORM, "alice");
    assert!(browser.get("/account/keys").response.text().contains("has revoked all keys that were made before"));
}

#[test]
fn a_key_that_cannot_be_asked_is_listed_and_a_list_that_cannot_be_read_is_an_outage() {
    let deployed = deploy(&[]);
    let browser = Browser::of(&deployed, "alice");
    let key = browser.make(&FORM, "alice");
    let csrf = browser.csrf();
    deployed.outside.broken.set("\"describe\"");
    let list = browser.get("/account/keys").response;
    assert!(list.status == 200 && list.text().contains("cannot be read right now"));
    let one = browser.get(&format!("/account/keys/{}", id_of(&key)));
    assert_eq!((one.response.status, one.response.header("retry-after")), (503, Some("10")));
    deployed.outside.broken.set("list");
    let list = browser.get("/account/keys");
    assert_eq!(list.response.status, 503);
    assert!(list.record.get("detail").contains("the object of the user"));
    deployed.outside.broken.set("\"revoke\"");
    let body = encode(&[("action", "revoke"), ("csrf", &csrf)]);
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", HOST)];
    let revoked = browser.send("POST", &format!("/account/keys/{}", id_of(&key)), &headers, &body).response;
    assert!(revoked.status == 503 && revoked.text().contains("It is not known whether"));
}

#[test]
fn a_form_with_errors_comes_back_as_it_was_sent() {
    let deployed = deploy(&[]);
    let browser = Browser::of(&deployed, "alice");
    let page =
        browser.post("/account/keys", &[("name", "a\u{202e}b"), ("scope", "notes:read"), ("days", "91")]).response;
    assert_eq!(page.status, 422);
    let text = page.text();
    assert!(text.contains("role=\"alert\"") && text.contains("href=\"#name\"") && text.contains("href=\"#days\""));
    assert!(text.contains("aria-invalid=\"true\" value=\"a\u{202e}b\"") && text.contains("value=\"91\""), "{text}");
    assert!(text.contains("value=\"notes:read\" checked") && text.contains("value=\"whoami:read\" checked disabled"));
    let many = (0..50).map(|at| format!("{at}{}", "x".repeat(100))).collect::<Vec<_>>().join(" ");
    let long = browser.post("/account/keys", &[FORM[0], FORM[2], ("tools", &many)]).response;
    assert!(long.status == 422 && long.text().contains("too many tools for one key"));
    assert!(deployed.outside.entries().is_empty());
}

#[test]
fn tools_are_a_choice_where_the_operator_names_them() {
    let deployed = deploy(&[("KEY_TOOLS", "whoami notes_list")]);
    let browser = Browser::of(&deployed, "alice");
    let page = browser.get("/account/keys").response;
    assert!(page.text().contains("name=\"tool\" value=\"notes_list\"") && !page.text().contains("<textarea"));
    let key = browser.make(&[FORM[0], FORM[2], ("tool", "whoami")], "alice");
    assert_eq!(deployed.outside.key(id_of(&key)).unwrap().tools, Some(vec!["whoami".to_owned()]));
}

#[test]
fn the_new_key_comes_with_configurations() {
    let deployed = deploy(&[]);
    let browser = Browser::of(&deployed, "alice");
    let sent = browser.begin("/account/keys", &FORM);
    let page = browser.come_back(&sent, |_, _| ()).response;
    let key = key_in(&page);
    for client in ["Claude", "Claude Code", "Cursor", "VS Code", "curl"] {
        assert!(page.text().contains(&format!("<h3>{client}</h3>")), "{client}");
    }
    assert!(page.text().contains(&format!(
        "claude mcp add --transport http notes {RESOURCE} --header &quot;Authorization: Bearer {key}&quot;"
    )));
    assert!(page.text().contains("data-clean=\"/account/keys\"") && page.text().contains("<meta charset"));
}
