//! Ports: the traits for everything from outside.
//!
//! The rules do no I/O. The Worker shell, or a test, provides one value that implements [`Services`]. The time of day is
//! not a port: it is an argument, so that tests choose it.
//!
//! [`Services`] live as long as the isolate and carry nothing of any request: operations that serve everybody (discovery,
//! keys, answers about tokens) get nothing else, so nothing that one client sends can get into them. What belongs to one
//! request is a [`RequestContext`](crate::context::RequestContext).

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
pub use http::Method;

use crate::crypto::{Algorithm, VerificationKey};

/// Everything that serves all requests of an isolate.
pub trait Services:
    Fetch + Store + SignatureVerifier + Runtime + FailureLimit + Background + OperatorLog + Clone + 'static
{
}
impl<T> Services for T where
    T: Fetch + Store + SignatureVerifier + Runtime + FailureLimit + Background + OperatorLog + Clone + 'static
{
}

/// Requests to other servers.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait Fetch {
    /// Sends `request` and reads the whole response. Redirects are not followed, and no credentials are sent but those in
    /// `request`.
    ///
    /// # Errors
    /// [`FetchError`] if there is no complete response within the limits of `request`. A response with any status but a
    /// redirect is not an error here.
    async fn fetch(&self, request: HttpRequest<'_>) -> Result<HttpResponse, FetchError>;
}

/// A request to another server.
#[derive(Clone)]
pub struct HttpRequest<'a> {
    /// HTTP method.
    pub method: Method,
    /// Absolute URL.
    pub url: &'a str,
    /// The value of `authorization`, if any. Never logged.
    pub authorization: Option<&'a str>,
    /// The body.
    pub body: RequestContent<'a>,
    /// For the complete response, body included.
    pub timeout: Duration,
    /// In bytes; a longer body is an error, found while it arrives.
    pub max_body: usize,
}

/// The body of a request, by its media type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum RequestContent<'a> {
    /// None.
    Empty,
    /// `application/x-www-form-urlencoded`.
    Form(&'a str),
    /// `application/json`.
    Json(&'a str),
}

impl<'a> RequestContent<'a> {
    /// Media type and text, if there is a body.
    #[must_use]
    pub const fn media_type_and_text(self) -> Option<(&'static str, &'a str)> {
        match self {
            Self::Empty => None,
            Self::Form(text) => Some(("application/x-www-form-urlencoded", text)),
            Self::Json(text) => Some(("application/json", text)),
        }
    }
}

/// Hides what may hold a token or a secret.
impl std::fmt::Debug for HttpRequest<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// The response of another server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// HTTP status.
    pub status: u16,
    /// The header `www-authenticate`; empty if there is none. RFC 6750 §3 has the error code of a refused token there,
    /// and some providers send nothing else.
    pub challenge: String,
    /// The body, decoded as UTF-8.
    pub body: String,
}

/// Why there is no response. Every one of these is an outage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Not complete in time.
    // As whole seconds: what writes durations or floats is KBs of the bundle.
    #[error("no complete answer within {}s", .0.as_secs())]
    Timeout(Duration),
    /// Longer than allowed.
    #[error("answer longer than {0} bytes")]
    TooLarge(usize),
    /// A redirect, which is not followed: keys come from where the operator said, or not at all.
    #[error("answered with a redirect (status {0})")]
    Redirect(u16),
    /// No connection, broken connection, unreadable answer.
    #[error("{0}")]
    Network(String),
}

/// A store that all isolates share (Workers KV). Eventually consistent; values are input like any other.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait Store {
    /// The value under `key`, or `None`.
    ///
    /// # Errors
    /// What the store said; callers carry on without it.
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError>;

    /// Puts `value` under `key` for `ttl`.
    ///
    /// # Errors
    /// What the store said; callers carry on without it.
    async fn put(&self, key: &str, value: &str, ttl: Duration) -> Result<(), StoreError>;
}

/// The store failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// Verification of signatures (WebCrypto).
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait SignatureVerifier {
    /// Whether `signature` over `message` was made with `algorithm` by the owner of `key`. The caller has made sure
    /// that key and algorithm belong together and that the signature has the right length.
    ///
    /// # Errors
    /// [`UnusableKey`] if the key cannot be imported, for example because its point is not on the curve.
    async fn verify(
        &self,
        key: &impl VerificationKey,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, UnusableKey>;
}

/// A published key that no verifier takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key cannot be imported: {0}")]
pub struct UnusableKey(pub String);

/// Time to wait, and randomness.
pub trait Runtime {
    /// Ends after `duration`.
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()>;

    /// Fills `buffer` with bytes fit for cryptography.
    fn random(&self, buffer: &mut [u8]);
}

/// A limit on failed authentications, if there is one.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait FailureLimit {
    /// Counts a failure of `address` and says whether it has failed too often. Must say no when it cannot know: a
    /// limiter that is down must not lock anybody out.
    async fn count_failure(&self, address: &str) -> bool;
}

/// Work that others depend on.
pub trait Background {
    /// Starts `work`, which continues to its end even if the request that started it is abandoned or answered; the
    /// returned future ends with it and may be dropped. What one request does for all others (fetching keys) must not end
    /// with the client that happened to cause it.
    fn spawn(&self, work: LocalBoxFuture<'static, ()>) -> LocalBoxFuture<'static, ()>;
}

/// Lines for the operator that belong to no request's record.
pub trait OperatorLog {
    /// Logs what happened. The line must hold neither a token nor a secret.
    fn info(&self, line: &str);

    /// Logs what went wrong. The line must hold neither a token nor a secret.
    fn error(&self, line: &str);
}
