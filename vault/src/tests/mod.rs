//! The objects natively: races, crashes, outages and restored backups, with SQLite and a clock of the tests' own.

mod access;
mod accounts;
mod clocks;
mod connected;
mod crashes;
mod internal;
mod outages;
mod personal_tokens;
mod revocation;
mod secrets;
mod siblings;
mod uses;

use mcp_edge_runtime::secret::Secret;

use crate::{
    account::{self, message::GrantOutcome},
    key::{
        self,
        message::{Answer, Description, NewKey, Request},
    },
    platform::ObjectError,
    testing::{
        clock::NOW,
        world::{ISSUER, Namespace, World},
    },
};

const DAY: u64 = 86_400;

/// When keys of tests expire.
const EXPIRES: u64 = NOW + 90 * DAY;

/// A key of a test.
#[derive(Clone)]
struct TestKey {
    id: String,
    secret: String,
    grant: String,
}

impl TestKey {
    /// As its user writes it.
    fn text(&self) -> Secret {
        mcp_edge_access_keys::format::write("mcpk", &self.id, &Secret::new(self.secret.as_str()))
    }
}

impl World {
    /// Makes the key of a grant, as the pages do, without its place in the list.
    fn make(&self, grant: &str) -> TestKey {
        let key = self.planned(grant);
        assert_eq!(name_of(&self.clock.run(self.create(&key, EXPIRES))), "done");
        key
    }

    /// A key that is not made yet.
    fn planned(&self, grant: &str) -> TestKey {
        let secret = mcp_edge_access_keys::format::random_base62(43, self);
        TestKey { id: self.secrets.mint_id(self), secret, grant: grant.to_owned() }
    }

    async fn create(&self, key: &TestKey, expires_at: u64) -> Answer {
        let new = NewKey {
            secret: key.secret.clone(),
            refresh_token: self.provider.authorize(&key.grant),
            issuer: ISSUER.to_owned(),
            subject: "alice".to_owned(),
            name: format!("key of {}", key.grant),
            scopes: "whoami:read notes:write".to_owned(),
            tools: Some(vec!["whoami".to_owned()]),
            created_at: self.clock.now(),
            expires_at,
            rotated_from: None,
            grant_id: None,
        };
        self.ask(key, Request::Create(Box::new(new))).await.unwrap()
    }

    async fn ask(&self, key: &TestKey, request: Request) -> Result<Answer, ObjectError> {
        key::client::ask(self, &key.id, request).await
    }

    async fn use_key(&self, key: &TestKey) -> Answer {
        self.ask(key, Request::Use { secret: key.secret.clone() }).await.unwrap()
    }

    /// Uses a key with nothing else at the same moment, and names the answer.
    fn using(&self, key: &TestKey) -> &'static str {
        name_of(&self.clock.run(self.use_key(key)))
    }

    /// The cause of an answer that it is not known.
    fn cause(&self, key: &TestKey) -> String {
        match self.clock.run(self.use_key(key)) {
            Answer::Unavailable { cause, .. } => cause,
            other => name_of(&other).to_owned(),
        }
    }

    /// What a crash leaves: a use that ends after so many milliseconds.
    fn crash(&self, key: &TestKey, milliseconds: u64) {
        assert!(self.clock.run_at_most(self.use_key(key), milliseconds).is_none(), "it is answered by then");
    }

    fn description(&self, key: &TestKey) -> Description {
        match self.clock.run(self.ask(key, Request::Describe)).unwrap() {
            Answer::Key(key) => *key,
            other => panic!("{}", name_of(&other)),
        }
    }

    fn revoke(&self, key: &TestKey) -> &'static str {
        let request = Request::Revoke { by: "user".to_owned(), secret: None };
        name_of(&self.clock.run(self.ask(key, request)).unwrap())
    }

    async fn account(&self, request: account::message::Request) -> account::message::Answer {
        account::client::ask(self, ISSUER, "alice", &request).await.unwrap()
    }

    /// Reserves a place in the list and makes the key.
    fn make_listed(&self, grant: &str, grant_id: Option<&str>, expires_at: u64) -> TestKey {
        let key = self.planned(grant);
        self.clock.run(async {
            let answer = self.account(reserve(&key, &key.id, expires_at, 20)).await;
            assert_eq!(answer, account::message::Answer::Done);
            self.create(&key, expires_at).await;
            let grant_id = grant_id.map(str::to_owned);
            self.account(account::message::Request::Confirm { id: key.id.clone(), grant_id }).await;
        });
        key
    }

    /// Revokes a key as the pages do, and tells the list.
    fn revoke_listed(&self, key: &TestKey) -> GrantOutcome {
        assert_eq!(self.revoke(key), "done");
        let gone = account::message::Request::Gone { id: key.id.clone() };
        match self.clock.run(self.account(gone)) {
            account::message::Answer::Grant(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }

    fn ids(&self) -> Vec<String> {
        match self.clock.run(self.account(account::message::Request::List)) {
            account::message::Answer::Keys(entries) => entries.into_iter().map(|entry| entry.id).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// The object of a key as it was.
    fn restore(&self, key: &TestKey, backup: crate::testing::sqlite::Storage) {
        self.objects.borrow_mut().insert((Namespace::Keys, key.id.clone()), backup.into());
    }
}

fn reserve(key: &TestKey, authorization: &str, expires_at: u64, limit: u32) -> account::message::Request {
    account::message::Request::Reserve {
        authorization: authorization.to_owned(),
        id: key.id.clone(),
        name: format!("key of {}", key.grant),
        expires_at,
        limit,
    }
}

fn name_of(answer: &Answer) -> &'static str {
    match answer {
        Answer::Done => "done",
        Answer::Exists => "exists",
        Answer::Unknown => "unknown",
        Answer::Key(_) => "key",
        Answer::Token { .. } => "token",
        Answer::Expired => "expired",
        Answer::Revoked => "revoked",
        Answer::Ended => "ended",
        Answer::Report { has_just_ended: true, .. } => "report the end",
        Answer::Report { .. } => "report",
        Answer::Unavailable { .. } => "unavailable",
    }
}
