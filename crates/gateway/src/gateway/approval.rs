//! Whether the definition of a tool that is called is one that the operator has approved.
//!
//! A list hides the others, but a tool can be called by its name all the same. Where no list was seen since the isolate
//! started, the gateway asks for it before the call.

use mcp_edge_protocol::{
    era::VERSION_HEADER,
    params::{pick_members, text},
    revision::{Era, MODERN},
};
use mcp_edge_runtime::{
    forward::Forward,
    json::{Object, quote},
    keys::SigningKey,
};
use serde_json::value::RawValue;

use super::{Gateway, Refused, messages::failed, unknown};
use crate::{
    access::Target,
    answer::{Answer, Asked, Kind},
    envelope::Envelope,
    failure::Failure,
    pins::Call,
    results::{Listed, ReadResult},
    upstream::{Caller, UpstreamRequest},
};

/// Pages of a list that are read to find a tool. Lists of hundreds of tools have one or two.
const MAX_PAGES: usize = 20;

/// The id of the gateway's own requests, as JSON.
const REQUEST_ID: &str = "\"mcp-edge\"";

impl<F: Forward, K: SigningKey> Gateway<F, K> {
    /// Makes sure that the tool that a message calls has a definition that the operator has approved.
    pub(super) async fn require_approved<'a>(
        &self,
        message: &Envelope<'a>,
        session: Option<&str>,
        caller: Caller<'_>,
    ) -> Result<(), Refused<'a>> {
        let Some(pins) = &self.pins else { return Ok(()) };
        for target in &message.targets {
            let Target::Tool(name) = target else { continue };
            if pins.call(name) == Call::Unseen {
                self.see_tools(message, session, caller).await.map_err(failed(message.id))?;
            }
            if pins.call(name) != Call::Approved {
                return Err(Refused::Rpc { id: message.id, error: unknown(Some(target)), era: message.era });
            }
        }
        Ok(())
    }

    /// Reads the upstream's list of tools, which reminds the pins of their definitions.
    async fn see_tools(
        &self,
        message: &Envelope<'_>,
        session: Option<&str>,
        caller: Caller<'_>,
    ) -> Result<(), Failure> {
        let headers = list_headers(message.era, message.headers.version);
        let kind = Kind::Message(Some(ReadResult::List(Listed::Tools)));
        let mut cursor = None;
        for _ in 0..MAX_PAGES {
            let body = list_request(message.era, cursor.as_deref());
            let outgoing =
                UpstreamRequest { body: Some(&body), headers: &headers, session, ..UpstreamRequest::default() };
            let asked = Asked { kind, id: Some(REQUEST_ID), in_session: session.is_some() };
            let Answer::Given(page) = self.exchange(message.era, outgoing, asked, caller).await? else { break };
            cursor = next_cursor(page.response.text());
            if cursor.is_none() {
                break;
            }
        }
        Ok(())
    }
}

/// The request for a page of the upstream's tools.
fn list_request(era: Era, cursor: Option<&str>) -> String {
    let meta = match era {
        Era::Legacy => None,
        Era::Modern => Some(
            Object::new()
                .text("io.modelcontextprotocol/protocolVersion", MODERN.as_str())
                .raw("io.modelcontextprotocol/clientCapabilities", "{}")
                .close(),
        ),
    };
    let cursor = cursor.map(quote);
    let params = Object::new().maybe_raw("cursor", cursor.as_deref()).maybe_raw("_meta", meta.as_deref());
    Object::new()
        .raw("jsonrpc", "\"2.0\"")
        .raw("id", REQUEST_ID)
        .text("method", "tools/list")
        .raw("params", &params.close())
        .close()
}

/// The headers of that request. `version` is what the client's message names.
fn list_headers(era: Era, version: Option<&'static str>) -> Vec<(&'static str, &'static str)> {
    let version = version.map(|version| (VERSION_HEADER, version));
    let method = (era == Era::Modern).then_some(("mcp-method", "tools/list"));
    version.into_iter().chain(method).collect()
}

/// The cursor of the next page in a response; none if it is the last.
fn next_cursor(response: &str) -> Option<String> {
    let [result] = pick_members(response, &["result"]).ok()?;
    let [cursor] = pick_members(result.map(RawValue::get)?, &["nextCursor"]).ok()?;
    cursor.and_then(text).map(std::borrow::Cow::into_owned)
}
