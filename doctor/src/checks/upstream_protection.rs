//! The upstream, reached without the gateway: whether it refuses, without credentials and with forged ones.

use std::collections::BTreeSet;

use super::{mcp_result::describe, upstream_result::require_upstream};
use crate::{
    check::{Check, Section},
    gateway::forgery::Forgery,
    http::{HttpResponse, TransportError},
    mcp::{self, Era, RpcResponse},
    outcome::{CheckResult, Outcome, Skip},
    probe::Probe,
    quote::quote,
    record::Record,
};

pub(super) const CHECKS: &[Check] = &[UPSTREAM_DIRECT, FORGED_ASSERTION];

const UPSTREAM_DIRECT: Check = Check {
    slug: "upstream_direct",
    section: Section::Gateway,
    title: "The upstream refuses requests without credentials, or cannot be reached without the gateway",
    why: "An upstream that does not ask who is calling serves everybody who reaches it, without sign-in, scopes and gateway.",
    fix: "Let the upstream verify the gateway's assertions: ES256 with the keys at /.well-known/jwks.json of the gateway, \
          iss is its origin, and aud is UPSTREAM_AUDIENCE or the upstream's URL. If it cannot, give it a static key \
          (UPSTREAM_AUTH = \"secret\"), or close the way to it: let only a binding of the Worker reach it (service, VPC or mTLS).",
    affects: &[],
    run: upstream_direct,
};

/// The requests without credentials, with what the report calls them.
const DIRECT: [(Probe, &str); 4] = [
    (Probe::Initialize, "initialize"),
    (Probe::Discover, "server/discover"),
    (Probe::ToolsWithoutCredentials(Era::Legacy), "tools/list of 2025-11-25"),
    (Probe::ToolsWithoutCredentials(Era::Modern), "tools/list of 2026-07-28"),
];

/// What became of a request without credentials.
enum Direct {
    Unreachable(String),
    /// The upstream, or something in front of it, let nothing through.
    Refused(String),
    Answered,
    /// An error that only a server sends that has read the message.
    Read(String),
    /// Neither: an outage, or another page.
    Other(String),
}

fn direct(result: &Result<HttpResponse, TransportError>) -> Direct {
    let response = match result {
        Ok(response) => response,
        Err(error) => return Direct::Unreachable(error.to_string()),
    };
    match (response.status, mcp::rpc_response(response)) {
        (401 | 403, _) => Direct::Refused(response.status.to_string()),
        _ if response.redirect().is_some() => Direct::Refused(format!("{}, a redirect", response.status)),
        (200..300, Some(RpcResponse::Result(_))) => Direct::Answered,
        (_, Some(_)) => Direct::Read(describe(response)),
        // A proxy that wants a client certificate, for example.
        (400..500, None) if !matches!(response.status, 404 | 405 | 410 | 429) => {
            Direct::Refused(response.status.to_string())
        }
        (_, None) => Direct::Other(describe(response)),
    }
}

fn upstream_direct(record: &Record) -> CheckResult {
    let upstream = &require_upstream(record)?.direct;
    let (mut answered, mut read, mut refused) = (Vec::new(), Vec::new(), BTreeSet::new());
    let (mut other, mut unreachable, mut lists_refused) = (None, None, true);
    for (probe, name) in DIRECT {
        let is_list = matches!(probe, Probe::ToolsWithoutCredentials(_));
        let result = upstream.result(probe).map(direct);
        lists_refused &= !is_list || matches!(result, Some(Direct::Refused(_)));
        match result {
            Some(Direct::Answered) => answered.push(name),
            Some(Direct::Read(what)) => read.push(format!("{name} gets {what}")),
            Some(Direct::Refused(how)) => drop(refused.insert(how)),
            Some(Direct::Other(what)) => other = other.or(Some(what)),
            Some(Direct::Unreachable(error)) => unreachable = unreachable.or(Some(error)),
            None => {}
        }
    }
    if !answered.is_empty() {
        let observed = format!("without credentials, the upstream answers {}", answered.join(", "));
        return Ok(if lists_refused {
            Outcome::warning(format!("{observed}, and refuses tools/list")).fix(
                "Let the upstream ask for credentials before it answers anything: what it says of itself is for users.",
            )
        } else {
            Outcome::failure(observed)
        });
    }
    if let Some(first) = read.first() {
        return Ok(Outcome::warning(format!(
            "without credentials, {first}: the upstream reads requests before it refuses"
        ))
        .fix("Let the upstream ask for credentials before it looks at method, version or body of a request."));
    }
    if !refused.is_empty() {
        return Ok(Outcome::ok(format!("refused: {}", refused.into_iter().collect::<Vec<_>>().join(", "))));
    }
    match (other, unreachable) {
        (Some(what), _) => Ok(Outcome::warning(format!(
            "the upstream answers {what}, which says nothing about its protection"
        ))
        .fix("Pass the URL of the upstream's MCP endpoint (UPSTREAM) with --upstream, while the upstream is running.")),
        (None, Some(error)) => Ok(Outcome::ok(format!("not reachable from here: {error}"))),
        (None, None) => Err(Skip::new("the requests were not sent")),
    }
}

const FORGED_ASSERTION: Check = Check {
    slug: "forged_assertion",
    section: Section::Gateway,
    title: "The upstream rejects assertions that the gateway did not sign",
    why: "A server that reads assertions and does not verify them lets everybody be everybody.",
    fix: "Verify every assertion with the keys at /.well-known/jwks.json of the gateway: ES256 alone, never none, and no key \
          from the assertion itself; then iss, aud and exp. FastMCP's JWTVerifier and jose's jwtVerify with \
          createRemoteJWKSet do so.",
    affects: &[],
    run: forged_assertion,
};

fn forged_assertion(record: &Record) -> CheckResult {
    let upstream = require_upstream(record)?;
    if !upstream.is_reached() {
        return Err(Skip::new("the upstream is not reachable from here"));
    }
    if upstream.is_open() {
        return Err(Skip::new("the upstream answers without credentials (see upstream_direct)"));
    }
    let mut statuses = BTreeSet::new();
    for forgery in Forgery::ALL {
        for era in Era::ALL {
            let probe = Probe::ForgedAssertion(forgery, era);
            if upstream.direct.rpc_result(probe).is_some() {
                let audience = quote(upstream.audience());
                return Ok(Outcome::failure(format!("the upstream accepts {} for {audience}", forgery.name())));
            }
            statuses.extend(upstream.direct.response(probe).map(|response| response.status));
        }
    }
    if statuses.is_empty() {
        return Err(Skip::new("the upstream answered no forged assertion"));
    }
    let statuses: Vec<_> = statuses.iter().map(u16::to_string).collect();
    Ok(Outcome::ok(format!(
        "rejected: unsigned, signed by another key, with a key of its own ({})",
        statuses.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        http::TransportErrorKind,
        outcome::Verdict::{Failure, Ok as Fine, Skipped, Warning},
        testing::{Change, direct as upstream, expect, found},
    };

    const RESULT: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#;
    const ERROR: &str = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#;
    const LISTS: [Probe; 2] =
        [Probe::ToolsWithoutCredentials(Era::Legacy), Probe::ToolsWithoutCredentials(Era::Modern)];

    fn all(status: u16, media_type: &'static str, body: &'static str) -> impl FnOnce(&mut Record) {
        upstream(move |it| {
            for (probe, _) in DIRECT {
                it.put(probe, status, media_type, body);
            }
        })
    }

    fn unreachable(record: &mut Record, kind: TransportErrorKind) {
        for (probe, _) in DIRECT {
            record.fail(probe, kind);
        }
    }

    #[test]
    fn an_upstream_that_answers_without_credentials_is_a_failure() {
        for (probe, name) in DIRECT {
            let finding = found(&UPSTREAM_DIRECT, upstream(|it| it.put(probe, 200, "application/json", RESULT)));
            let verdict = if LISTS.contains(&probe) { Failure } else { Warning };
            assert_eq!((finding.verdict, finding.observed.contains(name)), (verdict, true), "{finding:#?}");
        }
        expect(
            &UPSTREAM_DIRECT,
            Failure,
            "initialize, server/discover, tools/list",
            all(200, "application/json", RESULT),
        );
        let stream = "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n";
        expect(&UPSTREAM_DIRECT, Failure, "initialize", all(200, "text/event-stream", stream));
        // What is not refused may be open after a complete handshake.
        expect(
            &UPSTREAM_DIRECT,
            Failure,
            "initialize",
            upstream(|it| {
                it.put(Probe::Initialize, 200, "application/json", RESULT);
                it.put(LISTS[0], 400, "application/json", ERROR);
            }),
        );
    }

    #[test]
    fn a_refusal_and_a_closed_way_are_fine() {
        expect(&UPSTREAM_DIRECT, Fine, "401", |_| {});
        expect(&UPSTREAM_DIRECT, Fine, "403", all(403, "text/html", "<html>"));
        expect(&UPSTREAM_DIRECT, Fine, "400", all(400, "text/html", "<html>No required SSL certificate was sent"));
        expect(
            &UPSTREAM_DIRECT,
            Fine,
            "redirect",
            upstream(|it| {
                for (probe, _) in DIRECT {
                    it.change(probe, |it| {
                        it.status = 302;
                        it.set("location", Some("https://login.example/"));
                    });
                }
            }),
        );
        expect(
            &UPSTREAM_DIRECT,
            Fine,
            "not reachable from here: no connection",
            upstream(|it| {
                unreachable(it, TransportErrorKind::Connect);
            }),
        );
    }

    #[test]
    fn what_proves_nothing_is_named() {
        expect(&UPSTREAM_DIRECT, Warning, "server/discover gets 400 with error -32601", {
            upstream(|it| it.put(Probe::Discover, 400, "application/json", ERROR))
        });
        expect(&UPSTREAM_DIRECT, Warning, "503", all(503, "text/plain", ""));
        expect(&UPSTREAM_DIRECT, Warning, "404", all(404, "text/plain", ""));
        expect(&UPSTREAM_DIRECT, Skipped, "--upstream", |it| it.upstream = None);
    }

    #[test]
    fn an_upstream_that_only_decodes_assertions_is_a_failure() {
        for forgery in Forgery::ALL {
            for era in Era::ALL {
                let accepts =
                    |it: &mut Record| it.put(Probe::ForgedAssertion(forgery, era), 200, "application/json", RESULT);
                expect(&FORGED_ASSERTION, Failure, forgery.name(), upstream(accepts));
            }
        }
        expect(&FORGED_ASSERTION, Fine, "(401)", |_| {});
        expect(&FORGED_ASSERTION, Skipped, "see upstream_direct", all(200, "application/json", RESULT));
        expect(
            &FORGED_ASSERTION,
            Skipped,
            "not reachable",
            upstream(|it| {
                unreachable(it, TransportErrorKind::Dns);
            }),
        );
        expect(&FORGED_ASSERTION, Skipped, "--upstream", |it| it.upstream = None);
    }
}
