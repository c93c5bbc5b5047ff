//! Both protocol eras: the handshake of 2025-11-25, and 2026-07-28 without one.

use serde_json::Value;

use super::{
    mcp_result::{describe, describe_no_list, listed_tools, require_authorized, result},
    response::WORKER_TO_WORKER_FIX,
};
use crate::{
    check::{Check, Section},
    clients::Client,
    http::HttpResponse,
    mcp::{self, Era, List, MODERN_REVISION},
    outcome::{CheckResult, Outcome, Skip},
    pages,
    probe::Probe,
    record::Record,
};

pub(super) const CHECKS: &[Check] = &[LEGACY, NOTIFICATION, MODERN, STREAM];

const LEGACY: Check = Check {
    slug: "legacy",
    section: Section::Protocol,
    title: "The server supports clients that begin with initialize (2025-11-25)",
    why: "ChatGPT, VS Code, Cursor, Inspector and mcp-remote begin with initialize.",
    fix: "Look into the server's log at the time of this run.",
    affects: &[
        Client::Claude,
        Client::ChatGpt,
        Client::VsCode,
        Client::Cursor,
        Client::Codex,
        Client::GeminiCli,
        Client::CopilotStudio,
        Client::Kiro,
        Client::Zed,
        Client::Windsurf,
        Client::Goose,
        Client::LibreChat,
        Client::N8n,
        Client::McpRemote,
        Client::Inspector,
        Client::SdkApp,
    ],
    run: legacy,
};

fn legacy(record: &Record) -> CheckResult {
    let response = require_authorized(record, Probe::LegacyInitialize)?;
    let Some(revision) = result(response).and_then(|it| it["protocolVersion"].as_str().map(str::to_owned)) else {
        let observed = format!("initialize gets {}", describe(response));
        // A server that supports 2026-07-28 only answers with a 4xx.
        return Ok(if (400..500).contains(&response.status) && discovered(record).is_some() {
            Outcome::warning(format!("{observed}: the server supports 2026-07-28 only"))
                .fix("Support both: most clients still begin with initialize.")
        } else {
            let outcome = Outcome::failure(observed);
            if (500..600).contains(&response.status) && is_worker_beside_its_provider(record) {
                outcome.fix(format!(
                    "Look into the server's log. Server and provider may share a domain at Cloudflare, where a request from \
                     one Worker to another fails with error 1042. {WORKER_TO_WORKER_FIX}"
                ))
            } else {
                outcome
            }
        });
    };
    if let Some(response) = record.response(Probe::LegacyInitialized)
        && !response.is_success()
    {
        return Ok(Outcome::failure(format!("notifications/initialized gets {}", describe(response)))
            .fix("Answer notifications/initialized with 202 and an empty body."));
    }
    Ok(match tools_or_failure(record, Era::Legacy)? {
        Ok(tools) => Outcome::ok(format!("{revision}, {}", count(tools))),
        Err(failure) => failure,
    })
}

/// Whether server and provider may both be Workers of one zone, or of workers.dev, so that neither reaches the other.
fn is_worker_beside_its_provider(record: &Record) -> bool {
    let is_cloudflare = record.response(Probe::Initialize).is_some_and(|it| it.header("cf-ray").is_some());
    let host = |url: &str| url::Url::parse(url).ok().and_then(|url| url.domain().map(str::to_owned));
    let (Some(server), Some(provider)) = (host(record.target.as_str()), record.issuer().as_deref().and_then(host))
    else {
        return false;
    };
    // The zone is at least the last two labels; which of them it has does not show.
    let zone = |host: &str| host.rsplitn(3, '.').take(2).map(str::to_owned).collect::<Vec<_>>();
    is_cloudflare && zone(&server) == zone(&provider)
}

const NOTIFICATION: Check = Check {
    slug: "notification",
    section: Section::Protocol,
    title: "A notification gets 202 with an empty body",
    why: "A notification has no response. Codex breaks the handshake off if the body of a 200 is an event stream, or no \
          JSON-RPC message; other clients fail on 204.",
    fix: "Answer every notification with 202 and an empty body.",
    affects: &[Client::Codex],
    run: notification,
};

fn notification(record: &Record) -> CheckResult {
    require_authorized(record, Probe::LegacyInitialize)?;
    let Some(response) = record.response(Probe::LegacyInitialized).filter(|response| response.is_success()) else {
        return Err(Skip::new("no notification was accepted (see legacy)"));
    };
    let is_empty = response.body.is_empty() && response.truncated.is_none();
    Ok(match (response.status, is_empty) {
        (202, true) => Outcome::ok("202"),
        (202, false) => Outcome::warning("notifications/initialized gets 202 with a body"),
        (_, true) => Outcome::warning(format!("notifications/initialized gets {} instead of 202", response.summary())),
        (_, false) => {
            let summary = response.summary();
            let observed = format!("notifications/initialized gets {summary} with a body, instead of 202 without one");
            if is_message(response) { Outcome::warning(observed) } else { Outcome::failure(observed) }
        }
    })
}

/// Whether a response is a JSON-RPC message that is not in an event stream.
fn is_message(response: &HttpResponse) -> bool {
    let Ok(message) = serde_json::from_str::<Value>(response.text()) else { return false };
    let is_response = !message["id"].is_null() && (message["result"].is_object() || message["error"].is_object());
    response.media_type() == "application/json"
        && message["jsonrpc"] == "2.0"
        && (is_response || message["method"].is_string())
}

const MODERN: Check = Check {
    slug: "modern",
    section: Section::Protocol,
    title: "The server supports clients that begin with server/discover (2026-07-28)",
    why: "Claude and Claude Code begin with server/discover. After a 4xx they fall back to initialize. After a 5xx or an \
          unreadable response they give up.",
    fix: "Look into the server's log at the time of this run.",
    affects: &[Client::Claude, Client::ClaudeCode, Client::SdkApp],
    run: modern,
};

fn modern(record: &Record) -> CheckResult {
    let response = require_authorized(record, Probe::ModernDiscover)?;
    let Some(discovered) = discovered(record) else {
        let observed = format!("server/discover gets {}", describe(response));
        let falls_back =
            response.status < 500 && mcp::rpc_response(response).is_some() || (400..500).contains(&response.status);
        return Ok(if falls_back {
            Outcome::warning(format!("{observed}: clients fall back to initialize"))
                .fix("Not urgent: add support for 2026-07-28 in addition to the handshake.")
        } else {
            Outcome::failure(observed)
        });
    };
    let tools = match tools_or_failure(record, Era::Modern)? {
        Ok(tools) => tools,
        Err(failure) => return Ok(failure),
    };
    let list = result(record.response(Probe::ModernTools).unwrap_or(response)).unwrap_or_default();
    for (method, result) in [("server/discover", &discovered), ("tools/list", &list)] {
        let missing = ["resultType", "ttlMs", "cacheScope"].into_iter().find(|member| result.get(*member).is_none());
        if let Some(missing) = missing {
            return Ok(Outcome::warning(format!("the result of {method} has no {missing}"))
                .fix("Send resultType, ttlMs and cacheScope with both results: 2026-07-28 requires them."));
        }
    }
    Ok(Outcome::ok(format!("{MODERN_REVISION}, {}", count(tools))))
}

/// The result of `server/discover`, if it lists 2026-07-28.
fn discovered(record: &Record) -> Option<Value> {
    let result = result(record.response(Probe::ModernDiscover)?)?;
    let versions = result.get("supportedVersions")?.as_array()?;
    versions.iter().any(|version| version == MODERN_REVISION).then_some(result)
}

/// The listed tools, or the outcome that explains why there is no list.
fn tools_or_failure(record: &Record, era: Era) -> Result<Result<&[Value], Outcome>, Skip> {
    if let Some(tools) = listed_tools(record, era) {
        return Ok(Ok(tools));
    }
    let result = record.result(pages::probe(era, List::Tools, 1));
    let result = result.ok_or_else(|| Skip::new("tools/list was not sent"))?;
    let gets = if result.is_ok() { " gets" } else { ":" };
    Ok(Err(Outcome::failure(format!("tools/list{gets} {}", describe_no_list(result, List::Tools)))))
}

fn count(tools: &[Value]) -> String {
    match tools.len() {
        1 => "1 tool".to_owned(),
        several => format!("{several} tools"),
    }
}

const STREAM: Check = Check {
    slug: "stream",
    section: Section::Protocol,
    title: "A GET after the handshake opens a stream or gets 405",
    why: "Legacy clients try to open a stream for messages from the server. 405 means that the server has none.",
    fix: "Answer 405 with an Allow header, or with an event stream.",
    affects: &[Client::ClaudeCode, Client::VsCode, Client::SdkApp],
    run: stream,
};

fn stream(record: &Record) -> CheckResult {
    let response = require_authorized(record, Probe::LegacyStream)?;
    Ok(match (response.status, response.media_type().as_str()) {
        (405, _) => Outcome::ok("405: the server offers no stream, which is fine"),
        (200, "text/event-stream") => Outcome::ok("the GET opens a stream"),
        _ => Outcome::warning(format!("the response is {}", response.summary())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        http::TransportErrorKind,
        outcome::Verdict::{Failure, Ok as Fine, Skipped, Warning},
        testing::{Change, expect},
    };

    const NOT_FOUND: &str = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#;

    #[test]
    fn the_handshake_is_followed_to_its_end() {
        let put = |probe, status| move |it: &mut Record| it.put(probe, status, "application/json", NOT_FOUND);
        expect(&LEGACY, Warning, "2026-07-28 only", put(Probe::LegacyInitialize, 404));
        expect(&LEGACY, Failure, "error -32601 \"Method not found\"", put(Probe::LegacyInitialize, 200));
        expect(&LEGACY, Failure, "notifications/initialized", put(Probe::LegacyInitialized, 400));
        expect(&LEGACY, Failure, "tools/list gets 200 with error", put(Probe::LegacyTools, 200));
        expect(&LEGACY, Failure, "no response in time", |it| {
            it.fail(Probe::LegacyTools, TransportErrorKind::Timeout);
        });
    }

    #[test]
    fn a_server_that_may_not_reach_its_provider_gets_the_reason() {
        let finding = crate::testing::found(&LEGACY, |record| {
            record.target = crate::target::Target::parse("https://mcp.logto.app/mcp").unwrap();
            record.change(Probe::Initialize, |it| it.set("cf-ray", Some("1")));
            record.put(Probe::LegacyInitialize, 503, "application/json", "{}");
        });
        assert!(finding.fix.contains("may share a domain"), "{finding:#?}");
        assert!(finding.fix.contains("global_fetch_strictly_public"), "{finding:#?}");
    }

    #[test]
    fn a_notification_gets_202_and_nothing_else() {
        let put = |status, body: &'static str| {
            move |it: &mut Record| it.put(Probe::LegacyInitialized, status, "application/json", body)
        };
        expect(&NOTIFICATION, Fine, "202", put(202, ""));
        expect(&NOTIFICATION, Warning, "202 with a body", put(202, "{}"));
        expect(&NOTIFICATION, Warning, "200 application/json instead of 202", put(200, ""));
        expect(&NOTIFICATION, Warning, "204 application/json instead of 202", put(204, ""));
        expect(&NOTIFICATION, Failure, "200 application/json with a body", put(200, "null"));
        expect(&NOTIFICATION, Failure, "200 application/json with a body", put(200, r#"{"ok":true}"#));
        for message in [r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, r#"{"jsonrpc":"2.0","method":"notifications/x"}"#] {
            expect(&NOTIFICATION, Warning, "200 application/json with a body", put(200, message));
            let stream = format!("data: {message}\n\n");
            expect(&NOTIFICATION, Failure, "200 text/event-stream with a body", |it| {
                it.put(Probe::LegacyInitialized, 200, "text/event-stream", &stream);
            });
        }
        expect(&NOTIFICATION, Skipped, "see legacy", put(400, ""));
    }

    #[test]
    fn a_list_that_cannot_be_read_is_described() {
        let body = |body: String| move |it: &mut Record| it.put(Probe::LegacyTools, 200, "application/json", &body);
        let deep = format!("{{\"result\":{}{}}}", "[".repeat(200), "]".repeat(200));
        expect(&LEGACY, Failure, "nested more than 127 levels", body(deep));
        expect(&LEGACY, Failure, "compressed (\"gzip\")", body("\u{1f}\u{fffd}\u{8}".to_owned()));
        expect(&LEGACY, Failure, "a page for people", body("<!doctype html>".to_owned()));
    }

    #[test]
    fn modern_clients_fall_back_after_a_4xx_and_give_up_after_anything_else() {
        let put = |status, media_type: &'static str, body: &'static str| {
            move |it: &mut Record| it.put(Probe::ModernDiscover, status, media_type, body)
        };
        expect(&MODERN, Warning, "fall back", put(200, "application/json", NOT_FOUND));
        expect(&MODERN, Warning, "fall back", put(400, "text/plain", "no"));
        expect(&MODERN, Failure, "500", put(500, "text/plain", "no"));
        expect(&MODERN, Failure, "200 text/html", put(200, "text/html", "<html>"));
        expect(&MODERN, Failure, "tools/list gets 500", |it| it.put(Probe::ModernTools, 500, "text/plain", ""));
        expect(&MODERN, Warning, "tools/list has no ttlMs", |it| {
            it.edit(Probe::ModernTools, |message| drop(message["result"].as_object_mut().unwrap().remove("ttlMs")));
        });
    }

    #[test]
    fn a_get_is_answered_with_405_or_a_stream() {
        expect(&STREAM, Fine, "opens", |it| it.put(Probe::LegacyStream, 200, "text/event-stream", ""));
        expect(&STREAM, Warning, "404", |it| it.put(Probe::LegacyStream, 404, "", ""));
    }
}
