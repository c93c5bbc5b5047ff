//! A request's way through the gateway: read, authorize, forward, answer.

use std::rc::Rc;

use futures_util::future::{FutureExt, LocalBoxFuture};
use mcp_edge_identity::{AccessNeeded, Scopes};
use mcp_edge_protocol::{
    era::{self, VERSION_HEADER},
    error::{Reason, RpcError, echo},
    headers::accepts_stream,
    jsonrpc,
    outcome::{Outcome, Rendered, Summary},
    post,
    revision::{Era, era_of},
};
use mcp_edge_runtime::{
    forward::{Forward, UpstreamResponse},
    http::{RequestHead, Response},
    json::{Object, array},
    keys::SigningKey,
    secret::Secret,
};

use crate::{
    access::{Decision, Policy, Target},
    answer::{Answered, Answering, Asked, Discovery, lost_session},
    approval,
    envelope::{self, Envelope, Offers, Posted, Refusal},
    eras,
    failure::Failure,
    pins::{Call, Pins},
    results::{Listed, ReadResult, RewriteContext, Unapproved},
    session::SessionSeal,
    settings::GatewaySettings,
    upstream::{Caller, Outgoing, Upstream},
};

/// The request headers that are read of a POST, in lower case.
pub const POST_HEADERS: [&str; 7] =
    ["content-type", "accept", VERSION_HEADER, "mcp-method", "mcp-name", "content-encoding", SESSION_HEADER];

/// Those of GET and DELETE.
pub const OTHER_HEADERS: [&str; 4] = ["accept", VERSION_HEADER, SESSION_HEADER, "last-event-id"];

pub(crate) const SESSION_HEADER: &str = "mcp-session-id";

/// The methods of HTTP that are served.
const ALLOWED_METHODS: &str = "POST, GET, DELETE, OPTIONS";

/// What a request came to.
#[derive(Debug)]
pub struct Handled {
    /// The response. An error means that the token does not suffice: nothing was passed on, and the endpoint responds with
    /// HTTP 403 and a challenge.
    pub response: Result<Response, AccessNeeded>,
    /// For the access log.
    pub summary: Summary,
    /// How the upstream failed, if it did: for the log.
    pub failure: Option<String>,
    /// The tools that were hidden because their definitions are not approved: for the log.
    pub unapproved: Vec<Unapproved>,
}

/// A gateway in front of an MCP server. It keeps nothing of any request.
pub struct Gateway<F, K> {
    upstream: Upstream<F, K>,
    policy: Policy,
    pins: Option<Pins>,
    sessions: SessionSeal,
    /// A JWK Set; none if no assertions are signed.
    public_keys: Option<String>,
}

/// A [`Gateway`], whatever it reaches its upstream with.
pub trait PassOn {
    /// Looks at the head of a request before its body is read.
    ///
    /// # Errors
    /// The response to send instead: 405 for methods of HTTP that MCP does not have, 415 for another media type than JSON
    /// and for a compressed body.
    fn admit(&self, head: &RequestHead<'_>) -> Result<(), Response>;

    /// Answers a request that was admitted and whose token was verified. `body` is empty for GET and DELETE.
    fn handle<'a>(
        &'a self,
        head: &'a RequestHead<'_>,
        body: &'a str,
        caller: Caller<'a>,
    ) -> LocalBoxFuture<'a, Handled>;

    /// All scopes that anything here requires.
    fn scopes(&self) -> Scopes;

    /// The keys that verify the gateway's assertions, as a JWK Set (RFC 7517 §5); none if it signs none.
    fn public_keys(&self) -> Option<String>;
}

/// Why a message is not passed on, or its response not back. `id` is that of the request, as JSON.
enum Refused<'a> {
    /// An error of JSON-RPC.
    Rpc { id: Option<&'a str>, error: RpcError, era: Era },
    /// The token does not suffice.
    Access(AccessNeeded),
    /// A response that is an error of HTTP rather than of a message.
    Http(Response),
    /// The upstream failed.
    Failed { id: Option<&'a str>, failure: Failure },
}

impl<'a> From<Refusal<'a>> for Refused<'a> {
    fn from(Refusal { id, error, era }: Refusal<'a>) -> Self {
        Self::Rpc { id, error, era }
    }
}

impl<F: Forward, K: SigningKey> PassOn for Gateway<F, K> {
    fn admit(&self, head: &RequestHead<'_>) -> Result<(), Response> {
        match head.method() {
            "POST" => post::check_content(head),
            "GET" | "DELETE" => Ok(()),
            _ => Err(post::method_not_allowed("POST, GET and DELETE are served here", ALLOWED_METHODS)),
        }
    }

    fn handle<'a>(
        &'a self,
        head: &'a RequestHead<'_>,
        body: &'a str,
        caller: Caller<'a>,
    ) -> LocalBoxFuture<'a, Handled> {
        self.respond(head, body, caller).boxed_local()
    }

    fn scopes(&self) -> Scopes {
        self.policy.scopes()
    }

    fn public_keys(&self) -> Option<String> {
        self.public_keys.clone()
    }
}

impl<F: Forward, K: SigningKey> Gateway<F, K> {
    /// Creates a gateway from its settings. `forward` reaches the upstream, `signing_key` makes the key of a private JWK.
    pub fn new(settings: &GatewaySettings, forward: F, signing_key: impl FnOnce(Secret) -> K) -> Self {
        let GatewaySettings { upstream, policy, pins, jwks, session } = settings.clone();
        let upstream = Upstream::new(upstream, forward, signing_key);
        Self { upstream, policy, pins, sessions: session, public_keys: jwks }
    }

    async fn respond(&self, head: &RequestHead<'_>, body: &str, caller: Caller<'_>) -> Handled {
        let mut summary = Summary::new(Outcome::Accepted);
        let answered = match head.method() {
            "POST" => self.post(head, body, caller, &mut summary).await,
            "DELETE" => self.end_session(head, caller).await,
            _ => self.listen(head, caller).await,
        };
        let (mut failed, mut unapproved) = (None, Vec::new());
        let response = match answered {
            Ok(answered) => {
                summary.outcome = answered.outcome;
                unapproved = answered.unapproved;
                Ok(answered.response)
            }
            Err(Refused::Access(needed)) => {
                summary.outcome = Outcome::Refused;
                Err(needed)
            }
            Err(Refused::Rpc { id, error, era }) => {
                let rendered = Rendered::error(id, &error, era);
                summary.outcome = rendered.outcome;
                Ok(rendered.into_response())
            }
            Err(Refused::Http(response)) => Ok(response),
            Err(Refused::Failed { id, failure }) => {
                summary.outcome = Outcome::Error(Reason::Internal.code(Era::Modern));
                failed = Some(failure.to_string());
                Ok(failure.response(id))
            }
        };
        Handled { response, summary, failure: failed, unapproved }
    }

    async fn post<'a>(
        &self,
        head: &RequestHead<'_>,
        body: &'a str,
        caller: Caller<'_>,
        summary: &mut Summary,
    ) -> Result<Answered, Refused<'a>> {
        let offers = Offers {
            tools: !self.policy.tools.offers_nothing(),
            prompts: !self.policy.prompts.offers_nothing(),
            resources: !self.policy.resources.offers_nothing(),
            tasks: self.policy.tasks.is_some(),
        };
        match envelope::read(head, body, offers)? {
            Posted::Dropped => Ok(Answered::accepted()),
            Posted::One(message) => {
                summary.revision = message.revision;
                summary.method = message.method.map(super::envelope::method::Method::as_str);
                self.authorize(std::slice::from_ref(&message), caller)?;
                summary.name = message.targets.first().and_then(|target| target.name()).map(Rc::from);
                self.pass_on(head, &message, caller).await
            }
            Posted::Batch(messages) => {
                summary.method = Some("batch");
                self.authorize(&messages, caller)?;
                self.pass_on_batch(head, &messages, caller).await
            }
        }
    }

    /// Decides on everything that these messages name, before anything is passed on.
    fn authorize<'a>(&self, messages: &[Envelope<'a>], caller: Caller<'_>) -> Result<(), Refused<'a>> {
        let targets = messages.iter().flat_map(|message| message.targets.iter().map(move |target| (message, target)));
        match self.policy.decide(targets.clone().map(|(_, target)| target), caller.identity) {
            Decision::Granted => Ok(()),
            Decision::NeedsScopes(scopes) => Err(Refused::Access(AccessNeeded::Scopes(scopes))),
            Decision::Denied(index) => {
                let denied = targets.clone().nth(index);
                let (id, era) = denied.map_or((None, Era::Modern), |(message, _)| (message.id, message.era));
                Err(Refused::Rpc { id, error: unknown(denied.map(|(_, target)| target)), era })
            }
        }
    }

    /// Passes a message on, and its response back.
    async fn pass_on<'a>(
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
        let outgoing = Outgoing {
            body: Some(&message.body),
            headers: &headers,
            session: session.as_deref(),
            ..Outgoing::default()
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
    async fn pass_on_batch<'a>(
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
        let outgoing =
            Outgoing { body: Some(&body), headers: &headers, session: session.as_deref(), ..Outgoing::default() };
        let response = self.upstream.send(caller, outgoing).await.map_err(failed(None))?;
        // The response is an array of all their responses; there is none if none of them is a request.
        let id = messages.iter().find_map(|message| message.id);
        let asked = Asked { id, read: None, in_session: session.is_some() };
        self.answering(Era::Legacy, caller).message(asked, response).await.map_err(failed(None))
    }

    /// Opens a stream of the messages that the upstream sends of its own accord (GET).
    async fn listen(&self, head: &RequestHead<'_>, caller: Caller<'_>) -> Result<Answered, Refused<'static>> {
        let version = handshake_version(head)?;
        if !accepts_stream(head.header("accept")) {
            let text = "GET opens an event stream: Accept must allow text/event-stream";
            return Err(Refused::Http(Response::json(406, jsonrpc::anonymous_error(Reason::InvalidRequest, text))));
        }
        let session = self.session(head, None, caller)?;
        let last_event_id = head.header("last-event-id");
        let outgoing =
            Outgoing { headers: version.as_slice(), session: session.as_deref(), last_event_id, ..Outgoing::default() };
        let response = self.upstream.send(caller, outgoing).await.map_err(failed(None))?;
        self.answering(Era::Legacy, caller).stream(response, session.is_some()).await.map_err(failed(None))
    }

    /// Ends a session (DELETE).
    async fn end_session(&self, head: &RequestHead<'_>, caller: Caller<'_>) -> Result<Answered, Refused<'static>> {
        let version = handshake_version(head)?;
        let Some(session) = self.session(head, None, caller)? else { return Err(Refused::Http(lost_session(None))) };
        let outgoing = Outgoing {
            ends_session: true,
            headers: version.as_slice(),
            session: Some(&session),
            ..Outgoing::default()
        };
        let response = self.upstream.send(caller, outgoing).await.map_err(failed(None))?;
        self.answering(Era::Legacy, caller).end_of_session(response).await.map_err(failed(None))
    }

    /// The upstream's own id of the session that the request names, if it names one.
    fn session<'a>(
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

    /// Makes sure that the upstream speaks the era without a handshake.
    async fn require_modern<'a>(&self, id: Option<&'a str>, caller: Caller<'_>) -> Result<(), Refused<'a>> {
        let is_modern = if let Some(is_modern) = self.upstream.eras.is_modern(caller.context.now) {
            is_modern
        } else {
            let outgoing =
                Outgoing { body: Some(eras::DISCOVER), headers: &eras::DISCOVER_HEADERS, ..Outgoing::default() };
            let response = self.upstream.send(caller, outgoing).await.map_err(failed(id))?;
            self.discover(eras::DISCOVER_ID, response, caller).await.map_err(failed(id))?.is_some()
        };
        if is_modern { Ok(()) } else { Err(Refused::Rpc { id, error: eras::legacy_only(), era: Era::Modern }) }
    }

    /// Makes sure that the tool that a message calls has a definition that the operator has approved.
    async fn require_approved<'a>(
        &self,
        message: &Envelope<'a>,
        session: Option<&str>,
        caller: Caller<'_>,
    ) -> Result<(), Refused<'a>> {
        let Some(pins) = &self.pins else { return Ok(()) };
        if approval::known(message, pins) == Call::Unseen {
            self.see_tools(message, session, caller).await.map_err(failed(message.id))?;
        }
        match approval::known(message, pins) {
            Call::Approved => Ok(()),
            Call::Unseen | Call::Refused => {
                Err(Refused::Rpc { id: message.id, error: unknown(message.targets.first()), era: message.era })
            }
        }
    }

    /// Reads the upstream's list of tools, which reminds the pins of their definitions.
    async fn see_tools(
        &self,
        message: &Envelope<'_>,
        session: Option<&str>,
        caller: Caller<'_>,
    ) -> Result<(), Failure> {
        let headers = approval::list_headers(message.era, message.headers.version);
        let read = Some(ReadResult::List(Listed::Tools));
        let mut cursor = None;
        for _ in 0..approval::MAX_PAGES {
            let body = approval::list_request(message.era, cursor.as_deref());
            let outgoing = Outgoing { body: Some(&body), headers: &headers, session, ..Outgoing::default() };
            let response = self.upstream.send(caller, outgoing).await?;
            let asked = Asked { id: Some(approval::REQUEST_ID), read, in_session: session.is_some() };
            let page = self.answering(message.era, caller).message(asked, response).await?;
            cursor = approval::next_cursor(page.response.text());
            if cursor.is_none() {
                break;
            }
        }
        Ok(())
    }

    async fn discovered<'a>(
        &self,
        id: &'a str,
        response: UpstreamResponse<F::Body>,
        caller: Caller<'_>,
    ) -> Result<Answered, Refused<'a>> {
        let discovered = self.discover(id, response, caller).await.map_err(failed(Some(id)))?;
        discovered.ok_or_else(|| Refused::Rpc { id: Some(id), error: eras::legacy_only(), era: Era::Modern })
    }

    /// What the upstream's response to `server/discover` comes to; nothing if it speaks only handshakes.
    async fn discover(
        &self,
        id: &str,
        response: UpstreamResponse<F::Body>,
        caller: Caller<'_>,
    ) -> Result<Option<Answered>, Failure> {
        let now = caller.context.now;
        match self.answering(Era::Modern, caller).discovery(id, response).await? {
            Discovery::Modern(answered) => {
                self.upstream.eras.learn(true, now);
                Ok(Some(answered))
            }
            Discovery::Legacy => {
                self.upstream.eras.learn(false, now);
                Ok(None)
            }
            // It may be an accident.
            Discovery::Failed => Ok(None),
        }
    }

    fn answering<'c>(&'c self, era: Era, caller: Caller<'c>) -> Answering<'c> {
        let pins = self.pins.as_ref();
        let rewriting = RewriteContext { policy: &self.policy, identity: caller.identity, pins, era };
        Answering { rewriting, patience: self.upstream.timeout() }
    }
}

/// The error for what the caller must not know of, as for what does not exist.
fn unknown(target: Option<&Target<'_>>) -> RpcError {
    match target {
        Some(Target::Tool(name)) => RpcError::invalid_params(["unknown tool: ", &echo(name)].concat()),
        Some(Target::Prompt(name)) => RpcError::invalid_params(["unknown prompt: ", &echo(name)].concat()),
        Some(Target::Resource(uri)) => {
            RpcError::new(Reason::ResourceNotFound, "resource not found").with_data(&Object::new().text("uri", uri))
        }
        Some(Target::Task) | None => RpcError::invalid_params("unknown task"),
    }
}

fn failed<'a>(id: Option<&'a str>) -> impl FnOnce(Failure) -> Refused<'a> {
    move |failure| Refused::Failed { id, failure }
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
