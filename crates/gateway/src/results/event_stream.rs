//! The response in an event stream (HTML Living Standard §9.2.6; MCP 2025-11-25 and 2026-07-28, basic/transports).

use mcp_edge_protocol::{members::walk_array, params::pick_members};

use super::response::is_same_id;

/// The JSON of the response with this id in the text of an event stream; `id` is JSON. Events of other types than `message`
/// are skipped, as the official clients do, and so is what the stream breaks off in. A batch (MCP 2025-03-26) is looked
/// through.
#[must_use]
pub fn response_in(event_stream: &str, id: &str) -> Option<String> {
    let mut rest = event_stream.strip_prefix('\u{feff}').unwrap_or(event_stream);
    let (mut data, mut is_message) = (None::<String>, true);
    while let Some(at) = rest.find(['\r', '\n']) {
        let line = &rest[..at];
        rest = &rest[at..];
        rest = rest.strip_prefix("\r\n").unwrap_or_else(|| &rest[1..]);
        if line.is_empty() {
            let found = data.take().filter(|_| is_message).and_then(|data| find(&data, id));
            if found.is_some() {
                return found;
            }
            is_message = true;
            continue;
        }
        // A line that begins with a colon is a comment: a field without a name.
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => is_message = matches!(value, "" | "message"),
            "data" => match &mut data {
                Some(data) => data.extend(["\n", value]),
                None => data = Some(value.to_owned()),
            },
            _ => {}
        }
    }
    None
}

/// The response among one or several messages.
fn find(data: &str, id: &str) -> Option<String> {
    if is_response(data, id) {
        return Some(data.to_owned());
    }
    let mut found = None;
    let is_array = data.trim_ascii_start().starts_with('[');
    let walked = walk_array(if is_array { data } else { "[]" }, &mut |message| {
        if found.is_none() && is_response(message, id) {
            found = Some(message.to_owned());
        }
        true
    });
    walked.ok().and(found)
}

/// Whether a message is the response with this id.
fn is_response(message: &str, id: &str) -> bool {
    pick_members(message, &["id", "method", "result", "error"]).is_ok_and(|[answered, method, result, error]| {
        method.is_none()
            && (result.is_some() || error.is_some())
            && answered.is_some_and(|answered| is_same_id(answered.get(), id))
    })
}
