//! From a posted message to its response: reads it, finds its era, and hands it to the handler of its method.

use std::{cell::Cell, rc::Rc};

use futures_util::future::FutureExt;
use mcp_edge_runtime::{
    http::{RequestHead, Response},
    json::array,
};
use serde_json::value::RawValue;

use crate::{
    call::Context,
    context::{RequestContext, ServerServices},
    legacy, modern,
    operations::{Execution, Operation, OperationError, Started},
    result::{Framing, OperationResult},
    server::Server,
    stream::{Work, respond},
};
use mcp_edge_identity::AccessNeeded;
use mcp_edge_protocol::{
    era::{self, RequestKind, VERSION_HEADER},
    error::RpcError,
    headers::accepts_stream,
    jsonrpc::{self, Kind, Message, Payload},
    method::{Method, notification},
    outcome::{Outcome, Rendered, Summary},
    params::Params,
    post,
    revision::{Era, Revision, era_of},
};

/// What a request came to.
#[derive(Debug)]
pub struct Handled {
    /// The response. An error means that the identity does not suffice: nothing has run, and the endpoint responds with
    /// HTTP 403 and a challenge.
    pub response: Result<Response, AccessNeeded>,
    /// For the access log.
    pub summary: Summary,
}

/// A message as far as it goes without running a handler.
enum Dispatched {
    Complete(Rendered),
    Running(Work),
    AccessDenied(AccessNeeded),
}

/// What was posted, as far as it goes without running a handler.
enum DispatchedPayload {
    Single(Summary, Dispatched),
    Batch(Vec<Dispatched>),
}

/// What is needed for each message of a payload.
struct Dispatcher<'r, E> {
    server: &'r Server<E>,
    services: &'r Rc<ServerServices>,
    head: &'r RequestHead<'r>,
    /// How many values may still be made of what was posted.
    values: Cell<usize>,
}

impl DispatchedPayload {
    fn unreadable(id: Option<&str>, error: &RpcError) -> Self {
        let rendered = Rendered::error(id, error, Era::Modern);
        Self::Single(Summary::new(rendered.outcome), Dispatched::Complete(rendered))
    }
}

impl<E> Server<E> {
    /// Looks at the head of a request before its body is read.
    ///
    /// # Errors
    /// The answer to send instead: 405 for another method than POST (there is no stream to GET and no session to
    /// DELETE), 415 for another media type than JSON and for a compressed body.
    #[allow(clippy::unused_self, reason = "what is admitted is the server's decision")]
    pub fn admit(&self, head: &RequestHead<'_>) -> Result<(), Response> {
        if head.method() != "POST" {
            return Err(post::method_not_allowed("only POST is served here", "POST, OPTIONS"));
        }
        post::check_content(head)
    }
}

impl<E: Clone + 'static> Server<E> {
    /// Answers the body of a POST that [`Server::admit`] accepted and whose token was verified.
    ///
    /// The body is read at once; while the future waits for a handler, it is not needed any more.
    pub fn handle<'s>(
        &'s self,
        head: &RequestHead<'_>,
        body: &str,
        context: RequestContext<E>,
        services: &Rc<ServerServices>,
    ) -> impl Future<Output = Handled> + use<'s, E> {
        let runtime = Rc::clone(&services.runtime);
        let each = Dispatcher { server: self, services, head, values: Cell::new(self.limits.values) };
        let payload = match jsonrpc::parse(body, self.limits.batch_length) {
            Ok(Payload::One(message)) => {
                let (summary, message) = each.dispatch(message, context);
                DispatchedPayload::Single(summary, message)
            }
            Ok(Payload::Batch(elements)) => each.dispatch_batch(elements, &context),
            Err(unreadable) => DispatchedPayload::unreadable(unreadable.id, &unreadable.error),
        };
        let streams = matches!(payload, DispatchedPayload::Single(_, Dispatched::Running(_)))
            && accepts_stream(head.header("accept"));
        async move {
            let (mut summary, message) = match payload {
                DispatchedPayload::Single(summary, message) => (summary, message),
                DispatchedPayload::Batch(messages) => return finish_batch(messages).await,
            };
            let response = match message {
                Dispatched::AccessDenied(needed) => {
                    summary.outcome = Outcome::Refused;
                    Err(needed)
                }
                Dispatched::Complete(rendered) => {
                    summary.outcome = rendered.outcome;
                    Ok(rendered.into_response())
                }
                Dispatched::Running(work) => {
                    // In the revisions with a handshake a client that disconnects is not to be taken for one that cancels
                    // (MCP 2025-11-25, basic/transports).
                    let cancels = summary.revision.is_some_and(|revision| revision.era() == Era::Modern);
                    let (response, outcome) = respond(work, runtime, streams.then_some(&self.slots), cancels).await;
                    summary.outcome = outcome;
                    Ok(response)
                }
            };
            Handled { response, summary }
        }
    }
}

impl<E: Clone + 'static> Dispatcher<'_, E> {
    /// Takes a message as far as it goes without running a handler.
    fn dispatch(&self, message: Message<'_>, request: RequestContext<E>) -> (Summary, Dispatched) {
        let head = self.head;
        let Message { kind, params } = message;
        let mut summary = Summary::new(Outcome::Accepted);
        let outcome = match kind {
            Kind::Request { id, method } => return self.dispatch_request(id, &method, params, request),
            Kind::Notification { method } => {
                summary.method = notification(&method);
                era::check_notification(head, &params)
            }
            Kind::Response if head.header(VERSION_HEADER).map(era_of) == Some(Era::Modern) => {
                Err(RpcError::invalid_request("clients do not send responses in this revision"))
            }
            Kind::Response => era::legacy_revision(head.header(VERSION_HEADER)).map(drop),
        };
        let rendered = match outcome {
            Ok(()) => Rendered::accepted(),
            Err(error) => Rendered::error(None, &error, Era::Modern),
        };
        (summary, Dispatched::Complete(rendered))
    }

    /// Takes a request as far as it goes without running a handler. `id` is JSON.
    fn dispatch_request(
        &self,
        id: &str,
        name: &str,
        params: Params<'_>,
        request: RequestContext<E>,
    ) -> (Summary, Dispatched) {
        let (server, head) = (self.server, self.head);
        let method = Method::parse(name);
        let mut summary = Summary::new(Outcome::Accepted);
        summary.method = method.map(Method::as_str);
        let kind = match era::classify(head, name, method, &params) {
            Ok(kind) => kind,
            Err(error) => return (summary, Dispatched::Complete(Rendered::error(Some(id), &error, Era::Modern))),
        };
        let (framing, era) = match &kind {
            RequestKind::Modern(_) => (Framing::Modern(Rc::clone(&server.presentation.meta)), Era::Modern),
            RequestKind::Legacy(_) | RequestKind::Handshake => (Framing::Legacy, Era::Legacy),
        };
        let complete = |result: &OperationResult| Dispatched::Complete(framing.render(id, result));
        let supported = method.filter(|method| method.exists_in(era) && server.catalog.supports(*method));
        let Some(method) = supported else {
            return (summary, complete(&RpcError::method_not_found(name).into()));
        };
        let logging = server.catalog.logging;
        let client = match &kind {
            RequestKind::Modern(meta) => modern::client(meta, logging),
            RequestKind::Legacy(revision) => Ok(legacy::client(*revision, &params, logging)),
            RequestKind::Handshake => {
                let (revision, result) = legacy::initialize(&server.presentation, &params);
                summary.revision = revision;
                return (summary, complete(&result));
            }
        };
        let (env, context) = match client {
            Ok(client) => Context::new(request, self.services, client),
            Err(error) => return (summary, complete(&error.into())),
        };
        let context = Rc::new(context);
        summary.revision = Some(context.revision);
        let answered = match era {
            Era::Modern => modern::answer(&server.presentation, server.catalog.list_ttl, method),
            Era::Legacy => legacy::answer(method, &params),
        };
        if let Some(result) = answered {
            return (summary, complete(&result));
        }
        let Some(handle) = server.handlers.of(method) else {
            return (summary, complete(&RpcError::method_not_found(name).into()));
        };

        let outbox = Rc::clone(&context.outbox);
        let operation = Operation {
            catalog: &server.catalog,
            limits: &server.limits,
            load: &server.load,
            method,
            params,
            head,
            env,
            context,
            values: &self.values,
        };
        let Started { name, execution } = handle(operation);
        summary.name = name;
        let dispatched = match execution {
            Ok(Execution::Complete(result)) => complete(&result),
            Ok(Execution::Running(work)) => {
                let id = id.to_owned();
                let answer = work.map(move |result| framing.render(&id, &result)).boxed_local();
                Dispatched::Running(Work { answer, outbox })
            }
            Err(OperationError::Rpc(error)) => complete(&error.into()),
            Err(OperationError::Access(needed)) => Dispatched::AccessDenied(needed),
        };
        (summary, dispatched)
    }

    /// Takes a batch, which only the revision of 2025-03-26 has, as far as it goes. All messages are looked at before the
    /// first one runs: what one of them lacks is lacking for all.
    fn dispatch_batch(&self, elements: Vec<&RawValue>, request: &RequestContext<E>) -> DispatchedPayload {
        let refuse = |message| DispatchedPayload::unreadable(None, &RpcError::invalid_request(message));
        match era::legacy_revision(self.head.header(VERSION_HEADER)) {
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
        let dispatched = messages.into_iter().map(|message| self.dispatch(message, request.clone()).1);
        DispatchedPayload::Batch(dispatched.collect())
    }
}

/// Answers a batch. Its messages run one after the other, and their notifications are dropped: the answer is one document.
async fn finish_batch(messages: Vec<Dispatched>) -> Handled {
    let mut summary = Summary::new(Outcome::Refused);
    summary.revision = Some(Revision::V2025_03_26);
    summary.method = Some("batch");
    let needed = messages
        .iter()
        .filter_map(|message| if let Dispatched::AccessDenied(needed) = message { Some(needed) } else { None });
    if let Some(needed) = needed.cloned().fold(None, |all, needed| Some(both(all, needed))) {
        return Handled { response: Err(needed), summary };
    }
    let mut answers = Vec::with_capacity(messages.len());
    for message in messages {
        let rendered = match message {
            Dispatched::Complete(rendered) => rendered,
            Dispatched::Running(work) => {
                work.outbox.close();
                work.answer.await
            }
            Dispatched::AccessDenied(_) => continue,
        };
        answers.extend(rendered.body);
    }
    summary.outcome = if answers.is_empty() { Outcome::Accepted } else { Outcome::Answered };
    let response = if answers.is_empty() { Response::empty(202) } else { Response::json(200, array(answers)) };
    Handled { response: Ok(response), summary }
}

/// What two messages of a batch need together; the one that no consent can provide comes first.
fn both(one: Option<AccessNeeded>, other: AccessNeeded) -> AccessNeeded {
    match (one, other) {
        (None, only) => only,
        (Some(AccessNeeded::Scopes(one)), AccessNeeded::Scopes(other)) => AccessNeeded::Scopes(one.union(&other)),
        (Some(AccessNeeded::Scopes(_)), other) => other,
        (Some(one), _) => one,
    }
}
