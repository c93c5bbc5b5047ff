//! The scheduled run: registrations that nobody uses end, and what an outage left half made is removed.
//!
//! In doubt a client stays: a run that cannot find out when it was last used leaves it for the next one. Anybody can fill
//! the log of a public client id with failures, so only a log that was read completely says that there was no sign-in;
//! what was too much for one look is read in the next ones, and until then the use of the client is unknown. A run looks
//! at few clients, those first that were looked at longest ago, so that it stays within the platform's limit of requests
//! and the tenant's limit of calls; the cron expression in `wrangler.toml` decides how many that makes in a day.
//!
//! A run writes down what it found out under a key of its own and never touches a record, so what a client changes
//! meanwhile stays changed. That it changed something does not keep it: only sign-ins do, otherwise a stranger could keep
//! all places by changing names. A client that somebody signs in through for the first time in the moment between the
//! last look into the provider's log and the removal ends all the same; it has been unused for days, and registers again.

use std::collections::HashMap;

use serde::Serialize;

use crate::{
    audit::Event,
    clients::{
        Context,
        delete::{DeleteError, delete},
    },
    expiry::{ExpiryReason, expiry},
    platform::Platform,
    provider::{Applications, LogReading, Period, ProviderError},
    record::{Listed, Usage},
    storage::{
        RegistrationStore, StorageError,
        keys::{CLIENTS, METADATA, USAGES, client_key},
    },
};

/// Each client takes four calls, and Cloudflare's free plan allows fifty in one run. Those whose log somebody fills take
/// more; what is beyond the fifty fails and is the first of the next run.
pub const MAX_CLIENTS_PER_RUN: usize = 10;

/// The provider may write a success down some time after it happened, by a clock of its own.
const LOG_LAG_SECONDS: u64 = 300;

/// A client is looked at once in so many seconds.
const CHECK_SECONDS: u64 = 24 * 3_600;

/// How long a client waits after an error: two runs.
const POSTPONED_SECONDS: u64 = 2 * 3_600;

/// Who did it, in the audit log.
const BY: &str = "schedule";

/// The result of a run, for the log.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether the run only reports.
    pub dry_run: bool,
    /// Registered clients in all.
    pub clients: usize,
    /// Clients that were looked at.
    pub looked_at: usize,
    /// Clients that were removed, or would have been.
    pub ended: usize,
    /// Clients whose use is unknown, because there is more in the provider's log than a run reads. They are kept.
    pub unknown: Vec<String>,
    /// Half-made applications that were removed, or would have been.
    pub abandoned: usize,
    /// Errors. The next run tries again.
    pub failures: Vec<String>,
}

/// Why a run could not look at a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Delete(#[from] DeleteError),
}

/// Carries out a run.
pub async fn clean_up<A: Applications, P: Platform>(context: &Context<'_, A, P>, dry_run: bool) -> Report {
    let mut report = Report { dry_run, ..Report::default() };
    match due(context).await {
        Err(error) => report.failures.push(error.to_string()),
        Ok((clients, due)) => {
            report.clients = clients;
            for client_id in due {
                report.looked_at += 1;
                match look_at(context, &client_id, dry_run).await {
                    Ok(Found::Ended) => report.ended += 1,
                    Ok(Found::Unknown) => report.unknown.push(client_id),
                    Ok(Found::Stays) => {}
                    Err(error) => {
                        report.failures.push(format!("{client_id}: {error}"));
                        // If this fails as well, the client is among the first of the next run.
                        let _ = postpone(context, &client_id).await;
                    }
                }
            }
        }
    }
    match context.applications.remove_abandoned(dry_run).await {
        Ok(abandoned) => report.abandoned = abandoned.len(),
        Err(error) => report.failures.push(error.to_string()),
    }
    report
}

/// How many clients there are, and the ids of those to look at.
async fn due<A, P: Platform>(context: &Context<'_, A, P>) -> Result<(usize, Vec<String>), StorageError> {
    let records = context.records();
    let clients = records.keys(CLIENTS).await?;
    let mut looked_at: HashMap<String, u64> = HashMap::new();
    for (client_id, usage) in records.keys(USAGES).await? {
        // What cannot be read is looked at first.
        let checked_at = serde_json::from_value::<Usage>(usage).map_or(0, |usage| usage.checked_at);
        looked_at.insert(client_id, checked_at);
    }
    let changed = records.keys(METADATA).await?.into_iter().map(|(client_id, _)| client_id);
    let is_listed = |client_id: &String| clients.binary_search_by(|(listed, _)| listed.cmp(client_id)).is_ok();
    let remains = changed.filter(|client_id| !is_listed(client_id)).collect();
    let count = clients.len();
    // Those that were looked at longest ago, of which a run looks at a few.
    let mut due: Vec<(u64, String)> = Vec::with_capacity(MAX_CLIENTS_PER_RUN + 1);
    for (client_id, listed) in clients {
        let created_at = || serde_json::from_value::<Listed>(listed).map_or(0, |listed| listed.created_at);
        let checked_at = looked_at.remove(&client_id).unwrap_or_else(created_at);
        if checked_at + CHECK_SECONDS <= context.now {
            let one = (checked_at, client_id);
            due.insert(due.partition_point(|other| *other <= one), one);
            due.truncate(MAX_CLIENTS_PER_RUN);
        }
    }
    let store = context.platform.store();
    remove_remains(store, METADATA, remains).await?;
    remove_remains(store, USAGES, looked_at.into_keys().collect()).await?;
    Ok((count, due.into_iter().map(|(_, client_id)| client_id).collect()))
}

/// Removes what was written of clients while they ended. That the list has no such client does not say that there is
/// none: lists are behind.
async fn remove_remains(
    store: &impl RegistrationStore,
    prefix: &str,
    client_ids: Vec<String>,
) -> Result<(), StorageError> {
    for client_id in client_ids {
        if store.get(&client_key(&client_id)).await?.is_none() {
            store.delete(&format!("{prefix}{client_id}")).await?;
        }
    }
    Ok(())
}

/// Ends a client, if it is time.
async fn look_at<A: Applications, P: Platform>(
    context: &Context<'_, A, P>,
    client_id: &str,
    dry_run: bool,
) -> Result<Found, LookError> {
    let records = context.records();
    let Some(record) = records.find(client_id).await? else { return Ok(Found::Stays) };
    let known = records.usage(client_id).await?;
    let period = next_period(&known, record.created_at);
    let (usage, reason, found) = match context.applications.usage(client_id, period).await {
        Err(ProviderError::Gone) => {
            (Usage { checked_at: context.now, ..known }, Some(ExpiryReason::Gone), Found::Ended)
        }
        Err(error) => return Err(error.into()),
        Ok(reading) => {
            let usage = learn(known, reading, context.now);
            let is_known = usage.read_until == Some(context.now);
            let limits = &context.policy.limits;
            let reason = expiry(limits, record.created_at, usage.used_at, record.is_made_by_hand(), context.now);
            match reason.filter(|_| is_known) {
                Some(reason) => (usage, Some(reason), Found::Ended),
                None => (usage, None, if is_known { Found::Stays } else { Found::Unknown }),
            }
        }
    };
    match reason {
        Some(_) if !dry_run => delete(context, client_id, &record, Event::ClientEnded, BY).await?,
        _ => {
            if let Some(reason) = reason {
                context.audit.record(Event::ClientWouldEnd, client_id, BY, reason.explanation());
            }
            records.put_usage(client_id, usage).await?;
        }
    }
    Ok(found)
}

/// Has a client wait whose look failed, so that a few of them do not keep all others from being looked at.
async fn postpone<A, P: Platform>(context: &Context<'_, A, P>, client_id: &str) -> Result<(), StorageError> {
    let records = context.records();
    let known = records.usage(client_id).await?;
    let checked_at = context.now.saturating_sub(CHECK_SECONDS - POSTPONED_SECONDS);
    records.put_usage(client_id, Usage { checked_at, ..known }).await
}

/// The result of looking at a client.
enum Found {
    /// It ended, or would have.
    Ended,
    /// It stays.
    Stays,
    /// It stays, because it is not known whether it is used.
    Unknown,
}

/// The part of the log to read next: what came since the last look, or before that what was too much for it.
fn next_period(known: &Usage, created_at: u64) -> Period {
    let from = known.read_until.unwrap_or(created_at).saturating_sub(LOG_LAG_SECONDS);
    Period { from, until_ms: known.unread_until_ms }
}

/// Adds a reading at `now` to what is known.
fn learn(known: Usage, reading: LogReading, now: u64) -> Usage {
    let used_at = known.used_at.max(reading.last_success).max(reading.forgotten_until);
    let end = known.unread_part_ends.unwrap_or(now);
    let looked = Usage { used_at, checked_at: now, unread_until_ms: reading.unread_until_ms, ..known };
    match reading.unread_until_ms {
        Some(_) => Usage { unread_part_ends: Some(end), ..looked },
        None => Usage { read_until: Some(end), unread_part_ends: None, ..looked },
    }
}
