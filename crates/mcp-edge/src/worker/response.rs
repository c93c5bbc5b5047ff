//! What goes out.

use std::cell::RefCell;

use futures_util::StreamExt;
use wasm_bindgen::{JsCast, JsValue};

use super::prelude;
use crate::http::{Body, Response, Text};

type Header = (&'static str, Text);

/// Few different sets of headers are ever sent. Origins that are echoed make more of them.
const MAX_HEADER_SETS: usize = 64;

/// Longer ones have something in them that a client made up.
const MAX_SET_BYTES: usize = 2 * 1024;

thread_local! {
    /// The sets that JavaScript keeps, at their numbers there: copying a set costs less than half of making it.
    static HEADER_SETS: RefCell<Vec<Vec<Header>>> = const { RefCell::new(Vec::new()) };
}

/// The platform's form of an answer.
#[must_use]
pub fn to_js(response: Response) -> web_sys::Response {
    let body = match response.body {
        Body::Empty => JsValue::NULL,
        Body::Text(text) => JsValue::from_str(&text),
        Body::Stream(chunks) => {
            let chunks = chunks.map(|chunk| Ok(js_sys::Uint8Array::from(chunk.as_bytes()).into()));
            wasm_streams::ReadableStream::from_stream(chunks).into_raw().unchecked_into()
        }
    };
    if are_for_one_request(&response.headers) {
        prelude::respond_once(response.status, &lines_of(&response.headers), body)
    } else {
        prelude::respond(response.status, header_set(response.headers), body)
    }
}

fn are_for_one_request(headers: &[Header]) -> bool {
    headers.iter().any(|(name, _)| matches!(*name, "set-cookie" | "location"))
        || headers.iter().map(|(_, value)| value.len()).sum::<usize>() > MAX_SET_BYTES
}

/// The number under which JavaScript keeps these headers.
fn header_set(headers: Vec<Header>) -> usize {
    HEADER_SETS.with_borrow_mut(|sets| {
        if let Some(number) = sets.iter().position(|known| *known == headers) {
            return number;
        }
        if sets.len() >= MAX_HEADER_SETS {
            sets.clear();
        }
        prelude::keep_headers(sets.len(), &lines_of(&headers));
        sets.push(headers);
        sets.len() - 1
    })
}

/// Names and values in turn.
fn lines_of(headers: &[Header]) -> String {
    headers.iter().flat_map(|(name, value)| [name, "\n", value, "\n"]).collect()
}
