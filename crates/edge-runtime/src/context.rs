//! What belongs to one request, beside its head and body.

use std::{any::Any, rc::Rc};

/// The context of one request. Operations that serve everybody never get one.
#[derive(Clone)]
pub struct RequestContext {
    /// The id under which the operator finds the request in the log: Cloudflare's ray id, or a number of this isolate's.
    pub request_id: String,
    /// When the request arrived, in seconds since 1970.
    pub now: u64,
    /// The client's connection.
    pub connection: Rc<dyn Connection>,
}

/// The connection of a client. What it says is read from the platform only when it is needed. The adapter to the platform
/// finds its own type again as [`Any`].
pub trait Connection: Any {
    /// The network address that the request came from, if the platform knows it.
    fn address(&self) -> Option<String>;

    /// A header of the request that is not among those that are read of every one, by its lower-case name.
    fn header(&self, _name: &str) -> Option<String> {
        None
    }
}
