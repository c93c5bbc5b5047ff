//! The landing page at `/` and the end of the playground's sign-in: two HTML documents, rendered once per isolate.
//!
//! | module | what it contains |
//! |---|---|
//! | [`landing`] | the page at `/`, rendered from settings and tools |
//! | `sections` | the parts of the page that are lists: clients, tools, scopes, documents, links |
//! | [`connect`] | the clients the page names, with the link or command that adds a server to each |
//! | `view` | what the page shows, taken from settings and server |
//! | `policy` | the `Content-Security-Policy` of a page |
//! | [`html`] | an HTML document to which text is added escaped |
//!
//! Style and scripts are written in `browser/` and built into `built/` (`dev/build-page.mjs`). A page contains its style
//! and its script: one request, no file that could be missing or of another version, and a policy that allows exactly
//! these two by their hashes.

pub mod connect;
pub mod html;
pub mod landing;
mod policy;
mod sections;
#[cfg(test)]
mod tests;
mod view;

use html::Html;
use policy::Policy;

use crate::{documents::document::Document, settings::Settings};
use mcp_edge_identity::Scopes;
use mcp_edge_server::Server;

/// The path of the page.
pub const LANDING_PATH: &str = "/";

/// The path of the playground's redirect URI.
pub const CALLBACK_PATH: &str = "/playground/callback";

/// The documents of the page.
#[derive(Debug)]
pub struct Page {
    landing: Document,
    callback: Document,
}

/// A document of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The page at `/`.
    Landing,
    /// The page that the provider redirects the sign-in window to.
    Callback,
}

impl Part {
    /// Returns the part at `path`, if the settings enable it.
    #[must_use]
    pub fn at(path: &str, settings: &Settings) -> Option<Self> {
        match path {
            LANDING_PATH if settings.page.shown => Some(Self::Landing),
            CALLBACK_PATH if settings.page.has_playground() => Some(Self::Callback),
            _ => None,
        }
    }
}

impl Page {
    /// Creates both documents. `gateway_scopes` are the scopes of a gateway's tables: with them the tools are those of the
    /// upstream, so that the page names none, and `server` is asked for its name and description alone.
    #[must_use]
    #[cold]
    #[inline(never)] // keeps it out of the function that answers requests
    pub fn new<E>(settings: &Settings, server: &Server<E>, gateway_scopes: Option<&Scopes>) -> Self {
        Self { landing: landing::document(settings, server, gateway_scopes), callback: callback() }
    }

    /// Returns the document of a part.
    #[must_use]
    pub fn document(&self, part: Part) -> &Document {
        match part {
            Part::Landing => &self.landing,
            Part::Callback => &self.callback,
        }
    }
}

/// Creates the page that a sign-in ends at. It passes the authorization response to the page that opened its window.
fn callback() -> Document {
    const STYLE: &str = include_str!("built/callback.css");
    const SCRIPT: &str = include_str!("built/callback.js");
    let mut html = Html::default();
    html.fill(include_str!("callback.html"), |html, gap| {
        html.raw(if gap == "style" { STYLE } else { SCRIPT });
    });
    let policy = Policy::new(STYLE, SCRIPT).and("img-src", &["data:"]).into_string();
    // The URL contains the authorization response, so nothing may be cached.
    Document::page(html.into_string(), policy).with_header("cache-control", "no-store")
}
