//! `prompts/list` and `prompts/get` (MCP 2026-07-28, server/prompts).

use std::rc::Rc;

use futures_util::future::FutureExt;
use serde_json::Value;

use super::{Execution, Operation, OperationError, Started, list, required};
use crate::{
    call::Call,
    input_required::{
        finish::{give_up, timed_out},
        request_state::Binding,
    },
    primitives::prompt::PromptEntry,
    result::{OperationResult, Success},
    stream::within,
};
use mcp_edge_protocol::{
    error::{RpcError, echo},
    method::Method,
};

/// Handles the methods of prompts.
pub(crate) fn handle<E: Clone + 'static>(operation: Operation<'_, E>) -> Started {
    if operation.method == Method::PromptsList {
        let items = operation.catalog.prompts.iter().map(|prompt| list::Item {
            key: &prompt.name,
            json: &prompt.listed,
            requirements: &prompt.requirements,
            is_left: true,
        });
        return list::respond(&operation, "prompts", &items.collect::<Vec<_>>());
    }
    Started::on(find(&operation), |(name, prompt)| get(operation, name, prompt))
}

#[allow(clippy::type_complexity, reason = "taken apart where it is made")]
fn find<E>(operation: &Operation<'_, E>) -> Result<(Rc<str>, (String, Rc<PromptEntry<E>>)), RpcError> {
    let name = required(operation.params.name, "name")?;
    match operation.catalog.prompts.iter().find(|prompt| *prompt.name == *name) {
        Some(prompt) => Ok((Rc::clone(&prompt.name), (name, Rc::clone(prompt)))),
        None => Err(RpcError::invalid_params(format!("unknown prompt: {}", echo(&name)))),
    }
}

fn get<E: Clone + 'static>(
    operation: Operation<'_, E>,
    name: String,
    prompt: Rc<PromptEntry<E>>,
) -> Result<Execution, OperationError> {
    let context = Rc::clone(&operation.context);
    prompt.requirements.check(&context.identity)?;
    let limit = operation.limits.handler_time;
    let reservation = operation.reserve(limit)?;
    let arguments = operation.arguments()?;
    check_arguments(&prompt, &arguments)?;
    let binding = Binding { method: operation.method.as_str(), name, arguments };
    operation.read_inputs(&binding)?;

    let Binding { name, mut arguments, .. } = binding;
    if let Some(members) = arguments.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    let target = operation.target(name, operation.params.arguments);
    context.access.declare(prompt.connections, limit);
    let call = Call::new(operation.env, Rc::clone(&context));
    let work = async move {
        let writing = (prompt.run)(call, arguments);
        let result = within(limit, &context.services.runtime, writing).await;
        drop(reservation);
        match result {
            Some(Ok(result)) => OperationResult::Complete(Success::of(result.members())),
            Some(Err(error)) => give_up(error.0, &context, &target),
            None => timed_out(limit),
        }
    };
    Ok(Execution::Running(work.boxed_local()))
}

/// Prompt arguments are strings, and those that are required are there. `null` counts as absent.
fn check_arguments<E>(prompt: &PromptEntry<E>, arguments: &Value) -> Result<(), RpcError> {
    let members = arguments.as_object().into_iter().flatten();
    if let Some((name, _)) = members.into_iter().find(|(_, value)| !value.is_string() && !value.is_null()) {
        return Err(RpcError::invalid_params(format!("argument {} must be a string", echo(name))));
    }
    let missing =
        prompt.arguments.iter().find(|known| known.required && arguments.get(&known.name).is_none_or(Value::is_null));
    match missing {
        Some(argument) => Err(RpcError::invalid_params(format!("argument {} is missing", argument.name))),
        None => Ok(()),
    }
}
