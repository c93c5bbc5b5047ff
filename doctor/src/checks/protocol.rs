//! MCP itself, in both eras, as a client that is signed in speaks it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::quote;
use crate::{
    clients::Client,
    exchange::Answer,
    finding::{Judgement, Skip},
    message::{self, MODERN_REVISION, Response},
    record::{Probe, Record},
};

/// What mcp-edge's `whoami` calls a client that acts for itself, with a token of the grant `client_credentials`.
pub(super) const MACHINE: &str = "machine";

/// Characters that a tool's name may have at most in Claude's directory.
const TOOL_NAME_MAX: usize = 64;

/// An answer of the protocol itself, beyond sign-in.
pub(super) fn spoken(record: &Record, probe: Probe) -> Result<&Answer, Skip> {
    let answer = record.of_server(probe).map_err(|skip| {
        if record.is_protected() && record.token.is_none() {
            Skip::new("sign-in is needed: give a token")
        } else {
            skip
        }
    })?;
    if matches!(answer.status, 401 | 403) {
        return Err(Skip::new(format!("the server answers {} (see token)", answer.status)));
    }
    Ok(answer)
}

/// What an answer is instead of a result.
fn instead(answer: &Answer) -> String {
    match message::response(answer) {
        Some(Response::Error(code, text)) => format!("{}, error {code} {}", answer.status, quote(&text)),
        _ => answer.in_short(),
    }
}

pub(super) fn result(answer: &Answer) -> Option<Value> {
    match message::response(answer) {
        Some(Response::Result(result)) if answer.status == 200 => Some(result),
        _ => None,
    }
}

fn listed(record: &Record, probe: Probe) -> Option<Vec<Value>> {
    result(record.answer(probe)?)?.get("tools")?.as_array().cloned()
}

pub fn legacy(record: &Record) -> Result<Judgement, Skip> {
    let answer = spoken(record, Probe::LegacyInitialize)?;
    let Some(version) = result(answer).and_then(|it| it["protocolVersion"].as_str().map(str::to_owned)) else {
        let seen = format!("initialize gets {}", instead(answer));
        // A server of 2026-07-28 alone says so properly.
        return Ok(if (400..500).contains(&answer.status) && result_of_discover(record).is_some() {
            Judgement::warning(format!("{seen}: it speaks 2026-07-28 only"))
                .mend("Speak both: most clients of today begin with initialize.")
        } else {
            Judgement::failure(seen)
        });
    };
    if let Some(answer) = record.answer(Probe::LegacyInitialized)
        && !answer.is_success()
    {
        return Ok(Judgement::failure(format!("notifications/initialized gets {}", instead(answer)))
            .mend("Answer 202 with an empty body."));
    }
    Ok(match listed(record, Probe::LegacyTools) {
        Some(tools) => Judgement::ok(format!("{version}, {}", count(&tools))),
        None => match record.outcome(Probe::LegacyTools) {
            Some(Ok(answer)) => Judgement::failure(format!("tools/list gets {}", instead(answer))),
            Some(Err(failure)) => Judgement::failure(format!("tools/list: {failure}")),
            None => return Err(Skip::new("tools/list was not asked")),
        },
    })
}

fn result_of_discover(record: &Record) -> Option<Value> {
    let result = result(record.answer(Probe::ModernDiscover)?)?;
    let versions = result.get("supportedVersions")?.as_array()?;
    versions.iter().any(|version| version == MODERN_REVISION).then_some(result)
}

pub fn modern(record: &Record) -> Result<Judgement, Skip> {
    let answer = spoken(record, Probe::ModernDiscover)?;
    let Some(discovered) = result_of_discover(record) else {
        let seen = format!("server/discover gets {}", instead(answer));
        let falls_back =
            answer.status < 500 && message::response(answer).is_some() || (400..500).contains(&answer.status);
        return Ok(if falls_back {
            Judgement::warning(format!("{seen}: clients fall back to initialize"))
                .mend("Nothing at once. Speak 2026-07-28 beside the handshake when you can.")
        } else {
            Judgement::failure(seen)
        });
    };
    let tools = match (listed(record, Probe::ModernTools), record.outcome(Probe::ModernTools)) {
        (Some(tools), _) => tools,
        (None, Some(Ok(answer))) => return Ok(Judgement::failure(format!("tools/list gets {}", instead(answer)))),
        (None, Some(Err(failure))) => return Ok(Judgement::failure(format!("tools/list: {failure}"))),
        (None, None) => return Err(Skip::new("tools/list was not asked")),
    };
    let list = result(record.answer(Probe::ModernTools).unwrap_or(answer)).unwrap_or_default();
    for (name, result) in [("server/discover", &discovered), ("tools/list", &list)] {
        let missing = ["resultType", "ttlMs", "cacheScope"].into_iter().find(|member| result.get(*member).is_none());
        if let Some(missing) = missing {
            return Ok(Judgement::warning(format!("the result of {name} has no {missing}"))
                .mend("Send resultType, ttlMs and cacheScope with both: 2026-07-28 requires them."));
        }
    }
    Ok(Judgement::ok(format!("{MODERN_REVISION}, {}", count(&tools))))
}

fn count(tools: &[Value]) -> String {
    match tools.len() {
        1 => "1 tool".to_owned(),
        several => format!("{several} tools"),
    }
}

pub fn stream(record: &Record) -> Result<Judgement, Skip> {
    let answer = spoken(record, Probe::LegacyStream)?;
    Ok(match (answer.status, answer.media_type().as_str()) {
        (405, _) => Judgement::ok("405: there is none"),
        (200, "text/event-stream") => Judgement::ok("it opens a stream"),
        _ => Judgement::warning(format!("it answers {}", answer.in_short())),
    })
}

pub fn tools(record: &Record) -> Result<Judgement, Skip> {
    spoken(record, Probe::LegacyInitialize)?;
    let lists = (listed(record, Probe::LegacyTools), listed(record, Probe::ModernTools));
    let tools = match &lists {
        (Some(legacy), Some(modern)) if names(legacy) != names(modern) => {
            return Ok(Judgement::warning("the two eras list different tools")
                .mend("Offer the same tools in both: a client's era is nothing that its user chooses."));
        }
        (Some(tools), _) | (None, Some(tools)) => tools,
        (None, None) => return Err(Skip::new("there is no list (see legacy and modern)")),
    };
    if tools.is_empty() {
        return Ok(Judgement::warning("there are none, for this token").hits(Client::ALL).mend(
            "If the server hides tools whose scope is missing, get a token with that scope; otherwise register tools.",
        ));
    }
    let name = |tool: &Value| quote(tool["name"].as_str().unwrap_or("without a name"));
    if let Some(tool) = tools.iter().find(|tool| tool["inputSchema"]["type"] != "object" || !tool["name"].is_string()) {
        return Ok(
            Judgement::failure(format!("tool {} has no inputSchema of type object", name(tool))).hits(Client::ALL)
        );
    }
    let is = |problem: fn(&Value) -> bool| tools.iter().filter(move |tool| problem(tool)).map(name).collect::<Vec<_>>();
    let problems = [
        ("no description", is(|tool| tool["description"].as_str().is_none_or(str::is_empty))),
        ("no annotations (readOnlyHint, destructiveHint, openWorldHint)", is(|tool| !has_hints(&tool["annotations"]))),
        (
            "a name longer than Claude's directory takes",
            is(|tool| tool["name"].as_str().is_some_and(|it| it.chars().count() > TOOL_NAME_MAX)),
        ),
    ];
    Ok(match problems.into_iter().find(|(_, tools)| !tools.is_empty()) {
        Some((problem, tools)) => Judgement::warning(format!("{problem}: {}", tools.join(", "))),
        None => Judgement::ok(names(tools).into_iter().collect::<Vec<_>>().join(", ")),
    })
}

fn names(tools: &[Value]) -> BTreeSet<&str> {
    tools.iter().filter_map(|tool| tool["name"].as_str()).collect()
}

/// ChatGPT's marketplace wants all three said explicitly; Claude's is content with less.
fn has_hints(annotations: &Value) -> bool {
    ["readOnlyHint", "destructiveHint", "openWorldHint"].iter().all(|name| annotations[*name].is_boolean())
}

pub fn whoami(record: &Record) -> Result<Judgement, Skip> {
    spoken(record, Probe::LegacyInitialize)?;
    let asked = [("legacy", Probe::LegacyWhoami), ("modern", Probe::ModernWhoami)];
    let mut subjects: BTreeSet<String> = BTreeSet::new();
    let (mut eras, mut is_machine) = (0, false);
    for (era, probe) in asked {
        let Some(outcome) = record.outcome(probe) else { continue };
        eras += 1;
        let answer = match outcome {
            Ok(answer) => answer,
            Err(failure) => return Ok(Judgement::failure(format!("{era}: {failure}"))),
        };
        let Some(result) = result(answer) else {
            return Ok(Judgement::failure(format!("{era}: the call gets {}", instead(answer))));
        };
        if result["isError"] == true {
            let text = result["content"][0]["text"].as_str().unwrap_or_default();
            return Ok(Judgement::failure(format!("{era}: the tool fails with {}", quote(text))));
        }
        is_machine |= result["structuredContent"]["kind"] == MACHINE;
        match result["structuredContent"]["sub"].as_str() {
            Some(subject) => subjects.insert(subject.to_owned()),
            None => {
                return Ok(Judgement::warning(format!("{era}: the answer names no sub"))
                    .mend("If this whoami is not mcp-edge's, that may be right."));
            }
        };
    }
    match (eras, subjects.into_iter().collect::<Vec<_>>().as_slice()) {
        (0, _) => Err(Skip::new("there is no such tool")),
        (_, [subject]) => {
            let who = if is_machine { ", a machine: it shows nothing of what users get" } else { "" };
            let where_ = if eras == 2 { "both eras" } else { "one era" };
            Ok(Judgement::ok(format!("sub {}, in {where_}{who}", quote(subject))))
        }
        _ => Ok(Judgement::failure("the two eras name different people for one token")
            .mend("Somebody is answered with somebody else's identity. Take the server down until you know why.")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::{
        exchange::FailureKind,
        finding::{
            Check,
            Verdict::{Failure as Bad, Ok as Fine, Skipped, Warning},
        },
        testing::{Change, expect},
    };

    #[test]
    fn the_handshake_is_followed_to_its_end() {
        let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#;
        let put = |probe, status| move |it: &mut Record| it.put(probe, status, "application/json", error);
        expect(Check::Legacy, Warning, "2026-07-28 only", put(Probe::LegacyInitialize, 404));
        expect(Check::Legacy, Bad, "error -32601 \"Method not found\"", put(Probe::LegacyInitialize, 200));
        expect(Check::Legacy, Bad, "notifications/initialized", put(Probe::LegacyInitialized, 400));
        expect(Check::Legacy, Bad, "tools/list gets 200, error", put(Probe::LegacyTools, 200));
        expect(Check::Legacy, Bad, "no answer in time", |it| it.fail(Probe::LegacyTools, FailureKind::Timeout));
    }

    #[test]
    fn what_makes_modern_clients_fall_back_is_no_failure_and_what_stops_them_is() {
        let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#;
        expect(Check::Modern, Warning, "fall back", |it| it.put(Probe::ModernDiscover, 200, "application/json", error));
        expect(Check::Modern, Warning, "fall back", |it| it.put(Probe::ModernDiscover, 400, "text/plain", "no"));
        expect(Check::Modern, Bad, "500", |it| it.put(Probe::ModernDiscover, 500, "text/plain", "no"));
        expect(Check::Modern, Bad, "200 text/html", |it| it.put(Probe::ModernDiscover, 200, "text/html", "<html>"));
        expect(Check::Modern, Bad, "tools/list gets 500", |it| it.put(Probe::ModernTools, 500, "text/plain", ""));
        expect(Check::Modern, Warning, "tools/list has no ttlMs", |it| {
            it.edit(Probe::ModernTools, |message| drop(message["result"].as_object_mut().unwrap().remove("ttlMs")));
        });
    }

    #[test]
    fn a_get_is_answered_with_405_or_a_stream() {
        expect(Check::Stream, Fine, "opens", |it| it.put(Probe::LegacyStream, 200, "text/event-stream", ""));
        expect(Check::Stream, Warning, "404", |it| it.put(Probe::LegacyStream, 404, "", ""));
    }

    /// Changes the only tool, in both eras.
    fn tool(change: impl Fn(&mut Map<String, Value>)) -> impl FnOnce(&mut Record) {
        move |record| {
            for probe in [Probe::LegacyTools, Probe::ModernTools] {
                record.edit(probe, |message| change(message["result"]["tools"][0].as_object_mut().unwrap()));
            }
        }
    }

    #[test]
    fn tools_must_be_usable_and_described() {
        expect(Check::Tools, Bad, "\"whoami\" has no inputSchema", tool(|it| drop(it.remove("inputSchema"))));
        expect(Check::Tools, Warning, "no description: \"whoami\"", tool(|it| drop(it.remove("description"))));
        expect(Check::Tools, Warning, "no annotations", tool(|it| drop(it.remove("annotations"))));
        expect(Check::Tools, Warning, "no annotations", {
            tool(|it| it["annotations"] = json!({ "readOnlyHint": false, "openWorldHint": true }))
        });
        expect(Check::Tools, Warning, "longer than", tool(|it| it["name"] = json!("x".repeat(65))));
        expect(Check::Tools, Warning, "different tools", |record| {
            record.edit(Probe::ModernTools, |it| it["result"]["tools"] = json!([]));
        });
        expect(Check::Tools, Warning, "none, for this token", |record| {
            record.edit(Probe::LegacyTools, |it| it["result"]["tools"] = json!([]));
            record.edit(Probe::ModernTools, |it| it["result"]["tools"] = json!([]));
        });
    }

    #[test]
    fn whoami_names_one_person_in_both_eras() {
        let edit = |change: fn(&mut Value)| {
            move |record: &mut Record| {
                record.edit(Probe::ModernWhoami, |message| change(&mut message["result"]));
            }
        };
        expect(Check::Whoami, Bad, "different people", edit(|it| it["structuredContent"]["sub"] = json!("u2")));
        expect(Check::Whoami, Bad, "fails with \"no\"", {
            edit(|it| *it = json!({ "isError": true, "content": [{ "type": "text", "text": "no" }] }))
        });
        expect(Check::Whoami, Warning, "names no sub", edit(|it| it["structuredContent"] = json!({})));
        expect(Check::Whoami, Bad, "in time", |it| it.fail(Probe::LegacyWhoami, FailureKind::Timeout));
        expect(Check::Whoami, Skipped, "no such tool", |record| {
            record.exchanges.remove(&Probe::LegacyWhoami);
            record.exchanges.remove(&Probe::ModernWhoami);
        });
    }
}
