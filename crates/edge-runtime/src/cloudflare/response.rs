//! Responses: the platform's form of a [`Response`].

use std::cell::RefCell;

use futures_util::StreamExt;
use wasm_bindgen::prelude::*;
use worker::console_error;

use super::bridge;
use crate::http::{Body, PlatformBody, Response, Text};

#[wasm_bindgen(module = "/src/cloudflare/proxy.js")]
extern "C" {
    // `catch` as in `bridge`.
    #[wasm_bindgen(catch, js_name = passBack)]
    fn pass_back(response: &JsValue, lines: &str) -> Result<web_sys::Response, JsValue>;
}

type Header = (&'static str, Text);

/// Few different sets of headers are ever sent; echoed origins make more of them.
const MAX_HEADER_SETS: usize = 64;

/// Longer sets contain something that a client chose, and are not kept.
const MAX_SET_BYTES: usize = 2 * 1024;

thread_local! {
    /// The sets that JavaScript keeps, by their numbers there: copying a set costs less than half of creating it.
    static HEADER_SETS: RefCell<Vec<Vec<Header>>> = const { RefCell::new(Vec::new()) };
}

/// Creates the platform's form of a response. One with a header that must not be sent becomes an empty 500: JavaScript
/// would take a line break for the end of a header, and throw at what is not Latin-1.
pub fn to_js(response: Response) -> web_sys::Response {
    let response = match response.body {
        Body::Response(whole) => return whole_response(whole, &response.headers),
        body => Response { body, ..response },
    };
    // What is passed back has headers of another server, mostly.
    let is_passed_back = matches!(response.body, Body::Platform(_)) && !are_constant(&response.headers);
    let is_for_one_request = are_for_one_request(&response.headers) || is_passed_back;
    // A set that is kept was checked when it was new.
    let kept = if is_for_one_request { None } else { kept_set(&response.headers) };
    if kept.is_none()
        && let Some(name) = response.unsendable_header()
    {
        console_error!("a response was not sent: its header {name} has characters that headers cannot have");
        return bridge::respond_once(500, "", JsValue::NULL);
    }
    let body = match response.body {
        Body::Empty => JsValue::NULL,
        // JavaScript throws at a body where none is allowed (Fetch standard, null body status).
        _ if matches!(response.status, 204 | 205 | 304) => JsValue::NULL,
        Body::Text(text) => JsValue::from_str(&text),
        Body::Stream { chunks, .. } => {
            let chunks = chunks.map(|chunk| Ok(js_sys::Uint8Array::from(chunk.as_bytes()).into()));
            wasm_streams::ReadableStream::from_stream(chunks).into_raw().unchecked_into()
        }
        Body::Platform(body) => body.downcast().unwrap_or(JsValue::NULL),
        // Above.
        Body::Response(_) => JsValue::NULL,
    };
    if is_for_one_request {
        return bridge::respond_once(response.status, &lines_of(&response.headers), body);
    }
    bridge::respond(response.status, kept.unwrap_or_else(|| keep(response.headers)), body)
}

/// A response of another Worker, with these headers added.
fn whole_response(response: PlatformBody, headers: &[Header]) -> web_sys::Response {
    let response: JsValue = response.downcast().unwrap_or_default();
    pass_back(&response, &lines_of(headers)).unwrap_or_else(|_| bridge::respond_once(500, "", JsValue::NULL))
}

fn are_for_one_request(headers: &[Header]) -> bool {
    headers.iter().any(|(name, _)| matches!(*name, "set-cookie" | "location"))
        || headers.iter().map(|(_, value)| value.len()).sum::<usize>() > MAX_SET_BYTES
}

fn are_constant(headers: &[Header]) -> bool {
    headers.iter().all(|(_, value)| matches!(value, Text::Borrowed(_)))
}

/// The number under which JavaScript keeps these headers, if it does.
fn kept_set(headers: &[Header]) -> Option<usize> {
    HEADER_SETS.with_borrow(|sets| {
        sets.iter().position(|known| {
            let mut pairs = known.iter().zip(headers);
            known.len() == headers.len()
                && pairs.all(|(one, other)| is_same(one.0, other.0) && is_same(&one.1, &other.1))
        })
    })
}

/// Whether two strings are equal. Most are one and the same, which is seen without reading them.
fn is_same(one: &str, other: &str) -> bool {
    std::ptr::eq(one, other) || one == other
}

/// Has JavaScript keep these headers, and gives their number.
fn keep(headers: Vec<Header>) -> usize {
    HEADER_SETS.with_borrow_mut(|sets| {
        if sets.len() >= MAX_HEADER_SETS {
            sets.clear();
        }
        bridge::keep_headers(sets.len(), &lines_of(&headers));
        sets.push(headers);
        sets.len() - 1
    })
}

/// Names and values in turn.
fn lines_of(headers: &[Header]) -> String {
    headers.iter().flat_map(|(name, value)| [name, "\n", value, "\n"]).collect()
}
