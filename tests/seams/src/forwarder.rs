//! Passes requests on to another server, and its responses back.

use std::time::Duration;

use mcp_edge_runtime::{
    cloudflare::{Env, Upstream, is_bound, setting},
    context::RequestContext,
    forward::{Forward, ForwardContent, ForwardError, ForwardRequest, UpstreamBody},
    http::{RequestHead, Response},
    ports::Method,
};
use serde_json::json;

/// Of a body that is read, and of one that may be long.
const MAX_BODY: usize = 1024;
const MAX_LONG_BODY: usize = 4 * 1024 * 1024;

/// Passes a request on: `to` begins with what is to be done with the response, then comes the path.
///
/// | `to` | |
/// |---|---|
/// | `pass/…` | passes it back |
/// | `read/…`, `read-long/…` | reads its body |
/// | `refuse/…` | refuses it |
/// | `inject/…` | is not sent: a header has a line break |
/// | `bound/…` | passes it back, from this Worker's own default entrypoint |
/// | `text/…` | passes it back, from a binding that is a setting |
///
/// Headers of the client say how many milliseconds there are until the response ends (`x-ends-after`), and for reading it
/// (`x-read-timeout`).
pub async fn forward(env: &Env, context: &RequestContext, head: &RequestHead<'_>, to: &str) -> Response {
    let (what, path) = to.split_once('/').unwrap_or((to, ""));
    let upstream = match what {
        "bound" => Upstream::binding(env, "DEFAULT_ENTRYPOINT"),
        "text" => Upstream::binding(env, "UPSTREAM"),
        _ => Upstream::internet(env),
    };
    let milliseconds = |name| head.header(name).and_then(|text| text.parse().ok()).map(Duration::from_millis);
    let headers = ["x-chosen", "content-type"].into_iter().filter_map(|name| Some((name, head.header(name)?)));
    let mut headers: Vec<_> = headers.collect();
    if what == "inject" {
        headers.push(("x-user", "alice\nauthorization\nBearer mallory"));
    }
    let request = ForwardRequest {
        method: if head.method() == "POST" { Method::POST } else { Method::GET },
        url: &format!("{}/{path}", setting(env, "UPSTREAM").unwrap_or_default()),
        headers: &headers,
        client_headers_prefix: Some("x-param-"),
        body: if head.method() == "POST" { ForwardContent::ClientBody } else { ForwardContent::Empty },
        timeout: Duration::from_secs(1),
        ends_after: milliseconds("x-ends-after"),
        response_headers: &["content-type", "x-chosen"],
    };
    match (what, upstream.forward(context, request).await) {
        (_, Err(error)) => Response::json(502, json!({ "error": kind(&error) }).to_string()),
        ("read" | "read-long", Ok(response)) => {
            let status = response.status;
            let limit = if what == "read" { MAX_BODY } else { MAX_LONG_BODY };
            let text =
                response.body.text(limit, milliseconds("x-read-timeout").unwrap_or(Duration::from_secs(10))).await;
            // What is long is not shown.
            let text = text.map(|text| if text.len() > MAX_BODY { text.len().to_string() } else { text });
            Response::json(200, json!({ "status": status, "body": format!("{text:?}") }).to_string())
        }
        ("refuse", Ok(response)) => Response::json(502, json!({ "refused": response.status }).to_string()),
        (_, Ok(response)) => response.into_response().with_header("x-forwarded-by", "seams"),
    }
}

/// Whether requests can be sent to each of some bindings.
#[must_use]
pub fn bindings(env: &Env) -> Response {
    let names = ["DEFAULT_ENTRYPOINT", "UPSTREAM", "SIGNING_KEY", "LEDGER", "UNBOUND", "toString"];
    Response::json(200, json!(names.map(|name| (name, is_bound(env, name)))).to_string())
}

fn kind(error: &ForwardError) -> String {
    match error {
        // What it says is up to the platform.
        ForwardError::Network(_) => "Network".to_owned(),
        error => format!("{error:?}"),
    }
}
