//! Requests: the head is read in one crossing, the body in another.

use std::cell::RefCell;

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};

use super::{bridge, executor};
use crate::{
    http::{BodyError, HeaderNames, RequestBody, RequestHead, decode_body},
    uri::split_origin,
};

/// Enough for most heads and most messages.
const USUAL_BYTES: usize = 8 * 1024;

/// Method, URL and the headers that are read, together. The largest token takes an eighth of it, and a request holds all
/// of this until its body has arrived.
const MAX_HEAD_BYTES: usize = 128 * 1024;

/// What `bridge::copy` says of what has no bytes.
const TOO_LARGE: i32 = -2;
const TRUNCATED: i32 = -3;

thread_local! {
    /// Where JavaScript writes text.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; USUAL_BYTES]);
}

/// Reads the heads of requests. Creating it tells JavaScript which headers to read, once per isolate.
pub struct HeadReader {
    /// In the order in which JavaScript gives their values.
    names: Vec<String>,
}

/// What is read of a request in one crossing: milliseconds since 1970, method, URL, then a line for each header.
pub struct HeadText(String);

/// When a request arrived, in milliseconds since 1970, and its head.
pub struct Arrived<'a> {
    pub at: u64,
    pub head: RequestHead<'a>,
}

impl HeadReader {
    pub fn new(names: HeaderNames) -> Self {
        let HeaderNames { always, of_messages, of_others } = names;
        bridge::watch(&always.join("\n"), &of_messages.join("\n"), &of_others.join("\n"));
        let credentials = std::iter::once("authorization".to_owned());
        Self { names: always.into_iter().chain(of_messages).chain(of_others).chain(credentials).collect() }
    }

    /// Parses what `bridge.js` wrote.
    pub fn parse<'a>(&'a self, HeadText(text): &'a HeadText) -> Arrived<'a> {
        let mut lines = Lines { left: 3 + self.names.len(), text };
        let at = lines.next().and_then(|line| line.parse().ok()).unwrap_or_default();
        let method = lines.next().unwrap_or_default();
        let target = target_of(lines.next().unwrap_or_default());
        let present = self.names.iter().zip(lines).filter_map(|(name, line)| Some((name, line.strip_prefix('=')?)));
        let head = present.fold(RequestHead::new(method, target), |head, (name, value)| head.with_header(name, value));
        Arrived { at, head }
    }
}

impl HeadText {
    /// Reads a request; `None` if that is more than [`MAX_HEAD_BYTES`].
    pub fn of(request: &web_sys::Request) -> Option<Self> {
        SCRATCH.with_borrow_mut(|scratch| {
            loop {
                match written(bridge::head(request, scratch), scratch) {
                    Some(text) => break Some(Self(text)),
                    None if scratch.len() >= MAX_HEAD_BYTES => break None,
                    None => scratch.resize(scratch.len() * 4, 0),
                }
            }
        })
    }

    /// The method and the URL without any header.
    pub fn request_line(&self) -> RequestHead<'_> {
        let mut lines = self.0.split('\n').skip(1);
        let method = lines.next().unwrap_or_default();
        RequestHead::new(method, target_of(lines.next().unwrap_or_default()))
    }
}

/// The UTF-8 that JavaScript has written; its length is negative if it did not fit.
fn written(length: i32, scratch: &[u8]) -> Option<String> {
    let bytes = scratch.get(..usize::try_from(length).ok()?)?;
    // The faster way for valid UTF-8, which an encoder always produces.
    Some(std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes).into_owned(), str::to_owned))
}

/// The text of a body that JavaScript has read: its bytes, `null` if it is too large, `undefined` if it is truncated.
fn text_of(body: &JsValue) -> Result<String, BodyError> {
    let usual = SCRATCH.with_borrow_mut(|scratch| match bridge::copy(body, scratch) {
        TOO_LARGE => Err(BodyError::TooLarge),
        TRUNCATED => Err(BodyError::Truncated),
        length => Ok(usize::try_from(length).ok().and_then(|length| scratch.get(..length)).map(<[u8]>::to_vec)),
    });
    decode_body(usual?.unwrap_or_else(|| body.unchecked_ref::<Uint8Array>().to_vec()))
}

/// The first lines of a text, and what is left of it as the last one; those that are missing are empty. Most are empty or short, for
/// which `splitn` takes twice as long; the last one holds the token, and has no end that one would have to look for.
struct Lines<'a> {
    left: usize,
    text: &'a str,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.left = self.left.checked_sub(1)?;
        let end = if self.left == 0 { None } else { self.text.bytes().position(|byte| byte == b'\n') };
        let (line, rest) = end.map_or((self.text, ""), |end| (&self.text[..end], &self.text[end + 1..]));
        self.text = rest;
        Some(line)
    }
}

/// The path and query of an absolute URL, which the runtime has parsed and normalized.
fn target_of(url: &str) -> &str {
    split_origin(url).1
}

/// The body of a request that has not been read yet.
pub struct JsBody<'a>(&'a web_sys::Request);

impl<'a> JsBody<'a> {
    /// The body of this request.
    pub fn new(request: &'a web_sys::Request) -> Self {
        Self(request)
    }
}

impl RequestBody for JsBody<'_> {
    #[allow(clippy::cast_precision_loss, reason = "the limit is far below 2^52")]
    async fn text(self, limit: usize) -> Result<String, BodyError> {
        text_of(&executor::settled(bridge::body(self.0, limit as f64)).await)
    }
}
