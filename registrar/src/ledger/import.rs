//! Clients of earlier versions, and reconciliation with the store.
//!
//! Earlier versions kept no ledger. Its first request finds that out, and its sender reads the store's lists and
//! hands them over, before anything is admitted; two at the same moment hand over the same. The lists may be a minute
//! behind: a client that ended in that minute is counted until the next scheduled run, one that an earlier version
//! registers meanwhile is counted from then on.

use std::collections::HashMap;

use mcp_edge_runtime::{ports::Runtime, service_call::CallService};
use serde_json::Value;

use super::{
    LedgerError, Reconciled,
    message::{Answer, PAGE, Request},
    object::{Object, unexpected},
    rows::Client,
};
use crate::{
    rate_window::Window,
    record::Listed,
    storage::{
        RegistrationStore,
        keys::{CLIENTS, INITIAL_USES, OWNERS, RATES, client_key},
        records::Records,
    },
};

/// A client that was counted later than this ago may not be in the store yet, or not be seen there.
const SETTLING_SECONDS: u64 = 3_600;

/// Clients that one run corrects: each is looked up in the store.
const MAX_CORRECTIONS: usize = 100;

/// Counts of the present hour that are read one by one. Each belongs to a network that has registered in it.
const MAX_RATES: usize = 200;

/// Uses of initial access tokens are kept for so long: no token is good for longer.
const TOKEN_SECONDS: u64 = 366 * 24 * 3_600;

/// Hands over everything that the store has.
pub(super) async fn import<C: CallService, S: RegistrationStore, R: Runtime>(
    ledger: &Object<C, R>,
    store: &S,
    now: u64,
) -> Result<(), LedgerError> {
    let clients = listed(store, CLIENTS).await?;
    let owners = owners(store).await?;
    let clients = clients.into_iter().map(|(id, listed)| {
        let owner = owners.get(&id).cloned();
        Client { id, owner, registered_at: registered_at(listed) }
    });
    let mut clients: Vec<_> = clients.collect();
    let uses = listed(store, INITIAL_USES).await?.into_iter().filter_map(|(key, _)| {
        let (token, client_id) = key.split_once('/')?;
        Some((format!("{INITIAL_USES}{token}/"), client_id.to_owned(), now + TOKEN_SECONDS))
    });
    let mut uses: Vec<_> = uses.collect();
    let mut rates = Vec::new();
    for (key, _) in listed(store, RATES).await?.into_iter().take(MAX_RATES) {
        let key = format!("{RATES}{key}");
        let window = store.get(&key).await.map_err(failed)?.and_then(|text| serde_json::from_str(&text).ok());
        rates.extend(window.map(|window: Window| (key, window)));
    }
    loop {
        let take = |length: usize| length.saturating_sub(PAGE as usize);
        let (clients_left, uses_left) = (take(clients.len()), take(uses.len()));
        let request = Request::Import {
            clients: clients.split_off(clients_left),
            uses: uses.split_off(uses_left),
            rates: std::mem::take(&mut rates),
            is_last: clients_left == 0 && uses_left == 0,
        };
        done(&ledger.ask(&request).await?)?;
        if clients_left == 0 && uses_left == 0 {
            return Ok(());
        }
    }
}

/// Counts clients that the store has and the ledger lacks, and no longer those that are gone.
pub(super) async fn reconcile<C: CallService, S: RegistrationStore, R: Runtime>(
    ledger: &Object<C, R>,
    store: &S,
    now: u64,
) -> Result<Reconciled, LedgerError> {
    let Some(counted) = counted(ledger).await? else {
        import(ledger, store, now).await?;
        return Ok(Reconciled::default());
    };
    let mut stored = HashMap::new();
    stored.extend(listed(store, CLIENTS).await?);
    let is_stored = async |client_id: &str| -> Result<bool, LedgerError> {
        store.get(&client_key(client_id)).await.map(|record| record.is_some()).map_err(failed)
    };
    let mut corrected = Reconciled::default();
    for (client_id, registered_at) in counted {
        let is_listed = stored.remove(&client_id).is_some();
        let may_be_new = now < registered_at + SETTLING_SECONDS;
        if is_listed || may_be_new || corrected.removed >= MAX_CORRECTIONS || is_stored(&client_id).await? {
            continue;
        }
        done(&ledger.ask(&Request::Remove { client_id }).await?)?;
        corrected.removed += 1;
    }
    let mut missing = Vec::new();
    for (client_id, listed) in stored {
        if missing.len() < MAX_CORRECTIONS && is_stored(&client_id).await? {
            missing.push((client_id, registered_at(listed)));
        }
    }
    if !missing.is_empty() {
        let owners = owners(store).await?;
        corrected.added = missing.len();
        let clients = missing.into_iter().map(|(id, at)| {
            let owner = owners.get(&id).cloned();
            Client { id, owner, registered_at: at }
        });
        let request =
            Request::Import { clients: clients.collect(), uses: Vec::new(), rates: Vec::new(), is_last: false };
        done(&ledger.ask(&request).await?)?;
    }
    done(&ledger.ask(&Request::Prune).await?)?;
    Ok(corrected)
}

/// The clients that are counted, with the times of their registration. `None`: nothing was imported yet.
async fn counted<C: CallService, R: Runtime>(ledger: &Object<C, R>) -> Result<Option<Vec<(String, u64)>>, LedgerError> {
    let mut counted = Vec::new();
    loop {
        let after = counted.last().map_or_else(String::new, |(id, _): &(String, u64)| id.clone());
        match ledger.ask(&Request::Clients { after }).await? {
            Answer::Clients(page) if page.is_empty() => return Ok(Some(counted)),
            Answer::Clients(page) => counted.extend(page),
            Answer::NotImported => return Ok(None),
            other => return Err(unexpected(&other)),
        }
    }
}

/// The owner of each client: the prefix of the developer's keys.
async fn owners<S: RegistrationStore>(store: &S) -> Result<HashMap<String, String>, LedgerError> {
    let keys = listed(store, OWNERS).await?;
    let mut owners = HashMap::new();
    owners.extend(keys.into_iter().filter_map(|(key, _)| {
        let (owner, client_id) = key.split_once('/')?;
        Some((client_id.to_owned(), format!("{OWNERS}{owner}/")))
    }));
    Ok(owners)
}

async fn listed<S: RegistrationStore>(store: &S, prefix: &str) -> Result<Vec<(String, Value)>, LedgerError> {
    Records(store).keys(prefix).await.map_err(failed)
}

fn registered_at(listed: Value) -> u64 {
    serde_json::from_value::<Listed>(listed).map_or(0, |listed| listed.created_at)
}

fn failed(error: impl std::fmt::Display) -> LedgerError {
    LedgerError(format!("the store that it is compared with: {error}"))
}

fn done(answer: &Answer) -> Result<(), LedgerError> {
    match answer {
        Answer::Done => Ok(()),
        other => Err(unexpected(other)),
    }
}
