//! The eras of a gateway and of its upstream: a gateway does not translate, so it offers what both speak.

use serde_json::Value;

use super::upstream_result::{require_access, require_token};
use crate::{
    check::{Check, Section},
    clients::Client,
    mcp::{Era, MODERN_REVISION},
    outcome::{CheckResult, Outcome},
    probe::Probe,
    quote::quote,
    record::Record,
};

pub(super) const CHECKS: &[Check] = &[UPSTREAM_ERAS];

const UPSTREAM_ERAS: Check = Check {
    slug: "upstream_eras",
    section: Section::Gateway,
    title: "The gateway offers the eras that the upstream speaks, and clients of each can connect",
    why: "A gateway translates between eras no more than a proxy does. ChatGPT, VS Code, Cursor, Codex, Inspector and \
          mcp-remote begin with initialize; Claude and Claude Code begin with server/discover and can fall back.",
    fix: "Look into the gateway's log at the time of this run for upstream_failure.",
    affects: &[],
    run: upstream_eras,
};

/// JSON-RPC error of 2026-07-28: the revision is not supported.
const UNSUPPORTED_REVISION: i64 = -32022;

fn upstream_eras(record: &Record) -> CheckResult {
    let upstream = require_access(record)?;
    require_token(record)?;
    for era in Era::ALL {
        let name = name(era);
        match (revision(upstream, era), revision(record, era)) {
            (None, Some(_)) => {
                let observed = format!("the gateway offers {name}, which the upstream does not speak");
                return Ok(Outcome::failure(observed).affects(beginning_with(era)).fix(
                    "The gateway keeps what it found out for five minutes: if the upstream was changed since, run the doctor \
                     again. Otherwise --upstream names another server than UPSTREAM.",
                ));
            }
            (Some(_), None) => {
                let observed = format!("the upstream speaks {name}, and the gateway does not offer it");
                return Ok(Outcome::warning(observed).affects(beginning_with(era)));
            }
            _ => {}
        }
    }
    Ok(match (revision(upstream, Era::Legacy), revision(upstream, Era::Modern)) {
        (Some(legacy), Some(modern)) => Outcome::ok(format!("{legacy} and {modern}")),
        (Some(legacy), None) => match wrongly_supported(record) {
            None => Outcome::ok(format!("{legacy} only: clients of {MODERN_REVISION} fall back to it")),
            Some(version) => Outcome::failure(format!(
                "the upstream speaks {legacy} only, and the gateway names {} as supported in its error",
                quote(&version)
            ))
            .affects(beginning_with(Era::Modern))
            .fix("Name revisions in data.supported that both sides speak: clients do not fall back otherwise."),
        },
        (None, Some(modern)) => {
            Outcome::warning(format!("{modern} only: clients that begin with initialize cannot connect"))
                .affects(beginning_with(Era::Legacy))
                .fix("Let the upstream speak 2025-11-25 as well. The official SDKs support both eras at one endpoint.")
        }
        (None, None) => {
            Outcome::failure("the upstream speaks neither 2025-11-25 or an earlier revision nor 2026-07-28")
                .affects(Client::ALL)
                .fix("Upgrade the upstream to a revision of MCP with Streamable HTTP (2025-03-26 or later).")
        }
    })
}

const fn name(era: Era) -> &'static str {
    match era {
        Era::Legacy => "the handshake of initialize",
        Era::Modern => MODERN_REVISION,
    }
}

/// The revision that a server speaks in an era. `None` if it speaks none.
fn revision(record: &Record, era: Era) -> Option<String> {
    let result = record.handshake(era)?;
    match era {
        Era::Legacy => result["protocolVersion"].as_str().map(quote).map(|it| it.trim_matches('"').to_owned()),
        Era::Modern => {
            let versions = result["supportedVersions"].as_array()?;
            versions.iter().any(|version| version == MODERN_REVISION).then(|| MODERN_REVISION.to_owned())
        }
    }
}

fn beginning_with(era: Era) -> impl Iterator<Item = Client> {
    Client::ALL.into_iter().filter(move |client| client.begins_with_initialize() == (era == Era::Legacy))
}

/// A revision of the era without a handshake that the gateway's refusal of `server/discover` names as supported. Clients
/// then try it, or give up, instead of falling back.
fn wrongly_supported(record: &Record) -> Option<String> {
    let body: Value = serde_json::from_str(record.response(Probe::ModernDiscover)?.text()).ok()?;
    let error = body.get("error").filter(|error| error["code"] == UNSUPPORTED_REVISION)?;
    let versions = error["data"]["supported"].as_array()?.iter().filter_map(Value::as_str);
    // Revisions are dates, which are in order as strings.
    versions.filter(|version| *version >= MODERN_REVISION).max().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        outcome::Verdict::{Failure, Ok as Fine, Skipped, Warning},
        testing::{Change, direct, expect, found, without_access},
    };

    /// The server does not speak this era.
    fn without(record: &mut Record, probe: Probe, supported: &Value) {
        let error = json!({ "code": UNSUPPORTED_REVISION, "message": "no", "data": { "supported": supported } });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "error": error });
        record.put(probe, 400, "application/json", &body.to_string());
    }

    fn on_both(probe: Probe, supported: Value) -> impl FnOnce(&mut Record) {
        move |record| {
            without(record, probe, &supported);
            direct(|it| without(it, probe, &supported))(record);
        }
    }

    #[test]
    fn both_speak_the_same_eras() {
        expect(&UPSTREAM_ERAS, Fine, "2025-11-25 and 2026-07-28", |_| {});
        expect(&UPSTREAM_ERAS, Fine, "2025-11-25 only: clients of 2026-07-28 fall back", {
            on_both(Probe::ModernDiscover, json!(["2025-06-18", "2025-11-25"]))
        });
    }

    #[test]
    fn clients_of_an_era_that_the_upstream_does_not_speak_are_named() {
        let finding = found(&UPSTREAM_ERAS, on_both(Probe::LegacyInitialize, json!(["2026-07-28"])));
        assert_eq!(finding.verdict, Warning, "{finding:#?}");
        assert!(finding.affected.contains(&Client::Cursor) && !finding.affected.contains(&Client::Claude));
        let finding = found(&UPSTREAM_ERAS, |it| without(it, Probe::LegacyInitialize, &json!([])));
        assert_eq!((finding.verdict, finding.affected.contains(&Client::ChatGpt)), (Warning, true), "{finding:#?}");
    }

    #[test]
    fn an_era_that_only_the_gateway_speaks_is_a_failure() {
        let finding = found(&UPSTREAM_ERAS, direct(|it| without(it, Probe::ModernDiscover, &json!([]))));
        assert_eq!(finding.verdict, Failure, "{finding:#?}");
        assert_eq!(finding.affected, [Client::Claude, Client::ClaudeCode]);
        expect(
            &UPSTREAM_ERAS,
            Failure,
            "the handshake of initialize",
            direct(|it| {
                without(it, Probe::LegacyInitialize, &json!([]));
            }),
        );
        expect(&UPSTREAM_ERAS, Failure, "names \"2026-07-28\" as supported", {
            on_both(Probe::ModernDiscover, json!(["2025-11-25", "2026-07-28"]))
        });
    }

    #[test]
    fn without_access_or_token_nothing_is_compared() {
        expect(&UPSTREAM_ERAS, Skipped, "MCP_EDGE_DOCTOR_UPSTREAM_AUTHORIZATION", without_access);
        expect(&UPSTREAM_ERAS, Skipped, "see token", |record| {
            record.token = None;
            record.exchanges.retain(|probe, _| *probe < Probe::LegacyInitialize);
        });
    }
}
