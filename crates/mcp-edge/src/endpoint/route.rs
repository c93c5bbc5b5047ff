//! Which part of the server answers.

use mcp_edge_oauth::mirror::Mirror;
#[cfg(feature = "access-keys")]
use mcp_edge_runtime::proxy::Proxy;

use crate::{documents::Entry, page::Part};

/// Which part of the server a path belongs to.
#[derive(Clone, Copy)]
pub(super) enum Route<'a> {
    Mcp,
    Document(&'a Entry),
    Mirror(&'a Mirror),
    Health,
    Page(Part),
    #[cfg(feature = "access-keys")]
    Account(&'a dyn Proxy),
    RetiredTransport,
    Elsewhere,
}

impl Route<'_> {
    /// What the log calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Mcp => "mcp",
            Self::Document(entry) => entry.route,
            Self::Mirror(_) => "mirror",
            Self::Health => "health",
            Self::Page(_) => "page",
            #[cfg(feature = "access-keys")]
            Self::Account(_) => "account",
            Self::RetiredTransport => "retired_transport",
            Self::Elsewhere => "elsewhere",
        }
    }
}
