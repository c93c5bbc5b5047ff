//! The page that people land on: what this server is, how to connect a client to it, and a playground.
//!
//! | module | what it is |
//! |---|---|
//! | [`landing`] | the page at `/`: settings and tools in, HTML out |
//! | [`connect`] | the clients it names, and how each of them adds a server |
//! | [`color`] | the operator's colour, made readable in both colour schemes |
//! | [`html`] | text into HTML |
//!
//! Its style and its scripts are written in `browser/` and built into `built/` (`dev/build-page.mjs`). All of it is
//! sent as one document: one request, nothing that could be missing or of another version, and a policy that lets the
//! page run only what has exactly these hashes.

pub mod color;
pub mod connect;
pub mod html;
pub mod landing;

use base64::{Engine, prelude::BASE64_STANDARD};
use html::Html;
use sha2::{Digest, Sha256};

use crate::{documents::document::Document, settings::Settings};
use mcp_edge_protocol::Server;

/// Where the page is.
pub const LANDING_PATH: &str = "/";

/// Where the provider sends the playground's sign-in window back to; the redirect URI to register.
pub const CALLBACK_PATH: &str = "/playground/callback";

/// The page and what belongs to it.
#[derive(Debug)]
pub struct Page {
    landing: Document,
    callback: Document,
}

/// Which part of the page is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The page itself.
    Landing,
    /// Where a sign-in ends.
    Callback,
}

impl Part {
    /// What is at `path`, if the operator wants it.
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
    /// Renders everything.
    #[must_use]
    #[cold]
    #[inline(never)] // keeps it out of the function that answers requests
    pub fn new<E>(settings: &Settings, server: &Server<E>) -> Self {
        Self { landing: landing::document(settings, server), callback: callback() }
    }

    /// The document of a part.
    #[must_use]
    pub fn document(&self, part: Part) -> &Document {
        match part {
            Part::Landing => &self.landing,
            Part::Callback => &self.callback,
        }
    }
}

/// Where a sign-in ends: it hands the answer to the page that began it, which is in another window.
fn callback() -> Document {
    const STYLE: &str = include_str!("built/callback.css");
    const SCRIPT: &str = include_str!("built/callback.js");
    let mut html = Html::default();
    html.fill(include_str!("callback.html"), |html, gap| {
        html.raw(if gap == "style" { STYLE } else { SCRIPT });
    });
    let policy = Policy::new(STYLE, SCRIPT).and("img-src", &["data:"]).to_string();
    // The answer is in the URL: it is not kept anywhere.
    Document::page(html.into_string(), policy).with_header("cache-control", "no-store")
}

/// A `Content-Security-Policy` (CSP Level 3): the page's own style and script, and what is added; nothing else.
#[derive(Debug)]
struct Policy(String);

impl Policy {
    fn new(style: &str, script: &str) -> Self {
        let hash = |text| BASE64_STANDARD.encode(Sha256::digest(text));
        // Trusted types: the scripts make elements, never HTML, and the browser holds them to it.
        Self(format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; require-trusted-types-for 'script'; \
             trusted-types 'none'; base-uri 'none'; form-action 'none'",
            hash(style),
            hash(script),
        ))
    }

    /// Adds a directive. `sources` must be visible ASCII.
    fn and(mut self, directive: &str, sources: &[&str]) -> Self {
        // What would end the directive is no origin of this world, but a typing error of the operator's.
        let sources: Vec<&str> = sources.iter().copied().filter(|source| !source.contains([';', ','])).collect();
        if !sources.is_empty() {
            self.0.extend(["; ", directive, " ", &sources.join(" ")]);
        }
        self
    }
}

impl std::fmt::Display for Policy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}; frame-ancestors 'none'", self.0)
    }
}
