//! From a message to what is sent on.

use std::borrow::Cow;

use mcp_edge_protocol::{
    era::{RequestKind, VERSION_HEADER, classify_by, legacy_revision, notification_revision},
    error::RpcError,
    headers::encode,
    revision::{Era, MODERN, Revision, era_of},
};
use mcp_edge_runtime::http::RequestHead;

use super::{
    data::{BEFORE_ID, Envelope, Refusal, RoutingHeaders},
    message::{self, Message},
    method::{Method, Offers},
    params::{Changed, Params},
    subject::Subject,
};

/// Reads one message; none if it goes nowhere.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read<'a>(
    head: &RequestHead<'_>,
    body: &'a str,
    offers: Offers,
    input_key: Option<&str>,
) -> Result<Option<Envelope<'a>>, Refusal<'a>> {
    // As the server does: what is wrong before the era is known has the form of the modern one.
    let refuse = |id, error| Refusal { id, error, era: Era::Modern };
    match message::read(body).map_err(|unreadable| refuse(unreadable.id, unreadable.error))? {
        Message::Request { id, method, params } => {
            request(head, (id, &method, &params), (offers, input_key), body.len()).map(Some)
        }
        Message::Notification { method, params } => {
            notification(head, &method, &params, offers, body.len()).map_err(|error| refuse(None, error))
        }
        Message::Response { id, member, json } => {
            let header = head.header(VERSION_HEADER);
            if header.map(era_of) == Some(Era::Modern) {
                let error = RpcError::invalid_request("clients do not send responses in this revision");
                return Err(refuse(None, error));
            }
            let revision = legacy_revision(header).map_err(|error| refuse(None, error))?;
            // Without an id it answers nothing.
            Ok(id.map(|id| {
                let body = [BEFORE_ID, id, ",\"", member, "\":", json, "}"].concat();
                Envelope {
                    method: None,
                    id: None,
                    era: Era::Legacy,
                    revision: Some(revision),
                    targets: Vec::new(),
                    body,
                    headers: legacy_headers(header),
                    capabilities: None,
                    answer: None,
                }
            }))
        }
    }
}

/// Takes a request as far as it can be read without knowing who sent it. `id` is JSON; `size` is that of the body.
fn request<'a>(
    head: &RequestHead<'_>,
    (id, name, params): (&'a str, &str, &Params<'a>),
    (offers, input_key): (Offers, Option<&str>),
    size: usize,
) -> Result<Envelope<'a>, Refusal<'a>> {
    let method = Method::parse(name).filter(|method| !method.is_notification());
    let modern = method.filter(|method| method.exists_in(Era::Modern, offers));
    let named = modern.and_then(Method::named_by).and_then(|member| params.get(member));
    let kind = classify_by(head, name, params.meta(), named).map_err(|error| Refusal {
        id: Some(id),
        error,
        era: Era::Modern,
    })?;
    let (era, revision) = match &kind {
        RequestKind::Modern(_) => (Era::Modern, Some(MODERN)),
        RequestKind::Legacy(revision) => (Era::Legacy, Some(*revision)),
        RequestKind::Handshake => (Era::Legacy, None),
    };
    let refuse = |error| Refusal { id: Some(id), error, era };
    let method = method
        .filter(|method| method.exists_in(era, offers))
        .ok_or_else(|| refuse(RpcError::method_not_found(name)))?;
    let subject = Subject::read(method, params, offers).map_err(refuse)?;
    let hides_tasks = era == Era::Modern && !offers.tasks;
    let capabilities = if hides_tasks { params.capabilities_without_tasks().map_err(refuse)? } else { None };
    // The era with a handshake has no such questions.
    let answered = match input_key.filter(|_| era == Era::Modern) {
        Some(key) => params.answer(key).map_err(refuse)?,
        None => None,
    };
    let (answer, inputs) = answered.unzip();
    let changed = Changed { capabilities: capabilities.as_deref(), inputs: inputs.as_deref() };
    let body = write(method, Some(id), params, &subject, changed, size);
    let Subject { targets, name, revision: offered, .. } = subject;
    let headers = match era {
        Era::Legacy => legacy_headers(head.header(VERSION_HEADER)),
        Era::Modern => RoutingHeaders {
            version: Some(MODERN.as_str()),
            method: Some(method.as_str()),
            name: name.map(|name| encode(&name).into_owned()),
        },
    };
    let capabilities = params.capabilities();
    Ok(Envelope {
        method: Some(method),
        id: Some(id),
        era,
        revision: revision.or(offered),
        targets,
        body,
        headers,
        capabilities,
        answer: answer.flatten(),
    })
}

/// Takes a notification; none that goes nowhere.
fn notification<'a>(
    head: &RequestHead<'_>,
    name: &Cow<'a, str>,
    params: &Params<'a>,
    offers: Offers,
    size: usize,
) -> Result<Option<Envelope<'a>>, RpcError> {
    let revision = notification_revision(head, &params.meta().unwrap_or_default())?;
    let era = revision.era();
    let method = Method::parse(name).filter(|method| method.is_notification() && method.exists_in(era, offers));
    let Some(method) = method else { return Ok(None) };
    let subject = Subject::read(method, params, offers)?;
    Ok(Some(Envelope {
        method: Some(method),
        id: None,
        era,
        revision: Some(revision),
        body: write(method, None, params, &subject, Changed::default(), size),
        targets: subject.targets,
        headers: legacy_headers(head.header(VERSION_HEADER)),
        capabilities: None,
        answer: None,
    }))
}

/// In the legacy era one header is sent, if the client has sent it. A handshake may name what is no revision.
fn legacy_headers(version: Option<&str>) -> RoutingHeaders {
    let version = version.and_then(Revision::legacy).map(Revision::as_str);
    RoutingHeaders { version, ..RoutingHeaders::default() }
}

/// The message, written anew. `id` is JSON.
fn write(
    method: Method,
    id: Option<&str>,
    params: &Params<'_>,
    subject: &Subject<'_>,
    changed: Changed<'_>,
    size: usize,
) -> String {
    // Names without escapes and room for what the client may have left out.
    let mut body = String::with_capacity(size + 64);
    match id {
        Some(id) => body.extend([BEFORE_ID, id]),
        None => body.push_str("{\"jsonrpc\":\"2.0\""),
    }
    body.extend([",\"method\":\"", method.as_str(), "\""]);
    let rewritten = subject.rewritten.as_ref().map(|(name, json)| (*name, json.as_str()));
    params.write(&mut body, rewritten, changed);
    body.push('}');
    body
}
