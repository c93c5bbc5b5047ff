//! What requests are answered with: services of the server, and the context of one request.

use std::rc::Rc;

use mcp_edge_connections::port::Connections;
use mcp_edge_identity::Identity;
use mcp_edge_runtime::ports::Runtime;

use crate::input_required::request_state::StateKey;

/// What serves all requests of a server, as long as the isolate lives.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServerServices {
    /// Timers and randomness.
    pub runtime: Rc<dyn Runtime>,
    /// Seals what handlers must remember between rounds. Without one, a request that needs several rounds fails.
    pub state_key: Option<StateKey>,
    /// Logs a line for the operator for each internal error.
    pub report: Rc<dyn Fn(&str)>,
}

impl ServerServices {
    /// Creates services without a state key, which log nothing.
    #[must_use]
    pub fn new(runtime: Rc<dyn Runtime>) -> Self {
        Self { runtime, state_key: None, report: Rc::new(|_| {}) }
    }
}

/// The context of one request, created by the endpoint once the token is verified.
#[derive(Clone)]
pub struct RequestContext<E = ()> {
    /// Whom the token was issued for.
    pub identity: Rc<Identity>,
    /// The environment of handlers: bindings, clients, settings.
    pub env: E,
    /// When the request arrived, in seconds since 1970.
    pub now: u64,
    /// The id under which the operator finds the request in the log.
    pub request_id: String,
    /// Tokens of other services for this caller; `None`: the endpoint has no connections.
    pub connections: Option<Rc<dyn Connections>>,
}
