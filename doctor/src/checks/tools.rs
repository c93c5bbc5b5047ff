//! The tool lists of both eras: whether they agree, and whether clients can use and describe the tools.

use std::collections::BTreeSet;

use serde_json::Value;

use super::mcp_result::{listed_tools, require_authorized};
use crate::{
    check::{Check, Section},
    clients::Client,
    outcome::{CheckResult, Outcome, Skip},
    probe::Probe,
    quote::quote,
    record::Record,
};

pub(super) const CHECKS: &[Check] = &[TOOLS];

/// The longest name of a tool in Claude's directory, in characters.
const MAX_NAME_CHARS: usize = 64;

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
    require_authorized(record, Probe::LegacyInitialize)?;
    let lists = (listed_tools(record, Probe::LegacyTools), listed_tools(record, Probe::ModernTools));
    let tools = match &lists {
        (Some(legacy), Some(modern)) if names(legacy) != names(modern) => {
            return Ok(Outcome::warning("the two eras list different tools")
                .fix("Offer the same tools in both eras: users do not choose the era of their client."));
        }
        (Some(tools), _) | (None, Some(tools)) => tools,
        (None, None) => return Err(Skip::new("there is no tool list (see legacy and modern)")),
    };
    if tools.is_empty() {
        return Ok(Outcome::warning("the server lists no tools for this token").affects(Client::ALL).fix(
            "If the server hides tools whose scope the token lacks, get a token with that scope. Otherwise register \
             tools.",
        ));
    }
    let name = |tool: &Value| tool["name"].as_str().map_or_else(|| "without a name".to_owned(), quote);
    let is_invalid = |tool: &&Value| tool["inputSchema"]["type"] != "object" || !tool["name"].is_string();
    if let Some(tool) = tools.iter().find(is_invalid) {
        let observed = format!("tool {} has no inputSchema of type object", name(tool));
        return Ok(Outcome::failure(observed).affects(Client::ALL));
    }
    let having = |problem: fn(&Value) -> bool| tools.iter().filter(move |tool| problem(tool)).map(name);
    let problems: [(_, Vec<String>); 3] = [
        ("no description", having(|tool| tool["description"].as_str().is_none_or(str::is_empty)).collect()),
        ("no annotations (readOnlyHint, destructiveHint, openWorldHint)", having(|tool| !has_hints(tool)).collect()),
        ("a name that is longer than Claude's directory allows", having(has_long_name).collect()),
    ];
    Ok(match problems.into_iter().find(|(_, tools)| !tools.is_empty()) {
        Some((problem, tools)) => Outcome::warning(format!("tools with {problem}: {}", tools.join(", "))),
        None => Outcome::ok(names(tools).into_iter().collect::<Vec<_>>().join(", ")),
    })
}

fn names(tools: &[Value]) -> BTreeSet<&str> {
    tools.iter().filter_map(|tool| tool["name"].as_str()).collect()
}

fn has_hints(tool: &Value) -> bool {
    HINTS.iter().all(|hint| tool["annotations"][*hint].is_boolean())
}

fn has_long_name(tool: &Value) -> bool {
    tool["name"].as_str().is_some_and(|name| name.chars().count() > MAX_NAME_CHARS)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::{
        outcome::Verdict::{Failure, Warning},
        testing::{Change, expect},
    };

    /// Changes the only tool in both eras.
    fn tool(change: impl Fn(&mut Map<String, Value>)) -> impl FnOnce(&mut Record) {
        move |record| {
            for probe in [Probe::LegacyTools, Probe::ModernTools] {
                record.edit(probe, |message| change(message["result"]["tools"][0].as_object_mut().unwrap()));
            }
        }
    }

    #[test]
    fn tools_must_be_usable_and_described() {
        expect(&TOOLS, Failure, "\"whoami\" has no inputSchema", tool(|it| drop(it.remove("inputSchema"))));
        expect(&TOOLS, Warning, "no description: \"whoami\"", tool(|it| drop(it.remove("description"))));
        expect(&TOOLS, Warning, "no annotations", tool(|it| drop(it.remove("annotations"))));
        expect(&TOOLS, Warning, "no annotations", {
            tool(|it| it["annotations"] = json!({ "readOnlyHint": false, "openWorldHint": true }))
        });
        expect(&TOOLS, Warning, "longer than", tool(|it| it["name"] = json!("x".repeat(65))));
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
