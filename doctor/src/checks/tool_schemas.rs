//! The schemas of all tools, and an outcome that names where in them something was found.

use serde_json::Value;

use super::{
    mcp_result::name_of,
    subschemas::{Subschema, Subschemas},
};
use crate::{outcome::Outcome, quote::examples};

/// A schema of a tool.
pub(super) struct ToolSchema<'a> {
    /// The tool's name, quoted.
    tool: String,
    /// The member of the tool that holds the schema.
    member: &'static str,
    /// The schema: an object.
    pub schema: &'a Value,
}

impl ToolSchema<'_> {
    /// A place in this schema, for people: `"add" (inputSchema.properties.a)`.
    pub(super) fn at(&self, place: &str) -> String {
        let member = self.member;
        if place.is_empty() { format!("{} ({member})", self.tool) } else { format!("{} ({member}.{place})", self.tool) }
    }
}

pub(super) fn inputs(tools: &[Value]) -> Vec<ToolSchema<'_>> {
    members(tools, &["inputSchema"])
}

pub(super) fn inputs_and_outputs(tools: &[Value]) -> Vec<ToolSchema<'_>> {
    members(tools, &["inputSchema", "outputSchema"])
}

/// Schemas that are objects. Others are reported by `tools` and `output_schema`.
fn members<'a>(tools: &'a [Value], names: &[&'static str]) -> Vec<ToolSchema<'a>> {
    let of_tool = |tool: &'a Value| {
        let schemas =
            names.iter().map(move |member| (*member, &tool[*member])).filter(|(_, schema)| schema.is_object());
        schemas.map(|(member, schema)| ToolSchema { tool: name_of(tool), member, schema })
    };
    tools.iter().flat_map(of_tool).collect()
}

/// The first place of each schema at which the predicate holds.
pub(super) fn places(schemas: &[ToolSchema<'_>], is_wrong: impl Fn(&Subschema<'_>) -> bool) -> Vec<String> {
    let first = |it: &ToolSchema<'_>| {
        let all = Subschemas::of(it.schema);
        let found = all.iter().find(|subschema| is_wrong(subschema))?;
        Some(it.at(&all.place(found)))
    };
    schemas.iter().filter_map(first).collect()
}

/// A warning that names the first places, or `fine` without any.
pub(super) fn verdict(problem: &str, found: &[String], fine: &str) -> Outcome {
    if found.is_empty() { Outcome::ok(fine) } else { Outcome::warning(format!("{problem}: {}", examples(found))) }
}
