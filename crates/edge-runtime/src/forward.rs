//! Requests that are passed on to another server, and responses that are passed back, without their bodies.
//!
//! The code that decides about them sees methods, statuses and the headers it names; a body stays where it is, however large, and
//! goes on chunk by chunk as fast as its reader takes it. A client that disconnects aborts the request to the other server;
//! a response that the other server breaks off is broken off towards the client, too. A response may have a time at which
//! it ends ([`ForwardRequest::ends_after`]), and a body that is read instead of passed back has a limit of bytes and of time.

use std::time::Duration;

use crate::{
    context::RequestContext,
    http::{Body, Response, is_sendable_header},
    ports::Method,
};

/// Sends requests to another server on behalf of a client.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait Forward {
    /// The body of a response.
    type Body: UpstreamBody;

    /// Sends `request` and returns the head of the response. `context` is that of the request which is passed on: if its
    /// client disconnects, before or after the head has arrived, the request to the other server is aborted.
    ///
    /// # Errors
    /// [`ForwardError`]. A response with any status but a redirect is not an error here.
    async fn forward(
        &self,
        context: &RequestContext,
        request: ForwardRequest<'_>,
    ) -> Result<UpstreamResponse<Self::Body>, ForwardError>;
}

/// A request to another server. Nothing of the client's request gets into it but what stands here.
#[derive(Clone)]
pub struct ForwardRequest<'a> {
    /// HTTP method.
    pub method: Method,
    /// Absolute URL.
    pub url: &'a str,
    /// All headers but those of `client_headers_prefix`. Never logged. `accept-encoding: identity` is added.
    pub headers: &'a [(&'a str, &'a str)],
    /// Besides, the headers of the client's request whose lower-case name begins with this, such as `mcp-param-`: at most
    /// [`MAX_CLIENT_HEADERS`] with [`MAX_CLIENT_HEADER_BYTES`]. Those of `headers` replace them.
    pub client_headers_prefix: Option<&'static str>,
    /// The body.
    pub body: ForwardContent<'a>,
    /// Until the head of the response has arrived.
    pub timeout: Duration,
    /// From now until the body of the response ends: an event stream is closed, so that its client reconnects; any other
    /// body is broken off, so that nobody takes it for complete. More than 24 days count as 24 days.
    pub ends_after: Option<Duration>,
    /// The headers of the response that are read, in lower case.
    pub response_headers: &'a [&'static str],
}

/// How many headers of a client are passed on by their prefix.
pub const MAX_CLIENT_HEADERS: usize = 32;

/// How many bytes they may have together, names and values.
pub const MAX_CLIENT_HEADER_BYTES: usize = 16 * 1024;

/// How many bytes of memory the bodies that are read at the same time may take in one isolate. While a body grows, its
/// memory is counted twice: what it had, and what it gets.
pub const MAX_BYTES_READ_AT_ONCE: usize = 24 * 1024 * 1024;

/// The headers that belong to one connection or describe the body on it (RFC 9110 §7.6.1, §8.6), and the host, which the
/// URL names.
const CONNECTION_HEADERS: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl<'a> ForwardRequest<'a> {
    /// The name of the first header that must not be sent: its name is not a token, its value has characters other than
    /// visible ASCII and spaces, or it belongs to a connection. A line break in a value would add headers of its author's
    /// choice.
    #[must_use]
    pub fn unsendable_header(&self) -> Option<&'a str> {
        let is_connection = |name: &str| CONNECTION_HEADERS.iter().any(|known| name.eq_ignore_ascii_case(known));
        let is_sendable = |name: &str, value: &str| is_sendable_header(name, value) && !is_connection(name);
        self.headers.iter().find(|(name, value)| !is_sendable(name, value)).map(|(name, _)| *name)
    }
}

/// Hides what may hold a token or a secret.
impl std::fmt::Debug for ForwardRequest<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ForwardRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// The body of a request to another server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ForwardContent<'a> {
    /// None.
    Empty,
    /// This text. Its media type is one of the headers.
    Text(&'a str),
    /// That of the client's request, as it arrives. It must not have been read.
    ClientBody,
}

/// The response of another server.
#[derive(Debug)]
pub struct UpstreamResponse<B> {
    /// HTTP status, neither informational nor a redirect.
    pub status: u16,
    /// Those headers of the response that were asked for and have a value that can be sent on: visible ASCII and spaces.
    pub headers: Vec<(&'static str, String)>,
    /// The body, which has not been read.
    pub body: B,
}

/// A body that has not been read. Dropping it aborts the response.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait UpstreamBody {
    /// The body of a response to the client.
    fn into_body(self) -> Body;

    /// The whole body as text, with U+FFFD in place of what is not UTF-8. `timeout` is for all of it.
    ///
    /// # Errors
    /// [`ReadError`]: it has more than `limit` bytes, or does not arrive.
    async fn text(self, limit: usize, timeout: Duration) -> Result<String, ReadError>;
}

/// In tests the body is at hand.
impl UpstreamBody for &'static str {
    fn into_body(self) -> Body {
        Body::Text(self.into())
    }

    async fn text(self, limit: usize, _: Duration) -> Result<String, ReadError> {
        if self.len() > limit { Err(ReadError::TooLarge(limit)) } else { Ok(self.to_owned()) }
    }
}

/// Why the body of a response could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// More bytes than the limit.
    #[error("the response is longer than {0} bytes")]
    TooLarge(usize),
    /// It broke off, or its client has disconnected.
    #[error("the response broke off")]
    Truncated,
    /// Not complete in time, or not before the time at which it ends.
    #[error("the response was not complete within {}s", .0.as_secs())]
    Timeout(Duration),
    /// The bodies that are being read take [`MAX_BYTES_READ_AT_ONCE`] already. Later there may be room.
    #[error("too many responses are being read at the same time")]
    Busy,
}

impl<B> UpstreamResponse<B> {
    /// The value of a header that was asked for, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

impl<B: UpstreamBody> UpstreamResponse<B> {
    /// The response to the client: the same status, these headers and this body.
    #[must_use]
    pub fn into_response(self) -> Response {
        let headers = self.headers.into_iter().map(|(name, value)| (name, value.into())).collect();
        Response { status: self.status, headers, body: self.body.into_body() }
    }
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    /// No head in time.
    #[error("no response within {}s", .0.as_secs())]
    Timeout(Duration),
    /// A redirect, which is not followed: requests go where the operator said, or nowhere.
    #[error("answered with a redirect (status {0})")]
    Redirect(u16),
    /// The time at which the response ends has come before its head.
    #[error("no response before its end")]
    Ended,
    /// A content coding that the runtime does not undo (RFC 9110 §8.4).
    #[error("answered with the content coding {0:?}, although none was asked for")]
    Encoding(String),
    /// The client has sent more headers with the prefix than [`MAX_CLIENT_HEADERS`] or [`MAX_CLIENT_HEADER_BYTES`], or one
    /// that is not visible ASCII.
    #[error("the client's headers with this prefix are more than 32, longer than 16 KiB, or not visible ASCII")]
    ClientHeaders,
    /// The request has a header that must not be sent, of this name.
    #[error("the header {0:?} must not be sent: it belongs to a connection, or is not visible ASCII")]
    Header(String),
    /// The client has disconnected.
    #[error("the client has disconnected")]
    Disconnected,
    /// The client's body has been read already.
    #[error("the body of the client's request has been read already")]
    BodyUsed,
    /// `wrangler.toml` has no such binding, or it is none that requests can be sent to.
    #[error("no binding named {0}")]
    Unbound(String),
    /// No connection, broken connection, unreadable head.
    #[error("{0}")]
    Network(String),
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_a_connection_or_with_a_line_break_is_not_sendable() {
        let unsendable = |name, value| {
            let headers = [("content-type", "application/json"), (name, value)];
            let request = ForwardRequest {
                method: Method::GET,
                url: "https://upstream.example/",
                headers: &headers,
                client_headers_prefix: None,
                body: ForwardContent::Empty,
                timeout: Duration::from_secs(1),
                ends_after: None,
                response_headers: &[],
            };
            request.unsendable_header().map(str::to_owned)
        };
        assert_eq!(unsendable("x-user", "alice"), None);
        assert_eq!(unsendable("authorization", "Bearer a.b.c"), None);
        for value in ["a\nauthorization\nBearer b", "a\rb", "a\0b", "ä", "\u{2028}"] {
            assert_eq!(unsendable("x-user", value).as_deref(), Some("x-user"), "{value:?}");
        }
        for name in ["", "x user", "x\nuser", "host", "Host", "content-length", "Transfer-Encoding", "te", "upgrade"] {
            assert_eq!(unsendable(name, "1").as_deref(), Some(name), "{name:?}");
        }
    }

    #[test]
    fn a_response_is_passed_back_with_the_headers_that_were_asked_for() {
        let headers = vec![("content-type", "text/event-stream".to_owned())];
        let upstream = UpstreamResponse { status: 207, headers, body: "data: 1\n\n" };
        assert_eq!((upstream.header("content-type"), upstream.header("vary")), (Some("text/event-stream"), None));
        let response = upstream.into_response().with_header("cache-control", "no-store");
        assert_eq!((response.status, response.text()), (207, "data: 1\n\n"));
        assert_eq!(response.header("content-type"), Some("text/event-stream"));
        assert_eq!(response.header("cache-control"), Some("no-store"));
    }

    #[test]
    fn a_request_that_is_logged_shows_no_headers() {
        let request = ForwardRequest {
            method: Method::POST,
            url: "https://upstream.example/mcp",
            headers: &[("authorization", "Bearer hunter2")],
            client_headers_prefix: None,
            body: ForwardContent::Text("hunter2"),
            timeout: Duration::from_secs(1),
            ends_after: None,
            response_headers: &[],
        };
        assert!(!format!("{request:?}").contains("hunter2"));
    }
}
