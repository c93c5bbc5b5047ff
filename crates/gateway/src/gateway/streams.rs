//! GET and DELETE, which only the era with a handshake has: streams of the upstream's own messages, and ends of sessions.

use mcp_edge_protocol::{
    era::{self, VERSION_HEADER},
    error::Reason,
    headers::accepts_stream,
    jsonrpc, post,
    revision::{Era, era_of},
};
use mcp_edge_runtime::{
    forward::Forward,
    http::{RequestHead, Response, is_sendable_header},
    keys::SigningKey,
};

use super::{Gateway, Refused, prepared::PreparedRequest};
use crate::{
    answer::{Kind, lost_session},
    upstream::Caller,
};

impl<F: Forward, K: SigningKey> Gateway<F, K> {
    /// Prepares a stream of the messages that the upstream sends of its own accord (GET).
    pub(super) fn listen(
        &self,
        head: &RequestHead<'_>,
        caller: Caller<'_>,
    ) -> Result<PreparedRequest<'static>, Refused<'static>> {
        let version = handshake_version(head)?;
        if !accepts_stream(head.header("accept")) {
            let text = "GET opens an event stream: Accept must allow text/event-stream";
            return Err(Refused::Http(Response::json(406, jsonrpc::anonymous_error(Reason::InvalidRequest, text))));
        }
        let session = self.session(head, None, caller)?;
        let last_event_id = head.header("last-event-id").map(str::to_owned);
        if last_event_id.as_ref().is_some_and(|id| !is_sendable_header("last-event-id", id)) {
            let text = "Last-Event-ID must be visible ASCII";
            return Err(Refused::Http(Response::json(400, jsonrpc::anonymous_error(Reason::InvalidRequest, text))));
        }
        Ok(PreparedRequest { version, session, last_event_id, ..PreparedRequest::of(Kind::Stream) })
    }

    /// Prepares the end of a session (DELETE).
    pub(super) fn end_session(
        &self,
        head: &RequestHead<'_>,
        caller: Caller<'_>,
    ) -> Result<PreparedRequest<'static>, Refused<'static>> {
        let version = handshake_version(head)?;
        let session = self.session(head, None, caller)?;
        if session.is_none() {
            return Err(Refused::Http(lost_session(None)));
        }
        Ok(PreparedRequest { version, session, ..PreparedRequest::of(Kind::EndOfSession) })
    }
}

/// The header that names the revision, checked: GET and DELETE exist only where there is a handshake.
fn handshake_version(head: &RequestHead<'_>) -> Result<Option<(&'static str, &'static str)>, Refused<'static>> {
    let Some(name) = head.header(VERSION_HEADER) else { return Ok(None) };
    if era_of(name) == Era::Modern {
        let text = "this revision has POST only";
        return Err(Refused::Http(post::method_not_allowed(text, "POST, OPTIONS")));
    }
    let revision = era::legacy_revision(Some(name));
    let revision = revision.map_err(|error| Refused::Rpc { id: None, error, era: Era::Legacy })?;
    Ok(Some((VERSION_HEADER, revision.as_str())))
}
