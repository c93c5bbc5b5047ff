//! Making and replacing keys: the authorization round trip, and every way in which it leads nowhere.

use super::*;
use crate::{account::message::GrantOutcome, key::message::State};

#[test]
fn a_key_is_made_and_shown_once() {
    let deployed = deploy(&[]);
    let browser = Browser::of(&deployed, "alice");
    assert!(browser.get("/account/keys").response.text().contains("You have no keys that work"));
    let sent = browser.begin("/account/keys", &[FORM[0], FORM[1], FORM[2], ("tools", "whoami notes_list")]);
    assert_eq!(sent.first("scope"), "openid offline_access whoami:read notes:read", "exactly these");
    assert_eq!((sent.first("prompt"), sent.first("max_age")), ("consent", "600"));
    assert_eq!((sent.first("resource"), sent.first("client_id")), (RESOURCE, "vault"));
    assert_eq!(sent.first("redirect_uri"), "https://mcp.example.com/account/callback");
    assert!(deployed.outside.entries().is_empty(), "nothing is made before the provider was asked");

    let handled = browser.come_back(&sent, |_, _| ());
    let key = key_in(&handled.response);
    assert_eq!(handled.record.get("key"), id_of(&key));
    assert!(handled.response.header("cache-control") == Some("no-store"));
    let form = deployed.outside.redeemed.borrow().last().unwrap().clone();
    assert!(form.contains("resource=https%3A%2F%2Fmcp.example.com%2Fmcp"), "{form}");
    let made = deployed.outside.key(id_of(&key)).unwrap();
    assert_eq!((made.name.as_str(), made.scopes.as_str()), ("Nightly <build>", "whoami:read notes:read"));
    assert_eq!(made.tools, Some(vec!["whoami".to_owned(), "notes_list".to_owned()]));
    assert_eq!(made.expires_at - made.created_at, 30 * 86_400);
    assert_eq!(made.grant_id.as_deref(), Some("grant-1"));
    assert!(mcp_edge_access_keys::format::parse(&key, "mcpk").is_ok());

    let list = browser.get("/account/keys").response;
    assert!(list.text().contains("Nightly &lt;build&gt;") && !list.text().contains(&key));
    let secret = key.split('_').nth(2).unwrap();
    let log = deployed.outside.log.borrow().join("\n");
    assert!(log.contains("key_created") && !log.contains(secret), "{log}");
    assert!(!browser.get(&format!("/account/keys/{}", id_of(&key))).response.text().contains(secret));
}

#[test]
fn a_key_for_longer_than_its_refresh_token_must_be_used() {
    for (days, is_said) in [("14", false), ("15", true)] {
        let deployed = deploy(&[]);
        let browser = Browser::of(&deployed, "alice");
        let sent = browser.begin("/account/keys", &[FORM[0], FORM[1], ("days", days)]);
        let page = browser.come_back(&sent, |_, _| ()).response;
        assert_eq!(page.text().contains("may end it after 14 days"), is_said, "{days}");
    }
}

#[test]
fn a_callback_is_good_once() {
    let deployed = deploy(&[]);
    let browser = Browser::of(&deployed, "alice");
    let sent = browser.begin("/account/keys", &FORM);
    let cookies = browser.cookies.borrow().clone();
    key_in(&browser.come_back(&sent, |_, _| ()).response);
    // A reload: the cookie is gone.
    let again = browser.return_with(&sent).response;
    assert!(again.status == 400 && again.text().contains("is shown once"), "{}", again.text());
    // Somebody who kept the cookie.
    *browser.cookies.borrow_mut() = cookies;
    let replayed = browser.return_with(&sent).response;
    assert!(replayed.status == 409 && replayed.text().contains("makes no second key"), "{}", replayed.text());
    assert_eq!(deployed.outside.entries().len(), 1);
    assert_eq!(deployed.outside.redeemed.borrow().len(), 2, "of the sign-in and the key");
}

#[test]
fn two_tabs_do_not_know_of_each_other() {
    let deployed = deploy(&[]);
    let browser = Browser::of(&deployed, "alice");
    let one = browser.begin("/account/keys", &[("name", "one"), ("days", "1")]);
    let two = browser.begin("/account/keys", &[("name", "two"), ("days", "2")]);
    let second = key_in(&browser.come_back(&two, |_, _| ()).response);
    let first = key_in(&browser.come_back(&one, |_, _| ()).response);
    let name = |key: &str| deployed.outside.key(id_of(key)).unwrap().name;
    assert_eq!((name(&first), name(&second)), ("one".to_owned(), "two".to_owned()));
    assert_eq!(browser.cookies.borrow().len(), 1, "the session alone is left");
}

#[test]
fn an_answer_in_another_browser_or_of_another_user_makes_nothing() {
    let deployed = deploy(&[]);
    let alice = Browser::of(&deployed, "alice");
    let bob = Browser::of(&deployed, "bob");
    let sent = alice.begin("/account/keys", &FORM);
    let elsewhere = bob.come_back(&sent, |_, _| ()).response;
    assert!(elsewhere.status == 400 && elsewhere.text().contains("not begun in this browser"));
    // Bob signs in at the provider midway.
    let other = alice.come_back(&sent, |id, _| id["sub"] = "bob".into()).response;
    assert!(other.status == 403 && other.text().contains("Another user has signed in"), "{}", other.text());
    // Bob signs in here midway, in the same browser.
    let sent = alice.begin("/account/keys", &FORM);
    alice.sign_in("bob");
    let other = alice.come_back(&sent, |_, _| ()).response;
    assert!(other.status == 403 && other.text().contains("Another user has signed in"));
    // The access token is another user's than the ID token.
    let alice = Browser::of(&deployed, "alice");
    let sent = alice.begin("/account/keys", &FORM);
    assert_eq!(alice.come_back(&sent, |_, access| access["sub"] = "mallory".into()).response.status, 403);
    // The session has ended.
    let sent = alice.begin("/account/keys", &FORM);
    alice.cookies.borrow_mut().remove("__Host-account");
    let ended = alice.come_back(&sent, |_, _| ()).response;
    assert!(ended.status == 403 && ended.text().contains("Signed out meanwhile"));
    assert!(deployed.outside.entries().is_empty() && deployed.outside.keys.borrow().is_empty());
}

#[test]
fn every_way_that_leads_nowhere_says_so_and_leaves_no_room_taken() {
    type Change = fn(&mut Value, &mut Value);
    let cases: [(&str, Change, u16, &str); 9] = [
        ("fewer scopes", |_, access| access["scope"] = "whoami:read".into(), 403, "did not grant notes:read"),
        ("no scope at all", |_, access| access["scope"] = "".into(), 403, "Fewer scopes"),
        ("no refresh token", |_, access| access["no_refresh_token"] = true.into(), 500, "must allow offline access"),
        ("another client", |_, access| access["client_id"] = "agent".into(), 500, "Not set up"),
        ("another resource", |_, access| access["aud"] = "https://other.example".into(), 500, "Not set up"),
        ("an old sign-in", |id, _| id["auth_time"] = (world::NOW - 606).into(), 403, "Sign in once more"),
        (
            "no time of sign-in",
            |id, _| {
                id.as_object_mut().unwrap().remove("auth_time");
            },
            500,
            "does not say when you signed in",
        ),
        ("another nonce", |id, _| id["nonce"] = "x".into(), 400, "belongs to another request"),
        ("an ID token for another", |id, _| id["aud"] = "agent".into(), 400, "belongs to another request"),
    ];
    for (name, change, status, text) in cases {
        let deployed = deploy(&[]);
        let browser = Browser::of(&deployed, "alice");
        let sent = browser.begin("/account/keys", &FORM);
        let handled = browser.come_back(&sent, change);
        assert_eq!(handled.response.status, status, "{name}: {}", handled.record.get("detail"));
        assert!(handled.response.text().contains(text), "{name}: {}", handled.response.text());
        assert!(["o key was made", "othing was done"].iter().any(|said| handled.response.text().contains(said)));
        assert!(
            !handled.record.get("detail").is_empty() && !handled.record.get("detail").contains("the-refresh-token")
        );
        assert!(deployed.outside.entries().is_empty() && deployed.outside.keys.borrow().is_empty(), "{name}");
    }
}

#[test]
fn the_provider_cancels_fails_or_is_gone() {
    let deployed = deploy(&[]);
    let browser = Browser::of(&deployed, "alice");
    for (error, status, text) in [
        ("access_denied", 403, "You did not agree"),
        ("temporarily_unavailable", 503, "cannot be reached"),
        ("invalid_scope", 403, "Refused by the provider"),
    ] {
        let sent = browser.begin("/account/keys", &FORM);
        let query = encode(&[("error", error), ("state", sent.first("state")), ("iss", ISSUER)]);
        let handled = browser.get(&format!("/account/callback?{query}"));
        assert_eq!((handled.response.status, handled.response.text().contains(text)), (status, true), "{error}");
        assert!(handled.record.get("detail").contains(error));
    }
    let sent = browser.begin("/account/keys", &FORM);
    let query = encode(&[("code", "c"), ("state", sent.first("state")), ("iss", "https://evil.example")]);
    assert_eq!(browser.get(&format!("/account/callback?{query}")).response.status, 400);
    for (status, body, expected) in [
        (400, json!({ "error": "invalid_grant" }), 400),
        (401, json!({ "error": "invalid_client" }), 500),
        (502, json!({}), 503),
    ] {
        let sent = browser.begin("/account/keys", &FORM);
        *deployed.outside.tokens.borrow_mut() = (status, body);
        assert_eq!(browser.return_with(&sent).response.status, expected);
    }
    assert!(deployed.outside.entries().is_empty());
}

#[test]
fn the_limit_counts_keys_that_work() {
    let deployed = deploy(&[("KEYS_PER_USER", "1")]);
    let browser = Browser::of(&deployed, "alice");
    let (one, two) = (browser.begin("/account/keys", &FORM), browser.begin("/account/keys", &FORM));
    let key = key_in(&browser.come_back(&one, |_, _| ()).response);
    let full = browser.come_back(&two, |_, _| ()).response;
    assert!(full.status == 403 && full.text().contains("as many keys as you may have"));
    assert!(browser.get("/account/keys").response.text().contains("You have as many keys as you may have"));
    // Replacing makes room afterwards.
    let sent = browser.begin(&format!("/account/keys/{}", id_of(&key)), &[("action", "rotate")]);
    key_in(&browser.come_back(&sent, |_, _| ()).response);
}

#[test]
fn a_key_is_replaced_by_one_like_it_and_revoked_afterwards() {
    let deployed = deploy(&[]);
    let browser = Browser::of(&deployed, "alice");
    let old = browser.make(&[FORM[0], FORM[1], FORM[2], ("tools", "whoami")], "alice");
    deployed.outside.now.set(world::NOW + 86_400);
    browser.sign_in("alice");
    let question = browser.get(&format!("/account/keys/{}?action=rotate", id_of(&old))).response;
    assert!(question.text().contains("for 30 days") && question.text().contains("Replace Nightly &lt;build&gt;?"));
    let sent = browser.begin(&format!("/account/keys/{}", id_of(&old)), &[("action", "rotate")]);
    assert_eq!(sent.first("scope"), "openid offline_access whoami:read notes:read");
    assert_eq!(deployed.outside.state(id_of(&old)), Some(State::Active), "until the new one is there");
    deployed.outside.grant.set(GrantOutcome::Shared);
    let page = browser.come_back(&sent, |_, _| ()).response;
    let new = key_in(&page);
    assert!(page.text().contains("may be shared by other keys"), "{}", page.text());
    assert_eq!(deployed.outside.state(id_of(&old)), Some(State::Revoked));
    let made = deployed.outside.key(id_of(&new)).unwrap();
    assert_eq!((made.rotated_from.as_deref(), made.tools), (Some(id_of(&old)), Some(vec!["whoami".to_owned()])));
    assert_eq!(made.expires_at, world::NOW + 31 * 86_400);
    assert!(
        deployed.outside.log.borrow().iter().any(|line| line.contains("key_rotated") && line.contains(id_of(&old)))
    );
}

#[test]
fn a_key_that_cannot_be_revoked_after_its_replacement_is_said_to_work() {
    let deployed = deploy(&[]);
    let browser = Browser::of(&deployed, "alice");
    let old = browser.make(&FORM, "alice");
    let sent = browser.begin(&format!("/account/keys/{}", id_of(&old)), &[("action", "rotate")]);
    deployed.outside.broken.set("\"revoke\"");
    let page = browser.come_back(&sent, |_, _| ()).response;
    assert!(page.text().contains("could not be revoked and still works"), "{}", page.text());
    assert_ne!(key_in(&page), old);
}

#[test]
fn a_key_that_works_no_longer_is_not_replaced() {
    type Change = fn(&Browser, &str);
    let endings: [(&str, Change); 4] = [
        ("replaced in another tab", |browser, old| {
            let other = browser.begin(&format!("/account/keys/{old}"), &[("action", "rotate")]);
            key_in(&browser.come_back(&other, |_, _| ()).response);
        }),
        ("revoked", |browser, old| {
            browser.post(&format!("/account/keys/{old}"), &[("action", "revoke")]);
        }),
        ("ended", |browser, old| browser.deployed.outside.change_key(old, |key| key.state = State::Ended)),
        ("expired", |browser, old| browser.deployed.outside.change_key(old, |key| key.expires_at = world::NOW)),
    ];
    for (name, end) in endings {
        let deployed = deploy(&[]);
        let browser = Browser::of(&deployed, "alice");
        let old = id_of(&browser.make(&FORM, "alice")).to_owned();
        let sent = browser.begin(&format!("/account/keys/{old}"), &[("action", "rotate")]);
        end(&browser, &old);
        let (entries, redeemed) = (deployed.outside.entries().len(), deployed.outside.redeemed.borrow().len());
        let page = browser.come_back(&sent, |_, _| ()).response;
        assert!(page.status == 409 && page.text().contains("works no longer"), "{name}: {}", page.text());
        assert_eq!(deployed.outside.entries().len(), entries, "{name}");
        assert_eq!(deployed.outside.redeemed.borrow().len(), redeemed, "{name}: no grant without a key");
    }
    // What cannot be said now is no answer.
    let deployed = deploy(&[]);
    let browser = Browser::of(&deployed, "alice");
    let old = id_of(&browser.make(&FORM, "alice")).to_owned();
    let sent = browser.begin(&format!("/account/keys/{old}"), &[("action", "rotate")]);
    deployed.outside.broken.set("describe");
    assert_eq!(browser.come_back(&sent, |_, _| ()).response.status, 503);
}

#[test]
fn an_object_that_fails_half_way_leaves_no_key_that_nobody_sees() {
    for (is_after, text, keys_left, entries_left) in
        [(false, "reserve", 0, 0), (false, "\"create\"", 0, 0), (true, "\"create\"", 0, 1), (false, "confirm", 1, 1)]
    {
        let deployed = deploy(&[]);
        let browser = Browser::of(&deployed, "alice");
        let sent = browser.begin("/account/keys", &FORM);
        if is_after {
            deployed.outside.broken_after.set(text);
        } else {
            deployed.outside.broken.set(text);
        }
        let handled = browser.come_back(&sent, |_, _| ());
        let is_shown = keys_left == 1;
        assert_eq!(handled.response.status, if is_shown { 200 } else { 503 }, "{text}");
        let live = deployed.outside.keys.borrow().values().filter(|(_, key)| key.state == State::Active).count();
        let entries = deployed.outside.entries();
        assert_eq!((live, entries.len()), (keys_left, entries_left), "{text}");
        // One that was made and revoked again leaves a grant, which the object of the user is to end.
        assert_eq!(entries.iter().filter(|entry| entry.gone_at.is_some()).count(), usize::from(is_after), "{text}");
        assert!(handled.record.get("detail").contains("the object of"), "{}", handled.record.get("detail"));
    }
}

#[test]
fn a_sign_in_that_comes_back_twice_redeems_its_code_once() {
    let deployed = deploy(&[]);
    let browser = Browser::new(&deployed);
    let begun = browser.get("/account/sign-in").response;
    let sent = Form::parse(begun.header("location").unwrap().split_once('?').unwrap().1);
    let cookies = browser.cookies.borrow().clone();
    browser.come_back(&sent, |_, _| ());
    // The page was reloaded while the first request was under way: the browser had all its cookies.
    *browser.cookies.borrow_mut() = cookies;
    let again = browser.return_with(&sent).response;
    assert_eq!((again.status, again.header("location")), (303, Some("/account/keys")));
    assert_eq!(deployed.outside.redeemed.borrow().len(), 1);
}
