//! The scheduled run: registrations that nobody uses end, and what an outage left half made is removed.
//!
//! In doubt a client stays: a run that cannot find out when it was last used leaves it for the next one. A run looks at
//! few clients, those first that were looked at longest ago, so that it stays within the platform's limit of requests
//! and the tenant's limit of calls; the cron expression in `wrangler.toml` decides how many that makes in a day.

use mcp_edge::ports::Runtime;
use serde::Serialize;

use crate::{
    audit::Event,
    policy::{Ending, should_end},
    provider::{Applications, ProviderError},
    record::{Listed, Record},
    registry::{Failure, Registry},
    store::{CLIENTS, RegistrationStore},
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
            Err(failure) => report.failures.push(format!("{failure:?}")),
            Ok((clients, due)) => {
                report.clients = clients;
                for client_id in due {
                    report.looked_at += 1;
                    match self.look_at(&client_id, dry_run).await {
                        Ok(Some(_)) => report.ended += 1,
                        Ok(None) => {}
                        Err(failure) => report.failures.push(format!("{client_id}: {failure:?}")),
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
        let (mut clients, mut due, mut cursor) = (0, Vec::new(), None::<String>);
        loop {
            let page = self.store.list(CLIENTS, cursor.as_deref()).await?;
            clients += page.keys.len();
            for (key, listed) in page.keys {
                let Some(client_id) = key.strip_prefix(CLIENTS) else { continue };
                // What cannot be read is looked at first.
                let checked_at = serde_json::from_value::<Listed>(listed).map_or(0, |listed| listed.checked_at);
                if checked_at + CHECK_SECONDS <= self.now {
                    due.push((checked_at, client_id.to_owned()));
                }
            }
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        due.sort_unstable();
        Ok((clients, due.into_iter().take(MAX_CLIENTS_PER_RUN).map(|(_, client_id)| client_id).collect()))
    }

    /// Ends a client, if it is time.
    async fn look_at(&self, client_id: &str, dry_run: bool) -> Result<Option<Ending>, Failure> {
        let Some(record) = self.find(client_id).await? else { return Ok(None) };
        let (used_at, ending) = match self.applications.last_used(client_id).await {
            Err(ProviderError::Gone) => (record.used_at, Some(Ending::Gone)),
            Err(error) => return Err(error.into()),
            Ok(used_at) => {
                // The provider forgets its log after a while; we do not.
                let used_at = used_at.max(record.used_at);
                let limits = &self.policy.limits;
                (used_at, should_end(limits, record.created_at, used_at, record.is_made_by_hand(), self.now))
            }
        };
        match ending {
            Some(_) if !dry_run => self.remove(client_id, &record, Event::ClientEnded, BY).await?,
            _ => {
                if let Some(ending) = ending {
                    self.audit(Event::ClientWouldEnd, client_id, BY, &format!("{ending:?}"));
                }
                self.put(client_id, &Record { used_at, checked_at: self.now, ..record }).await?;
            }
        }
        Ok(ending)
    }
}
