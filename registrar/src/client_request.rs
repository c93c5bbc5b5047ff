//! The context of one request.

use mcp_edge_runtime::http::{BodyError, RequestHead};

/// A request with what belongs to it alone.
pub struct ClientRequest<'a> {
    /// Method, target and headers.
    pub head: &'a RequestHead<'a>,
    /// The body, as far as it was read.
    pub body: Result<String, BodyError>,
    /// Seconds since 1970, when the request arrived.
    pub now: u64,
    /// The network that limits count it for.
    pub network: String,
}
