//! Whole requests that are passed on to another Worker of the same operator, and whole responses that are passed back.
//!
//! In contrast to [`forward`](crate::forward), nothing of a response is looked at: its status, all of its headers (several
//! `set-cookie` as well) and its body are the other Worker's. Redirects are responses like any other. Of a request only the
//! headers that are named are passed on.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;

use crate::{context::RequestContext, http::Response};

/// Passes requests on to another Worker.
pub trait Proxy {
    /// Passes on the request whose context this is, with its method and its body, which must not have been read; that of a
    /// GET or a HEAD stays here. If its client disconnects, the request to the other Worker is aborted.
    fn pass_on<'a>(
        &'a self,
        context: &'a RequestContext,
        request: ProxyRequest<'a>,
    ) -> LocalBoxFuture<'a, Result<Response, ProxyError>>;
}

/// What is passed on of a request, beside its method and its body.
#[derive(Debug, Clone, Copy)]
pub struct ProxyRequest<'a> {
    /// Absolute URL.
    pub url: &'a str,
    /// The names of the headers that are passed on, in lower case; all others stay here.
    pub headers: &'a [&'static str],
    /// In bytes; a longer body is an error.
    pub max_body: usize,
    /// For the whole response.
    pub timeout: Duration,
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// The body of the request is longer than allowed. Nothing was passed on.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// The body of the request ended before it was complete. Nothing was passed on.
    #[error("the body of the request was truncated")]
    Truncated,
    /// No response in time.
    #[error("no response within {}s", .0.as_secs())]
    Timeout(Duration),
    /// `wrangler.toml` has no such binding, or it is none that requests can be sent to.
    #[error("no binding named {0}")]
    Unbound(String),
    /// The client has disconnected: nobody waits for a response.
    #[error("the client has disconnected")]
    Disconnected,
    /// The other Worker does not respond.
    #[error("{0}")]
    Network(String),
}
