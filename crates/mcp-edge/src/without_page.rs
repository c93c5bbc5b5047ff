//! Stands in for the module `page` where the feature `page` is off: no path belongs to it.

use crate::{documents::document::Document, settings::Settings};
use mcp_edge_identity::Scopes;
use mcp_edge_server::Server;

/// The page, which has no parts.
#[derive(Debug)]
pub struct Page;

/// Has no values, so that nothing can be asked of [`Page`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {}

impl Part {
    /// Returns `None`: no path belongs to the page.
    #[must_use]
    pub const fn at(_path: &str, _settings: &Settings) -> Option<Self> {
        None
    }
}

impl Page {
    /// Creates an empty page.
    #[must_use]
    pub const fn new<E>(_settings: &Settings, _server: &Server<E>, _gateway_scopes: Option<&Scopes>) -> Self {
        Self
    }

    /// Returns the document of a part.
    #[must_use]
    pub const fn document(&self, part: Part) -> &Document {
        match part {}
    }
}
