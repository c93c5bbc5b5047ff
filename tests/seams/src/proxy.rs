//! Passes whole requests on to another Worker, and its whole responses back.

use std::time::Duration;

use mcp_edge_runtime::{
    cloudflare::{Bindings, BoundWorker, EdgeServices, Env},
    context::RequestContext,
    http::{RequestHead, Response},
    ports::OperatorLog,
    proxy::{Proxy, ProxyError, ProxyRequest},
};
use serde_json::json;

/// Of the body of a request.
const MAX_BODY: usize = 1024;

const TIMEOUT: Duration = Duration::from_secs(1);

/// What is passed on beside method, path, query and body.
const HEADERS: [&str; 3] = ["cookie", "content-type", "x-chosen"];

/// Passes a request on to the Worker that is bound to `PROXIED`, or with `unbound/…` to none. Errors are logged, too: a client
/// that has left does not see them.
pub async fn pass_on(env: &Env, context: &RequestContext, head: &RequestHead<'_>, to: &str) -> Response {
    let binding = if to.starts_with("unbound/") { "UNBOUND" } else { "PROXIED" };
    let query = if head.query().is_empty() { String::new() } else { format!("?{}", head.query()) };
    let url = format!("https://proxied.example/{to}{query}");
    let request = ProxyRequest { url: &url, headers: &HEADERS, max_body: MAX_BODY, timeout: TIMEOUT };
    match BoundWorker::new(env, binding).pass_on(context, request).await {
        Ok(response) => response,
        Err(error) => {
            let error = json!({ "error": kind(&error) }).to_string();
            let bindings = Bindings { store: "", rate_limiter: "" };
            EdgeServices::new(env.clone(), bindings).info(&error);
            Response::json(502, error)
        }
    }
}

fn kind(error: &ProxyError) -> String {
    match error {
        // What it says is up to the platform.
        ProxyError::Network(_) => "Network".to_owned(),
        error => format!("{error:?}"),
    }
}
