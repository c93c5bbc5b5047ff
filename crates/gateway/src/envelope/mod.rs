//! The messages of clients: read strictly, and written anew.
//!
//! What a client sent is never passed on as it is. Everything that a decision rests on (the method, the name of a tool,
//! the URI of a resource) is written anew from what was read, under names that no reader takes for others: however
//! the upstream reads a message, it finds what access was decided by. What decides nothing (arguments, say) is passed on as
//! the JSON it is.
//!
//! | module | what it contains |
//! |---|---|
//! | `data` | what is read of a message, and what is sent on |
//! | [`method`] | the methods that are passed on, and what is offered |
//! | `members` | the members of an object, without names that readers could take for one another |
//! | `message`, `params` | one JSON-RPC message; its parameters and their `_meta` |
//! | `subject` | what a request is about |
//! | `request` | from a message to what is sent on |
//! | `readings` | how other readers understand what is sent on, for tests (feature `testing`) |

pub mod method;
#[cfg(any(test, feature = "testing"))]
pub mod readings;

mod data;
mod members;
mod message;
mod params;
mod request;
mod subject;
#[cfg(test)]
mod tests;

use mcp_edge_protocol::{
    era::{VERSION_HEADER, legacy_revision},
    error::{Reason, RpcError},
    jsonrpc::{elements, is_batch},
    revision::{Era, Revision},
};
use mcp_edge_runtime::http::RequestHead;
use serde_json::error::Category;

pub use self::{
    data::{Envelope, Payload, Refusal, RoutingHeaders, Target, UserAnswer},
    method::{Method, Offers},
};

/// Messages of a batch at most.
const BATCH_LENGTH: usize = 100;

/// 1 MiB for a batch, which is held three times: as it came, message by message, and as it is sent on.
const BATCH_BYTES: usize = 1024 * 1024;

/// Reads the body of a POST.
///
/// # Errors
/// What is wrong with it: no JSON; no message; members that different readers would read differently; headers that say
/// something else than the body; a method that does not exist; a name that is missing or of another type.
pub fn read<'a>(head: &RequestHead<'_>, body: &'a str, offers: Offers) -> Result<Payload<'a>, Refusal<'a>> {
    read_answer(head, body, offers, None)
}

/// The same for a gateway that asks users something itself: what was answered under `input_key` is not sent on.
///
/// # Errors
/// As there.
pub fn read_answer<'a>(
    head: &RequestHead<'_>,
    body: &'a str,
    offers: Offers,
    input_key: Option<&str>,
) -> Result<Payload<'a>, Refusal<'a>> {
    if is_batch(body) {
        return read_batch(head, body, offers);
    }
    Ok(request::read(head, body, offers, input_key)?.map_or(Payload::Dropped, Payload::One))
}

/// Reads a batch. It is sent on as a whole, so that any message that cannot be sent on keeps all of them back.
fn read_batch<'a>(head: &RequestHead<'_>, body: &'a str, offers: Offers) -> Result<Payload<'a>, Refusal<'a>> {
    let refuse = |message| Err(Refusal::of(RpcError::invalid_request(message)));
    if body.len() > BATCH_BYTES {
        return refuse("the batch is larger than 1 MiB: send its messages on their own");
    }
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
        let message = request::read(head, element.get(), offers, None).map_err(|refusal| {
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
    Ok(if messages.is_empty() { Payload::Dropped } else { Payload::Batch(messages) })
}
