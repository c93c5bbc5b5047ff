//! What the object of connected accounts works with during one event.

use mcp_edge_runtime::{
    alarm::{AlarmError, Alarms},
    ports::{OperatorLog, Runtime},
    secret::Secret,
    sql::{SqlError, SqlStorage},
};

use super::{
    departures::Departures,
    links::Links,
    message::{Answer, Revocation},
    record::{Account, Departure, Tokens},
    rows::Rows,
};
use crate::{
    audit::{AccountEvent, AccountLine, AuditLog},
    owner::Owner,
    secrets::connections::{ConnectionSecrets, Opened, Place, Purpose},
};

/// Seconds until it makes sense to ask again, if nothing else is known.
const RETRY_AFTER: u64 = 5;

/// Why the object could not do what it was asked for. It can be asked again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountsError {
    /// The message is not one of ours.
    #[error("a message that cannot be read")]
    Message,
    /// The object is that of another user.
    #[error("a message for another user's object")]
    ForeignOwner,
    /// The storage failed.
    #[error("the storage of connected accounts: {0}")]
    Sql(#[from] SqlError),
    /// The alarm could not be set.
    #[error(transparent)]
    Alarm(#[from] AlarmError),
}

/// The storage of the object, and what it needs of the rest of the world.
pub struct Context<'a, S, A, K> {
    /// The storage, for alarms.
    pub storage: &'a S,
    /// Accounts and holds.
    pub rows: Rows<'a, S>,
    /// What is left to be revoked.
    pub departures: Departures<'a, S>,
    /// Links and uses.
    pub links: Links<'a, S>,
    /// The authorization servers.
    pub servers: &'a A,
    /// Time to wait, randomness and the operator's log.
    pub services: &'a K,
    /// What tokens are sealed with.
    pub secrets: &'a ConnectionSecrets,
    /// `LOG_SUBJECT`.
    pub names_subjects: bool,
}

impl<'a, S: SqlStorage + Alarms, A, K: Runtime + OperatorLog> Context<'a, S, A, K> {
    /// Creates the context of one event.
    pub const fn new(
        storage: &'a S,
        servers: &'a A,
        services: &'a K,
        secrets: &'a ConnectionSecrets,
        names_subjects: bool,
    ) -> Self {
        let (rows, departures, links) = (Rows::new(storage), Departures::new(storage), Links::new(storage));
        Self { storage, rows, departures, links, servers, services, secrets, names_subjects }
    }

    /// Seals a token of a user's account. `None`: it is longer than can be sealed.
    #[must_use]
    pub fn seal(&self, plain: &Secret, purpose: Purpose, owner: &Owner, connection: &str) -> Option<String> {
        self.secrets.seal(plain, place(purpose, owner, connection), self.services).ok()
    }

    /// Opens a token of a user's account. `None`: it was sealed with another secret.
    #[must_use]
    pub fn open(&self, sealed: &str, purpose: Purpose, owner: &Owner, connection: &str) -> Option<Opened> {
        self.secrets.open(sealed, place(purpose, owner, connection)).ok()
    }

    /// What is left to be revoked of tokens that are used no more: `None` if that is nothing.
    #[must_use]
    pub fn departure(&self, id: &str, connection: &str, tokens: &Tokens, owner: &Owner, now: u64) -> Option<Departure> {
        let moved = |sealed: Option<&str>| {
            let opened = self.open(sealed?, Purpose::Account, owner, connection)?;
            self.seal(&opened.plain, Purpose::Revocation, owner, connection)
        };
        let refresh_sealed = moved(tokens.refresh_sealed.as_deref());
        let access_sealed = moved(tokens.access.as_ref().map(|access| access.sealed.as_str()));
        let has_any = tokens.refresh_sealed.is_some() || tokens.access.is_some();
        let can_be_revoked = refresh_sealed.is_some() || access_sealed.is_some();
        has_any.then(|| Departure {
            id: id.to_owned(),
            connection: connection.to_owned(),
            name: tokens.name.clone(),
            account: tokens.account.clone(),
            client_id: tokens.client_id.clone(),
            from: tokens.from.clone(),
            refresh_sealed,
            access_sealed,
            since: now,
            // What cannot be opened any more, nobody can revoke but the user.
            state: if can_be_revoked { Revocation::Pending } else { Revocation::NotOffered },
            tries: 0,
            next_try: now,
            is_refresh_revoked: false,
        })
    }

    /// Writes a line of the audit log: the service has ended an account.
    pub fn has_ended(&self, account: &Account, owner: &Owner) {
        AuditLog::of(self.services, self.names_subjects).account(AccountLine {
            event: AccountEvent::Ended,
            subject: &owner.subject,
            connection: Some(&account.connection),
            agent: None,
            user_of_token: None,
        });
    }

    /// Makes sure that the object is woken then, or earlier.
    ///
    /// # Errors
    /// [`AlarmError`].
    pub async fn wake_by(&self, at: u64) -> Result<(), AlarmError> {
        let at = at.saturating_mul(1000);
        if self.storage.get_alarm().await?.is_none_or(|set| at < set) {
            self.storage.set_alarm(at).await?;
        }
        Ok(())
    }
}

fn place<'p>(purpose: Purpose, owner: &'p Owner, connection: &'p str) -> Place<'p> {
    Place { purpose, issuer: &owner.issuer, subject: &owner.subject, connection }
}

/// The answer that it cannot be said now.
#[must_use]
pub fn unavailable(cause: &str) -> Answer {
    Answer::Unavailable { retry_after: RETRY_AFTER, cause: cause.to_owned() }
}
