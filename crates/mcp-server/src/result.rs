//! Results of requests, and how each era writes them.

use std::rc::Rc;

use mcp_edge_protocol::{
    error::RpcError,
    jsonrpc,
    outcome::{Outcome, Rendered},
    revision::Era,
};
use mcp_edge_runtime::json::Object;

use crate::primitives::resource::Cache;

/// The outcome of a request.
pub(crate) enum OperationResult {
    Complete(Success),
    /// The members `inputRequests` and `requestState`.
    InputRequired(Object),
    Error(RpcError),
}

/// A result.
#[derive(Default)]
pub(crate) struct Success {
    pub members: Object,
    /// Further members of `_meta`.
    pub meta: Object,
    /// For the methods whose results may be kept.
    pub cache: Option<Cache>,
    /// The result of a tool says that it failed.
    pub failed: bool,
}

impl From<RpcError> for OperationResult {
    fn from(error: RpcError) -> Self {
        Self::Error(error)
    }
}

impl Success {
    pub fn of(members: Object) -> Self {
        Self { members, ..Self::default() }
    }

    pub fn cached(members: Object, cache: Cache) -> Self {
        Self { members, cache: Some(cache), ..Self::default() }
    }
}

/// How results are written in an era.
#[derive(Clone)]
pub(crate) enum Framing {
    /// Results say what they are, how long they may be kept, and who made them. The member of `_meta` is that of the server.
    Modern(Rc<Object>),
    /// Results are bare.
    Legacy,
}

impl Framing {
    pub fn era(&self) -> Era {
        match self {
            Self::Modern(_) => Era::Modern,
            Self::Legacy => Era::Legacy,
        }
    }

    /// The response to the request with this id, which is JSON.
    pub fn render(&self, id: &str, outcome: &OperationResult) -> Rendered {
        let (body, outcome) = match outcome {
            OperationResult::Error(error) => return Rendered::error(Some(id), error, self.era()),
            OperationResult::InputRequired(members) => {
                (self.result(id, "input_required", members, &Object::new(), None), Outcome::InputRequired)
            }
            OperationResult::Complete(Success { members, meta, cache, failed }) => {
                let outcome = if *failed { Outcome::ToolFailed } else { Outcome::Answered };
                (self.result(id, "complete", members, meta, *cache), outcome)
            }
        };
        Rendered { status: 200, body: Some(body), outcome }
    }

    fn result(&self, id: &str, kind: &str, members: &Object, meta: &Object, cache: Option<Cache>) -> String {
        match self {
            Self::Legacy if meta.as_str().is_empty() => jsonrpc::result(id, &[members]),
            Self::Legacy => jsonrpc::result(id, &[members, &Object::new().object("_meta", &[meta])]),
            Self::Modern(server) => {
                let kind = Object::new().text("resultType", kind);
                let rest = match cache {
                    Some(Cache { ttl, public }) => Object::new()
                        .number("ttlMs", u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX))
                        .text("cacheScope", if public { "public" } else { "private" }),
                    None => Object::new(),
                };
                jsonrpc::result(id, &[&kind, members, &rest.object("_meta", &[server, meta])])
            }
        }
    }
}
