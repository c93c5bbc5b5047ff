//! How a handler has ended: its result, its failure or its questions, as the outcome of the request.
//!
//! What the caller reads and what only the operator reads part ways here, and nowhere else.

use std::time::Duration;

use serde_json::Value;

use crate::{
    call::Context,
    client::Capability,
    input_required::{
        inputs::Cause,
        request_state::{Binding, State},
    },
    primitives::{
        error::{Failure, ToolError},
        tool_result::ToolResult,
    },
    result::{OperationResult, Success},
    schema::value,
};
use mcp_edge_protocol::{
    error::{Reason, RpcError},
    revision::Era,
};
use mcp_edge_runtime::json::{Object, to_json};

/// What a handler was called for.
pub(crate) struct Target {
    pub method: &'static str,
    /// The name of the tool or prompt, or the URI.
    pub name: String,
    /// JSON, for those who can be asked back. The handler has the values, and keeps as many of them as it wants.
    pub arguments: String,
}

impl Target {
    fn binding(&self) -> Binding {
        let arguments = read_values(&self.arguments).unwrap_or_default();
        Binding { method: self.method, name: self.name.clone(), arguments }
    }
}

/// Turns arguments into values.
pub(crate) fn read_values(json: &str) -> serde_json::Result<Value> {
    let mut values = serde_json::from_str(json)?;
    value::normalise(&mut values);
    Ok(values)
}

/// How a tool has ended.
pub(crate) fn finish_tool(
    result: Result<ToolResult, ToolError>,
    context: &Context,
    target: &Target,
) -> OperationResult {
    match result {
        Ok(result) => tool_result(&result, context.revision.era()),
        Err(ToolError(Failure::Visible(text) | Failure::InvalidArgument(text))) => tool_failure(&text),
        Err(ToolError(Failure::NotFound)) => tool_failure("resource not found"),
        Err(ToolError(Failure::Internal(detail))) => {
            (context.services.report)(&format!("{} {}: {detail}", target.method, target.name));
            tool_failure(&format!("internal error; it is in the server's log under {}", context.request_id))
        }
        Err(ToolError(Failure::InputRequired(why))) => match why {
            Cause::Legacy | Cause::Refused { .. } => tool_failure(&why.to_string()),
            why => interrupted(why, context, target),
        },
    }
}

fn tool_result(result: &ToolResult, era: Era) -> OperationResult {
    let meta = result.meta.iter().fold(Object::new(), |object, (name, value)| object.entry(name, &to_json(value)));
    let failed = result.is_error();
    OperationResult::Complete(Success { members: result.members(era), meta, cache: None, failed })
}

/// A failure for the model to read.
pub(crate) fn tool_failure(text: &str) -> OperationResult {
    tool_result(&ToolResult::new().content(text).failed(), Era::Modern)
}

/// A tool has used up its time.
pub(crate) fn timeout_error(limit: Duration) -> ToolError {
    ToolError::new(format!("gave up after {} seconds", limit.as_secs()))
}

/// A handler that is no tool has used up its time.
pub(crate) fn timed_out(limit: Duration) -> OperationResult {
    RpcError::new(Reason::Internal, format!("gave up after {} seconds", limit.as_secs())).into()
}

/// The result of a resource or a prompt that failed.
pub(crate) fn give_up(failure: Failure, context: &Context, target: &Target) -> OperationResult {
    match failure {
        Failure::Visible(text) => RpcError::new(Reason::Internal, text).into(),
        Failure::InvalidArgument(text) => RpcError::invalid_params(text).into(),
        Failure::NotFound => not_found(&target.name).into(),
        Failure::Internal(detail) => {
            (context.services.report)(&format!("{} {}: {detail}", target.method, target.name));
            internal(context).into()
        }
        Failure::InputRequired(why) => match why {
            Cause::Legacy | Cause::Refused { .. } => RpcError::new(Reason::Internal, why.to_string()).into(),
            why => interrupted(why, context, target),
        },
    }
}

fn internal(context: &Context) -> RpcError {
    let text = format!("internal error; it is in the server's log under {}", context.request_id);
    RpcError::new(Reason::Internal, text)
}

/// No resource has this URI.
pub(crate) fn not_found(uri: &str) -> RpcError {
    RpcError::new(Reason::ResourceNotFound, "resource not found").with_data(&Object::new().text("uri", uri))
}

/// The client has not declared what the call needs.
pub(crate) fn missing_capability(capability: Capability) -> RpcError {
    let data = Object::new().raw("requiredCapabilities", capability.to_json());
    RpcError::new(Reason::MissingCapability, "a client capability that this needs was not declared").with_data(&data)
}

/// A handler left through a question.
fn interrupted(why: Cause, context: &Context, target: &Target) -> OperationResult {
    match why {
        Cause::Outstanding => ask(context, target),
        Cause::Incapable(capability) => missing_capability(capability).into(),
        Cause::Malformed(problem) => RpcError::invalid_params(problem).into(),
        Cause::Misuse(problem) => {
            (context.services.report)(&format!("{} {}: {problem}", target.method, target.name));
            internal(context).into()
        }
        Cause::Legacy | Cause::Refused { .. } => RpcError::new(Reason::Internal, why.to_string()).into(),
    }
}

/// The questions that are outstanding, and what must be known when they are answered.
///
/// With a key, state goes along even if there is nothing to remember: a client that brings it back has its answers
/// counted for this request of this caller only, and within the time. It proves no more than that. Answers that come
/// without state are taken, too, whether anybody was asked or not: the official conformance suite sends them with its
/// first request, and what they say is the client's word in either case. Without a key, a first round still works.
fn ask(context: &Context, target: &Target) -> OperationResult {
    let mut inputs = context.inputs.borrow_mut();
    let members = Object::new().raw("inputRequests", &inputs.requests());
    let used = std::mem::take(&mut inputs.used);
    let mut notes = std::mem::take(&mut inputs.recalled);
    notes.extend(std::mem::take(&mut inputs.notes));
    let Some(key) = &context.services.state_key else {
        if used.is_empty() && notes.is_empty() {
            return OperationResult::InputRequired(members);
        }
        let problem = "asking in several rounds needs a state key, and none is set";
        (context.services.report)(&format!("{} {}: {problem}", target.method, target.name));
        return internal(context).into();
    };
    let state = State::new(used, notes, context.now);
    match state.seal(key, &*context.services.runtime, &context.identity, &target.binding()) {
        Ok(sealed) => OperationResult::InputRequired(members.text("requestState", &sealed)),
        Err(error) => {
            (context.services.report)(&format!("{} {}: {error}", target.method, target.name));
            internal(context).into()
        }
    }
}
