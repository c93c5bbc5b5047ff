//! One document: made once, answered from memory, with the headers that its kind needs.
//!
//! Two kinds. What *machines* read (metadata, manifests) any web page may fetch as well, and it carries no more than
//! `nosniff`: JSON is not executed. What *people* read (a page and its parts) belongs to this origin alone; a page says
//! what it may load ([`Document::page`]), may not be framed, and tells no other site where a click came from.

use crate::documents::entity_tag::EntityTag;
use mcp_edge_runtime::{
    cors,
    http::{Body, RequestHead, Response, Text},
};

/// How long readers use a document without asking again: a mistake in it is gone after that.
const CACHE_CONTROL: &str = "public, max-age=300";

/// The methods that a document has, as `Allow` says them.
const METHODS: &str = "GET, HEAD, OPTIONS";

/// A document that is the same for everybody.
#[derive(Debug)]
pub struct Document {
    readers: Readers,
    body: Text,
    tag: EntityTag,
    content_type: &'static str,
    headers: Vec<(&'static str, Text)>,
}

/// Which web pages may read an answer. Programs are not concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// All of them.
    AnyPage,
    /// Those of this origin.
    OwnPages,
}

impl Readers {
    /// The answer to a request that does not read, which is the same for everything that can only be read: 204 to
    /// OPTIONS, 405 to others. `None` for GET and HEAD.
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
    /// What programs read; any web page may, too. `body` is of `content_type`.
    #[must_use]
    pub fn for_machines(content_type: &'static str, body: impl Into<Text>) -> Self {
        Self::new(Readers::AnyPage, content_type, body.into())
            .with_header("access-control-allow-origin", "*")
            .with_header("access-control-expose-headers", "ETag")
    }

    /// A page that people read. `policy` is its `Content-Security-Policy`: what it may load, run and call. Begin with
    /// `default-src 'none'` and end with `frame-ancestors 'none'`, which has no default.
    #[must_use]
    pub fn page(html: impl Into<Text>, policy: impl Into<Text>) -> Self {
        Self::part("text/html; charset=utf-8", html)
            .with_header("content-security-policy", policy)
            // Answers of a sign-in come back in the page's URL: no other site may learn it.
            .with_header("referrer-policy", "no-referrer")
    }

    /// A part of a page: style, script, image (as text). Loaded by pages of this origin only.
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

    /// Adds a header to every answer that says something of the content (200 and 304), in place of one of this name.
    /// `name` is in lower case, `value` visible ASCII.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<Text>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// Answers a request for this document: 200, 304 to readers that have it, 204 to OPTIONS, 405 to other methods.
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
        // To HEAD as well: the runtime leaves the body out and says its length.
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
    fn reading_says_what_it_is_and_how_long_it_lasts() {
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
    fn who_has_it_is_told_so_with_the_same_validators_and_no_content() {
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
    fn other_methods_are_told_which_there_are() {
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
    fn any_page_may_read_what_is_for_machines_and_none_what_is_for_people() {
        for method in ["GET", "OPTIONS", "POST"] {
            let allowed = |document: &Document| {
                respond(document, method, &[]).header("access-control-allow-origin").map(str::to_owned)
            };
            assert_eq!(allowed(&manifest()).as_deref(), Some("*"), "{method}");
            assert_eq!(allowed(&page()), None, "{method}");
        }
    }

    #[test]
    fn a_page_is_guarded() {
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
    fn a_header_replaces_the_one_of_its_name() {
        let response = respond(&page().with_header("cache-control", "no-cache"), "GET", &[]);
        let values = response.headers.iter().filter(|(name, _)| *name == "cache-control");
        assert_eq!(values.map(|(_, value)| value.as_ref()).collect::<Vec<_>>(), ["no-cache"]);
    }
}
