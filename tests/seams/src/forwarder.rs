//! Passes requests on to another server, and its responses back.

use std::time::Duration;

use mcp_edge_runtime::{
    cloudflare::{Env, Upstream, setting},
    context::RequestContext,
    forward::{Forward, ForwardContent, ForwardError, ForwardRequest},
    http::{RequestBody, RequestHead, Response},
    ports::Method,
};
use serde_json::json;

/// Of a body that is read.
const MAX_BODY: usize = 1024;

/// Passes a request on: `to` begins with what is to be done with the response, then comes the path.
///
/// | `to` | |
/// |---|---|
/// | `pass/…` | passes it back |
/// | `read/…` | reads its body |
/// | `refuse/…` | refuses it |
/// | `inject/…` | is not sent: a header has a line break |
/// | `bound/…` | passes it back, from this Worker's own default entrypoint |
pub async fn forward(env: &Env, context: &RequestContext, head: &RequestHead<'_>, to: &str) -> Response {
    let (what, path) = to.split_once('/').unwrap_or((to, ""));
    let upstream = if what == "bound" { Upstream::binding(env, "DEFAULT_ENTRYPOINT") } else { Upstream::internet(env) };
    let headers = ["x-chosen", "content-type"].into_iter().filter_map(|name| Some((name, head.header(name)?)));
    let mut headers: Vec<_> = headers.collect();
    if what == "inject" {
        headers.push(("x-user", "alice\nauthorization\nBearer mallory"));
    }
    let request = ForwardRequest {
        method: if head.method() == "POST" { Method::POST } else { Method::GET },
        url: &format!("{}/{path}", setting(env, "UPSTREAM").unwrap_or_default()),
        headers: &headers,
        body: if head.method() == "POST" { ForwardContent::ClientBody } else { ForwardContent::Empty },
        timeout: Duration::from_secs(1),
        response_headers: &["content-type", "x-chosen"],
    };
    match (what, upstream.forward(context, request).await) {
        (_, Err(error)) => Response::json(502, json!({ "error": kind(&error) }).to_string()),
        ("read", Ok(response)) => {
            let status = response.status;
            let text = response.body.text(MAX_BODY).await;
            Response::json(200, json!({ "status": status, "body": format!("{text:?}") }).to_string())
        }
        ("refuse", Ok(response)) => Response::json(502, json!({ "refused": response.status }).to_string()),
        (_, Ok(response)) => response.into_response().with_header("x-forwarded-by", "seams"),
    }
}

fn kind(error: &ForwardError) -> String {
    match error {
        // What it says is up to the platform.
        ForwardError::Network(_) => "Network".to_owned(),
        error => format!("{error:?}"),
    }
}
