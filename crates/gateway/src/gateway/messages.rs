//! Messages that may be passed on: to the upstream, and its response back.

use futures_util::future::{FutureExt, LocalBoxFuture};
use mcp_edge_protocol::revision::Era;
use mcp_edge_runtime::{forward::Forward, http::RequestHead, json::array, keys::SigningKey};

use super::{Gateway, Refused, SESSION_HEADER, passage::Passage};
use crate::{
    answer::{Answer, Answered, Answering, Asked, Kind, lost_session},
    envelope::Envelope,
    eras,
    failure::Failure,
    results::{ReadResult, RewriteContext},
    upstream::{Caller, UpstreamRequest},
};

impl<F: Forward, K: SigningKey> Gateway<F, K> {
    /// Prepares a message that may be passed on.
    pub(super) fn single<'a>(
        &self,
        head: &RequestHead<'_>,
        message: Envelope<'a>,
        caller: Caller<'_>,
    ) -> Result<Passage<'a>, Refused<'a>> {
        let (id, era) = (message.id, message.era);
        let read = message.method.and_then(|method| method.result(era));
        let session = match era {
            // A handshake begins a session, and belongs to none.
            Era::Legacy if read != Some(ReadResult::Initialize) => self.session(head, id, caller)?,
            _ => None,
        };
        let messages = vec![message];
        Ok(Passage { era, messages, id, session, ..Passage::of(Kind::Message(read)) })
    }

    /// Prepares a batch that may be passed on.
    pub(super) fn batch<'a>(
        &self,
        head: &RequestHead<'_>,
        messages: Vec<Envelope<'a>>,
        caller: Caller<'_>,
    ) -> Result<Passage<'a>, Refused<'a>> {
        let session = self.session(head, None, caller)?;
        let batch = Some(array(messages.iter().map(|message| &message.body)));
        Ok(Passage { messages, batch, session, ..Passage::of(Kind::Message(None)) })
    }

    /// Passes on what was prepared, and its response back.
    pub(super) async fn pass_on<'a>(&self, passage: &Passage<'a>, caller: Caller<'_>) -> Result<Answered, Refused<'a>> {
        let Passage { era, kind, id, .. } = *passage;
        let is_discovery = kind == Kind::Message(Some(ReadResult::Discover));
        if era == Era::Modern && id.is_some() && !is_discovery {
            self.require_modern(id, caller).await?;
        }
        for message in &passage.messages {
            self.require_approved(message, passage.session.as_deref(), caller).await?;
        }
        let headers = passage.headers();
        let answer = self.exchange(era, passage.request(&headers), passage.asked(), caller).await;
        match answer.map_err(failed(id))? {
            Answer::Given(answered) if kind == Kind::Message(Some(ReadResult::Initialize)) => {
                Ok(self.with_session(answered, caller))
            }
            Answer::Given(answered) => Ok(answered),
            Answer::Legacy | Answer::Unclear => Err(legacy_only(id)),
        }
    }

    /// Sends a request to the upstream, and reads of its response what has to be read. Boxed, as it is awaited in several
    /// places, each of which would hold all its states.
    pub(super) fn exchange<'s>(
        &'s self,
        era: Era,
        request: UpstreamRequest<'s>,
        asked: Asked<'s>,
        caller: Caller<'s>,
    ) -> LocalBoxFuture<'s, Result<Answer, Failure>> {
        async move {
            let response = self.upstream.send(caller, request).await?;
            let rewriting =
                RewriteContext { policy: &self.policy, identity: caller.identity, pins: self.pins.as_ref(), era };
            let answer = Answering { rewriting, patience: self.upstream.timeout() }.answer(asked, response).await?;
            if asked.kind == Kind::Message(Some(ReadResult::Discover)) {
                self.learn(&answer, caller.context.now);
            }
            Ok(answer)
        }
        .boxed_local()
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
}

pub(super) fn failed<'a>(id: Option<&'a str>) -> impl FnOnce(Failure) -> Refused<'a> {
    move |failure| Refused::Failed { id, failure }
}

/// The answer to clients of the era without a handshake if the upstream does not speak it.
pub(super) fn legacy_only(id: Option<&str>) -> Refused<'_> {
    Refused::Rpc { id, error: eras::legacy_only(), era: Era::Modern }
}
