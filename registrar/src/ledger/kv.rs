//! The ledger in the memory of each isolate, and in the key-value store as far as that helps.
//!
//! | what | other isolates learn |
//! |---|---|
//! | registrations of strangers in an hour | of each that goes on to make a client |
//! | clients in all, and of a developer | from the store's lists, up to a minute late |
//! | uses of an initial access token | from the store's lists, up to a minute late |
//! | management requests for a client in an hour | when the limit is reached |
//! | changes in progress | nothing |
//!
//! An isolate counts exactly, also what arrives at once. It writes as little as possible: the store takes a thousand
//! writes a day on Cloudflare's free plan, and a stranger must not be able to use them up. A flood that reaches several
//! isolates gets so many times the limit at most.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    time::Duration,
};

use super::{
    Admission, AdmissionError, CALLS, CallError, ChangeError, Ledger, LedgerError, MAX_CALLS_PER_CLIENT_AND_HOUR,
    RESERVATION_SECONDS, TokenUses,
};
use crate::{
    rate_window::{WINDOW_SECONDS, Window, Windows},
    storage::{
        RegistrationStore, StorageError,
        keys::{CLIENTS, client_key, rate_key},
        records::Records,
    },
};

/// How long the list of another moment may lack a new key.
const LIST_LAG_SECONDS: u64 = 120;

/// How long nothing is counted again once there is no room: a flood must not use up the store's lists.
const FULL_SECONDS: u64 = 60;

/// The store takes no shorter life.
const MIN_TTL_SECONDS: u64 = 60;

/// What an isolate remembers because the store shows it late.
#[derive(Default)]
pub struct Memory {
    windows: Windows,
    /// Registrations in progress, by the ids of their reservations.
    in_flight: RefCell<HashMap<String, InFlight>>,
    /// Clients made here lately.
    recent: RefCell<Vec<Recent>>,
    /// Spent uses that lists did not show yet: the token's prefix, and the client.
    spent: RefCell<Vec<(String, String)>>,
    /// Until when strangers are told at once that there is no room, seconds since 1970.
    full_until: Cell<u64>,
    /// Clients that are being changed, by their ids: which change, and since when.
    changes: RefCell<HashMap<String, (String, u64)>>,
}

/// A registration in progress.
#[derive(Default)]
struct InFlight {
    is_admitted: bool,
    owner: Option<String>,
    uses: Option<TokenUses>,
}

/// A client that lists may lack.
struct Recent {
    client_id: String,
    owner: Option<String>,
    at: u64,
}

/// Counts that other isolates have not been told of yet.
#[must_use]
struct PendingCounts(Vec<(String, Window)>);

/// The ledger of an isolate.
pub struct KvLedger<S> {
    store: S,
    memory: Rc<Memory>,
}

impl<S: RegistrationStore> KvLedger<S> {
    /// Creates a ledger on a store.
    #[must_use]
    pub fn new(store: S, memory: Rc<Memory>) -> Self {
        Self { store, memory }
    }

    async fn count_rates(&self, rates: &[(String, u32)], now: u64) -> Result<PendingCounts, AdmissionError> {
        let mut known = Vec::new();
        for (key, limit) in rates {
            known.push((self.stored_window(key).await?, key, *limit));
        }
        // No await from here on: two requests must not take the same number.
        let mut counted = Vec::new();
        for (stored, key, limit) in known {
            match self.memory.windows.count(key, stored, now, limit) {
                Ok(window) => counted.push((key.clone(), window)),
                Err(retry_after) => {
                    for (key, _) in &counted {
                        self.memory.windows.take_back(key);
                    }
                    return Err(AdmissionError::TooManyRegistrations { retry_after });
                }
            }
        }
        Ok(PendingCounts(counted))
    }

    /// Tells the other isolates. One write per second and key is all that the store takes; what is lost is still in
    /// memory.
    async fn tell(&self, PendingCounts(counts): PendingCounts) {
        for (key, window) in counts {
            let text = serde_json::to_string(&window).unwrap_or_default();
            let _ = self.store.put(&key, &text, None, Some(Duration::from_secs(WINDOW_SECONDS))).await;
        }
    }

    async fn stored_window(&self, key: &str) -> Result<Window, LedgerError> {
        let stored = self.store.get(key).await?;
        Ok(stored.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    async fn listed(&self, prefix: &str) -> Result<Vec<String>, LedgerError> {
        let keys = Records(&self.store).keys(prefix).await.map_err(|error| match error {
            StorageError::Unavailable(error) => LedgerError(error),
            unreadable @ StorageError::Unreadable { .. } => {
                LedgerError(mcp_edge_runtime::ports::StoreError(unreadable.to_string()))
            }
        })?;
        Ok(keys.into_iter().map(|(key, _)| key).collect())
    }

    /// Whether there is room for those that are in progress.
    async fn check_capacity(&self, admission: &Admission, now: u64) -> Result<(), AdmissionError> {
        let limit = admission.capacity as usize;
        let recent = {
            let mut recent = self.memory.recent.borrow_mut();
            recent.retain(|recent| now < recent.at + LIST_LAG_SECONDS);
            recent.iter().map(|recent| client_key(&recent.client_id)).collect::<Vec<_>>()
        };
        let (mut count, mut listed_recent, mut cursor) = (0, 0, None::<String>);
        loop {
            let page = self.store.list(CLIENTS, cursor.as_deref()).await.map_err(LedgerError)?;
            count += page.keys.len();
            listed_recent += page.keys.iter().filter(|(key, _)| recent.contains(key)).count();
            cursor = page.cursor;
            if cursor.is_none() || count > limit {
                break;
            }
        }
        let in_flight = self.memory.in_flight.borrow().values().filter(|it| it.is_admitted).count();
        if count + (recent.len() - listed_recent) + in_flight > limit {
            if admission.is_stranger {
                self.memory.full_until.set(now + FULL_SECONDS);
            }
            return Err(AdmissionError::Full);
        }
        Ok(())
    }

    /// Whether a developer may have another client. The store lists late, so what this isolate has made or is making for
    /// the developer counts as well.
    fn check_quota(&self, owner: &str, limit: u32, listed: &[String]) -> Result<(), AdmissionError> {
        let is_unlisted =
            |recent: &&Recent| recent.owner.as_deref() == Some(owner) && !listed.contains(&recent.client_id);
        let unlisted = self.memory.recent.borrow().iter().filter(is_unlisted).count();
        let in_flight = self.memory.in_flight.borrow().values().filter(|it| it.owner.as_deref() == Some(owner)).count();
        if listed.len() + unlisted + in_flight >= limit as usize {
            return Err(AdmissionError::DeveloperQuota { limit });
        }
        Ok(())
    }
}

impl<S: RegistrationStore> Ledger for KvLedger<S> {
    async fn take_use(&self, id: &str, uses: &TokenUses, _now: u64) -> Result<bool, LedgerError> {
        let listed = self.listed(&uses.token).await?;
        // No await from here on: two requests must not take the same use.
        let mut spent = self.memory.spent.borrow_mut();
        spent.retain(|(token, client_id)| *token != uses.token || !listed.contains(client_id));
        let unlisted = spent.iter().filter(|(token, _)| *token == uses.token).count();
        let mut in_flight = self.memory.in_flight.borrow_mut();
        let is_held = |it: &&InFlight| it.uses.as_ref().is_some_and(|held| held.token == uses.token);
        let held = in_flight.values().filter(is_held).count();
        if listed.len() + unlisted + held >= uses.total as usize {
            return Ok(false);
        }
        in_flight.entry(id.to_owned()).or_default().uses = Some(uses.clone());
        Ok(true)
    }

    async fn admit(&self, id: &str, admission: &Admission, now: u64) -> Result<(), AdmissionError> {
        let counts = self.count_rates(&admission.rates, now).await?;
        if let Some((owner, limit)) = &admission.owner {
            let listed = self.listed(owner).await?;
            // No await until it is in progress: two requests must not take the same place.
            self.check_quota(owner, *limit, &listed)?;
        }
        if admission.is_stranger && now < self.memory.full_until.get() {
            return Err(AdmissionError::Full);
        }
        {
            let mut in_flight = self.memory.in_flight.borrow_mut();
            let reserved = in_flight.entry(id.to_owned()).or_default();
            reserved.is_admitted = true;
            reserved.owner = admission.owner.as_ref().map(|(owner, _)| owner.clone());
        }
        if let Err(error) = self.check_capacity(admission, now).await {
            if let Some(reserved) = self.memory.in_flight.borrow_mut().get_mut(id) {
                *reserved = InFlight { uses: reserved.uses.take(), ..InFlight::default() };
            }
            return Err(error);
        }
        // From here on it costs writes anyway, and there are no more of these than clients.
        self.tell(counts).await;
        Ok(())
    }

    /// A use that could not be written down is no reason to take the client away.
    async fn settle(&self, id: &str, client_id: &str, now: u64) -> Result<(), LedgerError> {
        let Some(InFlight { is_admitted, owner, uses }) = self.memory.in_flight.borrow_mut().remove(id) else {
            return Ok(());
        };
        if is_admitted {
            self.memory.recent.borrow_mut().push(Recent { client_id: client_id.to_owned(), owner, at: now });
        }
        if let Some(uses) = uses {
            self.memory.spent.borrow_mut().push((uses.token.clone(), client_id.to_owned()));
            let ttl = Duration::from_secs(uses.expires_at.saturating_sub(now).max(MIN_TTL_SECONDS));
            let _ = self.store.put(&format!("{}{client_id}", uses.token), "", None, Some(ttl)).await;
        }
        Ok(())
    }

    async fn release(&self, id: &str) {
        self.memory.in_flight.borrow_mut().remove(id);
    }

    async fn remove(&self, client_id: &str) {
        self.memory.recent.borrow_mut().retain(|recent| recent.client_id != client_id);
    }

    async fn count_call(&self, client_id: &str, now: u64) -> Result<(), CallError> {
        let key = rate_key(CALLS, client_id);
        let stored = self.stored_window(&key).await?;
        let counted = self.memory.windows.count(&key, stored, now, MAX_CALLS_PER_CLIENT_AND_HOUR);
        let window = counted.map_err(|retry_after| CallError::TooMany { retry_after })?;
        if window.count == MAX_CALLS_PER_CLIENT_AND_HOUR {
            self.tell(PendingCounts(vec![(key, window)])).await;
        }
        Ok(())
    }

    async fn begin_change(&self, id: &str, client_id: &str, now: u64) -> Result<(), ChangeError> {
        let mut changes = self.memory.changes.borrow_mut();
        changes.retain(|_, (_, since)| now < *since + RESERVATION_SECONDS);
        match changes.get(client_id) {
            Some((other, _)) if other != id => Err(ChangeError::Busy),
            _ => {
                changes.insert(client_id.to_owned(), (id.to_owned(), now));
                Ok(())
            }
        }
    }

    async fn end_change(&self, id: &str, client_id: &str) {
        let mut changes = self.memory.changes.borrow_mut();
        if changes.get(client_id).is_some_and(|(ours, _)| ours == id) {
            changes.remove(client_id);
        }
    }
}
