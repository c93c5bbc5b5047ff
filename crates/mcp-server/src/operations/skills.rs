//! `skills/list` and `skills/get` (MCP Skills extension, SEP-2640). The files themselves are read as resources.

use std::rc::Rc;

use mcp_edge_protocol::{error::RpcError, method::Method};

use super::{Execution, Operation, OperationError, Started, check_uri, list, members, required};
use crate::{
    primitives::{resource::Cache, skill::SkillEntry},
    result::{OperationResult, Success},
};

/// Handles the methods of skills.
#[allow(clippy::needless_pass_by_value, reason = "the form of all handlers")]
pub(crate) fn handle<E>(operation: Operation<'_, E>) -> Started {
    if operation.method == Method::SkillsList {
        let items = operation.catalog.skills.iter().map(|skill| list::Item {
            key: &skill.uri,
            json: skill.json,
            requirements: &skill.requirements,
            is_left: true,
        });
        return list::respond(&operation, "skills", &items.collect::<Vec<_>>());
    }
    Started::on(find(&operation), |skill| get(&operation, skill))
}

fn find<'r, E>(operation: &Operation<'r, E>) -> Result<(Rc<str>, &'r SkillEntry), RpcError> {
    let uri = required(operation.params.uri, "uri")?;
    check_uri(&uri)?;
    let found = operation.catalog.skills.iter().find(|skill| *skill.uri == *uri);
    let unknown =
        || RpcError::invalid_params("there is no skill with this URI; skills/list names those that there are");
    found.map(|skill| (Rc::clone(&skill.uri), skill)).ok_or_else(unknown)
}

fn get<E>(operation: &Operation<'_, E>, skill: &SkillEntry) -> Result<Execution, OperationError> {
    skill.requirements.check(&operation.context.identity)?;
    let cache = Cache { ttl: operation.catalog.list_ttl, public: skill.requirements.is_open() };
    Ok(Execution::Complete(OperationResult::Complete(Success::cached(members("skill", skill.json), cache))))
}
