//! Stands in for the module `connections` where the feature `connections` is off: no request has any.

use std::rc::Rc;

use mcp_edge_connections::port::Connections;
use mcp_edge_runtime::http::RequestHead;

/// Makes no connections.
pub(super) struct CallerConnections;

impl CallerConnections {
    /// Makes none.
    pub(super) const NONE: Self = Self;

    /// Returns `None`.
    #[allow(clippy::unused_self, reason = "as where there are connections")]
    pub(super) const fn of(&self, _head: &RequestHead<'_>) -> Option<Rc<dyn Connections>> {
        None
    }
}
