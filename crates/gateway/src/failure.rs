//! Every way in which an upstream can fail, and what clients see of it.
//!
//! A failure of the upstream is never shown as the client's: no 401, no 403, and none of the upstream's own words. The
//! client learns what happened and for how long the gateway waited, the operator's log everything else.

use std::time::Duration;

use mcp_edge_connections::port::NoAccess;
use mcp_edge_protocol::{
    error::{Reason, RpcError},
    jsonrpc,
    revision::Era,
};
use mcp_edge_runtime::{
    forward::{ForwardError, ReadError},
    http::Response,
    keys::KeyError,
};

use crate::{results::UnreadableResult, settings::HAS_CONNECTIONS};

/// After this many seconds a client may try again: an upstream that is overloaded or restarting needs some.
const RETRY_AFTER: &str = "5";

/// Why the upstream gave no response that can be passed on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// It did not begin to respond, or did not finish what has to be read as a whole, in time.
    #[error("no response within {} s", .0.as_secs())]
    Timeout(Duration),
    /// It could not be reached, or its response could not be passed on.
    #[error("{0}")]
    Unreachable(ForwardError),
    /// It refused the gateway's credentials (401, 403).
    #[error("refused the gateway's credentials with status {0}")]
    Refused(u16),
    /// It asks for a pause (429), of so many seconds if it says so.
    #[error("asked for a pause with status 429")]
    Busy(Option<u64>),
    /// A status that MCP has no meaning for here.
    #[error("responded with status {0}")]
    Status(u16),
    /// Neither JSON nor an event stream.
    #[error("responded with content type {0:?}")]
    ContentType(String),
    /// What has to be read as a whole could not be read.
    #[error("{0}")]
    Body(ReadError),
    /// The event stream ended without the response.
    #[error("the event stream has no response to this request")]
    NoResponse,
    /// What has to be read as a whole is not what was asked for.
    #[error("the response cannot be used: {0}")]
    Unreadable(UnreadableResult),
    /// The tools that `TOOL_PINS` are compared with could not be listed.
    #[error("tools/list, which TOOL_PINS needs, was answered with an error")]
    Definitions,
    /// The id of a new session is not visible ASCII, or longer than 1 KiB.
    #[error("the session id cannot be passed on: it must be visible ASCII of at most 1024 bytes")]
    Session,
    /// The client has sent more `Mcp-Param-*` headers than are passed on, or one that is not visible ASCII.
    #[error("the Mcp-Param-* headers of the client cannot be passed on")]
    ClientHeaders,
    /// The assertion could not be signed.
    #[error("UPSTREAM_SIGNING_KEY: {0}")]
    Credentials(KeyError),
    /// There is no token of the caller's account at the upstream.
    #[error("UPSTREAM_CONNECTION: {}", cause_of(.0))]
    NoAccess(NoAccess),
}

impl Failure {
    /// HTTP status: 502 for what the upstream did, 504 for what it did not do in time, 503 for what passes by itself.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Timeout(_) | Self::Body(ReadError::Timeout(_)) | Self::Unreachable(ForwardError::Ended) => 504,
            Self::Busy(_) | Self::Body(ReadError::Busy) | Self::NoAccess(NoAccess::Unavailable { .. }) => 503,
            Self::ClientHeaders => 400,
            Self::Credentials(_) | Self::NoAccess(_) => 500,
            _ => 502,
        }
    }

    /// Whether it is the client's doing, and says nothing about the upstream.
    #[must_use]
    pub const fn is_of_client(&self) -> bool {
        matches!(self, Self::ClientHeaders | Self::Unreachable(ForwardError::Disconnected))
    }

    /// The response to the request with this id, which is JSON.
    #[must_use]
    pub fn response(&self, id: Option<&str>) -> Response {
        let reason = if matches!(self, Self::ClientHeaders) { Reason::HeaderMismatch } else { Reason::Internal };
        let error = RpcError::new(reason, self.public_message());
        let body = jsonrpc::error(id, reason.code(Era::Modern), &error);
        let response = Response::json(self.status(), body);
        match self {
            Self::Busy(Some(seconds)) | Self::NoAccess(NoAccess::Unavailable { retry_after: seconds, .. }) => {
                response.with_header("retry-after", seconds.to_string())
            }
            Self::Busy(None) | Self::Body(ReadError::Busy) => response.with_header("retry-after", RETRY_AFTER),
            _ => response,
        }
    }

    /// What a client learns.
    fn public_message(&self) -> String {
        match self {
            Self::Timeout(after) | Self::Body(ReadError::Timeout(after)) => {
                ["the MCP server behind this gateway did not respond within ", &after.as_secs().to_string(), " s"]
                    .concat()
            }
            Self::Unreachable(ForwardError::Ended) => {
                "the token ended before the MCP server behind this gateway responded".to_owned()
            }
            Self::Unreachable(ForwardError::Redirect(_) | ForwardError::Encoding(_)) => {
                "the MCP server behind this gateway failed".to_owned()
            }
            Self::Unreachable(_) => "the MCP server behind this gateway could not be reached".to_owned(),
            Self::Busy(_) => "the MCP server behind this gateway is busy; try again later".to_owned(),
            Self::Body(ReadError::Busy) => "the gateway is busy; try again later".to_owned(),
            Self::Body(ReadError::TooLarge(_)) => {
                "the response of the MCP server behind this gateway is too large".to_owned()
            }
            Self::ClientHeaders => {
                "the Mcp-Param-* headers are more than 32, longer than 16 KiB, or not visible ASCII".to_owned()
            }
            Self::NoAccess(no_access @ NoAccess::Unavailable { .. }) if HAS_CONNECTIONS => {
                no_access.message("the MCP server behind this gateway")
            }
            Self::Credentials(_) | Self::NoAccess(_) => {
                "the gateway is not set up correctly; its operator must look at its log".to_owned()
            }
            Self::Refused(_)
            | Self::Status(_)
            | Self::ContentType(_)
            | Self::Body(ReadError::Truncated)
            | Self::NoResponse
            | Self::Definitions
            | Self::Session
            | Self::Unreadable(_) => "the MCP server behind this gateway failed".to_owned(),
        }
    }
}

/// Why there is no token, as the log has it.
fn cause_of(no_access: &NoAccess) -> &str {
    let cause = if HAS_CONNECTIONS { no_access.cause() } else { None };
    cause.unwrap_or("no token for this caller")
}

impl From<ForwardError> for Failure {
    fn from(error: ForwardError) -> Self {
        match error {
            ForwardError::Timeout(after) => Self::Timeout(after),
            ForwardError::ClientHeaders => Self::ClientHeaders,
            other => Self::Unreachable(other),
        }
    }
}
