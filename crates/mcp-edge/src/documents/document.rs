//! A document in memory, and the responses to requests for it.
//!
//! There are two kinds. Documents for *programs* (metadata, manifests) may be fetched by any web page. *Pages* and their
//! parts belong to this origin: a page has a `Content-Security-Policy` ([`Document::page`]), must not be framed, and sends
//! no referrer to other sites.

use crate::documents::entity_tag::EntityTag;
use mcp_edge_runtime::{
    cors,
    http::{Body, RequestHead, Response, Text},
};

/// For how long readers cache a document, and therefore an error in it.
const CACHE_CONTROL: &str = "public, max-age=300";

/// The value of `Allow`.
const METHODS: &str = "GET, HEAD, OPTIONS";

/// A document that is the same for all readers.
#[derive(Debug)]
pub struct Document {
    readers: Readers,
    body: Text,
    tag: EntityTag,
    content_type: &'static str,
    headers: Vec<(&'static str, Text)>,
}

/// The web pages that may read a response. This does not restrict other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// All web pages.
    AnyPage,
    /// Pages of this origin.
    OwnPages,
}

impl Readers {
    /// Returns the response for methods that do not read: 204 for OPTIONS, 405 for others. `None` for GET and HEAD.
    #[must_use]
    pub fn answer_unless_read(self, head: &RequestHead<'_>) -> Option<Response> {
        let response = match (head.method(), self) {
            ("GET" | "HEAD", _) => return None,
            ("OPTIONS", Self::AnyPage) => cors::public_preflight(),
            ("OPTIONS", Self::OwnPages) => Response::empty(204),
            (_, Self::AnyPage) => cors::public(Response::empty(405)),
            (_, Self::OwnPages) => Response::empty(405),
        };
        Some(response.with_header("allow", METHODS))
    }
}

impl Document {
    /// Creates a document for programs, which any web page may read as well. `body` has the type `content_type`.
    #[must_use]
    pub fn for_machines(content_type: &'static str, body: impl Into<Text>) -> Self {
        Self::new(Readers::AnyPage, content_type, body.into())
            .with_header("access-control-allow-origin", "*")
            .with_header("access-control-expose-headers", "ETag")
    }

    /// Creates a page. `policy` is its `Content-Security-Policy`. Begin it with `default-src 'none'` and end it with
    /// `frame-ancestors 'none'`, which has no default.
    #[must_use]
    pub fn page(html: impl Into<Text>, policy: impl Into<Text>) -> Self {
        Self::part("text/html; charset=utf-8", html)
            .with_header("content-security-policy", policy)
            // The URL of a page may contain an authorization response.
            .with_header("referrer-policy", "no-referrer")
    }

    /// Creates a part of a page (style, script, image as text). Only pages of this origin may load it.
    #[must_use]
    pub fn part(content_type: &'static str, body: impl Into<Text>) -> Self {
        Self::new(Readers::OwnPages, content_type, body.into())
            .with_header("cross-origin-resource-policy", "same-origin")
    }

    fn new(readers: Readers, content_type: &'static str, body: Text) -> Self {
        let tag = EntityTag::of(&body);
        let headers = vec![
            ("x-content-type-options", "nosniff".into()),
            ("cache-control", CACHE_CONTROL.into()),
            ("etag", tag.as_str().to_owned().into()),
        ];
        Self { readers, body, tag, content_type, headers }
    }

    /// Sets a header of responses with status 200 and 304. `name` must be in lower case, `value` visible ASCII.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<Text>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// Returns the response to a request: 200, 304 if `If-None-Match` matches, 204 for OPTIONS, 405 for other methods.
    #[must_use]
    pub fn respond(&self, head: &RequestHead<'_>) -> Response {
        if let Some(response) = self.readers.answer_unless_read(head) {
            return response;
        }
        let is_known = head.header("if-none-match").is_some_and(|known| self.tag.is_known(known));
        let mut headers = self.headers.clone();
        if is_known {
            return Response { status: 304, headers, body: Body::Empty };
        }
        headers.push(("content-type", self.content_type.into()));
        // For HEAD as well: the runtime removes the body and keeps its length.
        Response { status: 200, headers, body: Body::Text(self.body.clone()) }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Document {
        Document::for_machines("application/json", "{}")
    }

    fn page() -> Document {
        Document::page("<!doctype html>", "default-src 'none'; frame-ancestors 'none'")
    }

    fn respond(document: &Document, method: &str, headers: &[(&'static str, &str)]) -> Response {
        let head =
            headers.iter().fold(RequestHead::new(method, "/x"), |head, (name, value)| head.with_header(name, value));
        document.respond(&head)
    }

    #[test]
    fn get_and_head_have_type_validators_and_cache_time() {
        for method in ["GET", "HEAD"] {
            let response = respond(&manifest(), method, &[]);
            assert_eq!((response.status, response.text()), (200, "{}"));
            for (name, value) in [
                ("content-type", "application/json"),
                ("cache-control", "public, max-age=300"),
                ("x-content-type-options", "nosniff"),
                ("access-control-allow-origin", "*"),
                ("etag", EntityTag::of("{}").as_str()),
            ] {
                assert_eq!(response.header(name), Some(value), "{name}");
            }
        }
    }

    #[test]
    fn a_matching_validator_gets_304_with_the_same_headers_and_no_body() {
        for document in [manifest(), page()] {
            let first = respond(&document, "GET", &[]);
            let tag = first.header("etag").unwrap();
            for method in ["GET", "HEAD"] {
                let second = respond(&document, method, &[("if-none-match", tag)]);
                assert_eq!((second.status, second.text(), second.header("content-type")), (304, "", None));
                for name in ["etag", "cache-control", "content-security-policy", "access-control-allow-origin"] {
                    assert_eq!(second.header(name), first.header(name), "{name}");
                }
            }
            assert_eq!(respond(&document, "GET", &[("if-none-match", "\"other\"")]).status, 200);
        }
    }

    #[test]
    fn other_methods_get_allow() {
        for document in [manifest(), page()] {
            for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "get", ""] {
                let response = respond(&document, method, &[("if-none-match", "*")]);
                assert_eq!((response.status, response.header("allow")), (405, Some(METHODS)), "{method}");
            }
            let response = respond(&document, "OPTIONS", &[]);
            assert_eq!((response.status, response.header("allow")), (204, Some(METHODS)));
        }
    }

    #[test]
    fn any_page_may_read_documents_for_programs_but_no_pages() {
        for method in ["GET", "OPTIONS", "POST"] {
            let allowed = |document: &Document| {
                respond(document, method, &[]).header("access-control-allow-origin").map(str::to_owned)
            };
            assert_eq!(allowed(&manifest()).as_deref(), Some("*"), "{method}");
            assert_eq!(allowed(&page()), None, "{method}");
        }
    }

    #[test]
    fn a_page_has_security_headers() {
        let response = respond(&page(), "GET", &[]);
        for (name, value) in [
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(response.header(name), Some(value), "{name}");
        }
    }

    #[test]
    fn a_header_replaces_one_of_the_same_name() {
        let response = respond(&page().with_header("cache-control", "no-cache"), "GET", &[]);
        let values = response.headers.iter().filter(|(name, _)| *name == "cache-control");
        assert_eq!(values.map(|(_, value)| value.as_ref()).collect::<Vec<_>>(), ["no-cache"]);
    }
}
