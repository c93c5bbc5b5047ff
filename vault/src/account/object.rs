//! The object of one user: what it does with each request, and when it is woken.
//!
//! The list only lists: whether a key works, its own object decides. What is to be done at the provider stands in the list
//! before it is done, and an alarm is set before that, so that after a crash it is done then. All of it can be repeated.

use std::{collections::BTreeSet, time::Duration};

use mcp_edge_runtime::{
    alarm::{AlarmError, Alarms},
    ports::Runtime,
    sql::{SqlError, SqlStorage},
};

use super::{
    message::{Answer, Entry as Listed, GrantOutcome, Request},
    repair::{
        ENDING_SECONDS, MIN_PAUSE, RESERVATION_SECONDS, Work, count_live, due, is_ending, is_listed, next_wake, pause,
    },
    rows::{Entry, Rows, State},
    siblings::may_end,
};
use crate::{
    key::{
        client,
        message::{Answer as OfKey, Description, Request as ToKey, State as OfObject},
    },
    platform::Platform,
};

/// How long a used authorization is remembered, in seconds: longer than its cookie, and the provider's code, are good.
const AUTHORIZATION_SECONDS: u64 = 900;

/// How long a reservation waits for a revocation, and how often it looks, in milliseconds.
const PATIENCE_MILLISECONDS: u64 = 10_000;
const POLL_MILLISECONDS: u64 = 50;

/// The object of one user.
pub struct AccountObject<'a, S, P> {
    storage: &'a S,
    rows: Rows<'a, S>,
    platform: &'a P,
}

/// Why the object could not do what it was asked for. It can be asked again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The message is not one of ours.
    #[error("a message that cannot be read")]
    Message,
    /// The storage failed.
    #[error("the user's storage: {0}")]
    Sql(#[from] SqlError),
    /// A key cannot be made while a grant is being revoked that it may share.
    #[error("a grant of this user is being revoked at the provider: try again in a moment")]
    BeingRevoked,
    /// The alarm could not be set.
    #[error(transparent)]
    Alarm(#[from] AlarmError),
}

impl<'a, S: SqlStorage + Alarms, P: Platform> AccountObject<'a, S, P> {
    /// Creates the object for one event.
    #[must_use]
    pub const fn new(storage: &'a S, platform: &'a P) -> Self {
        Self { storage, rows: Rows::new(storage), platform }
    }

    /// Answers a message ([`Request`] as JSON) with an [`Answer`] as JSON. `clock` says the time of now, in seconds since 1970.
    ///
    /// # Errors
    /// [`AccountError`], for the operator.
    pub async fn answer(&self, message: &str, clock: &impl Fn() -> u64) -> Result<String, AccountError> {
        let now = clock();
        let answer = match serde_json::from_str(message).map_err(|_| AccountError::Message)? {
            Request::Reserve { authorization, id, name, expires_at, limit } => {
                let entry = Entry {
                    id,
                    name,
                    created_at: now,
                    expires_at,
                    state: State::Reserved,
                    grant_id: None,
                    gone_at: None,
                    is_pending: false,
                    tries: 0,
                    next_try: 0,
                    ending_until: 0,
                };
                self.reserve(&entry, &authorization, limit, clock).await?
            }
            Request::Use { authorization } => {
                if self.rows.use_once(&authorization, now + AUTHORIZATION_SECONDS, now)? {
                    Answer::Done
                } else {
                    Answer::Used
                }
            }
            Request::Confirm { id, grant_id } => {
                self.rows.confirm(&id, grant_id.as_deref())?;
                Answer::Done
            }
            Request::Release { id } => {
                self.rows.release(&id)?;
                Answer::Done
            }
            Request::List => Answer::Keys(self.list(now)?),
            Request::Gone { id } => self.gone(&id, clock).await?,
        };
        serde_json::to_string(&answer).map_err(|_| AccountError::Message)
    }

    /// Does what is due, and sets the next alarm.
    ///
    /// # Errors
    /// [`AccountError`]; the platform repeats the alarm.
    pub async fn wake(&self, clock: &impl Fn() -> u64) -> Result<(), AccountError> {
        let now = clock();
        // The platform repeats the alarm of a crash six times; after that, this one is left.
        self.wake_by(now + MIN_PAUSE).await?;
        self.work(clock, None).await?;
        let now = clock();
        match next_wake(&self.rows.entries()?, now) {
            Some(at) => self.storage.set_alarm(at.saturating_mul(1000)).await?,
            None => self.storage.delete_alarm().await?,
        }
        Ok(())
    }

    async fn reserve(
        &self,
        entry: &Entry,
        authorization: &str,
        limit: u32,
        clock: &impl Fn() -> u64,
    ) -> Result<Answer, AccountError> {
        let now = clock();
        self.wake_by(now + RESERVATION_SECONDS).await?;
        let is_full = |entries: &[Entry]| count_live(entries, now) >= limit as usize;
        if is_full(&self.rows.entries()?) {
            // Some may have ended at the provider, and nobody has used them since.
            self.ask_all(now).await?;
        }
        self.until_none_ends(clock).await?;
        let now = clock();
        // From here to the reservation nothing is awaited.
        if self.rows.is_used(authorization)? {
            return Ok(Answer::Used);
        }
        if is_full(&self.rows.entries()?) {
            return Ok(Answer::Full);
        }
        self.rows.reserve(entry, authorization, now + AUTHORIZATION_SECONDS, now)?;
        Ok(Answer::Done)
    }

    /// Waits until no grant is being revoked: the new key may get the same one, and would end with it.
    async fn until_none_ends(&self, clock: &impl Fn() -> u64) -> Result<(), AccountError> {
        let mut waited = 0;
        while self.rows.entries()?.iter().any(|entry| is_ending(entry, clock())) {
            if waited >= PATIENCE_MILLISECONDS {
                return Err(AccountError::BeingRevoked);
            }
            self.platform.services().sleep(Duration::from_millis(POLL_MILLISECONDS)).await;
            waited += POLL_MILLISECONDS;
        }
        Ok(())
    }

    fn list(&self, now: u64) -> Result<Vec<Listed>, SqlError> {
        let listed = |entry: Entry| Listed {
            gone_at: entry.gone_at.or((entry.expires_at <= now).then_some(entry.expires_at)),
            id: entry.id,
            name: entry.name,
            created_at: entry.created_at,
            expires_at: entry.expires_at,
        };
        Ok(self.rows.entries()?.into_iter().filter(|entry| is_listed(entry, now)).map(listed).collect())
    }

    async fn gone(&self, id: &str, clock: &impl Fn() -> u64) -> Result<Answer, AccountError> {
        let now = clock();
        self.wake_by(now + MIN_PAUSE).await?;
        self.rows.gone(id, now)?;
        self.work(clock, Some(id)).await?;
        let entries = self.rows.entries()?;
        let Some(entry) = entries.iter().find(|entry| entry.id == id) else { return Ok(Answer::Done) };
        Ok(match entry {
            Entry { state: State::Gone, is_pending: false, .. } => Answer::Grant(GrantOutcome::Revoked),
            Entry { state: State::Gone, .. } if may_end(entry, &entries, now) => Answer::Grant(GrantOutcome::Pending),
            Entry { state: State::Gone, .. } => Answer::Grant(GrantOutcome::Shared),
            _ => Answer::Done,
        })
    }

    /// Does everything that is due, each thing once; the grant of `first` at once, whenever it is due. While the provider
    /// fails for one grant, the others wait.
    async fn work(&self, clock: &impl Fn() -> u64, first: Option<&str>) -> Result<(), AccountError> {
        let mut done = BTreeSet::new();
        loop {
            // Other requests change the list while this one awaits.
            let now = clock();
            let entries = self.rows.entries()?;
            let next = |entry: &Entry| {
                let (work, at) = due(entry, &entries, now)?;
                let is_first = first == Some(entry.id.as_str());
                let is_due = at <= now || (is_first && work == Work::EndGrant);
                (is_due && !done.contains(&entry.id)).then(|| (!is_first, entry.tries, entry.id.clone(), work))
            };
            // What costs nothing comes first: it may set free what comes later.
            let rank = |work: Work| matches!(work, Work::EndGrant);
            let next =
                entries.iter().filter_map(next).min_by_key(|(later, tries, _, work)| (rank(*work), *later, *tries));
            let Some((_, tries, id, work)) = next else { return Ok(()) };
            match work {
                Work::Forget => self.rows.forget(&id)?,
                Work::Ask => {
                    self.ask(&id, now).await?;
                    done.insert(id);
                }
                Work::Expire => {
                    let expires_at = entries.iter().find(|entry| entry.id == id).map(|entry| entry.expires_at);
                    self.rows.gone(&id, expires_at.unwrap_or(now))?;
                }
                Work::EndGrant => {
                    if !self.end_grant(&id, tries, clock).await? {
                        return Ok(());
                    }
                    done.insert(id);
                }
            }
        }
    }

    /// Revokes the grant of a key. `false`: it could not be asked for, and is tried again later.
    async fn end_grant(&self, id: &str, tries: u64, clock: &impl Fn() -> u64) -> Result<bool, AccountError> {
        self.rows.ending(id, clock() + ENDING_SECONDS)?;
        match client::ask(self.platform, id, ToKey::EndGrant).await {
            Ok(OfKey::Done | OfKey::Unknown) => self.rows.grant_ended(id)?,
            Ok(OfKey::Key(key)) => self.rows.works(id, key.expires_at)?,
            Ok(_) | Err(_) => {
                // The request may still be under way: nobody gets the grant for a while.
                self.rows.try_again(id, clock() + pause(tries))?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Asks the objects of all keys that the list takes for working ones.
    async fn ask_all(&self, now: u64) -> Result<(), AccountError> {
        for entry in self.rows.entries()?.iter().filter(|entry| entry.state == State::Active) {
            self.ask(&entry.id, now).await?;
        }
        Ok(())
    }

    /// Asks the object of a key, and corrects the list. Without an answer the list stays as it is.
    async fn ask(&self, id: &str, now: u64) -> Result<(), AccountError> {
        match client::ask(self.platform, id, ToKey::Describe).await {
            Ok(OfKey::Key(key)) => {
                let Description { state, grant_id, since, .. } = *key;
                self.rows.confirm(id, grant_id.as_deref())?;
                if state != OfObject::Active {
                    self.rows.gone(id, since.min(now))?;
                }
            }
            Ok(OfKey::Unknown) => self.rows.release(id)?,
            Ok(_) | Err(_) => {}
        }
        Ok(())
    }

    /// Makes sure that the object is woken then, or earlier.
    async fn wake_by(&self, at: u64) -> Result<(), AlarmError> {
        let at = at.saturating_mul(1000);
        if self.storage.get_alarm().await?.is_none_or(|set| at < set) {
            self.storage.set_alarm(at).await?;
        }
        Ok(())
    }
}
