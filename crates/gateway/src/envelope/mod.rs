//! The messages of clients: read strictly, and written anew.
//!
//! What a client sent is never passed on as it is. Everything that a decision rests on (the method, the name of a tool,
//! the URI of a resource) is written anew from what was read, under names that no reader takes for others: whatever way
//! the upstream reads a message, it finds what access was decided by. What decides nothing (arguments, say) is passed on as
//! the JSON it is.
//!
//! | module | what it contains |
//! |---|---|
//! | [`method`] | the methods that are passed on |
//! | `members` | the members of an object, without names that readers could take for one another |
//! | `message`, `params` | one JSON-RPC message; its parameters and their `_meta` |
//! | `subject` | what a request is about |
//! | `request` | from a message to what is sent on |
//! | `readings` | how other readers understand what is sent on, for tests (feature `testing`) |

pub mod method;
#[cfg(any(test, feature = "testing"))]
pub mod readings;

mod members;
mod message;
mod params;
mod request;
mod subject;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use mcp_edge_protocol::{
    era::{VERSION_HEADER, legacy_revision},
    error::{Reason, RpcError},
    jsonrpc::{elements, is_batch},
    revision::{Era, Revision},
};
use mcp_edge_runtime::http::RequestHead;
use serde_json::error::Category;

use self::method::Method;

/// Messages of a batch at most.
const BATCH_LENGTH: usize = 100;

/// What a POST carried.
#[derive(Debug, PartialEq, Eq)]
pub enum Posted<'a> {
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
}

/// What access is decided by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target<'a> {
    /// A tool by its name.
    Tool(Cow<'a, str>),
    /// A prompt by its name.
    Prompt(Cow<'a, str>),
    /// A resource by its URI; in a completion, a template by itself.
    Resource(Cow<'a, str>),
    /// Any task, of which the upstream knows whose it is.
    Task,
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

/// What the settings of a gateway offer at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "a set")]
pub struct Offers {
    /// Some tool.
    pub tools: bool,
    /// Some prompt.
    pub prompts: bool,
    /// Some resource.
    pub resources: bool,
    /// Tasks.
    pub tasks: bool,
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
    fn of(error: RpcError) -> Self {
        Self { id: None, error, era: Era::Modern }
    }
}

/// Reads the body of a POST.
///
/// # Errors
/// What is wrong with it: no JSON; no message; members that different readers would read differently; headers that say
/// something else than the body; a method that does not exist; a name that is missing or of another type.
pub fn read<'a>(head: &RequestHead<'_>, body: &'a str, offers: Offers) -> Result<Posted<'a>, Refusal<'a>> {
    if is_batch(body) {
        return read_batch(head, body, offers);
    }
    Ok(request::read(head, body, offers)?.map_or(Posted::Dropped, Posted::One))
}

/// Reads a batch. It is sent on as a whole, so that any message that cannot be sent on keeps all of them back.
fn read_batch<'a>(head: &RequestHead<'_>, body: &'a str, offers: Offers) -> Result<Posted<'a>, Refusal<'a>> {
    let refuse = |message| Err(Refusal::of(RpcError::invalid_request(message)));
    let elements = elements(body, BATCH_LENGTH).map_err(|error| {
        Refusal::of(match error.classify() {
            Category::Data => RpcError::invalid_request("the batch has more than 100 messages"),
            Category::Syntax | Category::Eof | Category::Io => RpcError::parse(),
        })
    })?;
    match legacy_revision(head.header(VERSION_HEADER)) {
        Ok(Revision::V2025_03_26) => {}
        _ => return refuse("batches exist in revision 2025-03-26 only"),
    }
    if elements.is_empty() {
        return refuse("the batch is empty");
    }
    let mut messages = Vec::with_capacity(elements.len());
    for element in elements {
        let message = request::read(head, element.get(), offers).map_err(|refusal| {
            let text = ["a message in the batch is refused: ", &refusal.error.message].concat();
            Refusal::of(RpcError::new(Reason::InvalidRequest, text))
        })?;
        let Some(message) = message else { continue };
        // A request of a later revision has been refused: its header names none that has batches.
        if message.method == Some(Method::Initialize) {
            return refuse("a batch contains no initialize");
        }
        if message.method.is_some_and(|method| method.result(Era::Legacy).is_some()) {
            return refuse("a batch contains no lists: send them on their own");
        }
        messages.push(message);
    }
    Ok(if messages.is_empty() { Posted::Dropped } else { Posted::Batch(messages) })
}
