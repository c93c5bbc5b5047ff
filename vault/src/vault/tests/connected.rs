//! What is outside of the pages of connected accounts: the objects of users, and authorization servers of services.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::ready,
};

use futures_util::future::{FutureExt, LocalBoxFuture};
use mcp_edge_runtime::secret::Secret;
use mcp_edge_sign_in::authorization::RoundTrip;

use crate::{
    connect::servers::Servers,
    connected::message::{Account, Answer, Envelope, Link, NewAccount, Request, Revocation},
    secrets::account_name,
    service::{
        Begun, Issued, Provenance, Redemption, ServiceError, ServiceTokens, account::ServiceAccount, grant::asked,
    },
};

/// The object of a user.
#[derive(Default)]
pub struct ConnectedUser {
    /// Links, and until when they are good.
    pub links: BTreeMap<String, (Link, u64)>,
    /// What is held, and until when, by connection.
    pub held: BTreeMap<String, (String, NewAccount, u64)>,
    /// The holds that were confirmed and are connected, that were given back, and the authorizations that were used.
    confirmed: BTreeMap<String, String>,
    discarded: Vec<String>,
    used: BTreeMap<String, String>,
    disconnected: Vec<String>,
    pub accounts: BTreeMap<String, Account>,
    /// Everything that changed something.
    pub changes: Vec<&'static str>,
    pub revocation: Option<Revocation>,
}

impl ConnectedUser {
    pub fn answer(&mut self, name: &str, message: &str, now: u64) -> Answer {
        let Envelope { owner, request } = serde_json::from_str(message).unwrap();
        assert_eq!(name, account_name(&owner.issuer, &owner.subject), "the object of another user");
        match request {
            Request::Access { .. } => unreachable!("no page does that"),
            Request::Link { id } => self.link(&id, now).map_or(Answer::Unknown, |link| Answer::Link(link.clone())),
            Request::Spend { id } => {
                self.changes.push("spend");
                match self.link(&id, now) {
                    None => Answer::Unknown,
                    Some(link) if link.is_spent => Answer::Used,
                    Some(link) => {
                        link.is_spent = true;
                        Answer::Done
                    }
                }
            }
            Request::CancelLink { id } => {
                if let Some(link) = self.link(&id, now) {
                    link.is_cancelled = link.is_spent;
                }
                Answer::Done
            }
            Request::Hold { authorization, account } => {
                let (connection, hold) = (account.connection.clone(), authorization[..8].to_owned());
                if self.used.insert(authorization, hold.clone()).is_some() {
                    return match self.held(&connection, now) {
                        Answer::Held { hold: current, account, replaces } if current == hold => {
                            Answer::Held { hold, account, replaces }
                        }
                        _ => Answer::Used,
                    };
                }
                self.changes.push("hold");
                self.held.insert(connection.clone(), (hold, *account, now + 600));
                self.held(&connection, now)
            }
            Request::Held { connection } => self.held(&connection, now),
            Request::Confirm { connection, hold, link } => match self.take(&connection, &hold, now) {
                Some(account) => {
                    self.changes.push("confirm");
                    if let Some(link) = link.and_then(|id| self.link(&id, now)) {
                        link.is_cancelled = false;
                    }
                    self.confirmed.insert(connection.clone(), hold);
                    self.accounts.insert(connection, account);
                    Answer::Done
                }
                None if self.is_confirmed(&connection, &hold) => Answer::Done,
                None => Answer::Unknown,
            },
            Request::Discard { connection, hold } => match self.take(&connection, &hold, now) {
                Some(_) => {
                    self.changes.push("discard");
                    self.discarded.push(hold);
                    Answer::Done
                }
                None if self.is_confirmed(&connection, &hold) => Answer::Used,
                None if self.discarded.contains(&hold) => Answer::Done,
                None => Answer::Unknown,
            },
            Request::List => Answer::Accounts(self.accounts.values().cloned().collect()),
            Request::Disconnect { connection } => match self.accounts.remove(&connection) {
                Some(_) => {
                    self.changes.push("disconnect");
                    self.disconnected.push(connection);
                    Answer::Disconnected(self.revocation.unwrap_or(Revocation::Revoked))
                }
                None if self.disconnected.contains(&connection) => {
                    Answer::Disconnected(self.revocation.unwrap_or(Revocation::Revoked))
                }
                None => Answer::Unknown,
            },
        }
    }

    fn link(&mut self, id: &str, now: u64) -> Option<&mut Link> {
        self.links.get_mut(id).filter(|(_, until)| now < *until).map(|(link, _)| link)
    }

    fn held(&self, connection: &str, now: u64) -> Answer {
        match self.held.get(connection).filter(|(.., until)| now < *until) {
            None => Answer::Unknown,
            Some((hold, new, _)) => Answer::Held {
                hold: hold.clone(),
                account: account_of(new, now),
                replaces: self
                    .accounts
                    .get(connection)
                    .map(|account| account.name.clone())
                    .filter(|name| *name != new.name),
            },
        }
    }

    fn take(&mut self, connection: &str, hold: &str, now: u64) -> Option<Account> {
        self.held.get(connection).filter(|(known, _, until)| known == hold && now < *until)?;
        self.held.remove(connection).map(|(_, new, _)| account_of(&new, now))
    }

    fn is_confirmed(&self, connection: &str, hold: &str) -> bool {
        self.accounts.contains_key(connection) && self.confirmed.get(connection).is_some_and(|known| known == hold)
    }
}

fn account_of(new: &NewAccount, now: u64) -> Account {
    Account {
        connection: new.connection.clone(),
        name: new.name.clone(),
        scopes: new.scopes.clone(),
        connected_at: now,
        uses: Vec::new(),
        ended_at: None,
    }
}

/// The authorization servers of all services.
pub struct TestServers {
    /// What the connections offer.
    offered: BTreeMap<String, Vec<String>>,
    /// What was begun: the connection, the scopes, and whether another account was wanted.
    pub begun: RefCell<Vec<(String, Vec<String>, bool)>>,
    /// The codes that were redeemed.
    pub redeemed: Cell<usize>,
    pub revoked: RefCell<Vec<String>>,
    /// How requests for authorizations, codes and names end.
    pub begins: RefCell<Result<(), ServiceError>>,
    pub redeems: RefCell<Result<(), ServiceError>>,
    pub name: RefCell<Result<Option<String>, ServiceError>>,
}

pub const ACCESS_TOKEN: &str = "the-access-token-of-the-service";
pub const REFRESH_TOKEN: &str = "the-refresh-token-of-the-service";

/// What the services call themselves.
pub const SERVICE: &str = "https://service.example";

/// Where the tokens of the services are from.
pub fn from() -> Provenance {
    Provenance { issuer: SERVICE.to_owned(), service: SERVICE.to_owned() }
}

impl TestServers {
    pub fn new(offered: BTreeMap<String, Vec<String>>) -> Self {
        Self {
            offered,
            begun: RefCell::default(),
            redeemed: Cell::default(),
            revoked: RefCell::default(),
            begins: RefCell::new(Ok(())),
            redeems: RefCell::new(Ok(())),
            name: RefCell::new(Ok(Some("octocat".to_owned()))),
        }
    }
}

impl Servers for TestServers {
    fn begin<'a>(
        &'a self,
        connection: &'a str,
        scopes: &'a [String],
        of_another_account: bool,
        _: u64,
    ) -> LocalBoxFuture<'a, Result<Begun, ServiceError>> {
        let scopes: Vec<String> =
            asked(&self.offered[connection], scopes).unwrap().into_iter().map(str::to_owned).collect();
        self.begun.borrow_mut().push((connection.to_owned(), scopes.clone(), of_another_account));
        let number = self.begun.borrow().len();
        let state = format!("state{number:03}-of-a-round-trip");
        let begun = Begun {
            url: format!("{SERVICE}/authorize?state={state}&scope={}", scopes.join("+")),
            round_trip: RoundTrip { state, verifier: "v".to_owned(), nonce: "n".to_owned(), requires_iss: true },
            client_id: "our-client".to_owned(),
            issuer: SERVICE.to_owned(),
            from: from(),
        };
        ready(self.begins.borrow().clone().map(|()| begun)).boxed_local()
    }

    fn redeem<'a>(
        &'a self,
        redemption: Redemption<'a>,
        now: u64,
    ) -> LocalBoxFuture<'a, Result<ServiceTokens, ServiceError>> {
        assert_eq!((redemption.code.0.expose(), redemption.client_id), ("the-code", "our-client"));
        assert_eq!(*redemption.from, from());
        self.redeemed.set(self.redeemed.get() + 1);
        let tokens = ServiceTokens {
            access_token: Secret::new(ACCESS_TOKEN),
            until: Some(now + 3_600),
            refresh_token: Some(Secret::new(REFRESH_TOKEN)),
            id_token: None,
            scopes: asked(&self.offered[redemption.connection], redemption.scopes).unwrap().join(" "),
            client_id: redemption.client_id.to_owned(),
            from: redemption.from.clone(),
        };
        ready(self.redeems.borrow().clone().map(|()| tokens)).boxed_local()
    }

    fn account<'a>(
        &'a self,
        _: &'a str,
        tokens: &'a ServiceTokens,
        _: u64,
    ) -> LocalBoxFuture<'a, Result<ServiceAccount, ServiceError>> {
        assert_eq!(tokens.access_token.expose(), ACCESS_TOKEN);
        let called = |name: Option<String>| ServiceAccount { name: name.unwrap_or_default(), id: None };
        ready(self.name.borrow().clone().map(called)).boxed_local()
    }

    fn revoke<'a>(
        &'a self,
        issued: Issued<'a>,
        token: &'a Secret,
        _: u64,
    ) -> LocalBoxFuture<'a, Result<bool, ServiceError>> {
        let Issued { connection, client_id, .. } = issued;
        self.revoked.borrow_mut().push(format!("{connection} {client_id} {}", token.expose()));
        ready(Ok(true)).boxed_local()
    }
}
