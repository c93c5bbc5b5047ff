//! Messages that may be passed on: to the upstream, and its response back.

use mcp_edge_protocol::revision::Era;
use mcp_edge_runtime::{forward::Forward, http::RequestHead, json::array, keys::SigningKey};

use super::{Gateway, Refused, SESSION_HEADER};
use crate::{
    answer::{Answered, Answering, Asked, lost_session},
    envelope::Envelope,
    failure::Failure,
    results::{ReadResult, RewriteContext},
    upstream::{Caller, UpstreamRequest},
};

impl<F: Forward, K: SigningKey> Gateway<F, K> {
    /// Passes a message on, and its response back.
    pub(super) async fn pass_on<'a>(
        &self,
        head: &RequestHead<'_>,
        message: &Envelope<'a>,
        caller: Caller<'_>,
    ) -> Result<Answered, Refused<'a>> {
        let id = message.id;
        let read = message.method.and_then(|method| method.result(message.era));
        let session = match message.era {
            // A handshake begins a session, and belongs to none.
            Era::Legacy if read != Some(ReadResult::Initialize) => self.session(head, id, caller)?,
            _ => None,
        };
        if message.era == Era::Modern && id.is_some() && read != Some(ReadResult::Discover) {
            self.require_modern(id, caller).await?;
        }
        let headers: Vec<_> = message.headers.iter().collect();
        let outgoing = UpstreamRequest {
            body: Some(&message.body),
            headers: &headers,
            session: session.as_deref(),
            ..UpstreamRequest::default()
        };
        let response = self.upstream.send(caller, outgoing).await.map_err(failed(id))?;
        let asked = Asked { id, read, in_session: session.is_some() };
        if read == Some(ReadResult::Discover) {
            return self.discovered(id.unwrap_or_default(), response, caller).await;
        }
        let answered = self.answering(message.era, caller).message(asked, response).await.map_err(failed(id))?;
        if read == Some(ReadResult::Initialize) { Ok(self.with_session(answered, caller)) } else { Ok(answered) }
    }

    /// Passes a batch on, and its response back.
    pub(super) async fn pass_on_batch<'a>(
        &self,
        head: &RequestHead<'_>,
        messages: &[Envelope<'a>],
        caller: Caller<'_>,
    ) -> Result<Answered, Refused<'a>> {
        let session = self.session(head, None, caller)?;
        for message in messages {
            self.require_approved(message, session.as_deref(), caller).await?;
        }
        let body = array(messages.iter().map(|message| &message.body));
        let headers: Vec<_> = messages.iter().take(1).flat_map(|message| message.headers.iter()).collect();
        let outgoing = UpstreamRequest {
            body: Some(&body),
            headers: &headers,
            session: session.as_deref(),
            ..UpstreamRequest::default()
        };
        let response = self.upstream.send(caller, outgoing).await.map_err(failed(None))?;
        // The response is an array of all their responses; there is none if none of them is a request.
        let id = messages.iter().find_map(|message| message.id);
        let asked = Asked { id, read: None, in_session: session.is_some() };
        self.answering(Era::Legacy, caller).message(asked, response).await.map_err(failed(None))
    }

    /// The upstream's own id of the session that the request names, if it names one.
    pub(super) fn session<'a>(
        &self,
        head: &RequestHead<'_>,
        id: Option<&'a str>,
        caller: Caller<'_>,
    ) -> Result<Option<String>, Refused<'a>> {
        let Some(sealed) = head.header(SESSION_HEADER) else { return Ok(None) };
        match self.sessions.open(sealed, caller.identity) {
            Some(session) => Ok(Some(session)),
            None => Err(Refused::Http(lost_session(id))),
        }
    }

    /// Gives the client the session that the upstream has begun, sealed for it alone.
    fn with_session(&self, mut answered: Answered, caller: Caller<'_>) -> Answered {
        let session = answered.session.take();
        if let Some(sealed) = session.and_then(|session| self.sessions.seal(&session, caller.identity, caller.runtime))
        {
            answered.response = answered.response.with_header(SESSION_HEADER, sealed);
        }
        answered
    }

    pub(super) fn answering<'c>(&'c self, era: Era, caller: Caller<'c>) -> Answering<'c> {
        let pins = self.pins.as_ref();
        let rewriting = RewriteContext { policy: &self.policy, identity: caller.identity, pins, era };
        Answering { rewriting, patience: self.upstream.timeout() }
    }
}

pub(super) fn failed<'a>(id: Option<&'a str>) -> impl FnOnce(Failure) -> Refused<'a> {
    move |failure| Refused::Failed { id, failure }
}
