//! Pages that say one thing: the way in, what did not work, what was not found.

use std::borrow::Cow;

use mcp_edge_runtime::http::Response;
use mcp_edge_sign_in::{html::Html, session::Session};

use super::{CONNECTIONS_PATH, Frame, KEYS_PATH, Pages};
use crate::sign_in::destination::Destination;

/// What did not work: what happened, why, and how to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// HTTP status.
    pub status: u16,
    /// What happened, as a heading.
    pub what: &'static str,
    /// Why, and what it means, as sentences.
    pub why: String,
    /// How to go on: what a link says and where it leads.
    pub next: (&'static str, Cow<'static, str>),
    /// What the page's address becomes where scripts run: the present one may have a code.
    pub clean: &'static str,
    /// When it makes sense to try again, in seconds.
    pub retry_after: Option<u64>,
}

impl Failure {
    /// Creates a failure that leads back to the list.
    #[must_use]
    pub fn new(status: u16, what: &'static str, why: impl Into<String>) -> Self {
        let next = ("Access keys", KEYS_PATH.into());
        Self { status, what, why: why.into(), next, clean: KEYS_PATH, retry_after: None }
    }

    /// Creates a failure that leads back to the connected accounts.
    #[must_use]
    pub fn of_connections(status: u16, what: &'static str, why: impl Into<String>) -> Self {
        let next = ("Connected accounts", CONNECTIONS_PATH.into());
        Self { next, clean: CONNECTIONS_PATH, ..Self::new(status, what, why) }
    }

    /// Leads elsewhere.
    #[must_use]
    pub fn with_next(self, label: &'static str, path: impl Into<Cow<'static, str>>) -> Self {
        Self { next: (label, path.into()), ..self }
    }

    /// Says when to try again.
    #[must_use]
    pub fn with_retry(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }
}

impl Pages {
    /// The page for users who are not signed in.
    #[must_use]
    pub fn welcome(&self) -> Response {
        let mut html = Html::default();
        html.raw("<section class=\"first\">\n<h1>Access keys</h1>\n<p class=\"lead\">For programs that cannot sign in: scheduled jobs, command lines, clients that take a header. A key does what you allow it to do at <code>")
            .text(&self.url)
            .raw("</code>, until you revoke it or it expires.</p>\n<p class=\"buttons\"><a class=\"button\" href=\"/account/sign-in\">Sign in at ")
            .text(&self.provider)
            .raw("</a></p>\n</section>\n");
        self.page(200, None, "Access keys", &html)
    }

    /// Something that did not work.
    #[must_use]
    pub fn failure(&self, session: Option<&Session>, failure: &Failure) -> Response {
        let mut html = Html::default();
        html.raw("<section class=\"first\" data-clean=\"")
            .raw(failure.clean)
            .raw("\">\n<h1>")
            .raw(failure.what)
            .raw("</h1>\n<p class=\"lead\" role=\"alert\">")
            .text(&failure.why)
            .raw("</p>\n<p class=\"buttons\"><a class=\"button\" href=\"")
            .text(&failure.next.1)
            .raw("\">")
            .raw(failure.next.0)
            .raw("</a></p>\n</section>\n");
        let part = if failure.clean == CONNECTIONS_PATH { CONNECTIONS_PATH } else { "" };
        let frame = Frame { part, ..Frame::default() };
        let response = self.page_with(failure.status, session, failure.what, &html, &frame);
        match failure.retry_after {
            Some(seconds) => response.with_header("retry-after", seconds.to_string()),
            None => response,
        }
    }

    /// For what does not exist, or is somebody else's.
    #[must_use]
    pub fn not_found(&self, session: Option<&Session>) -> Response {
        self.failure(session, &Failure::new(404, "Not found", "There is no such page or key, or the key is not yours."))
    }

    /// For a form that did not come from one of our pages, or whose session has ended. `of_connections` says where a form of
    /// connected accounts leads back to after signing in; `None`: it is one of keys.
    #[must_use]
    pub fn not_from_here(&self, session: Option<&Session>, of_connections: Option<&Destination>) -> Response {
        let why = match session {
            Some(_) => {
                "The form was not sent by this site in this session, so nothing was changed. Open the page again and repeat it."
            }
            None => "You were signed out meanwhile, so nothing was changed. Sign in and repeat it.",
        };
        let (failure, sign_in) = match of_connections {
            Some(destination) => (Failure::of_connections(403, "Not done", why), destination.sign_in_path()),
            None => (Failure::new(403, "Not done", why), "/account/sign-in".to_owned()),
        };
        let failure = if session.is_some() { failure } else { failure.with_next("Sign in", sign_in) };
        self.failure(session, &failure)
    }

    /// Leads to the provider. The answer to a form may not redirect there: a browser that enforces `form-action` follows no
    /// redirect to another origin, and nobody knows which ones the provider redirects to in turn.
    #[must_use]
    pub fn leaving(&self, session: Option<&Session>, title: &'static str, text: &str, url: &str) -> Response {
        self.leaving_to(&self.provider, session, title, text, url)
    }

    /// The same, to somebody whose name is `to`.
    pub(super) fn leaving_to(
        &self,
        to: &str,
        session: Option<&Session>,
        title: &'static str,
        text: &str,
        url: &str,
    ) -> Response {
        let (mut html, mut head) = (Html::default(), Html::default());
        html.raw("<section class=\"first\">\n<h1>")
            .raw(title)
            .raw("</h1>\n<p class=\"lead\" role=\"status\">")
            .text(text)
            .raw("</p>\n<p class=\"buttons\"><a class=\"button\" href=\"")
            .text(url)
            .raw("\">Continue at ")
            .text(to)
            .raw("</a></p>\n</section>\n");
        head.raw("<meta http-equiv=\"refresh\" content=\"0; url=").text(url).raw("\">\n");
        self.page_with(200, session, title, &html, &Frame { head, ..Frame::default() })
    }
}
