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
    http::{RequestHead, Response},
    keys::SigningKey,
};

use super::{Gateway, Refused, messages::failed};
use crate::{
    answer::{Answered, lost_session},
    upstream::{Caller, UpstreamRequest},
};

impl<F: Forward, K: SigningKey> Gateway<F, K> {
    /// Opens a stream of the messages that the upstream sends of its own accord (GET).
    pub(super) async fn listen(
        &self,
        head: &RequestHead<'_>,
        caller: Caller<'_>,
    ) -> Result<Answered, Refused<'static>> {
        let version = handshake_version(head)?;
        if !accepts_stream(head.header("accept")) {
            let text = "GET opens an event stream: Accept must allow text/event-stream";
            return Err(Refused::Http(Response::json(406, jsonrpc::anonymous_error(Reason::InvalidRequest, text))));
        }
        let session = self.session(head, None, caller)?;
        let last_event_id = head.header("last-event-id");
        let outgoing = UpstreamRequest {
            headers: version.as_slice(),
            session: session.as_deref(),
            last_event_id,
            ..UpstreamRequest::default()
        };
        let response = self.upstream.send(caller, outgoing).await.map_err(failed(None))?;
        self.answering(Era::Legacy, caller).stream(response, session.is_some()).await.map_err(failed(None))
    }

    /// Ends a session (DELETE).
    pub(super) async fn end_session(
        &self,
        head: &RequestHead<'_>,
        caller: Caller<'_>,
    ) -> Result<Answered, Refused<'static>> {
        let version = handshake_version(head)?;
        let Some(session) = self.session(head, None, caller)? else { return Err(Refused::Http(lost_session(None))) };
        let outgoing = UpstreamRequest {
            ends_session: true,
            headers: version.as_slice(),
            session: Some(&session),
            ..UpstreamRequest::default()
        };
        let response = self.upstream.send(caller, outgoing).await.map_err(failed(None))?;
        self.answering(Era::Legacy, caller).end_of_session(response).await.map_err(failed(None))
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
