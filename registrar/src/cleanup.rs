//! The scheduled run: registrations that nobody uses end, and what an outage left half made is removed.
//!
//! In doubt a client stays: a run that cannot find out when it was last used leaves it for the next one. A run looks at
//! few clients, those first that were looked at longest ago, so that it stays within the platform's limit of requests
//! and the tenant's limit of calls; the cron expression in `wrangler.toml` decides how many that makes in a day.
//!
//! A run writes down what it found out under a key of its own and never touches a record, so whatever a client changes
//! meanwhile stays changed. That it changed something does not keep it: only sign-ins do, otherwise a stranger could keep
//! all places by changing names. A client that somebody signs in through for the first time in the moment between the
//! last look into the provider's log and the removal ends all the same; it has been unused for days, and registers again.

use std::collections::HashMap;

use mcp_edge::ports::{Runtime, StoreError};
use serde::Serialize;

use crate::{
    audit::Event,
    policy::{Ending, should_end},
    provider::{Applications, ProviderError},
    record::{Listed, Usage},
    registry::{Failure, Registry},
    store::{CLIENTS, RegistrationStore, USAGES, usage_key},
};

/// Each client takes up to four calls, and Cloudflare's free plan allows fifty in one run.
pub const MAX_CLIENTS_PER_RUN: usize = 10;

/// A client is looked at once in so many seconds.
const CHECK_SECONDS: u64 = 24 * 3_600;

/// Who did it, in the audit log.
const BY: &str = "schedule";

/// What a run did. One line of the log.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether nothing was removed because nothing was to be.
    pub dry_run: bool,
    /// Registered clients in all.
    pub clients: usize,
    /// Clients that were looked at.
    pub looked_at: usize,
    /// Those that ended, or would have.
    pub ended: usize,
    /// Half-made applications that were removed, or would have been.
    pub abandoned: usize,
    /// What could not be found out or done; left for the next run.
    pub failures: Vec<String>,
}

impl<A: Applications, S: RegistrationStore, R: Runtime + ?Sized> Registry<'_, A, S, R> {
    /// Carries out a run.
    pub async fn clean_up(&self, dry_run: bool) -> Report {
        let mut report = Report { dry_run, ..Report::default() };
        match self.due().await {
            Err(failure) => report.failures.push(failure.to_string()),
            Ok((clients, due)) => {
                report.clients = clients;
                for client_id in due {
                    report.looked_at += 1;
                    match self.look_at(&client_id, dry_run).await {
                        Ok(Some(_)) => report.ended += 1,
                        Ok(None) => {}
                        Err(failure) => report.failures.push(format!("{client_id}: {failure}")),
                    }
                }
            }
        }
        match self.applications.remove_abandoned(dry_run).await {
            Ok(abandoned) => report.abandoned = abandoned.len(),
            Err(error) => report.failures.push(error.to_string()),
        }
        report
    }

    /// How many clients there are, and the ids of those to look at.
    async fn due(&self) -> Result<(usize, Vec<String>), Failure> {
        let clients = self.keys(CLIENTS).await?;
        let mut looked_at: HashMap<String, u64> = HashMap::new();
        for (client_id, usage) in self.keys(USAGES).await? {
            // What cannot be read is looked at first.
            let checked_at = serde_json::from_value::<Usage>(usage).map_or(0, |usage| usage.checked_at);
            looked_at.insert(client_id, checked_at);
        }
        let count = clients.len();
        let mut due = Vec::new();
        for (client_id, listed) in clients {
            let created_at = || serde_json::from_value::<Listed>(listed).map_or(0, |listed| listed.created_at);
            let checked_at = looked_at.remove(&client_id).unwrap_or_else(created_at);
            if checked_at + CHECK_SECONDS <= self.now {
                due.push((checked_at, client_id));
            }
        }
        // Those clients were removed while a run looked at them.
        for client_id in looked_at.keys() {
            self.store.delete(&usage_key(client_id)).await?;
        }
        due.sort_unstable();
        Ok((count, due.into_iter().take(MAX_CLIENTS_PER_RUN).map(|(_, client_id)| client_id).collect()))
    }

    /// Ends a client, if it is time.
    async fn look_at(&self, client_id: &str, dry_run: bool) -> Result<Option<Ending>, Failure> {
        let Some(record) = self.find(client_id).await? else { return Ok(None) };
        let known = self.usage(client_id).await?;
        let (used_at, ending) = match self.applications.last_used(client_id).await {
            Err(ProviderError::Gone) => (known.used_at, Some(Ending::Gone)),
            Err(error) => return Err(error.into()),
            Ok(used_at) => {
                let used_at = used_at.max(known.used_at);
                let limits = &self.policy.limits;
                (used_at, should_end(limits, record.created_at, used_at, record.is_made_by_hand(), self.now))
            }
        };
        match ending {
            Some(_) if !dry_run => self.remove(client_id, &record, Event::ClientEnded, BY).await?,
            _ => {
                if let Some(ending) = ending {
                    self.audit(Event::ClientWouldEnd, client_id, BY, ending.explanation());
                }
                self.put_usage(client_id, Usage { used_at, checked_at: self.now }).await?;
            }
        }
        Ok(ending)
    }

    async fn usage(&self, client_id: &str) -> Result<Usage, Failure> {
        let Some(text) = self.store.get(&usage_key(client_id)).await? else { return Ok(Usage::default()) };
        let unreadable = || StoreError(format!("what is known of the use of {client_id} cannot be read"));
        serde_json::from_str(&text).map_err(|_| Failure::Store(unreadable()))
    }

    async fn put_usage(&self, client_id: &str, usage: Usage) -> Result<(), Failure> {
        let listed = serde_json::to_value(usage).unwrap_or_default();
        Ok(self.store.put(&usage_key(client_id), &listed.to_string(), Some(&listed), None).await?)
    }
}
