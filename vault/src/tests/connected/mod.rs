//! The object of connected accounts: races, crashes, outages and restarts, with SQLite and a clock of the tests' own.

mod holds;
mod links;
mod migration;
mod moves;
mod races;
mod revocation;

use mcp_edge_runtime::secret::Secret;

use crate::{
    connected::{
        client,
        message::{Account, Answer, NewAccount, Request, Revocation},
    },
    connection::agent::Agent,
    owner::Owner,
    secrets::{account_name, connections::ConnectionSecrets},
    service::account::AccountId,
    testing::world::{ISSUER, Namespace, World},
};

/// What the service offers.
const OFFERED: [&str; 3] = ["read", "write", "admin"];

fn alice() -> Owner {
    Owner { issuer: ISSUER.to_owned(), subject: "alice".to_owned() }
}

fn object_name() -> String {
    account_name(ISSUER, "alice")
}

fn list(scopes: &str) -> Vec<String> {
    scopes.split_whitespace().map(str::to_owned).collect()
}

impl World {
    async fn accounts(&self, request: Request) -> Answer {
        client::ask(self, &alice(), request).await.unwrap()
    }

    fn accounts_now(&self, request: Request) -> Answer {
        self.clock.run(self.accounts(request))
    }

    /// An account that was authorized just now, with a grant of this name.
    fn authorized(&self, grant: &str, name: &str) -> NewAccount {
        NewAccount {
            connection: "github".to_owned(),
            name: name.to_owned(),
            id: Some(id_of(name)),
            access_token: format!("first access token of {grant}"),
            until: Some(self.clock.now() + 3_600),
            refresh_token: Some(self.service.authorize(grant)),
            scopes: "read write".to_owned(),
            client_id: "client".to_owned(),
            from: self.service.place.borrow().clone(),
        }
    }

    /// Holds an account, and answers the id of the hold.
    fn hold(&self, authorization: &str, account: NewAccount) -> String {
        let request = Request::Hold { authorization: authorization.to_owned(), account: Box::new(account) };
        match self.accounts_now(request) {
            Answer::Held { hold, .. } => hold,
            other => panic!("{}", name_of(&other)),
        }
    }

    fn confirm(&self, hold: &str) -> &'static str {
        name_of(&self.accounts_now(confirm(hold, None)))
    }

    /// Connects an account.
    pub(super) fn connect(&self, grant: &str, name: &str) {
        let hold = self.hold(grant, self.authorized(grant, name));
        assert_eq!(self.confirm(&hold), "done");
    }

    /// Connects an account whose access token has expired.
    fn connect_expired(&self, grant: &str) {
        self.connect(grant, "octocat");
        self.clock.pass(3_600);
    }

    fn access(&self, scopes: &str) -> Answer {
        self.accounts_now(access(scopes, None))
    }

    fn disconnect(&self) -> Answer {
        self.accounts_now(Request::Disconnect { connection: "github".to_owned() })
    }

    fn listed(&self) -> Vec<Account> {
        match self.accounts_now(Request::List) {
            Answer::Accounts(accounts) => accounts,
            other => panic!("{}", name_of(&other)),
        }
    }

    fn replace_secret(&self, current: &str, previous: Option<&str>) {
        let previous = previous.map(Secret::new);
        *self.connection_secrets.borrow_mut() = ConnectionSecrets::new(&Secret::new(current), previous.as_ref());
    }

    fn dump(&self) -> String {
        self.storage(Namespace::ConnectedAccounts, &object_name()).dump()
    }
}

/// The id of an account of this name.
fn id_of(name: &str) -> AccountId {
    AccountId { member: "sub".to_owned(), value: format!("id of {name}") }
}

fn confirm(hold: &str, link: Option<&str>) -> Request {
    let link = link.map(str::to_owned);
    Request::Confirm { connection: "github".to_owned(), hold: hold.to_owned(), link }
}

fn access(scopes: &str, refused: Option<&str>) -> Request {
    Request::Access {
        connection: "github".to_owned(),
        scopes: list(scopes),
        offered: OFFERED.map(str::to_owned).to_vec(),
        agent: Agent::Client("agent".to_owned()),
        user_of_token: "list_issues".to_owned(),
        refused: refused.map(str::to_owned),
    }
}

fn token_of(answer: &Answer) -> &str {
    match answer {
        Answer::Token { access_token, .. } => access_token,
        other => name_of(other),
    }
}

fn name_of(answer: &Answer) -> &'static str {
    match answer {
        Answer::Done => "done",
        Answer::Token { .. } => "token",
        Answer::NotConnected { .. } => "not connected",
        Answer::Link(_) => "link",
        Answer::Held { .. } => "held",
        Answer::Accounts(_) => "accounts",
        Answer::Disconnected(_) => "disconnected",
        Answer::Unknown => "unknown",
        Answer::Used => "used",
        Answer::Unavailable { .. } => "unavailable",
    }
}

#[test]
fn an_account_is_connected_used_refreshed_and_listed() {
    let world = World::new();
    assert_eq!(name_of(&world.access("read")), "not connected");
    world.connect("g", "octocat");
    let Answer::Token { access_token, scopes } = world.access("read") else { panic!("it is connected") };
    assert_eq!((access_token.as_str(), scopes.as_str()), ("first access token of g", "read write"));
    world.clock.pass(3_541);
    assert_eq!(token_of(&world.access("read write")), "access token 1 of g", "a minute before its end");
    assert_eq!(token_of(&world.access("")), "access token 1 of g");
    assert_eq!((world.service.refreshes.get(), world.service.asked.borrow().as_str()), (1, "read write"));
    let accounts = world.listed();
    assert_eq!((accounts.len(), accounts[0].name.as_str(), accounts[0].ended_at), (1, "octocat", None));
    assert_eq!(accounts[0].uses[0].user_of_token, "list_issues");
    assert_eq!(accounts[0].uses[0].agent, Agent::Client("agent".to_owned()));
}

#[test]
fn nothing_is_stored_in_clear_and_nothing_before_there_is_something() {
    let world = World::new();
    assert_eq!(world.listed(), []);
    assert_eq!(name_of(&world.accounts_now(Request::Link { id: "x".to_owned() })), "unknown");
    assert_eq!(name_of(&world.disconnect()), "unknown");
    assert_eq!(world.dump(), "", "who asks about nothing leaves nothing behind");
    world.connect_expired("g");
    world.access("read");
    let dump = world.dump();
    assert!(dump.contains("octocat") && !dump.contains("access token") && !dump.contains("refresh token"), "{dump}");
    world.service.fails_with.replace(Some(crate::service::ServiceError::Unavailable("down".to_owned())));
    world.disconnect();
    let dump = world.dump();
    assert!(dump.contains("pending") && !dump.contains("access token") && !dump.contains("refresh token"), "{dump}");
}

#[test]
fn an_object_answers_its_own_user_alone() {
    let world = World::new();
    world.connect("g", "octocat");
    let bob = Owner { subject: "bob".to_owned(), ..alice() };
    let envelope = crate::connected::message::Envelope { owner: bob, request: Request::List };
    let object = crate::platform::Platform::connected_accounts(&world, &object_name());
    let message = serde_json::to_string(&envelope).unwrap();
    let answer = world.clock.run(mcp_edge_runtime::service_call::CallService::call(&object, message));
    assert!(answer.is_err());
}

#[test]
fn scopes_that_were_not_granted_need_another_consent() {
    let world = World::new();
    world.connect("g", "octocat");
    let Answer::NotConnected { link } = world.access("admin") else { panic!("not granted") };
    let Answer::Link(link) = world.accounts_now(Request::Link { id: link }) else { panic!("a link") };
    assert_eq!(link.scopes, ["admin", "read", "write"], "what was granted, and what is needed");
    // The service grants less than before.
    world.clock.pass(3_600);
    *world.service.grants.borrow_mut() = Some("read".to_owned());
    assert_eq!(name_of(&world.access("write")), "not connected");
    assert_eq!(name_of(&world.access("read")), "token");
    *world.service.grants.borrow_mut() = Some("read admin".to_owned());
    world.clock.pass(3_600);
    let Answer::Unavailable { cause, .. } = world.access("read") else { panic!("more than was asked for") };
    assert_eq!(cause, "the service granted scopes that were not asked for");
}

#[test]
fn a_scope_that_the_operator_takes_away_is_in_no_token_any_more() {
    let world = World::new();
    world.connect("g", "octocat");
    let Request::Access { connection, agent, user_of_token, .. } = access("", None) else { unreachable!() };
    let request = Request::Access {
        connection,
        scopes: list("read"),
        offered: list("read"),
        agent,
        user_of_token,
        refused: None,
    };
    let Answer::Token { access_token, scopes } = world.accounts_now(request) else { panic!("a narrower one") };
    assert_eq!((access_token.as_str(), scopes.as_str()), ("access token 1 of g", "read"));
}

#[test]
fn a_token_that_the_service_refuses_is_replaced_once() {
    let world = World::new();
    world.connect("g", "octocat");
    let first = token_of(&world.access("read")).to_owned();
    let second = token_of(&world.accounts_now(access("read", Some(&first)))).to_owned();
    assert_eq!(second, "access token 1 of g");
    // Others report the first one later: it is not given out any more.
    assert_eq!(token_of(&world.accounts_now(access("read", Some(&first)))), second);
    assert_eq!(world.service.refreshes.get(), 1);
}

#[test]
fn without_a_refresh_token_an_account_lasts_as_long_as_its_token() {
    let world = World::new();
    let mut account = world.authorized("g", "octocat");
    (account.refresh_token, account.until) = (None, None);
    let hold = world.hold("a", account);
    world.confirm(&hold);
    world.clock.pass(86_400 * 30);
    let token = token_of(&world.access("read")).to_owned();
    assert_eq!(token, "first access token of g", "until the service refuses it");
    world.audit.take();
    assert_eq!(name_of(&world.accounts_now(access("read", Some(&token)))), "not connected");
    assert!(world.listed()[0].ended_at.is_some());
    assert_eq!(world.audit.take(), [r#"{"audit":"account_ended","connection":"github","sub":"alice"}"#]);
}

#[test]
fn only_the_definite_refusal_of_the_service_ends_an_account() {
    use crate::service::ServiceError::{Client, Ended, ForeignEndpoint, Superseded, Unavailable, WiderScopes};
    let world = World::new();
    world.connect_expired("g");
    let text = || "x".to_owned();
    for error in [Client(text()), ForeignEndpoint(text()), Unavailable(text()), WiderScopes(text())] {
        *world.service.fails_with.borrow_mut() = Some(error.clone());
        assert_eq!(name_of(&world.access("read")), "unavailable", "{error}");
        assert_eq!(name_of(&world.access("read")), "unavailable", "spared");
        assert_eq!(world.listed()[0].ended_at, None);
        world.clock.pass(5);
    }
    let before = world.listed();
    *world.service.fails_with.borrow_mut() = Some(Superseded(text()));
    assert_eq!(name_of(&world.access("read")), "not connected", "the link is the way out");
    assert_eq!(world.listed(), before, "and the account is there, should the settings be set back");
    *world.service.fails_with.borrow_mut() = Some(Ended);
    assert_eq!(name_of(&world.access("read")), "not connected");
    *world.service.fails_with.borrow_mut() = None;
    assert_eq!(name_of(&world.access("read")), "not connected", "it has to be connected anew");
    assert_eq!(world.listed()[0].ended_at, Some(world.clock.now()));
    world.connect("another grant", "octocat");
    assert_eq!(name_of(&world.access("read")), "token");
}

#[test]
fn a_secret_that_is_replaced_goes_on_opening_and_what_is_used_is_sealed_anew() {
    let world = World::new();
    world.connect("g", "octocat");
    world.replace_secret("the second secret", Some("the first secret"));
    assert_eq!(name_of(&world.access("read")), "token");
    world.replace_secret("the second secret", None);
    assert_eq!(name_of(&world.access("read")), "token", "the access token was sealed anew");
    world.clock.pass(3_600);
    assert_eq!(name_of(&world.access("read")), "token", "so was the refresh token");
    // With a wrong secret the account has to be connected anew, and with the right one it is there again.
    world.replace_secret("a wrong secret", None);
    assert_eq!(name_of(&world.access("read")), "not connected");
    assert!(world.listed()[0].ended_at.is_some());
}

#[test]
fn a_refresh_token_that_the_service_goes_on_with_is_sealed_anew_when_it_is_used() {
    use crate::service::ServiceError::Unavailable;
    for outage in [None, Some(Unavailable("down".to_owned()))] {
        let world = World::new();
        world.service.rotates.set(false);
        world.connect_expired("g");
        world.replace_secret("the second secret", Some("the first secret"));
        let outcome = if outage.is_some() { "unavailable" } else { "token" };
        *world.service.fails_with.borrow_mut() = outage;
        assert_eq!(name_of(&world.access("read")), outcome);
        *world.service.fails_with.borrow_mut() = None;
        world.replace_secret("the second secret", None);
        world.clock.pass(3_600);
        assert_eq!(name_of(&world.access("read")), "token", "after: {outcome}");
        assert_eq!(world.listed()[0].ended_at, None);
    }
}

#[test]
fn each_connection_has_its_own_account_and_hold() {
    let world = World::new();
    let of = |connection: &str| {
        let mut account = world.authorized(connection, connection);
        connection.clone_into(&mut account.connection);
        world.hold(connection, account)
    };
    let holds = ["a", "github", "z"].map(of);
    assert_eq!(world.confirm(&holds[1]), "done");
    assert_eq!(token_of(&world.access("read")), "first access token of github");
    for (connection, hold) in [("a", &holds[0]), ("z", &holds[2])] {
        let request = Request::Held { connection: connection.to_owned() };
        let Answer::Held { hold: held, .. } = world.accounts_now(request) else { panic!("held") };
        assert_eq!(held, *hold);
        let request = Request::Confirm { connection: connection.to_owned(), hold: hold.clone(), link: None };
        assert_eq!(name_of(&world.accounts_now(request)), "done");
    }
    let names: Vec<String> = world.listed().into_iter().map(|account| account.connection).collect();
    assert_eq!(names, ["a", "github", "z"]);
    assert!(matches!(world.disconnect(), Answer::Disconnected(Revocation::Revoked)));
    assert_eq!(*world.service.revoked.borrow(), ["refresh token 1 of github", "first access token of github"]);
    assert_eq!(world.listed().len(), 2);
}

#[test]
fn uses_are_the_last_of_each_agent_and_tool() {
    let world = World::new();
    world.connect("g", "octocat");
    for number in 0..25 {
        let mut request = access("read", None);
        let Request::Access { user_of_token, .. } = &mut request else { unreachable!() };
        *user_of_token = format!("tool {number}");
        world.accounts_now(request);
        world.clock.pass(10);
    }
    let uses = world.listed()[0].uses.clone();
    assert_eq!((uses.len(), uses[0].user_of_token.as_str()), (20, "tool 24"));
}

#[test]
fn a_rotated_refresh_token_is_kept_although_the_access_token_beside_it_is_refused() {
    let world = World::new();
    world.connect_expired("g");
    *world.service.grants.borrow_mut() = Some("read write admin".to_owned());
    assert_eq!(name_of(&world.access("read")), "unavailable", "never more than was asked for");
    *world.service.grants.borrow_mut() = None;
    world.clock.pass(10);
    assert_eq!(token_of(&world.access("read")), "access token 2 of g");
}
