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
    if let Some(coding) = response.header("content-encoding") {
        return Some(format!("the response is compressed ({}), although the client did not ask for it", quote(coding)));
    }
    Some(if response.is_html() {
        "the response is a page for people, not JSON".to_owned()
    } else {
        "the response is not a JSON object".to_owned()
    })
}
