//! The health check for uptime monitors.
//!
//! Ready means that the settings are valid and that there are usable keys of every issuer. Keys are looked up as for a
//! request with a token (in memory, in the store, at the provider) and within the same limits, so frequent checks cause no
//! more requests to the provider than one bad token does. The response contains nothing that is not in the metadata; the
//! reason why a part is not ready is in the log.

use std::{
    fmt::Write,
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    task::Poll,
};

use futures_util::future::maybe_done;

use crate::documents::document::Readers;
use mcp_edge_oauth::{denial::Denial, keys::jwks_cache::IssuerKeys};
use mcp_edge_runtime::{
    http::{RequestHead, Response},
    ports::Services,
};

/// The path of the health check.
pub const PATH: &str = "/healthz";

/// Invalid settings are fixed by a deployment, which takes more than a minute.
const MISCONFIGURED_RETRY_SECONDS: u64 = 60;

/// Monitors are programs: no web page needs to read the response.
const READERS: Readers = Readers::OwnPages;

/// Returns the response to a request for [`PATH`], and the denial if a part is not ready.
pub async fn respond(
    head: &RequestHead<'_>,
    issuers: &[Rc<IssuerKeys>],
    now: u64,
    services: &impl Services,
) -> (Response, Option<Denial>) {
    if let Some(response) = READERS.answer_unless_read(head) {
        return (response, None);
    }
    // All issuers at once: each may take as long as the time limit of the provider. (`join_all` would add 10 KB.)
    let mut looks: Vec<_> = issuers.iter().map(|keys| maybe_done(Box::pin(keys.ready(now, services)))).collect();
    poll_fn(|context| {
        looks.iter_mut().fold(Poll::Ready(()), |all, look| {
            if Pin::new(look).poll(context).is_ready() { all } else { Poll::Pending }
        })
    })
    .await;
    let outcomes: Vec<_> = looks.iter_mut().filter_map(|look| Pin::new(look).take_output()).collect();
    let mut keys = String::new();
    for (issuer, outcome) in issuers.iter().zip(&outcomes) {
        let separator = if keys.is_empty() { "" } else { "," };
        // An issuer needs no escaping: it was validated when the settings were read.
        let _ = write!(keys, r#"{separator}{{"issuer":"{}""#, issuer.issuer());
        let _ = match outcome {
            Ok(()) => write!(keys, r#","ready":true,"age_seconds":{}}}"#, issuer.age(now).unwrap_or_default()),
            Err(_) => write!(keys, r#","ready":false}}"#),
        };
    }
    let denial = outcomes.into_iter().filter_map(Result::err).max_by_key(Denial::retry_after);
    let retry_after = denial.as_ref().map(|denial| denial.retry_after().unwrap_or(1));
    (answer(&format!(r#"{{"ready":true}},"keys":[{keys}]"#), retry_after), denial)
}

/// Returns the response while the settings are invalid; `None` if the request is for another path. The errors are only in
/// the log.
#[must_use]
pub fn respond_misconfigured(head: &RequestHead<'_>) -> Option<Response> {
    let answer = || answer(r#"{"ready":false}"#, Some(MISCONFIGURED_RETRY_SECONDS));
    (head.path() == PATH).then(|| READERS.answer_unless_read(head).unwrap_or_else(answer))
}

/// Creates a response: 200, or 503 with the time after which to check again. `parts` begins with the value of `settings`.
fn answer(parts: &str, retry_after: Option<u64>) -> Response {
    let body = format!(r#"{{"ready":{},"settings":{parts}}}"#, retry_after.is_none());
    let response =
        Response::json(if retry_after.is_none() { 200 } else { 503 }, body).with_header("cache-control", "no-store");
    match retry_after {
        Some(seconds) => response.with_header("retry-after", seconds.to_string()),
        None => response,
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_settings_are_reported_without_details() {
        for method in ["GET", "HEAD"] {
            let response = respond_misconfigured(&RequestHead::new(method, "/healthz?x=1")).unwrap();
            assert_eq!((response.status, response.header("retry-after")), (503, Some("60")));
            assert_eq!(response.header("cache-control"), Some("no-store"));
            assert_eq!(response.text(), r#"{"ready":false,"settings":{"ready":false}}"#);
        }
        assert_eq!(respond_misconfigured(&RequestHead::new("POST", "/healthz")).unwrap().status, 405);
        assert!(respond_misconfigured(&RequestHead::new("GET", "/mcp")).is_none());
    }
}
