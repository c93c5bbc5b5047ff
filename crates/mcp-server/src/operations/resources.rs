//! `resources/list`, `resources/templates/list` and `resources/read` (MCP 2026-07-28, server/resources).

use std::rc::Rc;

use futures_util::future::FutureExt;
use mcp_edge_runtime::json::array;
use serde_json::Value;

use super::{Execution, Operation, OperationError, Started, check_uri, list, members, no_arguments, required};
use crate::{
    call::Call,
    input_required::{
        finish::{give_up, not_found, timed_out},
        request_state::Binding,
    },
    primitives::{
        connection::Declared,
        content::ResourceContents,
        resource::{Cache, Reader, variables},
    },
    result::{OperationResult, Success},
    stream::within,
};
use mcp_edge_identity::Requirements;
use mcp_edge_protocol::{error::RpcError, method::Method};

/// A resource that was found, or made of a template.
struct Found<'c, E> {
    uri: String,
    requirements: &'c Requirements,
    cache: Cache,
    read: Rc<Reader<E>>,
    connections: Declared,
    /// The variables of the template.
    matched: Value,
}

/// Handles the methods of resources.
pub(crate) fn handle<E: Clone + 'static>(operation: Operation<'_, E>) -> Started {
    let catalog = operation.catalog;
    match operation.method {
        Method::ResourcesList => {
            // Of a skill only its `SKILL.md` is listed: its entry names the other files.
            let listed = catalog.resources.iter().filter(|resource| !resource.listed.is_empty());
            let items = listed.map(|resource| list::Item {
                key: &resource.uri,
                json: &resource.listed,
                requirements: &resource.requirements,
                is_left: true,
            });
            list::respond(&operation, "resources", &items.collect::<Vec<_>>())
        }
        Method::TemplatesList => {
            let items = catalog.templates.iter().map(|template| list::Item {
                key: &template.uri_template,
                json: &template.listed,
                requirements: &template.requirements,
                is_left: true,
            });
            list::respond(&operation, "resourceTemplates", &items.collect::<Vec<_>>())
        }
        _ => Started::on(find(&operation), |found| read(operation, found)),
    }
}

fn find<'r, E>(operation: &Operation<'r, E>) -> Result<(Rc<str>, Found<'r, E>), RpcError> {
    let uri = required(operation.params.uri, "uri")?;
    check_uri(&uri)?;
    let catalog = operation.catalog;
    if let Some(resource) = catalog.resources.iter().find(|resource| *resource.uri == *uri) {
        let (requirements, cache, read) = (&resource.requirements, resource.cache, Rc::clone(&resource.read));
        let (connections, matched) = (resource.connections, no_arguments());
        return Ok((Rc::clone(&resource.uri), Found { uri, requirements, cache, read, connections, matched }));
    }
    let matching = catalog.templates.iter().find_map(|entry| Some((entry, entry.template.matches(&uri)?)));
    let Some((entry, matched)) = matching else { return Err(not_found(&uri)) };
    let (requirements, cache, read) = (&entry.requirements, entry.cache, Rc::clone(&entry.read));
    let (connections, matched) = (entry.connections, variables(matched));
    Ok((Rc::clone(&entry.uri_template), Found { uri, requirements, cache, read, connections, matched }))
}

fn read<E: Clone + 'static>(operation: Operation<'_, E>, found: Found<'_, E>) -> Result<Execution, OperationError> {
    let Found { uri, requirements, cache, read, connections, matched } = found;
    let context = Rc::clone(&operation.context);
    requirements.check(&context.identity)?;
    let limit = operation.limits.handler_time;
    let reservation = operation.reserve(limit)?;
    let binding = Binding { method: operation.method.as_str(), name: uri, arguments: no_arguments() };
    operation.read_inputs(&binding)?;

    let target = operation.target(binding.name, None);
    context.access.declare(connections, limit);
    let call = Call::new(operation.env, Rc::clone(&context));
    let work = async move {
        let reading = read(call, &target.name, matched);
        let result = within(limit, &context.services.runtime, reading).await;
        drop(reservation);
        match result {
            Some(Ok(contents)) => {
                let contents = array(contents.iter().map(ResourceContents::to_json));
                OperationResult::Complete(Success::cached(members("contents", &contents), cache))
            }
            Some(Err(error)) => give_up(error.0, &context, &target),
            None => timed_out(limit),
        }
    };
    Ok(Execution::Running(work.boxed_local()))
}
