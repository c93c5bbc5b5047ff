//! MCP itself, in both eras, as a client that is signed in speaks it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::quote;
use crate::{
    challenge::Challenge,
    clients::Client,
    exchange::Answer,
    finding::{Judgement, Skip},
    message::{self, MODERN_REVISION, Response},
    record::{Probe, Record, document, string, strings},
    token::Peek,
};

/// Where a token can come from beside `--token`.
pub const TOKEN_VARIABLE: &str = "MCP_EDGE_DOCTOR_TOKEN";

/// Characters that a tool's name may have at most in Claude's directory.
const TOOL_NAME_MAX: usize = 64;

pub fn token(record: &Record) -> Result<Judgement, Skip> {
    let Some(token) = &record.token else {
        return Err(Skip::new(format!("no token was given (--token, or {TOKEN_VARIABLE})")));
    };
    if !record.target.is_https() && !record.target.is_loopback() {
        return Ok(Judgement::failure("it was not sent: the URL is plain http").mend("Use https."));
    }
    let answer = record.of_server(Probe::LegacyInitialize)?;
    let refused = refusal(answer);
    let peek = token.peek();
    let wrong = peek.as_ref().and_then(|peek| {
        let misfit = trouble_with_claims(record, peek);
        // What servers may see otherwise explains a refusal, and is nothing to blame them for.
        if refused.is_some() { misfit.or_else(|| trouble_with_header(record, peek)) } else { misfit }
    });
    Ok(match (refused, wrong) {
        (Some(refused), Some(wrong)) => Judgement::failure(format!("{refused}; {wrong}")),
        (Some(refused), None) if peek.is_none() => Judgement::failure(format!(
            "{refused}; the token is no JWT: providers issue such opaque ones if the token request names no resource"
        )),
        (Some(refused), None) if answer.status == 403 => Judgement::failure(refused).mend(
            "The token is good and may not do this. Give its user and client the permission at the provider; for \
             mcp-edge see docs/denials.md, Permission.",
        ),
        (Some(refused), None) => Judgement::failure(format!("{refused}; its issuer, audience and end look right"))
            .mend("The server's log has the reason; for mcp-edge see docs/denials.md."),
        // It lets a token in that says of itself that it should not.
        (None, Some(wrong)) => Judgement::failure(format!("the server accepts it, but {wrong}")).mend(
            "If the server lists this audience or issuer on purpose, that is how it should be. If not, it does not \
             check them: any token of the provider gets in.",
        ),
        (None, None) if peek.is_none() => {
            Judgement::warning("the server accepts it, but it is no JWT and names no audience")
                .mend("Have clients send resource in the token request, too: they get a JWT for this server then.")
        }
        (None, None) => Judgement::ok("the server accepts it"),
    })
}

/// How a token was refused. `None` if it was not.
fn refusal(answer: &Answer) -> Option<String> {
    if !matches!(answer.status, 401 | 403) {
        return None;
    }
    let challenge = answer.header("www-authenticate").and_then(|it| Challenge::parse(it).ok());
    let said = challenge.as_ref().and_then(|it| it.get("error_description").or_else(|| it.get("error")));
    Some(match said {
        Some(said) => format!("the server refuses it with {}: {}", answer.status, quote(said)),
        None => format!("the server refuses it with {}", answer.status),
    })
}

/// What a token claims that does not fit this server. `None` if everything does.
fn trouble_with_claims(record: &Record, peek: &Peek) -> Option<String> {
    let metadata = record.metadata().unwrap_or_default();
    let typed = record.target.typed();
    let resource = string(&metadata, "resource").unwrap_or(typed);
    // If the two differ, that is another check's matter.
    if !peek.audience.iter().any(|audience| audience == resource || audience == typed) {
        let audience = peek.audience.join(" ");
        return Some(match audience.as_str() {
            "" => format!("it names no audience; it should be {}", quote(resource)),
            other => format!("its audience is {} instead of {}", quote(other), quote(resource)),
        });
    }
    let issuers = strings(&metadata, "authorization_servers");
    let issuer = peek.issuer.as_deref().unwrap_or_default();
    if !issuers.is_empty() && !issuers.contains(&issuer) {
        return Some(format!("its issuer is {} instead of {}", quote(issuer), quote(&issuers.join(" "))));
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit into 52 bits for a long time")]
    if peek.expires_at.is_none_or(|end| end <= record.now as f64) {
        return Some("it has expired, or never says when it will".to_owned());
    }
    None
}

/// What is unusual about a token's header. `None` if nothing is.
fn trouble_with_header(record: &Record, peek: &Peek) -> Option<String> {
    let kind = peek.kind.as_deref().unwrap_or_default();
    if !kind.eq_ignore_ascii_case("at+jwt") && !kind.eq_ignore_ascii_case("application/at+jwt") {
        return Some(format!(
            "its typ is {} instead of \"at+jwt\": it may be an ID token, or the provider does not follow RFC 9068 (for \
             mcp-edge see TOKEN_TYPES)",
            quote(kind)
        ));
    }
    let set = document(record.answer(Probe::Keys)?)?;
    let published: Vec<_> = set.get("keys")?.as_array()?.iter().filter_map(|key| key["kid"].as_str()).collect();
    let signer = peek.kid.as_deref()?;
    (!published.is_empty() && !published.contains(&signer))
        .then(|| "the provider no longer publishes the key that signed it".to_owned())
}

/// An answer of the protocol itself, beyond sign-in.
fn spoken(record: &Record, probe: Probe) -> Result<&Answer, Skip> {
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

fn result(answer: &Answer) -> Option<Value> {
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
    let mut eras = 0;
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
            Ok(Judgement::ok(format!("sub {}, in {}", quote(subject), if eras == 2 { "both eras" } else { "one era" })))
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
        target::Target,
        testing::{self, Change, answered, expect, found, good},
    };

    fn lent(changes: Value) -> impl FnOnce(&mut Record) {
        move |record| record.token = Some(testing::token(&changes))
    }

    /// A token that is right but for its header, which is empty.
    fn without_typ(record: &mut Record) {
        let token = testing::token(&json!({}));
        let (_, rest) = token.expose().split_once('.').unwrap();
        record.token = crate::token::Token::new(&format!("e30.{rest}")).ok();
    }

    /// The server refuses the token.
    fn refused(record: &mut Record) {
        let challenge = "Bearer error=\"invalid_token\", error_description=\"The access token is not valid\"";
        let refusal = answered(401, &[("www-authenticate", challenge)], "{}");
        for probe in [Probe::LegacyInitialize, Probe::ModernDiscover] {
            record.change(probe, |answer| *answer = refusal.clone());
        }
    }

    #[test]
    fn without_a_token_nothing_is_tried_and_nothing_is_wrong() {
        let mut record = good();
        record.token = None;
        record.exchanges.retain(|probe, _| *probe < Probe::LegacyInitialize);
        for finding in super::super::judge(&record).into_iter().filter(|it| it.check >= Check::Token) {
            assert_eq!(finding.verdict, Skipped, "{finding:#?}");
            assert!(finding.seen.contains("token"), "{finding:#?}");
        }
    }

    #[test]
    fn a_refused_token_says_why_as_far_as_it_can_be_seen() {
        let why = |changes| {
            let finding = found(Check::Token, |record| {
                refused(record);
                lent(changes)(record);
            });
            assert_eq!(finding.verdict, Bad);
            assert!(finding.seen.contains("refuses it with 401: \"The access token is not valid\""), "{finding:#?}");
            finding.seen
        };
        for (changes, reason) in [
            (
                json!({ "aud": "https://mcp.example.com/mcp/" }),
                "its audience is \"https://mcp.example.com/mcp/\" instead",
            ),
            (json!({ "aud": null }), "names no audience"),
            (json!({ "iss": "https://other" }), "its issuer is \"https://other\" instead"),
            (json!({ "exp": testing::NOW }), "expired"),
            (json!({ "exp": null }), "expired"),
            (json!({}), "look right"),
        ] {
            let seen = why(changes.clone());
            assert!(seen.contains(reason), "{changes}: {seen}");
        }
        expect(Check::Token, Bad, "its typ is \"\" instead", |record| {
            refused(record);
            without_typ(record);
        });
        let mut record = good();
        refused(&mut record);
        record.edit(Probe::Keys, |it| drop(it.insert("keys".into(), json!([{ "kid": "k2" }]))));
        assert!(token(&record).is_ok_and(|it| format!("{it:?}").contains("no longer publishes")));
    }

    #[test]
    fn a_refusal_is_told_once() {
        for check in [Check::Legacy, Check::Modern, Check::Tools, Check::Whoami] {
            expect(check, Skipped, "see token", refused);
        }
    }

    #[test]
    fn a_server_that_takes_what_was_meant_for_others_is_a_failure() {
        expect(Check::Token, Bad, "accepts it, but its audience", lent(json!({ "aud": "https://other" })));
        expect(Check::Token, Bad, "accepts it, but it has expired", lent(json!({ "exp": 1 })));
        // For its typ a server is not to blame: not every provider follows RFC 9068.
        expect(Check::Token, Fine, "accepts", without_typ);
        expect(Check::Token, Warning, "no JWT", |it| it.token = crate::token::Token::new("opaque").ok());
    }

    #[test]
    fn a_shortfall_of_permission_is_no_bad_token() {
        let finding = found(Check::Token, |record| {
            record.change(Probe::LegacyInitialize, |it| {
                *it = answered(403, &[("www-authenticate", "Bearer error=\"insufficient_scope\"")], "{}");
            });
        });
        assert!(finding.seen.contains("insufficient_scope") && finding.mend.contains("permission"), "{finding:#?}");
    }

    #[test]
    fn a_token_is_not_sent_in_the_clear() {
        expect(Check::Token, Bad, "not sent", |it| it.target = Target::parse("http://mcp.example.com/mcp").unwrap());
    }

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
