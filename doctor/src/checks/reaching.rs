//! Whether clients get as far as the endpoint.

use std::collections::BTreeSet;

use super::{is_blocked, quote};
use crate::{
    clients::{Agent, Client},
    exchange::{Answer, Failure, FailureKind},
    finding::{Check, Judgement, Skip},
    message::{self, Response},
    record::{Probe, Record, document, string},
};

pub fn url(record: &Record) -> Judgement {
    let target = &record.target;
    if !target.is_https() && !target.is_loopback() {
        return Judgement::failure("it is plain http: everybody on the way can read the tokens");
    }
    if target.has_query() {
        return Judgement::warning("it has a query (?…), which clients drop or keep as they like")
            .mend("Serve the endpoint at a URL without a query.");
    }
    if target.is_pathless() {
        return Judgement::warning("it has no path: some clients say https://host, others https://host/")
            .hits([Client::VsCode, Client::SdkApp]);
    }
    Judgement::ok(match (target.is_https(), target.is_loopback()) {
        (true, _) => "https, with a path",
        (false, _) => "plain http, which is fine on this machine",
    })
}

pub fn reachable(record: &Record) -> Result<Judgement, Skip> {
    match record.outcome(Probe::Initialize) {
        None => Err(Skip::new("nothing was asked")),
        Some(Ok(_)) => {
            Ok(Judgement::ok(if record.target.is_https() { "it answers, over verified TLS" } else { "it answers" }))
        }
        Some(Err(failure)) => Ok(unreachable(record, failure)),
    }
}

fn unreachable(record: &Record, failure: &Failure) -> Judgement {
    let judgement = Judgement::failure(failure.to_string());
    match failure.kind {
        FailureKind::Dns => judgement.mend(
            "Look for a typing error, and whether the name has a DNS record yet. At Cloudflare a custom domain is made \
             by a deployment with routes = [{ pattern = \"…\", custom_domain = true }].",
        ),
        FailureKind::Connect if record.target.is_loopback() => {
            judgement.mend("Start the server (make dev), or correct the port.")
        }
        FailureKind::Tls => judgement.mend(
            "Renew the certificate. It must be issued for this host name by a public authority, be in date, and come \
             with its intermediate certificates: hosted clients trust nothing else. For a private authority, give its \
             certificate with --ca-file and do without hosted clients.",
        ),
        FailureKind::Timeout => judgement.mend(
            "See whether the server is overloaded or hangs before it answers; clients do not wait longer than this. \
             --timeout gives it more time.",
        ),
        _ => judgement,
    }
}

pub fn redirect(record: &Record) -> Result<Judgement, Skip> {
    let answer = record.answer(Probe::Initialize).ok_or_else(|| Skip::new("the endpoint was not reached"))?;
    let Some(place) = answer.redirect() else { return Ok(Judgement::ok(format!("it answers {}", answer.status))) };
    let judgement =
        Judgement::failure(format!("{} to {}; nothing behind it was examined", answer.status, quote(place)));
    Ok(if place.contains("cloudflareaccess.com") || place.contains("/login") || place.contains("/authorize") {
        judgement.mend(
            "A gateway in front asks people to sign in; agents cannot. Exempt the endpoint and /.well-known/ from it: \
             this server checks tokens itself.",
        )
    } else {
        judgement
    })
}

pub fn endpoint(record: &Record) -> Result<Judgement, Skip> {
    let answer = record.of_server(Probe::Initialize)?;
    if record.is_protected() {
        return Ok(Judgement::ok("401: sign in first"));
    }
    if record.is_open() {
        return Ok(Judgement::warning("it lets everybody in without a token").mend(
            "If that is meant, nothing. If some tools need sign-in, clients learn it from a 401 to the call. If all do, \
             answer 401 to every request without a token.",
        ));
    }
    let seen = format!("it answers {}", answer.in_short());
    if is_blocked(answer) {
        return Ok(Judgement::failure(format!("{seen}: a bot protection stands in front"))
            .mend(Check::BotProtection.text().mend));
    }
    Ok(not_an_endpoint(record, answer, seen))
}

fn not_an_endpoint(record: &Record, answer: &Answer, seen: String) -> Judgement {
    if is_retired_transport(record) {
        return Judgement::failure(format!("{seen} to POST, and a GET opens a stream: the retired HTTP+SSE transport"))
            .mend("Give people the URL of the Streamable HTTP endpoint (often /mcp instead of /sse), or move to it.");
    }
    let elsewhere = named_elsewhere(record).map(|url| format!(" The server's metadata names {}.", quote(&url)));
    let elsewhere = elsewhere.unwrap_or_default();
    let error = match message::response(answer) {
        Some(Response::Error(code, text)) => format!("{seen}, error {code} {}", quote(&text)),
        _ => seen,
    };
    match answer.status {
        404 | 410 => Judgement::failure(format!("{error}: there is nothing at this path"))
            .mend(format!("Check the path.{elsewhere} For mcp-edge it is the path of RESOURCE.")),
        405 => {
            Judgement::failure(format!("{error}: POST is not taken here")).mend(format!("Check the path.{elsewhere}"))
        }
        500 if answer.body.contains("not set up correctly") => {
            Judgement::failure(format!("{error}: mcp-edge finds its settings wrong"))
                .mend("The log says in one sentence each what to mend: wrangler tail. See docs/denials.md.")
        }
        403 => Judgement::failure(format!("{error} instead of 401: clients take that as final"))
            .mend("Answer 401 with a challenge. If your server does, something in front of it answers 403."),
        502..=504 | 520..=530 => Judgement::failure(format!("{error}: what stands in front does not reach the server"))
            .mend("See whether the server is up, and whether the route to it is right."),
        500..=599 => Judgement::failure(format!("{error}: the server fails"))
            .mend("Look into the server's log at the time of this run."),
        200 => Judgement::failure(format!("{error}, which is no MCP")).mend(format!("Check the path.{elsewhere}")),
        _ => Judgement::failure(format!("{error} instead of 401: it looks at the request before it asks for sign-in"))
            .mend("Authenticate first. If this is no MCP endpoint, check the path."),
    }
}

/// The HTTP+SSE transport of 2024-11-05 answers a `GET` with a stream.
fn is_retired_transport(record: &Record) -> bool {
    record.answer(Probe::Get).is_some_and(|answer| answer.status == 200 && answer.media_type() == "text/event-stream")
}

/// The endpoint that the metadata at the root names, if it is another one.
fn named_elsewhere(record: &Record) -> Option<String> {
    let metadata = document(record.answer(Probe::MetadataAtRoot)?)?;
    string(&metadata, "resource").filter(|url| *url != record.target.typed()).map(str::to_owned)
}

pub fn slash(record: &Record) -> Result<Judgement, Skip> {
    let Some(twin) = record.target.slash_twin() else { return Err(Skip::new("a URL without a path has no such twin")) };
    let answer = record.of_server(Probe::SlashTwin)?;
    if let Some(place) = answer.redirect() {
        return Ok(Judgement::warning(format!(
            "{twin} redirects to {}: clients lose their request there",
            quote(place)
        )));
    }
    Ok(match answer.status {
        401 | 200..=299 => Judgement::warning(format!(
            "{twin} answers {}, too: whoever uses it gets a resource that does not match",
            answer.status
        )),
        500..=599 => Judgement::warning(format!("{twin} answers {}", answer.in_short())),
        status => Judgement::ok(format!("{twin} answers {status}")),
    })
}

pub fn bot_protection(record: &Record) -> Result<Judgement, Skip> {
    let baseline = record.of_server(Probe::Initialize)?;
    if is_blocked(baseline) {
        return Err(Skip::new("nobody gets through, whatever the user agent (see endpoint)"));
    }
    let mut blocked: BTreeSet<Agent> = BTreeSet::new();
    let mut seen: Vec<String> = Vec::new();
    let mut asked = 0;
    for agent in Agent::ALL {
        for (probe, usual) in
            [(Probe::AsAgent(agent), Probe::Initialize), (Probe::MetadataAsAgent(agent), Probe::MetadataAtPath)]
        {
            let (Some(outcome), Some(usual)) = (record.outcome(probe), record.answer(usual)) else { continue };
            asked += 1;
            let answered = match outcome {
                Ok(answer) if answer.status == usual.status && !is_blocked(answer) => continue,
                Ok(answer) => answer.in_short(),
                Err(failure) => failure.to_string(),
            };
            // One sentence for each user agent is enough.
            if blocked.insert(agent) {
                seen.push(format!("{} gets {answered} instead of {}", agent.name(), usual.status));
            }
        }
    }
    if asked == 0 {
        return Err(Skip::new("it was not asked"));
    }
    if blocked.is_empty() {
        let names: Vec<_> = Agent::ALL.iter().map(|agent| agent.name()).collect();
        return Ok(Judgement::ok(format!("{} get through, from this address", names.join(", "))));
    }
    let hits: BTreeSet<Client> = blocked.iter().flat_map(|agent| agent.clients()).copied().collect();
    let judgement =
        if hits.is_empty() { Judgement::warning(seen.join("; ")) } else { Judgement::failure(seen.join("; ")) };
    Ok(judgement.hits(hits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        finding::Verdict::{Failure as Bad, Ok as Fine, Skipped, Warning},
        target::Target,
        testing::{Change, answered, expect, found},
    };

    fn at(url: &'static str) -> impl FnOnce(&mut Record) {
        move |record| record.target = Target::parse(url).unwrap()
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        expect(Check::Url, Bad, "plain http", at("http://mcp.example.com/mcp"));
        expect(Check::Url, Bad, "plain http", at("http://10.0.0.7/mcp"));
        expect(Check::Url, Fine, "fine on this machine", at("http://localhost:8787/mcp"));
        expect(Check::Url, Fine, "fine on this machine", at("http://[::1]:8787/mcp"));
    }

    #[test]
    fn a_url_without_a_path_or_with_a_query_is_doubtful() {
        expect(Check::Url, Warning, "no path", at("https://mcp.example.com/"));
        expect(Check::Url, Warning, "query", at("https://mcp.example.com/mcp?tenant=1"));
    }

    #[test]
    fn whatever_keeps_clients_away_has_its_own_advice() {
        let reach = |kind| found(Check::Reachable, |record| record.fail(Probe::Initialize, kind));
        for (kind, advice) in [
            (FailureKind::Dns, "DNS record"),
            (FailureKind::Tls, "certificate"),
            (FailureKind::Timeout, "--timeout"),
            (FailureKind::Connect, "route"),
        ] {
            let finding = reach(kind);
            assert_eq!(finding.verdict, Bad);
            assert!(finding.mend.contains(advice), "{finding:#?}");
        }
        let local = found(Check::Reachable, |record| {
            at("http://localhost:8787/mcp")(record);
            record.fail(Probe::Initialize, FailureKind::Connect);
        });
        assert!(local.mend.contains("make dev"), "{local:#?}");
    }

    #[test]
    fn one_cause_makes_one_failure() {
        let mut record = crate::testing::good();
        record.fail(Probe::Initialize, FailureKind::Dns);
        let findings = super::super::judge(&record);
        let failed: Vec<_> = findings.iter().filter(|it| it.verdict == Bad).map(|it| it.check).collect();
        assert_eq!(failed, [Check::Reachable]);
    }

    #[test]
    fn a_redirect_is_reported_with_where_it_leads() {
        let redirect = |place: &'static str| {
            move |record: &mut Record| {
                record.change(Probe::Initialize, |it| *it = answered(308, &[("location", place)], ""));
            }
        };
        expect(Check::Redirect, Bad, "308 to \"https://www.example.com/mcp\"", redirect("https://www.example.com/mcp"));
        expect(Check::Endpoint, Skipped, "", redirect("https://www.example.com/mcp"));
        let login = found(Check::Redirect, redirect("https://team.cloudflareaccess.com/cdn-cgi/access/login"));
        assert!(login.mend.contains("gateway"), "{login:#?}");
    }

    #[test]
    fn what_is_no_protected_endpoint_is_told_apart() {
        let mend = |status, kind: &str, body: &str| {
            let finding = found(Check::Endpoint, |record| record.put(Probe::Initialize, status, kind, body));
            assert_eq!(finding.verdict, Bad, "{finding:#?}");
            format!("{} {}", finding.seen, finding.mend)
        };
        for (status, kind, body, said) in [
            (404, "application/json", "{}", "nothing at this path"),
            (405, "text/plain", "", "POST is not taken"),
            (200, "text/html", "<html>", "no MCP"),
            (403, "application/json", "{}", "instead of 401"),
            (403, "text/html", "<html>Just a moment", "bot protection"),
            (
                500,
                "application/json",
                r#"{"error_description":"This server is not set up correctly"}"#,
                "wrangler tail",
            ),
            (500, "text/plain", "oops", "log"),
            (502, "text/html", "<html>", "does not reach the server"),
            (400, "application/json", r#"{"id":1,"error":{"code":-32600,"message":"no session"}}"#, "no session"),
        ] {
            let text = mend(status, kind, body);
            assert!(text.contains(said), "{status} {kind}: {text}");
        }
    }

    #[test]
    fn a_wrong_path_is_corrected_by_what_the_root_says() {
        let finding = found(Check::Endpoint, |record| {
            record.put(Probe::Initialize, 404, "application/json", "{}");
            record.edit(Probe::MetadataAtRoot, |it| {
                it.insert("resource".into(), "https://mcp.example.com/v2/mcp".into());
            });
        });
        assert!(finding.mend.contains("\"https://mcp.example.com/v2/mcp\""), "{finding:#?}");
    }

    #[test]
    fn the_retired_transport_is_recognised() {
        expect(Check::Endpoint, Bad, "HTTP+SSE", |record| {
            record.put(Probe::Initialize, 405, "text/plain", "");
            record.put(Probe::Get, 200, "text/event-stream", "");
        });
    }

    #[test]
    fn an_open_server_is_a_warning_and_asks_for_nothing_more() {
        let open = |record: &mut Record| {
            let body = r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25"}}"#;
            record.put(Probe::Initialize, 200, "application/json", body);
        };
        expect(Check::Endpoint, Warning, "everybody", open);
        expect(Check::Challenge, Skipped, "does not ask for sign-in", open);
    }

    #[test]
    fn a_slash_more_must_lead_nowhere() {
        let twin = |status| move |record: &mut Record| record.change(Probe::SlashTwin, |it| it.status = status);
        expect(Check::Slash, Warning, "answers 401, too", twin(401));
        expect(Check::Slash, Warning, "answers 200, too", twin(200));
        expect(Check::Slash, Warning, "answers 500", twin(500));
        expect(Check::Slash, Fine, "answers 405", twin(405));
        expect(Check::Slash, Warning, "redirects to \"/mcp\"", |record| {
            record.change(Probe::SlashTwin, |it| *it = answered(301, &[("location", "/mcp")], ""));
        });
    }

    #[test]
    fn whom_bot_protection_stops_is_named() {
        let stopped = found(Check::BotProtection, |record| {
            record.put(Probe::AsAgent(Agent::PythonHttpx), 403, "text/html", "<html>");
            record.fail(Probe::AsAgent(Agent::OpenAiMcp), FailureKind::Protocol);
        });
        assert_eq!((stopped.verdict, stopped.hits.as_slice()), (Bad, [Client::Claude, Client::ChatGpt].as_slice()));
        assert!(stopped.seen.contains("python-httpx gets 403 text/html instead of 401"), "{stopped:#?}");
    }

    #[test]
    fn a_challenge_page_with_the_usual_status_is_still_a_block() {
        expect(Check::BotProtection, Bad, "claude-code", |record| {
            record.change(Probe::AsAgent(Agent::ClaudeCode), |it| it.set("cf-mitigated", Some("challenge")));
        });
    }

    #[test]
    fn documents_must_get_through_as_well_as_the_endpoint() {
        let blocked =
            |agent| move |record: &mut Record| record.put(Probe::MetadataAsAgent(agent), 403, "text/html", "");
        expect(Check::BotProtection, Bad, "Claude-User", blocked(Agent::ClaudeUser));
        // Nobody's client, but the server cannot be published.
        expect(Check::BotProtection, Warning, "mcp-registry", blocked(Agent::Registry));
    }
}
