//! Browsers: which origins may call, and what they must be told (the Fetch standard; MCP 2026-07-28 transport,
//! "Security Warning").
//!
//! One list serves both purposes: an `Origin` that is present and not allowed is refused (which stops DNS rebinding),
//! and an allowed one may read the answer. Programs that are no browsers send no `Origin` and are not concerned.

use std::borrow::Cow;

use crate::{
    http::{RequestHead, Response},
    settings::{Origins, Resource},
};

/// Besides those that CORS lets through anyway. `Mcp-Param-*` cannot be listed, so what the preflight asks for is
/// reflected if it is one of them.
const ALLOWED_HEADERS: &str = "authorization, content-type, accept, mcp-protocol-version, mcp-method, mcp-name, \
                               mcp-session-id, last-event-id, traceparent, tracestate";

/// So that a page can follow a challenge and come back in time.
const EXPOSED_HEADERS: &str = "WWW-Authenticate, Retry-After";

/// How many `Mcp-Param-*` a preflight may ask for: more than any tool has.
const MAX_PARAMETERS: usize = 32;

/// A day; browsers cap it (Chromium at two hours).
const PREFLIGHT_SECONDS: &str = "86400";

/// Who sent the request, as far as a browser says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'a> {
    /// No `Origin`: no browser, or a browser that need not say.
    Absent,
    /// May call.
    Allowed(&'a str),
    /// May not: not on the list, opaque (`null`), or not an origin at all.
    NotAllowed,
}

/// Judges the `Origin` of a request. The resource's own origin is always allowed.
#[must_use]
pub fn origin_of<'a>(head: &RequestHead<'a>, resource: &Resource, origins: &Origins) -> Origin<'a> {
    let Some(origin) = head.header("origin") else { return Origin::Absent };
    let is_clean = origin.bytes().all(|byte| byte.is_ascii_graphic()) && origin.contains("://");
    let is_allowed = origin == resource.origin
        || match origins {
            Origins::Any => true,
            Origins::Listed(list) => list.iter().any(|allowed| allowed == origin),
        };
    if is_clean && is_allowed { Origin::Allowed(origin) } else { Origin::NotAllowed }
}

/// Lets an allowed page read the answer, whatever its status.
#[must_use]
pub fn readable(response: Response, origin: Origin<'_>) -> Response {
    let response = response.with_header("vary", "Origin").with_header("access-control-expose-headers", EXPOSED_HEADERS);
    match origin {
        Origin::Allowed(origin) => response.with_header("access-control-allow-origin", origin.to_owned()),
        Origin::Absent | Origin::NotAllowed => response,
    }
}

/// The answer to a preflight of the endpoint.
#[must_use]
pub fn preflight(head: &RequestHead<'_>, origin: Origin<'_>) -> Response {
    let parameters = head
        .header("access-control-request-headers")
        .unwrap_or_default()
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| name.strip_prefix("mcp-param-").is_some_and(is_token))
        .take(MAX_PARAMETERS);
    let headers = parameters.fold(Cow::Borrowed(ALLOWED_HEADERS), |list, name| Cow::Owned(format!("{list}, {name}")));
    let response = Response::empty(204)
        .with_header("access-control-allow-methods", "POST, GET, DELETE, OPTIONS")
        .with_header("access-control-allow-headers", headers)
        .with_header("access-control-max-age", PREFLIGHT_SECONDS);
    readable(response, origin)
}

/// The answer to a preflight of a public document.
#[must_use]
pub fn public_preflight() -> Response {
    public(Response::empty(204))
        .with_header("access-control-allow-methods", "GET, HEAD, OPTIONS")
        .with_header("access-control-allow-headers", "mcp-protocol-version, accept, content-type, if-none-match")
        .with_header("access-control-max-age", PREFLIGHT_SECONDS)
}

/// Lets every page read a public document.
#[must_use]
pub fn public(response: Response) -> Response {
    response.with_header("access-control-allow-origin", "*")
}

/// `token` of RFC 9110 §5.6.2, in the lower case that we have made of it.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(origin: &str, list: &[&str]) -> bool {
        let resource = Resource {
            url: "https://mcp.example.com/mcp".into(),
            origin: "https://mcp.example.com".into(),
            path: "/mcp".into(),
        };
        let origins = Origins::Listed(list.iter().map(|it| (*it).to_owned()).collect());
        let head = RequestHead::new("POST", "/mcp").with_header("origin", origin);
        matches!(origin_of(&head, &resource, &origins), Origin::Allowed(_))
    }

    #[test]
    fn origins_are_compared_exactly() {
        assert!(judged("https://mcp.example.com", &[]));
        assert!(judged("https://app.example.com", &["https://app.example.com"]));
        for other in [
            "https://app.example.com.evil.example",
            "http://app.example.com",
            "https://app.example.com:8443",
            "null",
            "",
            "https://APP.example.com",
            "https://app.example.com/",
        ] {
            assert!(!judged(other, &["https://app.example.com"]), "{other}");
        }
    }

    #[test]
    fn a_preflight_allows_the_headers_of_the_protocol_and_of_tools() {
        let head = RequestHead::new("OPTIONS", "/mcp")
            .with_header("access-control-request-headers", "authorization,Mcp-Param-Region, x-evil, mcp-param-\r\nx");
        let response = preflight(&head, Origin::Allowed("https://app.example.com"));
        let headers = response.header("access-control-allow-headers").unwrap();
        assert!(headers.contains("authorization") && headers.ends_with(", mcp-param-region"), "{headers}");
        assert_eq!(response.header("access-control-allow-origin"), Some("https://app.example.com"));
    }
}
