//! Messages that may be passed on: to the upstream, and its response back.

use futures_util::future::{FutureExt, LocalBoxFuture};
use mcp_edge_protocol::revision::Era;
use mcp_edge_runtime::{
    base64::URL_SAFE_NO_PAD,
    forward::Forward,
    http::RequestHead,
    json::{array, quote},
    keys::SigningKey,
};

use super::{Gateway, Refused, SESSION_HEADER, prepared::PreparedRequest};
use crate::{
    answer::{Answer, Answered, Answering, Asked, Kind, lost_session},
    envelope::Envelope,
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
    ) -> Result<PreparedRequest<'a>, Refused<'a>> {
        let (id, era) = (message.id, message.era);
        let read = message.method.and_then(|method| method.result(era));
        let session = match era {
            // A handshake begins a session, and belongs to none.
            Era::Legacy if read != Some(ReadResult::Initialize) => self.session(head, id, caller)?,
            _ => None,
        };
        let mut message = message;
        let own_id = read.and(id).map(|_| {
            let own_id = own_id(caller);
            message.replace_id(&own_id);
            own_id
        });
        let messages = vec![message];
        Ok(PreparedRequest { era, messages, id, own_id, session, ..PreparedRequest::of(Kind::Message(read)) })
    }

    /// Prepares a batch that may be passed on.
    pub(super) fn batch<'a>(
        &self,
        head: &RequestHead<'_>,
        messages: Vec<Envelope<'a>>,
        caller: Caller<'_>,
    ) -> Result<PreparedRequest<'a>, Refused<'a>> {
        let session = self.session(head, None, caller)?;
        let batch = Some(array(messages.iter().map(|message| &message.body)));
        Ok(PreparedRequest { messages, batch, session, ..PreparedRequest::of(Kind::Message(None)) })
    }

    /// Passes on what was prepared, and its response back.
    pub(super) async fn pass_on_once<'a>(
        &self,
        request: &PreparedRequest<'a>,
        caller: Caller<'_>,
    ) -> Result<Answered, Refused<'a>> {
        let PreparedRequest { era, kind, id, .. } = *request;
        if era == Era::Modern && id.is_some() {
            self.require_modern(id, caller).await?;
        }
        for message in &request.messages {
            self.require_approved(message, request.session.as_deref(), caller).await?;
        }
        let headers = request.headers();
        let answer = self.exchange(era, request.request(&headers), request.asked(), caller).await;
        let Answer::Given(answered) = answer.map_err(failed(id))? else { return Ok(Answered::accepted()) };
        if kind == Kind::Message(Some(ReadResult::Initialize)) {
            return self.with_session(answered, caller).map_err(failed(id));
        }
        Ok(answered)
    }

    /// Sends a request to the upstream, and reads of its response what has to be read. Boxed, as it is awaited in several
    /// places, each of which would hold all its states.
    pub(super) fn exchange_once<'s>(
        &'s self,
        era: Era,
        request: UpstreamRequest<'s>,
        asked: Asked<'s>,
        caller: Caller<'s>,
    ) -> LocalBoxFuture<'s, Result<Answer, Failure>> {
        async move {
            let response = self.upstream.send(caller, request).await?;
            let Caller { identity, context, pins, .. } = caller;
            let rewriting = RewriteContext { policy: &self.policy, identity, pins, era, now: context.now };
            Answering { rewriting, patience: self.upstream.timeout() }.answer(asked, response).await
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
    fn with_session(&self, mut answered: Answered, caller: Caller<'_>) -> Result<Answered, Failure> {
        if let Some(session) = answered.session.take() {
            let sealed = self.sessions.seal(&session, caller.identity, caller.runtime).ok_or(Failure::Session)?;
            answered.response = answered.response.with_header(SESSION_HEADER, sealed);
        }
        Ok(answered)
    }
}

/// An id for a request whose result is read, as JSON. The client's own does not do: servers name streams by it, and a client
/// that resumes another stream of that name would get the result as it was before it was rewritten.
pub(super) fn own_id(caller: Caller<'_>) -> String {
    let mut random = [0; 12];
    caller.runtime.random(&mut random);
    quote(&["mcp-edge-", &URL_SAFE_NO_PAD.encode(random)].concat())
}

pub(super) fn failed<'a>(id: Option<&'a str>) -> impl FnOnce(Failure) -> Refused<'a> {
    move |failure| Refused::Failed { id, failure }
}
