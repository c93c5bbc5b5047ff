//! Classification of responses: blocked by bot protection, or not a usable JSON document.

use crate::{
    http::{HttpResponse, Truncation},
    quote::quote,
    record::document,
};

/// Whether a response looks like that of bot protection instead of the server.
pub(super) fn is_blocked(response: &HttpResponse) -> bool {
    response.header("cf-mitigated").is_some()
        || (matches!(response.status, 403 | 406 | 429 | 503) && response.is_html())
}

/// Why a response is not a usable JSON document. `None` if it is one.
pub(super) fn document_problem(response: &HttpResponse) -> Option<String> {
    if let Some(location) = response.redirect() {
        return Some(format!("it redirects to {}", quote(location)));
    }
    if is_worker_to_worker(response) {
        return Some(format!("the response is {}, {WORKER_TO_WORKER}", response.summary()));
    }
    if response.status != 200 {
        return Some(format!("the response is {}", response.summary()));
    }
    match &response.truncated {
        Some(Truncation::TooLong) => return Some("the document is longer than 1 MiB".to_owned()),
        Some(Truncation::Interrupted(reason)) => return Some(format!("the response was truncated ({reason})")),
        None => {}
    }
    if document(response).is_some() {
        return None;
    }
    Some(unreadable(response).unwrap_or_else(|| "the response is not a JSON object".to_owned()))
}

/// Why a body that should be JSON is none, as far as it shows. `None` if it does not show.
pub(super) fn unreadable(response: &HttpResponse) -> Option<String> {
    if let Some(coding) = response.content_coding() {
        return Some(format!("the response is compressed ({}), although the client did not ask for it", quote(coding)));
    }
    if response.is_html() {
        return Some("the response is a page for people, not JSON".to_owned());
    }
    if response.truncated == Some(Truncation::TooLong) {
        return Some("the response is longer than 1 MiB".to_owned());
    }
    let error = serde_json::from_str::<serde_json::Value>(response.text()).err()?;
    error.to_string().starts_with("recursion limit").then(|| "the JSON is nested more than 127 levels deep".to_owned())
}

/// What Cloudflare answers to a Worker that fetches another Worker of the same zone, or of workers.dev.
pub(super) const WORKER_TO_WORKER: &str =
    "Cloudflare's error 1042: a Worker may not fetch another Worker of the same zone, or of workers.dev";

/// The fix for [`WORKER_TO_WORKER`].
pub(super) const WORKER_TO_WORKER_FIX: &str = "Add the compatibility flag global_fetch_strictly_public to the Worker that makes the request, or give one of the \
     two Workers a domain in another zone.";

/// Whether a response is [`WORKER_TO_WORKER`].
pub(super) fn is_worker_to_worker(response: &HttpResponse) -> bool {
    response.text().trim().eq_ignore_ascii_case("error code: 1042")
}
