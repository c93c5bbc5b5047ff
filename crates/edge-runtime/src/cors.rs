//! Cross-origin requests of browsers (Fetch standard): which origins may call, and the headers that tell them.
//!
//! One list serves both purposes: an `Origin` that is present and not allowed is rejected (which stops DNS rebinding), and
//! an allowed one may read the response. Programs other than browsers send no `Origin` and are not affected.

use std::borrow::Cow;

use crate::http::{RequestHead, Response};

/// How many headers with a reflected prefix a preflight may ask for: more than any request has.
const MAX_REFLECTED_HEADERS: usize = 32;

/// A day; browsers cap it (Chromium at two hours).
const PREFLIGHT_SECONDS: &str = "86400";

/// Which browser origins may call, beside the server's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// All of them but `null`. The token, not the origin, is the credential here: no cookie is involved.
    Any,
    /// These, compared exactly.
    Listed(Vec<String>),
}

/// The `Origin` of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'a> {
    /// No `Origin`: not from a browser, or a same-origin request.
    Absent,
    /// May call the server.
    Allowed(&'a str),
    /// May not call it: not on the list, opaque (`null`), or not an origin at all.
    NotAllowed,
}

/// Checks the `Origin` of a request. `own_origin`, the server's, is always allowed.
#[must_use]
pub fn origin_of<'a>(head: &RequestHead<'a>, own_origin: &str, origins: &Origins) -> Origin<'a> {
    let Some(origin) = head.header("origin") else { return Origin::Absent };
    let is_clean = origin.bytes().all(|byte| byte.is_ascii_graphic()) && origin.contains("://");
    let is_allowed = origin == own_origin
        || match origins {
            Origins::Any => true,
            Origins::Listed(list) => list.iter().any(|allowed| allowed == origin),
        };
    if is_clean && is_allowed { Origin::Allowed(origin) } else { Origin::NotAllowed }
}

/// Lets an allowed page read the response, also that of an error, with these headers. Other callers get it as it is: each
/// header costs the runtime some 3,000 instructions, and `Vary` is for what caches keep, which must be no such response.
#[must_use]
pub fn readable(response: Response, origin: Origin<'_>, exposed_headers: &'static str) -> Response {
    if origin == Origin::Absent {
        return response;
    }
    let response = response.with_header("vary", "Origin").with_header("access-control-expose-headers", exposed_headers);
    allowing(response, origin)
}

fn allowing(response: Response, origin: Origin<'_>) -> Response {
    match origin {
        Origin::Allowed(origin) => response.with_header("access-control-allow-origin", origin.to_owned()),
        Origin::Absent | Origin::NotAllowed => response,
    }
}

/// The headers that a page may send to an endpoint.
#[derive(Debug, Clone, Copy)]
pub struct AllowedHeaders {
    /// Their names, separated by commas, besides those that CORS lets through anyway.
    pub names: &'static str,
    /// Names that begin with this, in lower case, cannot be listed: those that the preflight asks for are reflected.
    pub reflected_prefix: &'static str,
}

/// The response to a preflight of an endpoint that takes POST.
#[must_use]
pub fn preflight(head: &RequestHead<'_>, origin: Origin<'_>, allowed: AllowedHeaders) -> Response {
    let parameters = head
        .header("access-control-request-headers")
        .unwrap_or_default()
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| name.strip_prefix(allowed.reflected_prefix).is_some_and(is_token))
        .take(MAX_REFLECTED_HEADERS);
    let headers = parameters.fold(Cow::Borrowed(allowed.names), |list, name| Cow::Owned(format!("{list}, {name}")));
    let response = Response::empty(204)
        .with_header("access-control-allow-methods", "POST, GET, DELETE, OPTIONS")
        .with_header("access-control-allow-headers", headers)
        .with_header("access-control-max-age", PREFLIGHT_SECONDS);
    allowing(response.with_header("vary", "Origin"), origin)
}

/// The response to a preflight of a public document.
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

    const ALLOWED: AllowedHeaders = AllowedHeaders { names: "authorization", reflected_prefix: "mcp-param-" };

    fn judged(origin: &str, list: &[&str]) -> bool {
        let origins = Origins::Listed(list.iter().map(|it| (*it).to_owned()).collect());
        let head = RequestHead::new("POST", "/mcp").with_header("origin", origin);
        matches!(origin_of(&head, "https://mcp.example.com", &origins), Origin::Allowed(_))
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
    fn origins_of_extensions_are_compared_exactly() {
        let extension = "chrome-extension://nmmhkkegccagdldgiimedpiccmgmieda";
        assert!(judged(extension, &[extension]));
        assert!(!judged(extension, &[]));
        for other in [
            "moz-extension://nmmhkkegccagdldgiimedpiccmgmieda",
            "chrome-extension://nmmhkkegccagdldgiimedpiccmgmiedb",
            "chrome-extension://nmmhkkegccagdldgiimedpiccmgmieda/",
            "CHROME-EXTENSION://nmmhkkegccagdldgiimedpiccmgmieda",
            "https://nmmhkkegccagdldgiimedpiccmgmieda",
        ] {
            assert!(!judged(other, &[extension]), "{other}");
        }
    }

    #[test]
    fn only_browsers_get_the_headers_for_browsers() {
        let names = |origin| -> Vec<_> {
            let response = readable(Response::empty(200), origin, "ETag");
            response.headers.into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(Origin::Absent), [""; 0]);
        assert_eq!(names(Origin::NotAllowed), ["vary", "access-control-expose-headers"]);
        let all = ["vary", "access-control-expose-headers", "access-control-allow-origin"];
        assert_eq!(names(Origin::Allowed("https://app.example.com")), all);
    }

    #[test]
    fn a_preflight_allows_the_headers_of_the_protocol_and_of_tools() {
        let head = RequestHead::new("OPTIONS", "/mcp")
            .with_header("access-control-request-headers", "authorization,Mcp-Param-Region, x-evil, mcp-param-\r\nx");
        let response = preflight(&head, Origin::Allowed("https://app.example.com"), ALLOWED);
        let headers = response.header("access-control-allow-headers").unwrap();
        assert!(headers.contains("authorization") && headers.ends_with(", mcp-param-region"), "{headers}");
        assert_eq!(response.header("access-control-allow-origin"), Some("https://app.example.com"));
    }
}
