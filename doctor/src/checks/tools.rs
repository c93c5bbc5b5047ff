//! The tool lists of both eras: whether they agree, and whether clients can use and describe the tools.

use std::collections::BTreeSet;

use serde_json::Value;

use super::mcp_result::{listed_tools, name_of, require_tools};
use crate::{
    check::{Check, Section},
    clients::Client,
    mcp::Era,
    outcome::{CheckResult, Outcome},
    quote::examples,
    record::Record,
};

pub(super) const CHECKS: &[Check] = &[TOOLS];

/// ChatGPT's directory requires all three. Claude's requires fewer.
const HINTS: [&str; 3] = ["readOnlyHint", "destructiveHint", "openWorldHint"];

const TOOLS: Check = Check {
    slug: "tools",
    section: Section::Protocol,
    title: "Every tool has a description, a valid schema and annotations",
    why: "After an invalid schema, clients drop the tool or the whole list. They treat a tool without annotations as \
          destructive, and directories do not list it.",
    fix: "Give each tool a description, an object as inputSchema, and the annotations readOnlyHint, destructiveHint and \
          openWorldHint.",
    affects: &[Client::Claude, Client::ChatGpt],
    run: tools,
};

fn tools(record: &Record) -> CheckResult {
    let tools = require_tools(record)?;
    if let (Some(legacy), Some(modern)) = (listed_tools(record, Era::Legacy), listed_tools(record, Era::Modern))
        && names(legacy) != names(modern)
    {
        return Ok(Outcome::warning("the two eras list different tools")
            .fix("Offer the same tools in both eras: users do not choose the era of their client."));
    }
    if tools.is_empty() {
        return Ok(Outcome::warning("the server lists no tools for this token").affects(Client::ALL).fix(
            "If the server hides tools whose scope the token lacks, get a token with that scope. Otherwise register \
             tools.",
        ));
    }
    let is_invalid = |tool: &&Value| tool["inputSchema"]["type"] != "object" || !tool["name"].is_string();
    let invalid: Vec<_> = tools.iter().filter(is_invalid).map(name_of).collect();
    if let Some((first, rest)) = invalid.split_first() {
        let others = if rest.is_empty() { String::new() } else { format!(" (and {} more)", rest.len()) };
        let observed = format!("tool {first} has no inputSchema of type object{others}");
        return Ok(Outcome::failure(observed).affects(Client::ALL));
    }
    let having = |problem: fn(&Value) -> bool| tools.iter().filter(move |tool| problem(tool)).map(name_of);
    let problems: [(_, Vec<String>); 2] = [
        ("no description", having(|tool| tool["description"].as_str().is_none_or(|it| it.trim().is_empty())).collect()),
        ("no annotations (readOnlyHint, destructiveHint, openWorldHint)", having(|tool| !has_hints(tool)).collect()),
    ];
    Ok(match problems.into_iter().find(|(_, tools)| !tools.is_empty()) {
        Some((problem, tools)) => Outcome::warning(format!("tools with {problem}: {}", examples(&tools))),
        None => Outcome::ok(examples(&names(tools).into_iter().map(str::to_owned).collect::<Vec<_>>())),
    })
}

fn names(tools: &[Value]) -> BTreeSet<&str> {
    tools.iter().filter_map(|tool| tool["name"].as_str()).collect()
}

fn has_hints(tool: &Value) -> bool {
    HINTS.iter().all(|hint| tool["annotations"][*hint].is_boolean())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        outcome::Verdict::{Failure, Warning},
        probe::Probe,
        testing::{Change, expect, tool},
    };

    #[test]
    fn tools_must_be_usable_and_described() {
        expect(&TOOLS, Failure, "\"whoami\" has no inputSchema", tool(|it| drop(it.remove("inputSchema"))));
        expect(&TOOLS, Warning, "no description: \"whoami\"", tool(|it| drop(it.remove("description"))));
        expect(&TOOLS, Warning, "no annotations", tool(|it| drop(it.remove("annotations"))));
        expect(&TOOLS, Warning, "no annotations", {
            tool(|it| it["annotations"] = json!({ "readOnlyHint": false, "openWorldHint": true }))
        });
        expect(&TOOLS, Warning, "no description", tool(|it| it["description"] = json!(" ")));
    }

    #[test]
    fn both_eras_must_list_the_same_tools_and_at_least_one() {
        expect(&TOOLS, Warning, "different tools", |record| {
            record.edit(Probe::ModernTools, |it| it["result"]["tools"] = json!([]));
        });
        expect(&TOOLS, Warning, "no tools for this token", |record| {
            record.edit(Probe::LegacyTools, |it| it["result"]["tools"] = json!([]));
            record.edit(Probe::ModernTools, |it| it["result"]["tools"] = json!([]));
        });
    }
}
