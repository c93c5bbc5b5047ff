//! Sign-ins through an application, from Logto's audit log.

use mcp_edge_oauth::client_authentication::form_encode;
use mcp_edge_runtime::ports::{Fetch, Runtime};
use serde::Deserialize;

use super::{
    super::{LogReading, Period, ProviderError},
    api::PAGE_SIZE,
    stored::{Stored, path_of},
    tenant::LogtoApplications,
};

/// Keys of the audit log for a token that was issued to a client for a user.
const SIGN_IN_LOGS: [&str; 2] = ["ExchangeTokenBy.AuthorizationCode", "ExchangeTokenBy.RefreshToken"];

/// Pages of the log that are read of each kind of entry in one look. Anybody can add failures, so there is no number that
/// is enough; the rest is read in the next looks.
const MAX_LOG_PAGES: usize = 2;

/// A page that is too large is asked for again with so many entries: even with what a stranger can put into each, that is
/// an answer of half the size that is read, so every look gets further.
const SHORT_PAGE_SIZE: usize = 10;

/// Logto Cloud forgets its log after three days on its smallest plan. What was longer ago than this is not there for sure.
const LOG_KEPT_SECONDS: u64 = 2 * 24 * 3_600;

/// The members of an entry of the audit log that are read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogEntry {
    payload: LogPayload,
    /// Milliseconds since 1970.
    created_at: u64,
}

#[derive(Deserialize)]
struct LogPayload {
    result: Option<String>,
}

/// Reads sign-ins through the application in `period` from the log.
pub(super) async fn usage<P: Fetch + Runtime>(
    api: &LogtoApplications<'_, P>,
    client_id: &str,
    period: Period,
) -> Result<LogReading, ProviderError> {
    // The log knows applications that are gone as well.
    let _: Stored = api.read(&path_of(client_id)).await?;
    check_periods(api).await?;
    let (mut last_ms, mut unread_until_ms) = (None, None);
    for key in SIGN_IN_LOGS {
        let (success, unread) = read_log(api, client_id, key, period).await?;
        last_ms = last_ms.max(success);
        unread_until_ms = unread_until_ms.max(unread);
    }
    let mut reading = LogReading {
        last_success: last_ms.map(|ms| ms / 1000),
        // Entries older than the last success do not matter.
        unread_until_ms: unread_until_ms.filter(|unread| last_ms.is_none_or(|last| last < *unread)),
        forgotten_until: None,
    };
    let kept_since = api.now.saturating_sub(LOG_KEPT_SECONDS);
    if reading.last_success.is_none() && reading.unread_until_ms.is_none() && period.from < kept_since {
        let older = log(api, &format!("end_time={}&page=1&page_size=1", period.from * 1000)).await?;
        // A version that does not know `end_time` gives the newest entry.
        let reaches_back = older.iter().any(|entry| entry.created_at <= period.from * 1000);
        reading.forgotten_until = (!reaches_back).then_some(kept_since);
    }
    Ok(reading)
}

/// The last success among the entries of one kind, and what was before which moment was not read, both in milliseconds
/// since 1970. Entries come newest first; those that come in meanwhile are seen twice, and none is missed.
async fn read_log<P: Fetch + Runtime>(
    api: &LogtoApplications<'_, P>,
    client_id: &str,
    key: &str,
    period: Period,
) -> Result<(Option<u64>, Option<u64>), ProviderError> {
    let Period { from, until_ms } = period;
    let mut query = format!("applicationId={}&logKey={key}&start_time={}", form_encode(client_id), from * 1000);
    if let Some(until_ms) = until_ms {
        // Logto knows fractions of a millisecond.
        query = format!("{query}&end_time={}", until_ms + 1);
    }
    let mut unread_until_ms = until_ms.unwrap_or(api.now * 1000);
    for page in 1..=MAX_LOG_PAGES {
        let page_of = |size: usize| format!("{query}&page={page}&page_size={size}");
        // A failed entry repeats what its sender chose to send.
        let (entries, size) = match log(api, &page_of(PAGE_SIZE)).await {
            Err(ProviderError::TooLarge) if page == 1 => match log(api, &page_of(SHORT_PAGE_SIZE)).await {
                Err(ProviderError::TooLarge) => break,
                entries => (entries?, SHORT_PAGE_SIZE),
            },
            // A short page two would begin elsewhere. The next look begins here.
            Err(ProviderError::TooLarge) => break,
            entries => (entries?, PAGE_SIZE),
        };
        let is_success = |entry: &&LogEntry| entry.payload.result.as_deref() == Some("Success");
        if let Some(last) = entries.iter().filter(is_success).map(|entry| entry.created_at).max() {
            return Ok((Some(last), None));
        }
        if entries.len() < size {
            return Ok((None, None));
        }
        unread_until_ms = entries.iter().map(|entry| entry.created_at).min().unwrap_or(unread_until_ms);
        if size == SHORT_PAGE_SIZE {
            break;
        }
    }
    Ok((None, Some(unread_until_ms)))
}

/// Makes sure that the log finds by `start_time` and `end_time` what it holds: otherwise all clients would look unused.
async fn check_periods<P: Fetch + Runtime>(api: &LogtoApplications<'_, P>) -> Result<(), ProviderError> {
    if api.logto.periods_work.get() {
        return Ok(());
    }
    let Some(LogEntry { created_at, .. }) = log(api, "page=1&page_size=1").await?.pop() else { return Ok(()) };
    let (start, end) = (created_at.saturating_sub(1000), created_at + 1000);
    if log(api, &format!("start_time={start}&end_time={end}&page=1&page_size=1")).await?.is_empty() {
        let problem = "the audit log does not find its newest entry by start_time and end_time";
        return Err(ProviderError::Unavailable(problem.to_owned()));
    }
    api.logto.periods_work.set(true);
    Ok(())
}

async fn log<P: Fetch + Runtime>(api: &LogtoApplications<'_, P>, query: &str) -> Result<Vec<LogEntry>, ProviderError> {
    api.read(&format!("/logs?{query}")).await
}
