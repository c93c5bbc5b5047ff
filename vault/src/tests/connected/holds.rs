//! Accounts that wait for confirmation.

use futures_util::future::join;

use super::{confirm, name_of, object_name, token_of};
use crate::{
    connected::message::{Answer, Request},
    testing::world::{Namespace, World},
};

fn discard(hold: &str) -> Request {
    Request::Discard { connection: "github".to_owned(), hold: hold.to_owned() }
}

fn held() -> Request {
    Request::Held { connection: "github".to_owned() }
}

#[test]
fn what_is_held_counts_only_after_its_confirmation() {
    let world = World::new();
    let hold = world.hold("a", world.authorized("g", "octocat"));
    assert_eq!(name_of(&world.access("read")), "not connected");
    assert_eq!(world.listed(), []);
    let Answer::Held { hold: id, account, replaces: None } = world.accounts_now(held()) else { panic!("held") };
    assert_eq!((id.as_str(), account.name.as_str(), account.scopes.as_str()), (hold.as_str(), "octocat", "read write"));
    assert_eq!(world.confirm("another"), "unknown");
    assert_eq!(world.confirm(&hold), "done");
    assert_eq!(name_of(&world.access("read")), "token");
    assert_eq!(name_of(&world.accounts_now(held())), "unknown");
}

#[test]
fn a_hold_that_is_confirmed_twice_connects_one_account() {
    let world = World::new();
    let hold = world.hold("a", world.authorized("g", "octocat"));
    let (one, other) =
        world.clock.run(join(world.accounts(confirm(&hold, None)), world.accounts(confirm(&hold, None))));
    assert_eq!((name_of(&one), name_of(&other)), ("done", "done"));
    assert_eq!(world.listed().len(), 1);
    assert_eq!(name_of(&world.accounts_now(discard(&hold))), "used", "it is the account by now");
    assert_eq!(name_of(&world.access("read")), "token");
}

#[test]
fn an_authorization_is_used_once() {
    let world = World::new();
    let hold =
        |account| world.accounts_now(Request::Hold { authorization: "a".to_owned(), account: Box::new(account) });
    let Answer::Held { hold: first, .. } = hold(world.authorized("g", "octocat")) else { panic!("held") };
    let Answer::Held { hold: again, .. } = hold(world.authorized("h", "mallory")) else { panic!("the same") };
    assert_eq!(first, again, "the answer to the first request may be lost");
    assert_eq!(world.confirm(&first), "done");
    assert_eq!(name_of(&hold(world.authorized("h", "mallory"))), "used");
    assert_eq!(world.listed()[0].name, "octocat");
}

#[test]
fn of_two_tabs_the_later_account_is_held_and_the_earlier_is_given_back() {
    let world = World::new();
    let first = world.hold("a", world.authorized("g", "octocat"));
    let second = world.hold("b", world.authorized("h", "hubot"));
    assert_eq!(world.confirm(&first), "unknown", "its page is about another account");
    assert_eq!(name_of(&world.accounts_now(discard(&first))), "done");
    assert_eq!(world.confirm(&second), "done");
    world.clock.pass(600);
    assert!(world.wake_accounts(&object_name()));
    assert!(world.service.has_ended("g") && !world.service.has_ended("h"));
}

#[test]
fn another_account_takes_the_place_of_the_first_which_is_revoked() {
    let world = World::new();
    world.connect("g", "octocat");
    world.access("read");
    let hold = world.hold("b", world.authorized("h", "hubot"));
    let Answer::Held { replaces, .. } = world.accounts_now(held()) else { panic!("held") };
    assert_eq!(replaces.as_deref(), Some("octocat"));
    assert_eq!(world.confirm(&hold), "done");
    assert_eq!(token_of(&world.access("read")), "first access token of h");
    assert_eq!(world.listed()[0].uses.len(), 1, "uses are those of the account");
    world.clock.pass(60);
    assert!(world.wake_accounts(&object_name()));
    assert!(world.service.has_ended("g") && !world.service.has_ended("h"));
}

#[test]
fn tokens_of_the_same_account_are_forgotten_and_not_revoked() {
    // Some services end all tokens of an account and a client when one is revoked.
    let world = World::new();
    world.connect("g", "octocat");
    let hold = world.hold("b", world.authorized("h", "octocat"));
    let Answer::Held { replaces: None, .. } = world.accounts_now(held()) else { panic!("the same account") };
    world.clock.pass(601);
    world.wake_accounts(&object_name());
    assert_eq!(world.confirm(&hold), "unknown");
    assert_eq!(name_of(&world.access("read")), "token", "the account that was there before");
    world.connect("i", "octocat");
    world.clock.pass(3_600);
    world.wake_accounts(&object_name());
    assert_eq!(*world.service.revoked.borrow(), Vec::<String>::new());
}

#[test]
fn an_account_is_the_same_however_its_name_is_shown() {
    let world = World::new();
    world.connect("g", "alice");
    world.access("read");
    let mut again = world.authorized("h", "alice");
    again.name = "alice (id 1)".to_owned();
    let hold = world.hold("b", again);
    let Answer::Held { replaces: None, account, .. } = world.accounts_now(held()) else { panic!("the same account") };
    assert_eq!(account.name, "alice (id 1)");
    assert_eq!(world.confirm(&hold), "done");
    let accounts = world.listed();
    assert_eq!((accounts[0].name.as_str(), accounts[0].uses.len()), ("alice (id 1)", 1), "its uses are its own still");
    world.clock.pass(60);
    world.wake_accounts(&object_name());
    assert_eq!(*world.service.revoked.borrow(), Vec::<String>::new());
}

#[test]
fn another_account_of_the_same_name_is_another_account() {
    let world = World::new();
    world.connect("g", "alice");
    world.access("read");
    let mut other = world.authorized("h", "her namesake");
    other.name = "alice".to_owned();
    let hold = world.hold("b", other);
    let Answer::Held { replaces, .. } = world.accounts_now(held()) else { panic!("held") };
    assert_eq!(replaces.as_deref(), Some("alice"));
    assert_eq!(world.confirm(&hold), "done");
    assert_eq!(world.listed()[0].uses, []);
    world.clock.pass(60);
    assert!(world.wake_accounts(&object_name()));
    assert!(world.service.has_ended("g") && !world.service.has_ended("h"));
}

#[test]
fn what_may_be_the_same_account_is_not_revoked() {
    for (earlier, later) in [(false, true), (true, false), (false, false)] {
        let world = World::new();
        let connect = |grant: &str, name: &str, has_id| {
            let mut account = world.authorized(grant, name);
            account.id = account.id.filter(|_| has_id);
            assert_eq!(world.confirm(&world.hold(grant, account)), "done");
        };
        connect("g", "alice", earlier);
        connect("h", "alice (id 1)", later);
        world.clock.pass(60);
        world.wake_accounts(&object_name());
        assert_eq!(*world.service.revoked.borrow(), Vec::<String>::new(), "{earlier} {later}");
    }
}

#[test]
fn what_nobody_confirms_is_given_back_after_ten_minutes() {
    let world = World::new();
    let hold = world.hold("a", world.authorized("g", "octocat"));
    assert!(!world.wake_accounts(&object_name()), "not before");
    world.clock.pass(600);
    assert_eq!(world.confirm(&hold), "unknown", "with or without the alarm");
    assert!(world.wake_accounts(&object_name()));
    assert_eq!(*world.service.revoked.borrow(), ["refresh token 0 of g", "first access token of g"]);
    // What has become of it is forgotten, and nothing wakes the object any more.
    world.clock.pass(600);
    assert!(world.wake_accounts(&object_name()));
    assert_eq!(world.storage(Namespace::ConnectedAccounts, &object_name()).alarm.get(), None);
}

#[test]
fn what_is_discarded_is_given_back_at_once() {
    let world = World::new();
    let hold = world.hold("a", world.authorized("g", "octocat"));
    assert_eq!(name_of(&world.accounts_now(discard(&hold))), "done");
    assert_eq!(name_of(&world.accounts_now(discard(&hold))), "done", "the answer may be lost");
    assert!(world.wake_accounts(&object_name()));
    assert!(world.service.has_ended("g"));
    assert_eq!(world.confirm(&hold), "unknown");
}
