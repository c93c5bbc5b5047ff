//! What the upstream lists, compared with what the gateway lists and with the gateway's tables.

use std::collections::BTreeSet;

use super::upstream_result::{names_in, require_access, require_token, require_upstream};
use crate::{
    check::{Check, Section},
    gateway::{
        access_table::{AccessTable, Found, Rule},
        settings::GatewaySettings,
    },
    mcp::List,
    outcome::{CheckResult, Outcome, Skip},
    quote::{examples, quote},
    record::Record,
};

pub(super) const CHECKS: &[Check] = &[GATEWAY_LISTS, ACCESS_TABLE];

const GATEWAY_LISTS: Check = Check {
    slug: "gateway_lists",
    section: Section::Gateway,
    title: "The gateway lists what the upstream has, as far as the token may use it",
    why: "A tool that the gateway does not show is missing for its users, and nothing tells them why.",
    fix: "Add what is missing to TOOL_SCOPES, PROMPT_SCOPES or RESOURCE_SCOPES, or use a token with the scopes that it needs. \
          With LIST_TOOLS = \"obtainable\" the lists also show what further scopes would allow.",
    affects: &[],
    run: gateway_lists,
};

/// The lists, each with the word for its entries.
const LISTS: [(List, &str); 4] = [
    (List::Tools, "tools"),
    (List::Prompts, "prompts"),
    (List::Resources, "resources"),
    (List::ResourceTemplates, "resource templates"),
];

fn gateway_lists(record: &Record) -> CheckResult {
    let upstream = require_access(record)?;
    require_token(record)?;
    let settings = require_upstream(record)?.settings.as_ref();
    let (mut shown, mut hidden, mut open, mut empty) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (list, word) in LISTS {
        let Some(there) = names_in(upstream, list).filter(|names| !names.is_empty()) else { continue };
        let here: BTreeSet<_> = names_in(record, list).unwrap_or_default().into_iter().collect();
        let missing: Vec<_> = there.iter().copied().filter(|name| !here.contains(name)).collect();
        shown.push(format!("{} of {} {word}", there.len() - missing.len(), there.len()));
        if missing.len() == there.len() {
            empty.push(word);
        }
        let table = settings.and_then(|settings| settings.table(list));
        for name in missing {
            let rule = table.map(|table| table.find(name));
            if matches!(rule, Some(Found::Rule(rule)) if rule.is_open()) {
                open.push(quote(name));
            }
            hidden.push(named(name, rule.as_ref()));
        }
    }
    if shown.is_empty() {
        return Err(Skip::new("the upstream lists nothing"));
    }
    if let (Some(settings), false) = (settings, open.is_empty()) {
        let observed = format!("not shown, although the table allows them to everybody: {}", examples(&open));
        let pins =
            if settings.has_pins { "Either TOOL_PINS has no digest of their definitions, or the" } else { "The" };
        return Ok(Outcome::warning(observed).fix(format!(
            "{pins} deployment has other settings than {}: deploy them, and run the doctor again.",
            settings.file
        )));
    }
    let shown = format!("{} shown to this token", shown.join(", "));
    let hidden = if hidden.is_empty() { shown } else { format!("{shown}; not: {}", examples(&hidden)) };
    Ok(if empty.is_empty() {
        Outcome::ok(hidden)
    } else {
        Outcome::warning(format!("no {} for this token: {hidden}", empty.join(", no ")))
    })
}

/// A name, with what it needs as far as that is known.
fn named(name: &str, found: Option<&Found<'_>>) -> String {
    match found {
        None => quote(name),
        Some(Found::Rule(rule)) => format!("{} ({})", quote(name), rule.needs.join(", ")),
        Some(Found::Nobody(why)) => format!("{} ({why})", quote(name)),
    }
}

const ACCESS_TABLE: Check = Check {
    slug: "access_table",
    section: Section::Gateway,
    title: "Everything that the upstream lists matches a pattern, and every pattern matches something",
    why: "Nobody can use what no pattern matches, and no list shows it. A pattern that matches nothing is misspelt, or left \
          over from an earlier version of the upstream.",
    fix: "Correct or add the pattern: name=scope, or name=deny for what nobody is to use. Patterns are compared with case.",
    affects: &[],
    run: access_table,
};

fn access_table(record: &Record) -> CheckResult {
    let settings = require_upstream(record)?.settings.as_ref();
    let settings =
        settings.ok_or_else(|| Skip::new("needs the gateway's settings: pass its wrangler.toml with --settings"))?;
    for (setting, table) in settings.tables() {
        if let Err(error) = table {
            return Ok(Outcome::failure(format!("{setting}: {error}"))
                .fix("Correct the entry: a Worker with it answers every request with 500."));
        }
    }
    let upstream = require_access(record)?;
    let (nobodys, counts) = nobodys(upstream, settings);
    let unused = unused(upstream, settings);
    let mut problems = Vec::new();
    if !nobodys.is_empty() {
        problems.push(format!("nobody can use {}", examples(&nobodys)));
    }
    if !unused.is_empty() {
        problems.push(format!("patterns that match nothing: {}", examples(&unused)));
    }
    if !problems.is_empty() {
        return Ok(Outcome::warning(problems.join("; ")));
    }
    if counts.is_empty() { Err(Skip::new("the upstream lists nothing")) } else { Ok(Outcome::ok(counts.join(", "))) }
}

/// Entries that no rule makes usable or denies on purpose; and how many entries each list has.
fn nobodys(upstream: &Record, settings: &GatewaySettings) -> (Vec<String>, Vec<String>) {
    let (mut nobodys, mut counts) = (Vec::new(), Vec::new());
    for (list, word) in LISTS {
        let (Some(names), Some(table)) = (names_in(upstream, list), settings.table(list)) else { continue };
        let denied = |name: &&str| match table.find(name) {
            Found::Nobody(why) => Some(format!("{} ({why})", quote(name))),
            Found::Rule(_) => None,
        };
        nobodys.extend(names.iter().filter_map(denied));
        if !names.is_empty() {
            counts.push(format!("{} {word}", names.len()));
        }
    }
    (nobodys, counts)
}

/// Patterns without a name among those that the upstream lists. Denials are for what may come.
fn unused(upstream: &Record, settings: &GatewaySettings) -> Vec<String> {
    let settings_and_lists = [
        ("TOOL_SCOPES", &[List::Tools] as &[List]),
        ("PROMPT_SCOPES", &[List::Prompts]),
        ("RESOURCE_SCOPES", &[List::Resources, List::ResourceTemplates]),
    ];
    let mut unused = Vec::new();
    for (setting, lists) in settings_and_lists {
        let Some(table) = lists.first().and_then(|list| settings.table(*list)) else { continue };
        let read: Option<Vec<_>> = lists.iter().map(|list| list_of(upstream, *list)).collect();
        let Some(names) = read.map(|read| read.concat()) else { continue };
        let is_unused = |rule: &&Rule| !rule.is_denial() && !names.iter().any(|name| is_matched(table, rule, name));
        unused.extend(
            table.rules().iter().filter(is_unused).map(|rule| format!("{} in {setting}", quote(&rule.pattern))),
        );
    }
    unused
}

/// The names in a list: none if the upstream does not announce it. `None` if it could not be read.
fn list_of(upstream: &Record, list: List) -> Option<Vec<&str>> {
    let is_announced = crate::mcp::Era::ALL.into_iter().any(|era| upstream.announces(era, list));
    let is_optional = list == List::ResourceTemplates;
    names_in(upstream, list).or_else(|| (!is_announced || is_optional).then(Vec::new))
}

/// Whether a pattern matches a name, or may match what a URI template stands for.
fn is_matched(table: &AccessTable, rule: &Rule, name: &str) -> bool {
    let Some((beginning, _)) = name.split_once('{') else { return table.matches(rule, name) };
    table.matches(rule, name) || rule.beginning().starts_with(beginning) || beginning.starts_with(rule.beginning())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        outcome::Verdict::{Failure, Ok as Fine, Skipped, Warning},
        testing::{announce, direct, expect, tool_list, without_access},
    };

    fn tools(names: &[&str]) -> impl FnOnce(&mut Record) {
        let tools: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
        tool_list(json!({ "tools": tools }))
    }

    /// The upstream has these tools, and the gateway has these variables (of `wrangler.toml`).
    fn with(names: &[&str], vars: &str) -> impl FnOnce(&mut Record) {
        let settings = GatewaySettings::read("wrangler.toml", &format!("[vars]\n{vars}"), None).unwrap();
        let list = direct(tools(names));
        move |record| {
            list(record);
            record.upstream.as_mut().unwrap().settings = Some(settings);
        }
    }

    #[test]
    fn what_a_token_is_not_shown_is_named() {
        expect(&GATEWAY_LISTS, Fine, "1 of 1 tools shown to this token", |_| {});
        let vars = "TOOL_SCOPES = 'who*=whoami:read delete*=docs:delete drop=deny'";
        let observed = "1 of 3 tools shown to this token; not: \"delete_a\" (docs:delete), \"drop\" (deny)";
        expect(&GATEWAY_LISTS, Fine, observed, with(&["whoami", "delete_a", "drop"], vars));
        expect(&GATEWAY_LISTS, Warning, "no tools for this token: 0 of 2", with(&["a", "b"], "TOOL_SCOPES = 'a=x'"));
        expect(&GATEWAY_LISTS, Fine, "not: \"a\"", |record| {
            with(&["whoami", "a"], "")(record);
            record.upstream.as_mut().unwrap().settings = None;
        });
        expect(&GATEWAY_LISTS, Warning, "no resources", |record| {
            direct(announce(List::Resources, json!([{ "name": "a", "uri": "docs://a" }])))(record);
        });
    }

    #[test]
    fn what_everybody_may_use_must_be_shown() {
        let observed = "although the table allows them to everybody: \"a\"";
        expect(&GATEWAY_LISTS, Warning, observed, with(&["whoami", "a"], "TOOL_SCOPES = '*=allow'"));
    }

    #[test]
    fn a_tool_that_nobody_can_use_is_named() {
        let vars = "TOOL_SCOPES = 'who*=x delete=deny'";
        expect(&ACCESS_TABLE, Warning, "nobody can use \"a\" (matches no pattern)", with(&["whoami", "a"], vars));
        expect(&ACCESS_TABLE, Warning, "in case", with(&["whoami", "Delete"], "TOOL_SCOPES = '*=x delete=deny'"));
        expect(&ACCESS_TABLE, Fine, "2 tools", with(&["whoami", "delete"], vars));
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_named_unless_it_denies() {
        let vars = "TOOL_SCOPES = 'who*=x find_old=y delete*=deny'\nPROMPT_SCOPES = 'a=x'";
        let observed = "patterns that match nothing: \"find_old\" in TOOL_SCOPES, \"a\" in PROMPT_SCOPES";
        expect(&ACCESS_TABLE, Warning, observed, with(&["whoami"], vars));
    }

    #[test]
    fn resources_match_as_uris_and_as_what_a_template_stands_for() {
        let resources = |vars: &'static str| {
            move |record: &mut Record| {
                direct(|it| {
                    announce(List::Resources, json!([{ "name": "a", "uri": "docs://a/%c3%bc" }]))(it);
                    announce(List::ResourceTemplates, json!([{ "name": "b", "uriTemplate": "notes://{owner}" }]))(it);
                })(record);
                with(&["whoami"], vars)(record);
            }
        };
        let tools = "TOOL_SCOPES = '*=x'\n";
        let vars = format!("{tools}RESOURCE_SCOPES = 'docs://a/ü=x notes://*=y notes://alice=z'").leak();
        expect(&ACCESS_TABLE, Fine, "1 resources, 1 resource templates", resources(vars));
        let vars = format!("{tools}RESOURCE_SCOPES = 'docs://*=x other://a=y'").leak();
        let observed =
            "nobody can use \"notes://{owner}\" (matches no pattern); patterns that match nothing: \"other://a\"";
        expect(&ACCESS_TABLE, Warning, observed, resources(vars));
    }

    #[test]
    fn a_wrong_table_is_a_failure_and_a_missing_one_is_not() {
        expect(&ACCESS_TABLE, Failure, "TOOL_SCOPES: \"a\" must have", with(&["a"], "TOOL_SCOPES = 'a'"));
        expect(&ACCESS_TABLE, Skipped, "--settings", |it| it.upstream.as_mut().unwrap().settings = None);
        expect(&ACCESS_TABLE, Skipped, "needs access", without_access);
        expect(&GATEWAY_LISTS, Skipped, "needs access", without_access);
        expect(&GATEWAY_LISTS, Skipped, "lists nothing", direct(tool_list(json!({ "tools": Vec::<Value>::new() }))));
        expect(&ACCESS_TABLE, Skipped, "--upstream", |it| it.upstream = None);
    }
}
