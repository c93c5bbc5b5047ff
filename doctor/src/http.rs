//! HTTP as plain data: requests, responses, transport errors, and the trait that sends a request.
//!
//! Every finding rests on these types. [`crate::transport`] produces them, [`crate::checks`] read them, and a test can
//! construct them without a network.

use std::fmt;

/// An HTTP request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, `POST` or `OPTIONS`.
    pub method: &'static str,
    /// The absolute URL.
    pub url: String,
    /// Names are in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// `None` for `GET` and `OPTIONS`.
    pub body: Option<String>,
    /// How much of the response body to read.
    pub body_policy: BodyPolicy,
}

/// How much of a response body is read. Every policy stops at [`MAX_BODY_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyPolicy {
    /// Reads everything; of an event stream only up to the first JSON-RPC response, because the server may keep the
    /// stream open.
    UntilResponse,
    /// Reads everything unless the response is an event stream, which may never end.
    SkipStream,
}

impl HttpRequest {
    /// Creates a `GET` without headers.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: "GET", url: url.into(), headers: Vec::new(), body: None, body_policy: BodyPolicy::SkipStream }
    }

    /// Creates a `POST` with a JSON body and the `Content-Type` and `Accept` headers of MCP clients.
    #[must_use]
    pub fn post(url: impl Into<String>, body: impl Into<String>) -> Self {
        let request = Self {
            method: "POST",
            url: url.into(),
            headers: Vec::new(),
            body: Some(body.into()),
            body_policy: BodyPolicy::UntilResponse,
        };
        request.header("content-type", "application/json").header("accept", "application/json, text/event-stream")
    }

    /// Creates a CORS preflight: may a page of `origin` send `method` with `headers` (comma-separated)?
    #[must_use]
    pub fn preflight(url: impl Into<String>, origin: &str, method: &str, headers: &str) -> Self {
        let request = Self { method: "OPTIONS", ..Self::get(url) };
        let request = request.header("origin", origin).header("access-control-request-method", method);
        if headers.is_empty() { request } else { request.header("access-control-request-headers", headers) }
    }

    /// Adds a header; `name` must be in lower case.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// An HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// In the order received, repeated headers included. Names are in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text. Bytes that are not UTF-8 are replaced.
    pub body: String,
    /// Why the body is incomplete; `None` if it is complete.
    pub truncated: Option<Truncation>,
}

/// Why a response body is incomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truncation {
    /// The body is longer than [`MAX_BODY_BYTES`].
    TooLong,
    /// The connection failed or timed out while the body was read.
    Interrupted(String),
}

/// Larger than any metadata document or tool list that clients accept, and small enough to hold several in memory.
pub const MAX_BODY_BYTES: u64 = 1024 * 1024;

const BYTE_ORDER_MARK: char = '\u{feff}';

impl HttpResponse {
    /// The first value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// All values of a header, in order; `name` in lower case.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// The media type in lower case, without parameters. Empty without a `Content-Type` header.
    #[must_use]
    pub fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Whether the status is 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The `Location` of a redirect. `None` if the response is not a redirect.
    #[must_use]
    pub fn redirect(&self) -> Option<&str> {
        if (300..400).contains(&self.status) && self.status != 304 { self.header("location") } else { None }
    }

    /// Whether the response is an HTML page, by its media type or by the beginning of its body.
    #[must_use]
    pub fn is_html(&self) -> bool {
        let start: String = self.text().trim_start().chars().take(15).collect::<String>().to_ascii_lowercase();
        self.media_type() == "text/html" || start.starts_with("<!doctype html") || start.starts_with("<html")
    }

    /// The body without a byte order mark, which JSON parsers reject (RFC 8259 §8.1).
    #[must_use]
    pub fn text(&self) -> &str {
        self.body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.body)
    }

    /// Whether the body begins with a byte order mark.
    #[must_use]
    pub fn has_byte_order_mark(&self) -> bool {
        self.body.starts_with(BYTE_ORDER_MARK)
    }

    /// The content coding of the body (RFC 9110 §8.4). `None` if it is not coded. The doctor asks for none.
    #[must_use]
    pub fn content_coding(&self) -> Option<&str> {
        let named = self.header("content-encoding").map(str::trim);
        let named = named.filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"));
        // The first two bytes of gzip; the second one is not UTF-8.
        named.or_else(|| self.body.starts_with("\u{1f}\u{fffd}").then_some("gzip"))
    }

    /// Status and media type: `403 text/html`.
    #[must_use]
    pub fn summary(&self) -> String {
        match self.media_type().as_str() {
            "" => self.status.to_string(),
            media_type => format!("{} {media_type}", self.status),
        }
    }
}

/// Sends HTTP requests.
pub trait HttpClient {
    /// Sends a request and returns the response. Redirects are not followed.
    ///
    /// # Errors
    /// [`TransportError`] if no HTTP response was received.
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError>;

    /// Sends requests that do not depend on each other, at the same time if the client can. The results are in the order
    /// of the requests.
    fn send_together(&self, requests: &[&HttpRequest]) -> Vec<Result<HttpResponse, TransportError>> {
        requests.iter().map(|request| self.send(request)).collect()
    }
}

/// Why no HTTP response was received.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TransportError {
    /// The cause.
    pub kind: TransportErrorKind,
    /// The message of the system or library; may be empty.
    pub detail: String,
}

/// The causes of a [`TransportError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportErrorKind {
    /// The host name does not resolve.
    Dns,
    /// The connection was refused, or there is no route to the host.
    Connect,
    /// The certificate was rejected, or the TLS handshake failed.
    Tls,
    /// No response arrived in time.
    Timeout,
    /// The response was not HTTP, or the connection closed early.
    Protocol,
    /// The doctor refused to send the request.
    NotSent,
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TransportErrorKind::Dns => "the host name does not resolve",
            TransportErrorKind::Connect => "no connection",
            TransportErrorKind::Tls => "no TLS connection",
            TransportErrorKind::Timeout => "no response in time",
            TransportErrorKind::Protocol => "the connection closed early, or the response was not HTTP",
            TransportErrorKind::NotSent => "not sent",
        })?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, " ({})", self.detail) }
    }
}

/// A request that was sent, and its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The URL of the request.
    pub url: String,
    /// The response, or why there is none.
    pub result: Result<HttpResponse, TransportError>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(headers: &[(&str, &str)], body: &str) -> HttpResponse {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        HttpResponse { status: 200, headers, body: body.to_owned(), truncated: None }
    }

    #[test]
    fn a_media_type_has_neither_parameters_nor_capitals() {
        assert_eq!(
            response(&[("content-type", "Application/JSON; charset=utf-8")], "").media_type(),
            "application/json"
        );
        assert_eq!(response(&[], "").media_type(), "");
    }

    #[test]
    fn a_page_is_recognised_by_type_or_by_its_beginning() {
        assert!(response(&[("content-type", "text/html")], "").is_html());
        assert!(response(&[("content-type", "application/json")], "\n<!DOCTYPE html><html>").is_html());
        assert!(response(&[], "<html lang=en>").is_html());
        assert!(!response(&[("content-type", "application/json")], "{}").is_html());
        assert!(!response(&[], "ünïcödé ünïcödé ünïcödé").is_html());
    }

    #[test]
    fn a_body_that_is_compressed_or_marked_is_recognised() {
        let marked = response(&[], "\u{feff}{}");
        assert_eq!((marked.text(), marked.has_byte_order_mark(), marked.content_coding()), ("{}", true, None));
        assert!(response(&[], "\u{feff}<html>").is_html());
        assert_eq!(response(&[("content-encoding", "br")], "x").content_coding(), Some("br"));
        assert_eq!(response(&[("content-encoding", " Identity ")], "{}").content_coding(), None);
        assert_eq!(response(&[], "\u{1f}\u{fffd}\u{8}").content_coding(), Some("gzip"));
    }

    #[test]
    fn not_modified_is_no_redirect() {
        let mut found = response(&[("location", "/elsewhere")], "");
        assert_eq!(found.redirect(), None);
        found.status = 308;
        assert_eq!(found.redirect(), Some("/elsewhere"));
        found.status = 304;
        assert_eq!(found.redirect(), None);
    }
}
