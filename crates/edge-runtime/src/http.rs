//! HTTP requests and responses as plain data (RFC 9110).
//!
//! A [`RequestHead`] borrows from one string that the platform provides, so that reading a request costs no allocation per
//! header. The body is not part of it: it is read ([`RequestBody`]) only after the request has been authorized.

use std::{any::Any, borrow::Cow};

use futures_util::stream::LocalBoxStream;

/// Method, target and headers of a request.
#[derive(Debug, Clone, Default)]
pub struct RequestHead<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: Vec<(&'a str, &'a str)>,
}

impl<'a> RequestHead<'a> {
    /// A request for `target`, which is a path with an optional query (`/mcp?x=1`).
    #[must_use]
    pub fn new(method: &'a str, target: &'a str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self { method, path, query, headers: Vec::with_capacity(12) }
    }

    /// Adds a header. `name` must be in lower case; surrounding white space of `value` is dropped (RFC 9110 §5.5).
    #[must_use]
    pub fn with_header(mut self, name: &'a str, value: &'a str) -> Self {
        debug_assert!(!name.bytes().any(|byte| byte.is_ascii_uppercase()), "header names are looked up in lower case");
        self.headers.push((name, value.trim_matches([' ', '\t'])));
        self
    }

    /// The method as sent; methods are case-sensitive (RFC 9110 §9.1).
    #[must_use]
    pub fn method(&self) -> &'a str {
        self.method
    }

    /// The path as sent, without the query; nothing is decoded.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// The query as sent, without the question mark; empty if there is none.
    #[must_use]
    pub fn query(&self) -> &'a str {
        self.query
    }

    /// The value of a header, by its lower-case name. Repeated headers arrive joined by a comma, as the platform
    /// joins them.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// The names of the request headers that are read beside `authorization`, in lower case. Reading one costs some 3,000
/// instructions in the runtime, so each request is read only for those that its kind has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderNames {
    /// Read of every request.
    pub always: Vec<String>,
    /// Read of what may be a message: a POST with credentials.
    pub of_messages: Vec<String>,
    /// Read of requests with other methods.
    pub of_others: Vec<String>,
}

/// A request body that has not been read yet.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait RequestBody {
    /// The whole body as text, without a byte order mark at its start (RFC 8259 §8.1).
    ///
    /// # Errors
    /// [`BodyError::TooLarge`] as soon as more than `limit` bytes are announced or have arrived;
    /// [`BodyError::Truncated`] if the client disconnected before it was complete; [`BodyError::NotUtf8`].
    async fn text(self, limit: usize) -> Result<String, BodyError>;
}

/// Why a request body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// More bytes than the limit.
    #[error("the request body is larger than the limit")]
    TooLarge,
    /// The body ended before it was complete.
    #[error("the request body was truncated")]
    Truncated,
    /// Not UTF-8, which JSON has to be (RFC 8259 §8.1).
    #[error("the request body is not UTF-8")]
    NotUtf8,
}

/// The text that a whole body is, without a byte order mark at its start.
///
/// # Errors
/// [`BodyError::NotUtf8`].
pub fn decode_body(bytes: Vec<u8>) -> Result<String, BodyError> {
    let mut text = String::from_utf8(bytes).map_err(|_| BodyError::NotUtf8)?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// The body of a request in tests.
impl RequestBody for &str {
    async fn text(self, limit: usize) -> Result<String, BodyError> {
        self.as_bytes().text(limit).await
    }
}

/// The body of a request in tests, which may not be text.
impl RequestBody for &[u8] {
    async fn text(self, limit: usize) -> Result<String, BodyError> {
        if self.len() > limit { Err(BodyError::TooLarge) } else { decode_body(self.to_vec()) }
    }
}

/// Text that is mostly known at compile time.
pub type Text = Cow<'static, str>;

/// As many headers as most responses have: so their list is allocated once.
const USUAL_HEADERS: usize = 8;

/// A response: status, headers, body.
#[derive(Debug)]
pub struct Response {
    /// Between 200 and 599.
    pub status: u16,
    /// Names and values, visible ASCII only. No name occurs twice.
    pub headers: Vec<(&'static str, Text)>,
    /// The body.
    pub body: Body,
}

/// The body of a response.
pub enum Body {
    /// No body.
    Empty,
    /// The whole body.
    Text(Text),
    /// Chunks as they come about; each is sent at once.
    Stream {
        /// The chunks.
        chunks: LocalBoxStream<'static, String>,
        /// Whether the stream is dropped when its client disconnects; otherwise it runs to its end.
        cancel_on_disconnect: bool,
    },
    /// What the platform holds; see [`forward`](crate::forward).
    Platform(PlatformBody),
    /// A whole response that the platform holds, whose headers come before those of [`Response::headers`]; see
    /// [`proxy`](crate::proxy).
    Response(PlatformBody),
}

/// A body that the platform holds, in a form of its own.
pub struct PlatformBody(Box<dyn Any>);

impl PlatformBody {
    /// Creates a body of what the adapter to the platform will look for.
    #[must_use]
    pub fn new(body: impl Any) -> Self {
        Self(Box::new(body))
    }

    /// What the body was created of.
    #[must_use]
    pub fn downcast<T: Any>(self) -> Option<T> {
        self.0.downcast().ok().map(|body| *body)
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => formatter.write_str("Empty"),
            Self::Text(text) => formatter.debug_tuple("Text").field(text).finish(),
            Self::Stream { .. } => formatter.write_str("Stream"),
            Self::Platform(_) => formatter.write_str("Platform"),
            Self::Response(_) => formatter.write_str("Response"),
        }
    }
}

impl Response {
    /// Creates a response without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Empty }
    }

    /// Creates a response of `content-type: application/json`, which no browser takes for anything else.
    #[must_use]
    pub fn json(status: u16, body: impl Into<Text>) -> Self {
        let mut headers = Vec::with_capacity(USUAL_HEADERS);
        headers.push(("content-type", Cow::Borrowed("application/json")));
        headers.push(("x-content-type-options", Cow::Borrowed("nosniff")));
        Self { status, headers, body: Body::Text(body.into()) }
    }

    /// Adds a header. `value` must be visible ASCII and spaces, or the response is not sent (see
    /// [`Response::unsendable_header`]).
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<Text>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The value of a header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_ref())
    }

    /// The name of the first header that must not be sent: its name is not a token, or its value has characters other than
    /// visible ASCII and spaces (RFC 9110 §5.5). A line break in a value would let its author add headers.
    #[must_use]
    pub fn unsendable_header(&self) -> Option<&'static str> {
        self.headers.iter().find(|(name, value)| !is_sendable_header(name, value)).map(|(name, _)| *name)
    }

    /// The body as text; empty for all that is not [`Body::Text`].
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.body {
            Body::Text(text) => text,
            Body::Empty | Body::Stream { .. } | Body::Platform(_) | Body::Response(_) => "",
        }
    }
}

/// Whether a header can be sent: its name is of letters, digits, hyphens and underscores, its value of visible ASCII and
/// spaces (RFC 9110 §5).
#[must_use]
pub fn is_sendable_header(name: &str, value: &str) -> bool {
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    is_name && value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_would_be_two_is_not_sendable() {
        let with = |name: &'static str, value: &'static str| {
            Response::json(303, "{}").with_header(name, value).with_header("vary", "Origin").unsendable_header()
        };
        assert_eq!(with("location", "https://tenant.example/auth?a=b%0A&c=~"), None);
        assert_eq!(with("access-control-allow-headers", ""), None);
        for value in
            ["/\nset-cookie: a=b", "/\r\nset-cookie: a=b", "/\r", "a\0b", "a\tb", "a\u{7f}", "ä", "\u{2028}", "\u{85}"]
        {
            assert_eq!(with("location", value), Some("location"), "{value:?}");
        }
        for name in ["", "set cookie", "location\nset-cookie", "loc:ation", "lücke"] {
            assert_eq!(with(name, "x"), Some(name), "{name:?}");
        }
    }

    #[test]
    fn a_body_is_utf8_without_its_byte_order_mark() {
        let decoded = |bytes: &[u8]| decode_body(bytes.to_vec());
        assert_eq!(decoded("{\"ä\u{feff}\":1}".as_bytes()), Ok("{\"ä\u{feff}\":1}".to_owned()));
        assert_eq!(decoded(b"\xEF\xBB\xBF{}"), Ok("{}".to_owned()));
        assert_eq!(decoded(b"\xEF\xBB\xBF\xEF\xBB\xBF{}"), Ok("\u{feff}{}".to_owned()));
        assert_eq!(decoded(b""), Ok(String::new()));
        for bytes in [&b"\"\xFF\""[..], b"\xFE\xFF\0{\0}", b"\xED\xA0\x80", b"\xF0\x9F\x98", b"\x1F\x8B\x08\0"] {
            assert_eq!(decoded(bytes), Err(BodyError::NotUtf8), "{bytes:?}");
        }
    }

    #[test]
    fn a_body_of_the_platform_is_what_it_was_created_of() {
        assert_eq!(PlatformBody::new(7_u32).downcast::<u32>(), Some(7));
        assert_eq!(PlatformBody::new(7_u32).downcast::<i32>(), None);
    }
}
