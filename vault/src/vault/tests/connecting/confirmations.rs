//! Whether the account is the right one.

use super::*;

#[test]
fn an_account_is_connected_once_its_user_has_said_so() {
    let (deployed, browser) = Connecting::with_link();
    let question = browser.back(&browser.agree(&[]));
    let page = browser.get(&question).response;
    for text in ["Is this the right account?", "<li><code>repo:read</code></li>", "Use another account", "Cancel"] {
        assert!(page.text().contains(text), "{text}: {}", page.text());
    }
    assert!(!page.text().contains("It replaces"));
    browser.get(&question);
    assert_eq!(deployed.changes("alice"), ["spend", "hold"], "looking changes nothing");
    let done = browser.decide(&question, "confirm").response;
    assert!(done.text().contains("Go back to <strong>claude.example</strong>"), "{}", done.text());
    assert_eq!(deployed.user("alice", |user| user.accounts["github"].name.clone()), "octocat");
    let line = format!(
        r#"{{"audit":"account_connected","connection":"github","sub":"alice","client_id":"{CLIENT}","tool":"list_<issues>"}}"#
    );
    assert!(deployed.log().contains(&line), "{}", deployed.log());
    // A reload, and the link again.
    let again = browser.decide(&question, "confirm").response;
    assert!(again.status == 200 && again.text().contains("<strong>octocat</strong>"), "{}", again.text());
    assert_eq!(deployed.changes("alice"), ["spend", "hold", "confirm"]);
    assert_eq!(browser.get(&question).response.status, 409);
    assert_eq!(browser.decide(&question, "discard").response.status, 409, "it is connected");
    let again = browser.get(LINK).response;
    assert!(
        again.text().contains("Connected already")
            && !again.text().contains("<form method=\"post\" action=\"/account/connect")
    );
    assert!(browser.post(LINK, &[("again", "1")]).response.text().contains("Connected already"));
    assert_eq!(deployed.servers.begun.borrow().len(), 1);
}

#[test]
fn a_confirmation_whose_answer_was_lost_is_confirmed_again() {
    let (deployed, browser) = Connecting::with_link();
    let question = browser.back(&browser.agree(&[]));
    deployed.outside.broken_after.set("\"confirm\"");
    assert_eq!(browser.decide(&question, "confirm").response.status, 503);
    assert!(!deployed.log().contains("account_connected"));
    deployed.outside.broken_after.set("\u{0}");
    let done = browser.decide(&question, "confirm").response;
    assert!(done.status == 200 && done.text().contains("<strong>octocat</strong>"), "{}", done.text());
    assert!(done.text().contains("Go back to <strong>claude.example</strong>"), "{}", done.text());
    assert_eq!(deployed.log().matches("account_connected").count(), 1);
    assert_eq!(deployed.changes("alice"), ["spend", "hold", "confirm"]);
}

#[test]
fn what_was_held_for_ten_minutes_is_confirmed_by_nobody() {
    let (deployed, browser) = Connecting::with_link();
    let question = browser.back(&browser.agree(&[]));
    deployed.outside.now.set(world::NOW + 600);
    assert_eq!(browser.get(&question).response.status, 409);
    assert_eq!(browser.decide(&question, "confirm").response.status, 409);
    assert!(deployed.user("alice", |user| user.accounts.is_empty()) && !deployed.log().contains("account_connected"));
}

#[test]
fn another_user_or_another_tab_confirms_nothing() {
    let (deployed, alice) = Connecting::with_link();
    let first = alice.back(&alice.agree(&[]));
    let bob = Browser::of(&deployed, "bob");
    assert_eq!(bob.get(&first).response.status, 409);
    for decision in ["confirm", "discard", "another"] {
        assert_eq!(bob.decide(&first, decision).response.status, 409, "{decision}");
    }
    let stranger = deployed.send("GET", &first, &[], "").response;
    assert_eq!((stranger.status, stranger.header("location")), (303, Some("/account/sign-in?to=connections")));
    // Another tab comes back with another account.
    let second = alice.back(&alice.agree(&[("again", "1")]));
    assert_ne!(first, second);
    assert_eq!(alice.get(&first).response.status, 409);
    assert_eq!(alice.decide(&first, "confirm").response.status, 409);
    assert!(deployed.user("alice", |user| user.accounts.is_empty()));
    assert_eq!(alice.decide(&second, "confirm").response.status, 200);
    assert_eq!(alice.decide(&second, "something").response.status, 404);
    assert!(deployed.changes("bob").is_empty());
}

#[test]
fn the_account_that_is_replaced_is_named() {
    let (deployed, browser) = Connecting::with_link();
    let question = browser.back(&browser.agree(&[]));
    browser.decide(&question, "confirm");
    deployed.link(Agent::Unnamed);
    *deployed.servers.name.borrow_mut() = Ok(Some("hubot".to_owned()));
    let question = browser.back(&browser.agree(&[]));
    let page = browser.get(&question).response;
    assert!(
        page.text().contains("<strong>hubot</strong>") && page.text().contains("It replaces <strong>octocat</strong>")
    );
    *deployed.servers.name.borrow_mut() = Ok(None);
    deployed.link(Agent::Unnamed);
    let question = browser.back(&browser.agree(&[]));
    assert!(browser.get(&question).response.text().contains("does not say which account it is"));
}

#[test]
fn the_wrong_account_is_given_back_and_another_one_chosen() {
    let (deployed, browser) = Connecting::with_link();
    let question = browser.back(&browser.agree(&[]));
    // A service that does not answer leaves the choice open.
    *deployed.servers.begins.borrow_mut() = Err(ServiceError::Unavailable("reset".to_owned()));
    assert_eq!(browser.decide(&question, "another").response.status, 503);
    assert_eq!(browser.get(&question).response.status, 200);
    *deployed.servers.begins.borrow_mut() = Ok(());
    let state = state_in(&browser.decide(&question, "another").response);
    assert_eq!(
        deployed.servers.begun.borrow().last().unwrap(),
        &("github".to_owned(), vec!["repo:read".to_owned()], true)
    );
    assert_eq!(deployed.changes("alice"), ["spend", "hold", "discard"]);
    *deployed.servers.name.borrow_mut() = Ok(Some("hubot".to_owned()));
    let question = browser.back(&state);
    browser.decide(&question, "confirm");
    assert_eq!(deployed.user("alice", |user| user.accounts["github"].name.clone()), "hubot");
    assert!(deployed.log().contains(CLIENT), "it is known for which agent");
}

#[test]
fn an_expired_link_says_no_more_what_its_user_agreed_to() {
    let (deployed, browser) = Connecting::with_link();
    deployed.outside.now.set(world::NOW + 60);
    let question = browser.back(&browser.agree(&[]));
    deployed.outside.now.set(world::NOW + 600);
    let page = browser.decide(&question, "another").response;
    assert!(page.status == 409 && page.text().contains("let the program ask again"), "{}", page.text());
    assert_eq!(deployed.servers.begun.borrow().len(), 1);
    assert_eq!(deployed.changes("alice"), ["spend", "hold", "discard"]);
}

#[test]
fn a_user_who_cancels_connects_nothing() {
    let (deployed, browser) = Connecting::with_link();
    let question = browser.back(&browser.agree(&[]));
    let page = browser.decide(&question, "discard").response;
    assert!(page.status == 200 && page.text().contains("was not connected"), "{}", page.text());
    assert_eq!(deployed.changes("alice"), ["spend", "hold", "discard"]);
    assert!(browser.get(LINK).response.text().contains("Start again"));
    assert!(!deployed.log().contains("account_connected"));
}
