//! How requests end: for the access log, and as HTTP responses.

use std::rc::Rc;

use mcp_edge_runtime::{http::Response, log::LogRecord};

use crate::{
    error::RpcError,
    jsonrpc,
    revision::{Era, Revision},
};

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

/// What was called, for the access log. A server names only what it has; behind a gateway, a name is what a client wrote and
/// a pattern of the operator matches, without the query of a URI.
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

    /// Creates a summary that says nothing but how the request ended.
    #[must_use]
    pub fn new(outcome: Outcome) -> Self {
        Self { revision: None, method: None, name: None, outcome }
    }
}

/// A response in the form of an era.
pub struct Rendered {
    /// HTTP status.
    pub status: u16,
    /// JSON; none for what is accepted without an answer.
    pub body: Option<String>,
    /// How the request ended.
    pub outcome: Outcome,
}

impl Rendered {
    /// Creates the response to a message that gets no answer.
    #[must_use]
    pub fn accepted() -> Self {
        Self { status: 202, body: None, outcome: Outcome::Accepted }
    }

    /// Creates the response to a request that failed. `id` is JSON.
    #[must_use]
    pub fn error(id: Option<&str>, error: &RpcError, era: Era) -> Self {
        let code = error.reason.code(era);
        Self {
            status: error.reason.status(era),
            body: Some(jsonrpc::error(id, code, error)),
            outcome: Outcome::Error(code),
        }
    }

    /// The HTTP response.
    #[must_use]
    pub fn into_response(self) -> Response {
        match self.body {
            // By then a call that waits has gone on, or is given up.
            Some(body) if self.status == 503 => Response::json(503, body).with_header("retry-after", "1"),
            Some(body) => Response::json(self.status, body),
            None => Response::empty(self.status),
        }
    }
}
