//! A request's way through the gateway: read, authorize, forward, answer.
//!
//! | module | what it contains |
//! |---|---|
//! | `messages` | messages that may be passed on: to the upstream, and its response back |
//! | `prepared` | a request that may be passed on, as far as it is known before the upstream is asked anything |
//! | `streams` | GET and DELETE |
//! | `discovery` | which era the upstream speaks, found out when it matters |
//! | `connecting` | what a caller is answered for whom there is no token of the upstream |
//! | `approval` | whether a tool that is called has a definition that the operator has approved |

mod approval;
#[cfg_attr(not(any(test, feature = "connections")), path = "gateway/without_connections.rs")]
mod connecting;
mod discovery;
mod messages;
mod prepared;
mod streams;

#[cfg(any(test, feature = "connections"))]
use std::cell::RefCell;
use std::{rc::Rc, time::Duration};

use futures_util::future::{FutureExt, LocalBoxFuture};
use mcp_edge_identity::{AccessNeeded, Scopes};
use mcp_edge_protocol::{
    era::VERSION_HEADER,
    error::{Reason, RpcError, echo},
    outcome::{Outcome, Rendered, Summary},
    post,
    revision::Era,
};
use mcp_edge_runtime::{
    forward::Forward,
    http::{RequestHead, Response},
    json::Object,
    keys::SigningKey,
    secret::Secret,
};

use self::prepared::PreparedRequest;
use crate::{
    access::{Decision, Policy, Target},
    answer::Answered,
    envelope::{self, Envelope, Method, Offers, Payload, Refusal},
    failure::Failure,
    load::Bodies,
    pins::Pins,
    results::Unapproved,
    session::SessionSeal,
    settings::GatewaySettings,
    upstream::{Caller, Upstream},
};

/// The request headers that are read of a POST, in lower case.
pub const POST_HEADERS: [&str; 6] =
    ["content-type", VERSION_HEADER, "mcp-method", "mcp-name", "content-encoding", SESSION_HEADER];

/// Those of GET and DELETE.
pub const OTHER_HEADERS: [&str; 4] = ["accept", VERSION_HEADER, SESSION_HEADER, "last-event-id"];

const SESSION_HEADER: &str = "mcp-session-id";

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

/// A gateway in front of an MCP server. Of responses it keeps what its own questions were answered, and which definitions of
/// tools are approved; of requests nothing.
pub struct Gateway<F, K> {
    upstream: Upstream<F, K>,
    policy: Policy,
    pins: Option<Pins>,
    /// What is known of the definitions that callers are shown, where each has an account of their own; who was served last
    /// comes last.
    #[cfg(any(test, feature = "connections"))]
    pins_of_callers: RefCell<Vec<(Vec<u8>, Rc<Pins>)>>,
    sessions: SessionSeal,
    /// What is held of requests that wait.
    bodies: Bodies,
    /// A JWK Set; none if no assertions are signed.
    public_keys: Option<String>,
}

/// A [`Gateway`] with any ports.
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
    /// A tool that is called has no definition that the operator has approved: for the client, it does not exist.
    Unapproved { id: Option<&'a str>, error: RpcError, era: Era, unapproved: Vec<Unapproved> },
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
        let GatewaySettings { upstream, policy, pins, jwks, session, .. } = settings.clone();
        let upstream = Upstream::new(upstream, forward, signing_key);
        Self {
            upstream,
            policy,
            pins,
            #[cfg(any(test, feature = "connections"))]
            pins_of_callers: RefCell::default(),
            sessions: session,
            bodies: Bodies::default(),
            public_keys: jwks,
        }
    }

    async fn respond(&self, head: &RequestHead<'_>, body: &str, caller: Caller<'_>) -> Handled {
        let mut summary = Summary::new(Outcome::Accepted);
        let waiting = self.upstream.connection().map_or(Duration::ZERO, |_| connecting::PATIENCE);
        let _held = match self.bodies.admit(body, caller.context.now, self.upstream.timeout() + waiting) {
            Ok(reservation) => reservation,
            Err(response) => return finish(Err(Refused::Http(response)), summary),
        };
        let prepared = match head.method() {
            "POST" => self.post(head, body, caller, &mut summary),
            "DELETE" => self.end_session(head, caller).map(Some),
            _ => self.listen(head, caller).map(Some),
        };
        let answered = match prepared {
            Ok(Some(request)) => {
                // Once: what is found out for this request holds for it, however many other callers there are meanwhile.
                let own_pins = self.own_pins(caller.identity);
                let pins = own_pins.as_deref().or(self.pins.as_ref());
                self.pass_on(&request, Caller { pins, ..caller }).await
            }
            Ok(None) => Ok(Answered::accepted()),
            Err(refused) => Err(refused),
        };
        let mut handled = finish(answered, summary);
        if let Some(pins) = &self.pins {
            handled.unapproved.retain(|Unapproved { name, digest }| pins.report(name, digest.as_deref()));
        }
        handled
    }

    /// Decides on a POST; nothing of it if nothing is passed on.
    fn post<'a>(
        &self,
        head: &RequestHead<'_>,
        body: &'a str,
        caller: Caller<'_>,
        summary: &mut Summary,
    ) -> Result<Option<PreparedRequest<'a>>, Refused<'a>> {
        let offers = Offers {
            tools: !self.policy.tools.offers_nothing(),
            prompts: !self.policy.prompts.offers_nothing(),
            resources: !self.policy.resources.offers_nothing(),
            tasks: self.policy.offers_tasks(caller.identity),
        };
        let input_key = self.upstream.connection().map(|connection| &*connection.input_key);
        match envelope::read_answer(head, body, offers, input_key)? {
            Payload::Dropped => Ok(None),
            Payload::One(message) => {
                summary.revision = message.revision;
                summary.method = message.method.map(Method::as_str);
                self.authorize(std::slice::from_ref(&message), caller)?;
                summary.name = message.targets.first().and_then(|target| target.logged_name()).map(Rc::from);
                self.single(head, message, caller).map(Some)
            }
            Payload::Batch(messages) => {
                summary.method = Some("batch");
                self.authorize(&messages, caller)?;
                self.batch(head, messages, caller).map(Some)
            }
        }
    }

    /// Decides on everything that these messages name, before anything is passed on.
    fn authorize<'a>(&self, messages: &[Envelope<'a>], caller: Caller<'_>) -> Result<(), Refused<'a>> {
        let targets = messages.iter().flat_map(|message| message.targets.iter().map(move |target| (message, target)));
        match self.policy.decide(targets.clone().map(|(_, target)| target), caller.identity) {
            Decision::Granted => Ok(()),
            Decision::NeedsScopes(scopes) => Err(Refused::Access(AccessNeeded::Scopes(scopes))),
            Decision::KeyRefused(needed) => Err(Refused::Access(needed)),
            Decision::Denied(index) => {
                let denied = targets.clone().nth(index);
                let (id, era) = denied.map_or((None, Era::Modern), |(message, _)| (message.id, message.era));
                Err(Refused::Rpc { id, error: unknown(denied.map(|(_, target)| target)), era })
            }
        }
    }
}

/// The response and what the log says of it.
fn finish(answered: Result<Answered, Refused<'_>>, mut summary: Summary) -> Handled {
    let (mut failed, mut unapproved) = (None, Vec::new());
    let response = match answered {
        Ok(answered) => {
            summary.outcome = answered.outcome;
            (failed, unapproved) = (answered.failure, answered.unapproved);
            Ok(answered.response)
        }
        Err(Refused::Access(needed)) => {
            summary.outcome = Outcome::Refused;
            Err(needed)
        }
        Err(Refused::Unapproved { id, error, era, unapproved: found }) => {
            unapproved = found;
            let rendered = Rendered::error(id, &error, era);
            summary.outcome = rendered.outcome;
            Ok(rendered.into_response())
        }
        Err(Refused::Rpc { id, error, era }) => {
            let rendered = Rendered::error(id, &error, era);
            summary.outcome = rendered.outcome;
            Ok(rendered.into_response())
        }
        Err(Refused::Http(response)) => Ok(response),
        Err(Refused::Failed { id, failure }) => {
            summary.outcome = Outcome::Error(Reason::Internal.code(Era::Modern));
            failed = if failure.is_of_client() { None } else { Some(failure.to_string()) };
            Ok(failure.response(id))
        }
    };
    Handled { response, summary, failure: failed, unapproved }
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
