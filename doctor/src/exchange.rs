//! What went over the wire, as plain data: a request, and the answer or the failure it met.
//!
//! Everything the doctor says rests on these. They are recorded by [`crate::wire`] and judged by [`crate::checks`], and
//! a test can write them down by hand.

use std::fmt;

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST` or `OPTIONS`.
    pub method: &'static str,
    /// Where to, absolute.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Sent as it is; none for `GET` and `OPTIONS`.
    pub body: Option<String>,
    /// How much of the answer's body is wanted.
    pub reading: Reading,
}

/// How much of an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// All of it, up to the cap.
    Whole,
    /// All of it, but of an event stream only up to the first event that answers the request: the server may keep the
    /// stream open.
    UntilResponse,
    /// Status and headers only if it is an event stream, which may never end; otherwise all of it.
    NoStream,
}

impl Request {
    /// A `GET` without headers.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: "GET", url: url.into(), headers: Vec::new(), body: None, reading: Reading::NoStream }
    }

    /// A `POST` of JSON as MCP clients send it.
    #[must_use]
    pub fn post(url: impl Into<String>, body: impl Into<String>) -> Self {
        let request = Self {
            method: "POST",
            url: url.into(),
            headers: Vec::new(),
            body: Some(body.into()),
            reading: Reading::UntilResponse,
        };
        request.header("content-type", "application/json").header("accept", "application/json, text/event-stream")
    }

    /// A browser's question whether a page of `origin` may send `method` with `headers` (comma-separated).
    #[must_use]
    pub fn preflight(url: impl Into<String>, origin: &str, method: &str, headers: &str) -> Self {
        let request =
            Self { method: "OPTIONS", url: url.into(), headers: Vec::new(), body: None, reading: Reading::NoStream };
        let request = request.header("origin", origin).header("access-control-request-method", method);
        if headers.is_empty() { request } else { request.header("access-control-request-headers", headers) }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// In the order received; names in lower case, repeated ones repeated.
    pub headers: Vec<(String, String)>,
    /// The body as text; bytes that are no UTF-8 are replaced.
    pub body: String,
    /// Why the body is not complete, if it is not.
    pub cut: Option<Cut>,
}

/// Why a body ends early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// It is longer than [`MAX_BODY_BYTES`].
    TooLong,
    /// The connection failed or the time was over.
    Broken(String),
}

/// More than any document or list of tools that a client would take, and little enough to read many of.
pub const MAX_BODY_BYTES: u64 = 1024 * 1024;

impl Answer {
    /// The first value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// All values of a header, in order.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// The media type in lower case, without parameters; empty if there is none.
    #[must_use]
    pub fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Whether it is a 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Where a redirect leads. `None` for everything that is no redirect with a `Location`.
    #[must_use]
    pub fn redirect(&self) -> Option<&str> {
        if (300..400).contains(&self.status) && self.status != 304 { self.header("location") } else { None }
    }

    /// Whether it is a page for people instead of an answer for programs.
    #[must_use]
    pub fn is_page(&self) -> bool {
        let start: String = self.body.trim_start().chars().take(15).collect::<String>().to_ascii_lowercase();
        self.media_type() == "text/html" || start.starts_with("<!doctype html") || start.starts_with("<html")
    }

    /// What a reader needs to recognise it: `403 text/html`.
    #[must_use]
    pub fn in_short(&self) -> String {
        match self.media_type().as_str() {
            "" => self.status.to_string(),
            kind => format!("{} {kind}", self.status),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind it is.
    pub kind: FailureKind,
    /// What the system said.
    pub detail: String,
}

/// The ways in which a request finds no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The name does not resolve.
    Dns,
    /// Nothing listens, or the network does not lead there.
    Connect,
    /// The certificate or the TLS handshake.
    Tls,
    /// No answer in time.
    Timeout,
    /// An answer that is no HTTP, or a connection that broke off.
    Protocol,
    /// The doctor did not ask, on purpose.
    NotAsked,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            FailureKind::Dns => "the host name does not resolve",
            FailureKind::Connect => "no connection",
            FailureKind::Tls => "no secure connection",
            FailureKind::Timeout => "no answer in time",
            FailureKind::Protocol => "the connection broke off or carried no HTTP",
            FailureKind::NotAsked => "not asked",
        };
        write!(f, "{what}")?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, " ({})", self.detail) }
    }
}

/// One question and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Where the request went.
    pub url: String,
    /// What came of it.
    pub outcome: Result<Answer, Failure>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&str, &str)], body: &str) -> Answer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Answer { status: 200, headers, body: body.to_owned(), cut: None }
    }

    #[test]
    fn a_media_type_has_neither_parameters_nor_capitals() {
        assert_eq!(answer(&[("content-type", "Application/JSON; charset=utf-8")], "").media_type(), "application/json");
        assert_eq!(answer(&[], "").media_type(), "");
    }

    #[test]
    fn a_page_is_recognised_by_type_or_by_its_beginning() {
        assert!(answer(&[("content-type", "text/html")], "").is_page());
        assert!(answer(&[("content-type", "application/json")], "\n<!DOCTYPE html><html>").is_page());
        assert!(answer(&[], "<html lang=en>").is_page());
        assert!(!answer(&[("content-type", "application/json")], "{}").is_page());
        assert!(!answer(&[], "ünïcödé ünïcödé ünïcödé").is_page());
    }

    #[test]
    fn not_modified_is_no_redirect() {
        let mut found = answer(&[("location", "/elsewhere")], "");
        assert_eq!(found.redirect(), None);
        found.status = 308;
        assert_eq!(found.redirect(), Some("/elsewhere"));
        found.status = 304;
        assert_eq!(found.redirect(), None);
    }
}
