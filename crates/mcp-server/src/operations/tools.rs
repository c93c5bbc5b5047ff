//! `tools/list` and `tools/call` (MCP 2026-07-28, server/tools).

use std::rc::Rc;

use futures_util::future::FutureExt;

use super::{Execution, Operation, OperationError, Started, list, required};
use crate::{
    call::Call,
    input_required::{
        finish::{finish_tool, missing_capability, timeout_error, tool_failure},
        inputs::Cause,
        request_state::Binding,
    },
    primitives::tool::ToolEntry,
    stream::within,
};
use mcp_edge_protocol::{
    error::{RpcError, echo},
    headers::check_parameters,
    method::Method,
    revision::Era,
};

/// Handles the methods of tools.
pub(crate) fn handle<E: Clone + 'static>(operation: Operation<'_, E>) -> Started {
    if operation.method == Method::ToolsList {
        let identity = &operation.context.identity;
        let items = operation.catalog.tools.iter().map(|tool| list::Item {
            key: &tool.name,
            json: &tool.listed,
            requirements: &tool.requirements,
            is_left: identity.may_call(&tool.name),
        });
        return list::respond(&operation, "tools", &items.collect::<Vec<_>>());
    }
    Started::on(find(&operation), |(name, tool)| call(operation, name, tool))
}

#[allow(clippy::type_complexity, reason = "taken apart where it is made")]
fn find<E>(operation: &Operation<'_, E>) -> Result<(Rc<str>, (String, Rc<ToolEntry<E>>)), RpcError> {
    let name = required(operation.params.name, "name")?;
    match operation.catalog.tools.iter().find(|tool| *tool.name == *name) {
        Some(tool) => Ok((Rc::clone(&tool.name), (name, Rc::clone(tool)))),
        None => Err(RpcError::invalid_params(format!("unknown tool: {}", echo(&name)))),
    }
}

fn call<E: Clone + 'static>(
    operation: Operation<'_, E>,
    name: String,
    tool: Rc<ToolEntry<E>>,
) -> Result<Execution, OperationError> {
    let context = Rc::clone(&operation.context);
    let era = operation.era();
    let lacking = tool.needs.iter().find(|capability| !context.capabilities.has(**capability));
    if let Some(capability) = lacking.filter(|_| era == Era::Modern) {
        return Err(missing_capability(*capability).into());
    }
    tool.requirements.check_tool(&tool.name, &context.identity)?;
    let limit = tool.time.unwrap_or(operation.limits.handler_time);
    let reservation = operation.reserve(limit)?;
    let arguments = operation.arguments()?;
    if era == Era::Modern {
        check_parameters(operation.head, &tool.parameters, &arguments)?;
    }
    let binding = Binding { method: operation.method.as_str(), name, arguments };
    operation.read_inputs(&binding)?;

    let fail = |text: String| Ok(Execution::Complete(tool_failure(&text)));
    if lacking.is_some() {
        return fail(Cause::Legacy.to_string());
    }
    // After the inputs of earlier rounds, which are bound to the arguments as they were sent.
    let Binding { name, mut arguments, .. } = binding;
    if let Some((check, schema)) = &tool.check {
        let problems = check(schema, &mut arguments, "arguments");
        if !problems.is_empty() {
            return fail(format!("The arguments do not fit.\n{}", problems.join("\n")));
        }
    }
    let target = operation.target(name, operation.params.arguments);
    context.access.declare(tool.connections, limit);
    let call = Call::new(operation.env, Rc::clone(&context));
    let work = async move {
        let running = (tool.run)(call, arguments);
        let result = within(limit, &context.services.runtime, running).await;
        drop(reservation);
        finish_tool(result.unwrap_or_else(|| Err(timeout_error(limit))), &context, &target)
    };
    Ok(Execution::Running(work.boxed_local()))
}
