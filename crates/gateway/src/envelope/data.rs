//! What is read of a client's message, and what is sent on.

use mcp_edge_protocol::{
    era::VERSION_HEADER,
    error::RpcError,
    revision::{Era, Revision},
};

use super::method::Method;
pub use crate::access::Target;

/// What a POST carried.
#[derive(Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// One message.
    One(Envelope<'a>),
    /// A batch, which the revision of 2025-03-26 has; never empty. Its messages have the same headers.
    Batch(Vec<Envelope<'a>>),
    /// Nothing that goes anywhere: the answer is HTTP 202.
    Dropped,
}

/// A message that may be sent on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The method; none for the response to a request of the upstream.
    pub method: Option<Method>,
    /// The id of a request, as JSON. Notifications have none, and that of a response is in the body only.
    pub id: Option<&'a str>,
    /// The era of the client.
    pub era: Era,
    /// The revision of the client, if it is known: a handshake may name one that is not.
    pub revision: Option<Revision>,
    /// What the message is about. Access to all of it is needed.
    pub targets: Vec<Target<'a>>,
    /// The message, written anew.
    pub body: String,
    /// The headers that repeat it.
    pub headers: RoutingHeaders,
    /// The capabilities that a client without a handshake has declared, as JSON.
    pub capabilities: Option<&'a str>,
    /// What the user did with a question of the gateway's own. It is not in `body`.
    pub answer: Option<UserAnswer>,
}

/// What a user did with a URL (MCP 2026-07-28, client/elicitation).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserAnswer {
    /// Was willing to visit it, and may be there still.
    Accepted,
    /// Declined, or closed the question.
    Declined,
}

/// How a request begins, up to its id.
pub(super) const BEFORE_ID: &str = "{\"jsonrpc\":\"2.0\",\"id\":";

impl Envelope<'_> {
    /// Has a request sent under another id, which is JSON.
    pub fn replace_id(&mut self, id: &str) {
        let replaced =
            self.id.filter(|own| self.body.strip_prefix(BEFORE_ID).is_some_and(|rest| rest.starts_with(own)));
        if let Some(own) = replaced {
            // In place: the body may have megabytes, and has room for some bytes more.
            self.body.replace_range(BEFORE_ID.len()..BEFORE_ID.len() + own.len(), id);
        }
    }
}

/// The headers that repeat a message, as they are sent on (MCP 2026-07-28, basic/transports).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoutingHeaders {
    /// `MCP-Protocol-Version`; in the legacy era if the client sent it.
    pub version: Option<&'static str>,
    /// `Mcp-Method`, in the modern era.
    pub method: Option<&'static str>,
    /// `Mcp-Name`, in the modern era, encoded where it needs to be.
    pub name: Option<String>,
}

impl RoutingHeaders {
    /// Names in lower case, and values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            self.version.map(|value| (VERSION_HEADER, value)),
            self.method.map(|value| ("mcp-method", value)),
            self.name.as_deref().map(|value| ("mcp-name", value)),
        ]
        .into_iter()
        .flatten()
    }
}

/// Why a message is not sent on.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// The id to answer with, as JSON.
    pub id: Option<&'a str>,
    /// The answer.
    pub error: RpcError,
    /// The form of the answer.
    pub era: Era,
}

impl Refusal<'_> {
    /// What has no era: the two agree in the form of such answers.
    pub(super) fn of(error: RpcError) -> Self {
        Self { id: None, error, era: Era::Modern }
    }
}
