//! Results of requests, and how each era writes them.

use std::rc::Rc;

use crate::{
    primitives::resource::Cache,
    protocol::{
        error::RpcError,
        jsonrpc,
        revision::{Era, Revision},
    },
};
use mcp_edge_runtime::{
    http::Response,
    json::{Object, to_json},
    log::LogRecord,
};

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

/// How a request ended, for the access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// A notification or response, taken and dropped.
    Accepted,
    /// A result.
    Answered,
    /// A result in which a tool reports its failure to the model.
    ToolFailed,
    /// Input requests to the client.
    InputRequired,
    /// A JSON-RPC error with this code.
    Error(i32),
    /// The answer has begun as an event stream; its end is not known yet.
    Streaming,
    /// Access was refused; nothing has run.
    Refused,
}

/// What was called, for the access log. Contains only names that this server has given, and nothing that a client
/// wrote.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Summary {
    /// The revision that the client speaks, as far as that came out.
    pub revision: Option<Revision>,
    /// The method, if it is one of the protocol's. A batch is `batch`.
    pub method: Option<&'static str>,
    /// The tool, prompt, resource or template.
    pub name: Option<Rc<str>>,
    /// How it ended.
    pub outcome: Outcome,
}

impl Summary {
    /// Adds what was called, and how it ended, to the record of the request.
    pub fn add_to(&self, record: &mut LogRecord) {
        if let Some(method) = self.method {
            record.text("method", method);
        }
        record.maybe_cut("tool", self.name.as_deref());
        if let Some(revision) = self.revision {
            record.text("revision", revision.as_str());
        }
        if let Outcome::Error(code) = self.outcome {
            record.number("error_code", code.into());
        }
    }

    pub(crate) fn new(outcome: Outcome) -> Self {
        Self { revision: None, method: None, name: None, outcome }
    }
}

/// A response in the form of an era.
pub(crate) struct Rendered {
    pub status: u16,
    /// JSON; none for what is accepted without an answer.
    pub body: Option<String>,
    pub outcome: Outcome,
}

impl Rendered {
    pub fn accepted() -> Self {
        Self { status: 202, body: None, outcome: Outcome::Accepted }
    }

    pub fn error(id: Option<&str>, error: &RpcError, era: Era) -> Self {
        let code = error.reason.code(era);
        Self {
            status: error.reason.status(era),
            body: Some(jsonrpc::error(id, code, error)),
            outcome: Outcome::Error(code),
        }
    }

    pub fn into_response(self) -> Response {
        match self.body {
            // By then a call that waits has gone on, or is given up.
            Some(body) if self.status == 503 => Response::json(503, body).with_header("retry-after", "1"),
            Some(body) => Response::json(self.status, body),
            None => Response::empty(self.status),
        }
    }
}

/// How results are written in an era.
#[derive(Clone)]
pub(crate) enum Framing {
    /// Results say what they are, how long they may be kept, and who made them. The JSON is that of the server.
    Modern(Rc<str>),
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
            Self::Legacy => jsonrpc::result(id, &[members, &Object::new().raw("_meta", &meta.close())]),
            Self::Modern(server) => {
                let meta = Object::new().raw("io.modelcontextprotocol/serverInfo", server).with(meta);
                let kind = Object::new().text("resultType", kind);
                let rest = match cache {
                    Some(Cache { ttl, public }) => Object::new()
                        .raw("ttlMs", &to_json(&u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)))
                        .text("cacheScope", if public { "public" } else { "private" }),
                    None => Object::new(),
                };
                jsonrpc::result(id, &[&kind, members, &rest.raw("_meta", &meta.close())])
            }
        }
    }
}
