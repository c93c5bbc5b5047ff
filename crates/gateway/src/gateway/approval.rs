//! Whether the definition of a tool that is called is one that the operator has approved.
//!
//! A list hides the others, but a tool can be called by its name all the same. Where no list was seen for a while, the
//! gateway asks for it before the call.

use mcp_edge_protocol::{
    era::VERSION_HEADER,
    outcome::Outcome,
    params::{pick_members, text},
    revision::{Era, MODERN},
};
use mcp_edge_runtime::{
    forward::Forward,
    json::{Object, quote},
    keys::SigningKey,
};
use serde_json::value::RawValue;

use super::{
    Gateway, Refused,
    messages::{failed, own_id},
    unknown,
};
use crate::{
    access::Target,
    answer::{Answer, Asked, Kind, lost_session},
    envelope::Envelope,
    failure::Failure,
    pins::Call,
    results::{Ids, Listed, ReadResult, Unapproved},
    upstream::{Caller, UpstreamRequest},
};

/// Pages of a list that are read to find a tool. Lists of hundreds of tools have one or two.
const MAX_PAGES: usize = 20;

impl<F: Forward, K: SigningKey> Gateway<F, K> {
    /// Makes sure that the tool that a message calls has a definition that the operator has approved.
    pub(super) async fn require_approved<'a>(
        &self,
        message: &Envelope<'a>,
        session: Option<&str>,
        caller: Caller<'_>,
    ) -> Result<(), Refused<'a>> {
        let Some(pins) = caller.pins else { return Ok(()) };
        let (id, era, now) = (message.id, message.era, caller.context.now);
        for target in &message.targets {
            let Target::Tool(name) = target else { continue };
            let mut unapproved = Vec::new();
            if pins.call(name, now) == Call::Unseen {
                unapproved = self.see_tools(message, session, caller).await?;
                if pins.call(name, now) == Call::Unseen {
                    // The caller may use it, so it would be in the caller's list.
                    pins.remember(name, false, now);
                }
            }
            if pins.call(name, now) != Call::Approved {
                return Err(Refused::Unapproved { id, error: unknown(Some(target)), era, unapproved });
            }
        }
        Ok(())
    }

    /// Reads the upstream's list of tools, which reminds the pins of their definitions. Returns those that are not approved.
    async fn see_tools<'a>(
        &self,
        message: &Envelope<'a>,
        session: Option<&str>,
        caller: Caller<'_>,
    ) -> Result<Vec<Unapproved>, Refused<'a>> {
        let headers = list_headers(message.era, message.headers.version);
        let kind = Kind::Message(Some(ReadResult::List(Listed::Tools)));
        let (mut cursor, mut unapproved) = (None, Vec::new());
        for _ in 0..MAX_PAGES {
            let id = own_id(caller);
            let body = list_request(message.era, &id, cursor.as_deref());
            let request = UpstreamRequest {
                body: Some(&body),
                headers: &headers,
                session,
                is_own: true,
                ..UpstreamRequest::default()
            };
            let asked = Asked {
                kind,
                ids: Some(Ids { asked: &id, answered: &id }),
                is_request: true,
                in_session: session.is_some(),
            };
            let answer = self.exchange(message.era, request, asked, caller).await.map_err(failed(message.id))?;
            let Answer::Given(page) = answer else { break };
            if session.is_some() && page.response.status == 404 {
                return Err(Refused::Http(lost_session(message.id)));
            }
            if page.outcome != Outcome::Answered {
                return Err(Refused::Failed { id: message.id, failure: Failure::Definitions });
            }
            unapproved.extend(page.unapproved);
            cursor = next_cursor(page.response.text());
            if cursor.is_none() {
                break;
            }
        }
        Ok(unapproved)
    }
}

/// The request for a page of the upstream's tools. `id` is JSON.
fn list_request(era: Era, id: &str, cursor: Option<&str>) -> String {
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
        .raw("id", id)
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
