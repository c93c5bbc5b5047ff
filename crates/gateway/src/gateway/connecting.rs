//! What a caller is answered for whom there is no token of the upstream (`UPSTREAM_AUTH = "connection"`).
//!
//! Where the user has to connect an account first, the link goes to the user: as a question if the client can show one (URL
//! elicitation, MCP 2026-07-28, client/elicitation), otherwise as text that a model or a person reads. The question has no
//! `requestState`: the request that is repeated with the user's answer is complete without one, and the vault knows whether
//! there is an account by then.

use std::{rc::Rc, time::Duration};

use futures_util::future::{FutureExt, LocalBoxFuture, select};
use mcp_edge_connections::port::{NoAccess, declined, once_connected, question};
use mcp_edge_identity::{AccessNeeded, Identity};
use mcp_edge_protocol::{
    error::{Reason, RpcError},
    jsonrpc,
    outcome::{Outcome, Rendered},
    params::pick_members,
    revision::Era,
};
use mcp_edge_runtime::{
    forward::Forward,
    http::Response,
    json::{Object, array},
    keys::SigningKey,
};

use super::{Gateway, Refused, prepared::PreparedRequest};
use crate::{
    answer::{Answer, Answered, Asked},
    credentials::ConnectionSettings,
    envelope::{Envelope, Method, UserAnswer},
    failure::Failure,
    pins::Pins,
    upstream::{Caller, UpstreamRequest},
};

/// A user who has been willing to visit the link may be there still. Clients give up after a minute.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Between two questions whether there is an account by now.
const PAUSE: Duration = Duration::from_secs(1);

/// Callers whose definitions of tools are known apart. Each takes as much memory as `TOOL_PINS`, some KB.
const MAX_CALLERS: usize = 50;

/// HTTP status for what gets no response of JSON-RPC, and what can be sent again once the user has connected an account
/// (RFC 9110 §15.5.10). Not 403: clients would have the user sign in again.
const NOT_CONNECTED: u16 = 409;

impl<F: Forward, K: SigningKey> Gateway<F, K> {
    /// The definitions of tools that the operator has approved, with what is known of those that a caller with an account is
    /// shown: another account may be shown others. `None` if callers have none.
    #[inline]
    pub(super) fn own_pins(&self, identity: &Identity) -> Option<Rc<Pins>> {
        self.upstream.connection().and_then(|_| self.pins_of(identity))
    }

    fn pins_of(&self, identity: &Identity) -> Option<Rc<Pins>> {
        let pins = self.pins.as_ref()?;
        let (caller, mut all) = (self.sessions.associated(identity), self.pins_of_callers.borrow_mut());
        let own = match all.iter().position(|(known, _)| *known == caller) {
            Some(index) => all.remove(index).1,
            None => Rc::new(Pins::clone(pins)),
        };
        if all.len() == MAX_CALLERS {
            all.remove(0);
        }
        all.push((caller, Rc::clone(&own)));
        Some(own)
    }

    /// Passes on what was prepared, and its response back.
    pub(super) fn pass_on<'s, 'a: 's>(
        &'s self,
        request: &'s PreparedRequest<'a>,
        caller: Caller<'s>,
    ) -> LocalBoxFuture<'s, Result<Answered, Refused<'a>>> {
        match self.upstream.connection() {
            Some(connection) => self.pass_on_connected(connection, request, caller),
            None => self.pass_on_once(request, caller).boxed_local(),
        }
    }

    /// Sends a request to the upstream, and reads of its response what has to be read.
    pub(super) fn exchange<'s>(
        &'s self,
        era: Era,
        request: UpstreamRequest<'s>,
        asked: Asked<'s>,
        caller: Caller<'s>,
    ) -> LocalBoxFuture<'s, Result<Answer, Failure>> {
        match self.upstream.connection() {
            Some(connection) => self.exchange_connected(connection, era, request, asked, caller),
            None => self.exchange_once(era, request, asked, caller),
        }
    }

    /// Sends a request to the upstream with a token of the caller's account, and once more with another one if the upstream
    /// refuses the first.
    fn exchange_connected<'s>(
        &'s self,
        connection: &'s ConnectionSettings,
        era: Era,
        request: UpstreamRequest<'s>,
        asked: Asked<'s>,
        caller: Caller<'s>,
    ) -> LocalBoxFuture<'s, Result<Answer, Failure>> {
        async move {
            let mut refused = None;
            loop {
                let access = caller.access(&connection.name, refused.as_ref()).await.map_err(Failure::NoAccess)?;
                let authorization = self.upstream.authorization(&access)?;
                let request = UpstreamRequest { authorization: Some(authorization.expose()), ..request };
                match self.exchange_once(era, request, asked, caller).await {
                    Err(Failure::Refused(401)) if refused.is_none() => refused = Some(access),
                    answer => return answer,
                }
            }
        }
        .boxed_local()
    }

    /// Passes on what was prepared. If there is no token for it, says how there comes to be one, or waits for the user who is
    /// about to connect an account, and passes it on again.
    fn pass_on_connected<'s, 'a: 's>(
        &'s self,
        connection: &'s ConnectionSettings,
        request: &'s PreparedRequest<'a>,
        caller: Caller<'s>,
    ) -> LocalBoxFuture<'s, Result<Answered, Refused<'a>>> {
        async move {
            let answer = request.message().and_then(|message| message.answer);
            let mut is_last = answer != Some(UserAnswer::Accepted);
            loop {
                let answered = self.pass_on_once(request, caller).await;
                let Err(Refused::Failed { failure: Failure::NoAccess(no_access), .. }) = answered else {
                    return answered;
                };
                if is_last || !matches!(no_access, NoAccess::NotConnected { url: Some(_), .. }) {
                    return refuse(connection, no_access, request);
                }
                is_last = true;
                wait_for_account(connection, caller).await;
            }
        }
        .boxed_local()
    }
}

impl PreparedRequest<'_> {
    /// The one message, if it is not a batch.
    fn message(&self) -> Option<&Envelope<'_>> {
        if self.batch.is_some() { None } else { self.messages.first() }
    }
}

/// Waits until the user has connected an account, but not for longer than [`PATIENCE`]. Boxed, as nearly no request waits.
fn wait_for_account<'a>(connection: &'a ConnectionSettings, caller: Caller<'a>) -> LocalBoxFuture<'a, ()> {
    let connected = async move {
        once_connected(caller.runtime, PAUSE, async || caller.access(&connection.name, None).await).await
    };
    select(connected.boxed_local(), caller.runtime.sleep(PATIENCE)).map(drop).boxed_local()
}

/// The answer to a request that cannot be passed on.
fn refuse<'a>(
    connection: &ConnectionSettings,
    no_access: NoAccess,
    request: &PreparedRequest<'a>,
) -> Result<Answered, Refused<'a>> {
    let message = request.message().filter(|message| message.id.is_some());
    let tool_call = message.filter(|message| message.method == Some(Method::ToolsCall));
    let text = no_access.message(&connection.name);
    let answered = match (&no_access, tool_call) {
        (NoAccess::CallerRefused, _) => return Err(Refused::Access(AccessNeeded::AcceptedCredential)),
        (NoAccess::Misconfigured { .. } | NoAccess::Unavailable { .. }, _) => {
            return Err(Refused::Failed { id: request.id, failure: Failure::NoAccess(no_access) });
        }
        (NoAccess::NotConnected { title, url }, _) => {
            let title = if title.is_empty() { &connection.name } else { title };
            match (message, tool_call, url.as_deref()) {
                (Some(message), _, Some(url)) if message.answer.is_none() && can_ask(message) => {
                    input_request(&connection.input_key, title, url, message)
                }
                (Some(message), ..) if message.answer == Some(UserAnswer::Declined) => {
                    let text = declined(title);
                    match tool_call {
                        Some(call) => tool_error(call, &text),
                        None => rpc_error(request, text, None),
                    }
                }
                (_, Some(call), _) => tool_error(call, &text),
                (_, None, url) => rpc_error(request, text, url),
            }
        }
        (NoAccess::Refused { .. }, Some(call)) => tool_error(call, &text),
        // A program has sent the call: no model reads what it gets, and programs notice errors of JSON-RPC.
        (NoAccess::Refused { .. } | NoAccess::NeedsUser, _) => rpc_error(request, text, None),
    };
    let failure = no_access.cause().map(|cause| ["UPSTREAM_CONNECTION: ", cause].concat());
    Ok(Answered { failure, ..answered })
}

/// Whether the client can be asked to have its user visit a URL: it has declared that, and the request is one of those that
/// are answered with questions.
fn can_ask(message: &Envelope<'_>) -> bool {
    let is_answered_with_questions =
        matches!(message.method, Some(Method::ToolsCall | Method::PromptsGet | Method::ResourcesRead));
    let visits = || {
        let [elicitation] = pick_members(message.capabilities?, &["elicitation"]).ok()?;
        let [url] = pick_members(elicitation?.get(), &["url"]).ok()?;
        Some(url?.get().starts_with('{'))
    };
    message.era == Era::Modern && is_answered_with_questions && visits() == Some(true)
}

/// The question whether the user visits the link.
fn input_request(key: &str, title: &str, url: &str, message: &Envelope<'_>) -> Answered {
    let params = Object::new().text("mode", "url").text("message", &question(title)).text("url", url).close();
    let request = Object::new().text("method", "elicitation/create").raw("params", &params).close();
    let requests = Object::new().entry(key, &request).close();
    let members = Object::new().text("resultType", "input_required").raw("inputRequests", &requests);
    result(message, &members, Outcome::InputRequired)
}

/// A failure for the model to read.
fn tool_error(call: &Envelope<'_>, text: &str) -> Answered {
    let content = array([Object::new().text("type", "text").text("text", text).close()]);
    let kind = (call.era == Era::Modern).then_some("complete");
    let members = Object::new().maybe_text("resultType", kind).raw("content", &content).flag("isError", true);
    result(call, &members, Outcome::ToolFailed)
}

fn result(message: &Envelope<'_>, members: &Object, outcome: Outcome) -> Answered {
    Answered::new(Response::json(200, jsonrpc::result(message.id.unwrap_or("null"), &[members])), outcome)
}

/// An error of the request as a whole, with the link if there is one.
fn rpc_error(request: &PreparedRequest<'_>, text: String, url: Option<&str>) -> Answered {
    let mut error = RpcError::new(Reason::Internal, text);
    if let Some(url) = url {
        error = error.with_data(&Object::new().text("url", url));
    }
    let Rendered { status, body, outcome } = Rendered::error(request.id, &error, request.era);
    let status = if request.asked().is_request { status } else { NOT_CONNECTED };
    Answered::new(Response::json(status, body.unwrap_or_default()), outcome)
}
