//! `completion/complete` (MCP 2026-07-28, server/utilities/completion).

use std::{collections::BTreeMap, rc::Rc};

use futures_util::future::FutureExt;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Execution, Operation, OperationError, Started, check_uri};
use crate::{
    call::Call,
    input_required::finish::timed_out,
    primitives::{
        completion::{self, CompleteParams, Completers},
        connection::Declared,
    },
    result::{OperationResult, Success},
    stream::within,
};
use mcp_edge_identity::Requirements;
use mcp_edge_protocol::{
    error::{RpcError, echo},
    params::{is_empty_array, pick_members},
};

/// `params.ref`.
#[derive(Deserialize)]
struct Reference {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
    uri: Option<String>,
}

/// `params.argument`.
#[derive(Deserialize)]
struct Argument {
    name: String,
    value: String,
}

/// The arguments that are known already, `params.context.arguments`.
type Others = BTreeMap<String, Option<String>>;

/// The prompt or template that a completion is for.
struct Found<'c, E> {
    requirements: &'c Requirements,
    completers: Rc<Completers<E>>,
    arguments: Vec<&'c str>,
    connections: Declared,
}

/// Handles `completion/complete`.
pub(crate) fn handle<E: Clone + 'static>(operation: Operation<'_, E>) -> Started {
    Started::on(find(&operation), |found| complete(operation, &found))
}

fn find<'r, E>(operation: &Operation<'r, E>) -> Result<(Rc<str>, Found<'r, E>), RpcError> {
    let invalid = || RpcError::invalid_params("params.ref is invalid");
    let reference: Reference = read(operation.params.reference).ok_or_else(invalid)?;
    let catalog = operation.catalog;
    match (reference.kind.as_str(), &reference.name, &reference.uri) {
        ("ref/prompt", Some(name), _) => {
            let prompt = catalog.prompts.iter().find(|prompt| *prompt.name == **name);
            let prompt = prompt.ok_or_else(|| RpcError::invalid_params(format!("unknown prompt: {}", echo(name))))?;
            let arguments = prompt.arguments.iter().map(|argument| argument.name.as_str()).collect();
            let completers = Rc::clone(&prompt.completers);
            let (requirements, connections) = (&prompt.requirements, prompt.connections);
            Ok((Rc::clone(&prompt.name), Found { requirements, completers, arguments, connections }))
        }
        ("ref/resource", _, Some(uri)) => {
            check_uri(uri)?;
            let exact = catalog.templates.iter().find(|entry| *entry.uri_template == **uri);
            let entry = exact
                .or_else(|| catalog.templates.iter().find(|entry| entry.template.matches(uri).is_some()))
                .ok_or_else(|| RpcError::invalid_params(format!("unknown resource template: {}", echo(uri))))?;
            let (arguments, completers) = (entry.template.variables().collect(), Rc::clone(&entry.completers));
            let (requirements, connections) = (&entry.requirements, entry.connections);
            Ok((Rc::clone(&entry.uri_template), Found { requirements, completers, arguments, connections }))
        }
        _ => Err(RpcError::invalid_params("params.ref must name a prompt or a resource template")),
    }
}

fn complete<E: Clone + 'static>(
    operation: Operation<'_, E>,
    found: &Found<'_, E>,
) -> Result<Execution, OperationError> {
    let invalid = |what: &'static str| RpcError::invalid_params(what);
    let context = Rc::clone(&operation.context);
    found.requirements.check(&context.identity)?;
    let limit = operation.limits.handler_time;
    let reservation = operation.reserve(limit)?;
    let argument: Argument =
        read(operation.params.argument).ok_or_else(|| invalid("params.argument must have a name and a value"))?;
    let others = match operation.params.context {
        Some(raw) => read_context(raw).ok_or_else(|| invalid("params.context is invalid"))?,
        None => Others::new(),
    };
    if !found.arguments.contains(&argument.name.as_str()) {
        return Err(invalid("params.argument.name is not an argument of params.ref").into());
    }

    context.access.declare(found.connections, limit);
    let call = Call::new(operation.env, Rc::clone(&context));
    let others = others.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let typed = CompleteParams { value: argument.value, others };
    let completers = Rc::clone(&found.completers);
    let work = async move {
        let values = match completers.get(&argument.name) {
            Some(completer) => within(limit, &context.services.runtime, completer(call, typed)).await,
            None => Some(Vec::new()),
        };
        drop(reservation);
        match values {
            Some(values) => OperationResult::Complete(Success::of(completion::members(&values))),
            None => timed_out(limit),
        }
    };
    Ok(Execution::Running(work.boxed_local()))
}

fn read_context(raw: &RawValue) -> Option<Others> {
    let [arguments] = pick_members(raw.get(), &["arguments"]).ok()?;
    match arguments.filter(|raw| !is_empty_array(raw.get())) {
        Some(arguments) => read(Some(arguments)),
        None => Some(Others::new()),
    }
}

fn read<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}
