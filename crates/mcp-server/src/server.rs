//! The server: from an HTTP request to its answer.

use std::{cell::Cell, rc::Rc, time::Duration};

use futures_util::future::FutureExt;
use serde_json::value::RawValue;

use crate::{
    builder::ServerBuilder,
    call::RequestContext,
    legacy,
    limits::Limits,
    load::Load,
    modern,
    operations::{Operation, Progress, Refusal},
    primitives::{
        access::AccessNeeded,
        prompt::PromptEntry,
        resource::{ResourceEntry, TemplateEntry},
        tool::ToolEntry,
    },
    protocol::{
        era::{self, RequestKind, VERSION_HEADER},
        error::{Reason, RpcError},
        jsonrpc::{self, Kind, Message, Payload},
        method::{Method, notification},
        outcome::{Framing, Outcome, Rendered, Summary},
        revision::{Revision, names_modern},
    },
    transport::{
        headers::{accepts_stream, is_json},
        stream::{Slots, Work, respond},
    },
};
use mcp_edge_identity::Scopes;
use mcp_edge_runtime::http::{RequestHead, Response};
use mcp_edge_runtime::json::{Object, array};

/// An MCP server: its tools, resources and prompts, and how it presents itself.
///
/// Built once ([`Server::builder`]); holds no state between requests. `E` is what handlers get from their
/// surroundings through [`Call::env`](crate::Call::env).
pub struct Server<E = ()> {
    /// `serverInfo` as JSON.
    pub(super) info: Rc<str>,
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) instructions: Option<String>,
    /// `ServerCapabilities` as JSON.
    pub(super) capabilities: String,
    pub(super) logging: bool,
    pub(super) tools: Vec<Rc<ToolEntry<E>>>,
    pub(super) resources: Vec<Rc<ResourceEntry<E>>>,
    pub(super) templates: Vec<Rc<TemplateEntry<E>>>,
    pub(super) prompts: Vec<Rc<PromptEntry<E>>>,
    /// Names and what the user reads about them.
    pub(super) scopes: Vec<(String, String)>,
    pub(super) page_size: usize,
    pub(super) list_ttl: Duration,
    pub(super) limits: Limits,
    pub(super) slots: Slots,
    pub(super) load: Load,
}

/// The headers that are read for every request; see [`Server::header_names`].
const HEADERS: [&str; 5] = ["content-type", "accept", VERSION_HEADER, "mcp-method", "mcp-name"];

/// What a request came to.
#[derive(Debug)]
pub struct Handled {
    /// The answer. An error means that the identity does not suffice: nothing has run, and the endpoint answers with
    /// HTTP 403 and a challenge.
    pub response: Result<Response, AccessNeeded>,
    /// For the access log.
    pub summary: Summary,
}

/// What a tool looks like from outside, for a page that people read.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ToolInfo<'a> {
    /// The name that models use.
    pub name: &'a str,
    /// The name that people read, if another.
    pub title: Option<&'a str>,
    /// What it does.
    pub description: Option<&'a str>,
    /// What the caller must have been granted.
    pub scopes: &'a Scopes,
    /// Whether it refuses clients that act for themselves.
    pub needs_user: bool,
    /// Whether it refuses clients that are not the operator's own.
    pub first_party_only: bool,
}

/// A request on its way.
enum Step {
    Done(Rendered),
    Running(Work),
    Refused(AccessNeeded),
}

/// What was posted, on its way.
enum Begun {
    One((Summary, Step)),
    Batch(Vec<Step>),
}

impl Begun {
    fn unreadable(id: Option<&str>, error: &RpcError) -> Self {
        let rendered = Rendered::error(id, error, true);
        Self::One((Summary::new(rendered.outcome), Step::Done(rendered)))
    }
}

impl<E> Server<E> {
    /// Starts building a server with this name and version.
    pub fn builder(name: impl Into<String>, version: impl Into<String>) -> ServerBuilder<E> {
        ServerBuilder::new(name.into(), version.into())
    }

    /// The name for machines.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name for people, or the other one.
    #[must_use]
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }

    /// What the server is for.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// How it presents itself to clients: `serverInfo` as JSON, with name and version, and if set title, description,
    /// website and icons.
    #[must_use]
    pub fn info(&self) -> &str {
        &self.info
    }

    /// The limits that were set.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// All scopes that anything here requires.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        let tools = self.tools.iter().map(|tool| &tool.requirements);
        let resources = self.resources.iter().map(|resource| &resource.requirements);
        let templates = self.templates.iter().map(|template| &template.requirements);
        let prompts = self.prompts.iter().map(|prompt| &prompt.requirements);
        let all = tools.chain(resources).chain(templates).chain(prompts);
        all.flat_map(|requirements| requirements.scopes.iter()).collect()
    }

    /// The declared scopes, each with what users are told about it.
    pub fn scope_descriptions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.scopes.iter().map(|(name, description)| (name.as_str(), description.as_str()))
    }

    /// The tools in the order in which they are listed, whoever asks.
    pub fn tools(&self) -> impl Iterator<Item = ToolInfo<'_>> {
        self.tools.iter().map(|tool| ToolInfo {
            name: &tool.name,
            title: tool.title.as_deref(),
            description: tool.description.as_deref(),
            scopes: &tool.requirements.scopes,
            needs_user: tool.requirements.user,
            first_party_only: tool.requirements.first_party,
        })
    }

    /// The lower-case names of all request headers that [`Server::admit`] and [`Server::handle`] read. Also what a
    /// browser must be allowed to send, together with `authorization`.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        let parameters = self.tools.iter().flat_map(|tool| &tool.parameters);
        let mut parameters: Vec<&str> = parameters.map(|parameter| parameter.header.as_str()).collect();
        parameters.sort_unstable();
        parameters.dedup();
        HEADERS.into_iter().chain(parameters)
    }

    /// Looks at the head of a request before its body is read.
    ///
    /// # Errors
    /// The answer to send instead: 405 for another method than POST (there is no stream to GET and no session to
    /// DELETE), 415 for another media type than JSON.
    #[allow(clippy::unused_self, reason = "what is admitted is the server's decision")]
    pub fn admit(&self, head: &RequestHead<'_>) -> Result<(), Response> {
        if head.method() != "POST" {
            let body = jsonrpc::anonymous_error(Reason::InvalidRequest, "only POST is served here");
            return Err(Response::json(405, body).with_header("allow", "POST, OPTIONS"));
        }
        if !is_json(head.header("content-type")) {
            let body = jsonrpc::anonymous_error(Reason::InvalidRequest, "the content type must be application/json");
            return Err(Response::json(415, body));
        }
        Ok(())
    }

    /// The answer to a body of more than [`Limits::body_bytes`].
    #[must_use]
    pub fn body_too_large() -> Response {
        Response::json(413, jsonrpc::anonymous_error(Reason::InvalidRequest, "the body is too large"))
    }

    pub(super) fn has_resources(&self) -> bool {
        !self.resources.is_empty() || !self.templates.is_empty()
    }

    pub(super) fn completes(&self) -> bool {
        self.prompts.iter().any(|prompt| !prompt.completers.is_empty())
            || self.templates.iter().any(|template| !template.completers.is_empty())
    }

    /// What the server offers, as it says itself. Nothing announces changes, so neither `listChanged` nor `subscribe`
    /// is among it.
    pub(super) fn render_capabilities(&self) -> String {
        let declared = [
            ("tools", !self.tools.is_empty()),
            ("resources", self.has_resources()),
            ("prompts", !self.prompts.is_empty()),
            ("completions", self.completes()),
            ("logging", self.logging),
        ];
        let declared = declared.into_iter().filter(|(_, is)| *is);
        declared.fold(Object::new(), |object, (name, _)| object.raw(name, "{}")).close()
    }
}

impl<E: Clone + 'static> Server<E> {
    /// Answers the body of a POST that [`Server::admit`] let in and whose token was verified.
    ///
    /// The body is read at once; while the future waits for a handler, it is not needed any more.
    pub fn handle<'s>(
        &'s self,
        head: &RequestHead<'_>,
        body: &str,
        caller: RequestContext<E>,
    ) -> impl Future<Output = Handled> + use<'s, E> {
        let runtime = Rc::clone(&caller.runtime);
        let values = Cell::new(self.limits.values);
        let begun = match jsonrpc::parse(body, self.limits.batch_length) {
            Ok(Payload::One(message)) => Begun::One(self.begin(head, message, caller, &values)),
            Ok(Payload::Batch(elements)) => self.begin_batch(head, elements, &caller, &values),
            Err(unreadable) => Begun::unreadable(unreadable.id, &unreadable.error),
        };
        let streams = matches!(begun, Begun::One((_, Step::Running(_)))) && accepts_stream(head.header("accept"));
        async move {
            let (mut summary, step) = match begun {
                Begun::One(one) => one,
                Begun::Batch(steps) => return finish_batch(steps).await,
            };
            let response = match step {
                Step::Refused(needed) => {
                    summary.outcome = Outcome::Refused;
                    Err(needed)
                }
                Step::Done(rendered) => {
                    summary.outcome = rendered.outcome;
                    Ok(rendered.into_response())
                }
                Step::Running(work) => {
                    // In the revisions with a handshake a client that disconnects is not to be taken for one that cancels
                    // (MCP 2025-11-25, basic/transports).
                    let cancels = summary.revision.is_some_and(Revision::is_modern);
                    let (response, outcome) = respond(work, runtime, streams.then_some(&self.slots), cancels).await;
                    summary.outcome = outcome;
                    Ok(response)
                }
            };
            Handled { response, summary }
        }
    }

    /// Takes a message as far as it goes without running anything.
    fn begin(
        &self,
        head: &RequestHead<'_>,
        message: Message<'_>,
        caller: RequestContext<E>,
        values: &Cell<usize>,
    ) -> (Summary, Step) {
        let mut summary = Summary::new(Outcome::Accepted);
        let modern_header = head.header(VERSION_HEADER).is_some_and(names_modern);
        let Message { kind, params } = message;
        let accept = |outcome: Result<(), RpcError>| match outcome {
            Ok(()) => Step::Done(Rendered::accepted()),
            Err(error) => Step::Done(Rendered::error(None, &error, true)),
        };
        let (id, method) = match kind {
            Kind::Request { id, method } => (id, method),
            Kind::Notification { method } => {
                summary.method = notification(&method);
                return (summary, accept(era::check_notification(head, &params)));
            }
            Kind::Response if modern_header => {
                let error = RpcError::invalid_request("clients do not send responses in this revision");
                return (summary, accept(Err(error)));
            }
            Kind::Response => {
                let outcome = era::legacy_revision(head.header(VERSION_HEADER)).map(drop);
                return (summary, accept(outcome));
            }
        };
        summary.method = Method::parse(&method).map(Method::as_str);
        let traffic = match era::classify(head, &method, &params) {
            Ok(traffic) => traffic,
            Err(error) => return (summary, Step::Done(Rendered::error(Some(id), &error, true))),
        };
        let (dialect, known) = match &traffic {
            RequestKind::Modern(_) => (Framing::Modern(Rc::clone(&self.info)), modern::method(self, &method)),
            RequestKind::Legacy(_) | RequestKind::Handshake => (Framing::Legacy, legacy::method(self, &method)),
        };
        let method = match known {
            Ok(method) => method,
            Err(error) => return (summary, Step::Done(dialect.render(id, &error.into()))),
        };
        let (env, caller) = caller.split();
        let context = match &traffic {
            RequestKind::Modern(meta) => modern::context(self, meta, caller).map(Rc::new),
            RequestKind::Legacy(revision) => Ok(Rc::new(legacy::context(self, *revision, &params, caller))),
            RequestKind::Handshake => {
                let (revision, outcome) = legacy::initialize(self, &params);
                summary.revision = revision;
                return (summary, Step::Done(dialect.render(id, &outcome)));
            }
        };
        let context = match context {
            Ok(context) => context,
            Err(error) => return (summary, Step::Done(dialect.render(id, &error.into()))),
        };
        summary.revision = Some(context.revision);
        let answered = match traffic {
            RequestKind::Modern(_) => modern::answer(self, method),
            RequestKind::Legacy(_) | RequestKind::Handshake => legacy::answer(method, &params),
        };
        if let Some(outcome) = answered {
            return (summary, Step::Done(dialect.render(id, &outcome)));
        }

        let outbox = Rc::clone(&context.outbox);
        let operation = Operation { method, params, head, env, context, values, name: &mut summary.name };
        let step = match self.operate(operation) {
            Ok(Progress::Done(outcome)) => Step::Done(dialect.render(id, &outcome)),
            Ok(Progress::Running(work)) => {
                let id = id.to_owned();
                let answer = work.map(move |outcome| dialect.render(&id, &outcome)).boxed_local();
                Step::Running(Work { answer, outbox })
            }
            Err(Refusal::Error(error)) => Step::Done(dialect.render(id, &error.into())),
            Err(Refusal::Access(needed)) => Step::Refused(needed),
        };
        (summary, step)
    }

    /// Takes a batch, which only the revision of 2025-03-26 has, as far as it goes. All messages are looked at before the
    /// first one runs: what one of them lacks is lacking for all.
    fn begin_batch(
        &self,
        head: &RequestHead<'_>,
        elements: Vec<&RawValue>,
        caller: &RequestContext<E>,
        values: &Cell<usize>,
    ) -> Begun {
        let refuse = |message| Begun::unreadable(None, &RpcError::invalid_request(message));
        match era::legacy_revision(head.header(VERSION_HEADER)) {
            Ok(Revision::V2025_03_26) => {}
            _ => return refuse("batches exist in revision 2025-03-26 only"),
        }
        if elements.is_empty() {
            return refuse("the batch is empty");
        }
        let mut messages = Vec::with_capacity(elements.len());
        for element in elements {
            let Ok(message) = jsonrpc::parse_message(element.get()) else {
                return refuse("a message in the batch is invalid");
            };
            let handshake = matches!(&message.kind, Kind::Request { method, .. } if method == "initialize");
            if handshake || era::has_claim(&message.params) {
                return refuse("a batch contains neither initialize nor messages of later revisions");
            }
            messages.push(message);
        }
        Begun::Batch(messages.into_iter().map(|message| self.begin(head, message, caller.clone(), values).1).collect())
    }
}

/// Answers a batch. Its messages run one after the other, and their notifications are dropped: the answer is one document.
async fn finish_batch(steps: Vec<Step>) -> Handled {
    let mut summary = Summary::new(Outcome::Refused);
    summary.revision = Some(Revision::V2025_03_26);
    summary.method = Some("batch");
    let needed = steps.iter().filter_map(|step| if let Step::Refused(needed) = step { Some(needed) } else { None });
    if let Some(needed) = needed.cloned().fold(None, |all, needed| Some(both(all, needed))) {
        return Handled { response: Err(needed), summary };
    }
    let mut answers = Vec::with_capacity(steps.len());
    for step in steps {
        let rendered = match step {
            Step::Done(rendered) => rendered,
            Step::Running(work) => {
                work.outbox.close();
                work.answer.await
            }
            Step::Refused(_) => continue,
        };
        answers.extend(rendered.body);
    }
    summary.outcome = if answers.is_empty() { Outcome::Accepted } else { Outcome::Answered };
    let response = if answers.is_empty() { Response::empty(202) } else { Response::json(200, array(answers)) };
    Handled { response: Ok(response), summary }
}

/// What two messages of a batch need together; the one that no consent can mend comes first.
fn both(one: Option<AccessNeeded>, other: AccessNeeded) -> AccessNeeded {
    match (one, other) {
        (None, only) => only,
        (Some(AccessNeeded::Scopes(one)), AccessNeeded::Scopes(other)) => AccessNeeded::Scopes(one.union(&other)),
        (Some(AccessNeeded::Scopes(_)), other) => other,
        (Some(one), _) => one,
    }
}
