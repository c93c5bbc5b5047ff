//! The entries of a server's lists: names that clients accept, and strings that clients show.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::mcp_result::{describe_no_list, name_of, require_authorized, require_tools};
use crate::{
    check::{Check, Section},
    clients::Client,
    mcp::{Era, List},
    outcome::{CheckResult, Outcome, Skip},
    pages,
    probe::Probe,
    quote::{examples, quote},
    record::Record,
};

pub(super) const CHECKS: &[Check] = &[TOOL_NAMES, TOOL_TITLES, PROMPTS, RESOURCES];

/// The longest name that the APIs of Anthropic and OpenAI accept, in characters.
const MAX_NAME_CHARS: usize = 64;

/// The longest description that OpenAI's API accepts, in characters.
const MAX_DESCRIPTION_CHARS: usize = 1024;

/// Claude Code cuts descriptions off here, in characters.
const SHOWN_DESCRIPTION_CHARS: usize = 2048;

const TOOL_NAMES: Check = Check {
    slug: "tool_names",
    section: Section::Protocol,
    title: "Tool names are unique and consist of 1 to 64 of A-Z, a-z, 0-9, _ and -",
    why: "These are the names that the APIs of Anthropic and OpenAI accept. They reject a conversation with other names, or \
          with two tools of one name. Cursor drops tools whose name is longer than 60 characters together with that of the \
          server.",
    fix: "Rename the tools, and list each of them once.",
    affects: &[Client::Claude, Client::ClaudeCode, Client::ChatGpt, Client::Cursor, Client::Codex],
    run: tool_names,
};

fn tool_names(record: &Record) -> CheckResult {
    let tools = require_tools(record)?;
    let duplicates = duplicates(tools, "name");
    if !duplicates.is_empty() {
        return Ok(Outcome::failure(format!("tools that are listed more than once: {}", examples(&duplicates)))
            .affects([Client::Claude, Client::ClaudeCode]));
    }
    let is_allowed = |name: &str| {
        (1..=MAX_NAME_CHARS).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    let is_wrong = |tool: &&Value| tool["name"].as_str().is_some_and(|name| !is_allowed(name));
    let wrong: Vec<_> = tools.iter().filter(is_wrong).map(name_of).collect();
    Ok(if wrong.is_empty() {
        Outcome::ok("every name is unique and allowed")
    } else {
        Outcome::warning(format!(
            "names that are empty, longer than 64 characters, or have other characters: {}",
            examples(&wrong)
        ))
    })
}

/// The strings of a member that several entries have, quoted.
fn duplicates(entries: &[Value], member: &str) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for text in entries.iter().filter_map(|entry| entry[member].as_str()) {
        *counts.entry(text).or_default() += 1;
    }
    counts
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .map(|(text, count)| format!("{} ({count} times)", quote(text)))
        .collect()
}

const TOOL_TITLES: Check = Check {
    slug: "tool_titles",
    section: Section::Protocol,
    title: "Every tool has a title in its annotations, and a description that fits into clients",
    why: "Claude's directory requires annotations.title and does not look at the title beside it. OpenAI's API rejects \
          descriptions of more than 1,024 characters, and Claude Code cuts them off after 2,048.",
    fix: "Set annotations.title, and put long explanations into the server's instructions or into the descriptions of the \
          arguments.",
    affects: &[Client::Claude],
    run: tool_titles,
};

fn tool_titles(record: &Record) -> CheckResult {
    let tools = require_tools(record)?;
    let chars = |tool: &Value| tool["description"].as_str().map_or(0, |text| text.chars().count());
    let long: Vec<_> = tools.iter().filter(|tool| chars(tool) > MAX_DESCRIPTION_CHARS).collect();
    if !long.is_empty() {
        let named: Vec<_> = long.iter().map(|tool| format!("{} ({} characters)", name_of(tool), chars(tool))).collect();
        let is_cut = long.iter().any(|tool| chars(tool) > SHOWN_DESCRIPTION_CHARS);
        let affected = [Client::ChatGpt, Client::SdkApp].into_iter().chain(is_cut.then_some(Client::ClaudeCode));
        return Ok(Outcome::warning(format!("long descriptions: {}", examples(&named))).affects(affected));
    }
    let has_title = |tool: &Value| tool["annotations"]["title"].as_str().is_some_and(|title| !title.trim().is_empty());
    let untitled: Vec<_> = tools.iter().filter(|tool| !has_title(tool)).map(name_of).collect();
    Ok(if untitled.is_empty() {
        Outcome::ok("every tool has a title and a description that fits")
    } else {
        Outcome::warning(format!("tools without annotations.title: {}", examples(&untitled)))
    })
}

/// The entries of a list that the server announces, in whichever era they were requested; the inner `Err` is the outcome
/// without them.
fn announced(record: &Record, list: List) -> Result<Result<&[Value], Outcome>, Skip> {
    if Era::ALL.into_iter().all(|era| record.handshake(era).is_none()) {
        return Err(Skip::new("the server announces nothing (see legacy and modern)"));
    }
    let capability = list.capability();
    let mut announcing = Era::ALL.into_iter().filter(|era| record.announces(*era, list)).peekable();
    if announcing.peek().is_none() {
        return Ok(Err(Outcome::ok(format!("the server announces no {capability}"))));
    }
    let mut cause = None;
    for era in announcing {
        if let Some(pages) = record.pages(era, list) {
            return Ok(Ok(&pages.entries));
        }
        cause = cause.or_else(|| record.result(pages::probe(era, list, 1)));
    }
    let method = list.method();
    let cause = cause.ok_or_else(|| Skip::new(format!("{method} was not sent")))?;
    let cause = describe_no_list(cause, list);
    Ok(Err(Outcome::warning(format!("{method} returns no list ({cause}), although the server announces {capability}"))))
}

/// Entries whose member is not a non-empty string, by their place in the list.
fn without(entries: &[Value], member: &str) -> Vec<String> {
    let lacks = |entry: &Value| entry[member].as_str().is_none_or(str::is_empty);
    entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| lacks(entry))
        .map(|(index, _)| format!("entry {}", index + 1))
        .collect()
}

const PROMPTS: Check = Check {
    slug: "prompts",
    section: Section::Protocol,
    title: "Every prompt has a name of its own, and named arguments",
    why: "Clients that validate the list lose all prompts because of one; some give up on the server.",
    fix: "Return an array of prompts, each with a unique name; arguments is an array of objects with a name.",
    affects: &[Client::ClaudeCode, Client::Inspector, Client::SdkApp, Client::WebPage],
    run: prompts,
};

fn prompts(record: &Record) -> CheckResult {
    require_authorized(record, Probe::LegacyInitialize)?;
    let prompts = match announced(record, List::Prompts)? {
        Ok(prompts) => prompts,
        Err(outcome) => return Ok(outcome),
    };
    let has_wrong_arguments = |prompt: &&Value| {
        let Some(arguments) = prompt.get("arguments") else { return false };
        arguments.as_array().is_none_or(|arguments| arguments.iter().any(|it| !it["name"].is_string()))
    };
    let wrong: Vec<_> = prompts.iter().filter(has_wrong_arguments).map(name_of).collect();
    Ok(problem(&[
        ("prompts without a name", without(prompts, "name")),
        ("prompts whose arguments are not an array of named objects", wrong),
        ("prompts that are listed more than once", duplicates(prompts, "name")),
    ])
    .unwrap_or_else(|| Outcome::ok(format!("prompts: {}", prompts.len()))))
}

const RESOURCES: Check = Check {
    slug: "resources",
    section: Section::Protocol,
    title: "Every resource has a name and a URI of its own",
    why: "Clients that validate the list lose all resources because of one. A client cannot tell two resources with one URI \
          apart.",
    fix: "Return each resource once, with a name and an absolute URI; templates have a uriTemplate.",
    affects: &[Client::ClaudeCode, Client::Inspector, Client::SdkApp, Client::WebPage],
    run: resources,
};

fn resources(record: &Record) -> CheckResult {
    require_authorized(record, Probe::LegacyInitialize)?;
    let resources = match announced(record, List::Resources)? {
        Ok(resources) => resources,
        Err(outcome) => return Ok(outcome),
    };
    // Servers without templates need not know the method.
    let templates = announced(record, List::ResourceTemplates).ok().and_then(Result::ok).unwrap_or_default();
    let is_relative =
        |it: &&Value| it["uri"].as_str().is_some_and(|uri| !uri.is_empty() && url::Url::parse(uri).is_err());
    let relative: Vec<_> = resources.iter().filter(is_relative).map(name_of).collect();
    Ok(problem(&[
        ("resources without a name", without(resources, "name")),
        ("resources without a uri", without(resources, "uri")),
        ("templates without a name", without(templates, "name")),
        ("templates without a uriTemplate", without(templates, "uriTemplate")),
        ("resources whose uri is not absolute", relative),
        ("URIs that are listed more than once", duplicates(resources, "uri")),
        ("templates that are listed more than once", duplicates(templates, "uriTemplate")),
    ])
    .unwrap_or_else(|| Outcome::ok(format!("resources: {}, templates: {}", resources.len(), templates.len()))))
}

/// The first problem that something has.
fn problem(problems: &[(&str, Vec<String>)]) -> Option<Outcome> {
    let (problem, found) = problems.iter().find(|(_, found)| !found.is_empty())?;
    let unique: BTreeSet<_> = found.iter().cloned().collect();
    Some(Outcome::warning(format!("{problem}: {}", examples(&unique.into_iter().collect::<Vec<_>>()))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        outcome::Verdict::{Failure, Ok as Fine, Skipped, Warning},
        testing::{Change, announce, expect, found, second_page, tool, tool_list},
    };

    #[test]
    fn names_are_allowed_and_unique() {
        for name in ["", "a.b", "a b", "ä", &"x".repeat(65)] {
            expect(&TOOL_NAMES, Warning, "names that are empty, longer", tool(|it| it["name"] = json!(name)));
        }
        expect(&TOOL_NAMES, Fine, "", tool(|it| it["name"] = json!("A-z_9".repeat(12))));
        expect(
            &TOOL_NAMES,
            Failure,
            "\"a\" (2 times)",
            tool_list(json!({ "tools": [{ "name": "a" }, { "name": "a" }] })),
        );
    }

    #[test]
    fn names_are_unique_across_pages() {
        expect(&TOOL_NAMES, Failure, "\"whoami\" (2 times)", second_page(json!({ "tools": [{ "name": "whoami" }] })));
    }

    #[test]
    fn titles_are_in_the_annotations_and_descriptions_fit() {
        expect(
            &TOOL_TITLES,
            Warning,
            "annotations.title: \"whoami\"",
            tool(|it| {
                it.insert("title".into(), json!("Who am I"));
                it["annotations"] = json!({});
            }),
        );
        let long = |chars| tool(move |it| it["description"] = json!("é".repeat(chars)));
        expect(&TOOL_TITLES, Fine, "", long(1024));
        let rejected = found(&TOOL_TITLES, long(1025));
        assert_eq!(rejected.affected, [Client::ChatGpt, Client::SdkApp]);
        let cut = found(&TOOL_TITLES, long(2049));
        assert!(cut.affected.contains(&Client::ClaudeCode) && cut.observed.contains("2049 characters"), "{cut:#?}");
    }

    #[test]
    fn without_a_handshake_nothing_is_said_about_prompts_and_resources() {
        for check in [&PROMPTS, &RESOURCES] {
            expect(check, Skipped, "see legacy and modern", |record| {
                record.put(Probe::LegacyInitialize, 500, "text/plain", "");
                record.put(Probe::ModernDiscover, 500, "text/plain", "");
            });
        }
    }

    #[test]
    fn a_list_that_is_announced_and_not_returned_has_the_cause() {
        expect(&PROMPTS, Warning, "prompts/list returns no list (503 text/plain), although", |record| {
            announce(List::Prompts, json!([]))(record);
            record.put(crate::pages::probe(Era::Legacy, List::Prompts, 1), 503, "text/plain", "");
        });
    }

    #[test]
    fn prompts_are_named_and_unique() {
        expect(&PROMPTS, Fine, "announces no prompts", |_| {});
        let prompts = |list| announce(List::Prompts, list);
        expect(&PROMPTS, Fine, "prompts: 1", prompts(json!([{ "name": "a", "arguments": [{ "name": "b" }] }])));
        expect(&PROMPTS, Warning, "without a name: entry 2", prompts(json!([{ "name": "a" }, {}])));
        expect(&PROMPTS, Warning, "\"a\" (2 times)", prompts(json!([{ "name": "a" }, { "name": "a" }])));
        expect(&PROMPTS, Warning, "named objects: \"a\"", prompts(json!([{ "name": "a", "arguments": {} }])));
        expect(&PROMPTS, Warning, "returns no list", prompts(json!({})));
    }

    #[test]
    fn resources_are_named_and_unique() {
        expect(&RESOURCES, Fine, "announces no resources", |_| {});
        let resources = |list| announce(List::Resources, list);
        let one = json!({ "name": "a", "uri": "file:///a" });
        expect(&RESOURCES, Fine, "resources: 1, templates: 0", resources(json!([one])));
        expect(&RESOURCES, Warning, "\"file:///a\" (2 times)", resources(json!([one, one])));
        expect(&RESOURCES, Warning, "without a uri: entry 1", resources(json!([{ "name": "a" }])));
        expect(&RESOURCES, Warning, "not absolute: \"a\"", resources(json!([{ "name": "a", "uri": "a.txt" }])));
        expect(&RESOURCES, Warning, "without a uriTemplate: entry 1", |record| {
            resources(json!([]))(record);
            announce(List::ResourceTemplates, json!([{ "name": "a" }]))(record);
        });
    }
}
