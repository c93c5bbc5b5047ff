//! A request that may be passed on, as far as it is known before the upstream is asked anything.

use mcp_edge_protocol::revision::Era;

use crate::{
    answer::{Asked, Kind},
    envelope::Envelope,
    results::Ids,
    upstream::UpstreamRequest,
};

/// A request that may be passed on.
pub(super) struct PreparedRequest<'a> {
    pub era: Era,
    pub kind: Kind,
    /// A message, or those of a batch, which have the same headers. GET and DELETE have none.
    pub messages: Vec<Envelope<'a>>,
    /// The body of a batch.
    pub batch: Option<String>,
    /// The id of a single request, as JSON.
    pub id: Option<&'a str>,
    /// The id under which the upstream is asked instead, as JSON.
    pub own_id: Option<String>,
    /// The header of GET and DELETE that names the revision.
    pub version: Option<(&'static str, &'static str)>,
    /// The upstream's own id of the session.
    pub session: Option<String>,
    /// Where a stream goes on.
    pub last_event_id: Option<String>,
}

impl PreparedRequest<'_> {
    /// Creates one of the era with a handshake that holds nothing.
    pub fn of(kind: Kind) -> Self {
        let (messages, batch, id, own_id, version, session, last_event_id) =
            (Vec::new(), None, None, None, None, None, None);
        Self { era: Era::Legacy, kind, messages, batch, id, own_id, version, session, last_event_id }
    }

    /// The headers that repeat the body.
    pub fn headers(&self) -> Vec<(&'static str, &str)> {
        let mut headers: Vec<(&'static str, &str)> = self.version.into_iter().collect();
        if let Some(message) = self.messages.first() {
            headers.extend(message.headers.iter());
        }
        headers
    }

    /// What is sent, with those headers.
    pub fn request<'s>(&'s self, headers: &'s [(&'static str, &'s str)]) -> UpstreamRequest<'s> {
        let message = self.messages.first().map(|message| message.body.as_str());
        UpstreamRequest {
            body: self.batch.as_deref().or(message),
            ends_session: self.kind == Kind::EndOfSession,
            headers,
            session: self.session.as_deref(),
            last_event_id: self.last_event_id.as_deref(),
            ..UpstreamRequest::default()
        }
    }

    /// What the response answers: that to a batch is an array of the responses to its requests, and there is none without
    /// a request.
    pub fn asked(&self) -> Asked<'_> {
        let is_request = self.messages.iter().any(|message| message.id.is_some());
        let ids = self.id.map(|id| Ids { asked: self.own_id.as_deref().unwrap_or(id), answered: id });
        Asked { kind: self.kind, ids, is_request, in_session: self.session.is_some() }
    }
}
