//! Bot protection: whether the user agents of clients get the same responses as the doctor.

use std::collections::BTreeSet;

use super::response::is_blocked;
use crate::{
    check::{Check, Section},
    clients::Client,
    outcome::{CheckResult, Outcome, Skip},
    probe::Probe,
    record::Record,
    user_agent::UserAgent,
};

pub(super) const CHECKS: &[Check] = &[BOT_PROTECTION];

pub(super) const BOT_PROTECTION: Check = Check {
    slug: "bot_protection",
    section: Section::Reaching,
    title: "The user agents of clients get the same responses",
    why: "Agents are bots. At Cloudflare, Block AI Bots, AI Crawl Control and Bot Fight Mode block their requests; other \
          providers have similar features.",
    fix: "Exempt this host from bot protection, both the endpoint and /.well-known/. At Cloudflare, switch these features \
          off for the host: skip rules do not apply to all of them.",
    affects: &Client::ALL,
    run: bot_protection,
};

fn bot_protection(record: &Record) -> CheckResult {
    let baseline = record.require_response(Probe::Initialize)?;
    if is_blocked(baseline) {
        return Err(Skip::new("every user agent is blocked (see endpoint)"));
    }
    let mut blocked: BTreeSet<UserAgent> = BTreeSet::new();
    let mut observed: Vec<String> = Vec::new();
    let mut compared = 0;
    for agent in UserAgent::ALL {
        for (probe, baseline) in
            [(Probe::AsUserAgent(agent), Probe::Initialize), (Probe::MetadataAsUserAgent(agent), Probe::MetadataAtPath)]
        {
            let (Some(result), Some(baseline)) = (record.result(probe), record.response(baseline)) else { continue };
            compared += 1;
            let actual = match result {
                Ok(response) if response.status == baseline.status && !is_blocked(response) => continue,
                Ok(response) => response.summary(),
                Err(error) => error.to_string(),
            };
            // The first difference of each user agent is enough.
            if blocked.insert(agent) {
                observed.push(format!("{} gets {actual} instead of {}", agent.name(), baseline.status));
            }
        }
    }
    if compared == 0 {
        return Err(Skip::new("no request with a client's user agent was sent"));
    }
    if blocked.is_empty() {
        let names: Vec<_> = UserAgent::ALL.iter().map(|agent| agent.name()).collect();
        return Ok(Outcome::ok(format!("not blocked from this address: {}", names.join(", "))));
    }
    let affected: BTreeSet<Client> = blocked.iter().flat_map(|agent| agent.clients()).copied().collect();
    let observed = observed.join("; ");
    let outcome = if affected.is_empty() { Outcome::warning(observed) } else { Outcome::failure(observed) };
    Ok(outcome.affects(affected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        http::TransportErrorKind,
        outcome::Verdict::{Failure, Warning},
        testing::{Change, expect, found},
    };

    #[test]
    fn the_blocked_clients_are_named() {
        let finding = found(&BOT_PROTECTION, |record| {
            record.put(Probe::AsUserAgent(UserAgent::PythonHttpx), 403, "text/html", "<html>");
            record.fail(Probe::AsUserAgent(UserAgent::OpenAiMcp), TransportErrorKind::Protocol);
        });
        let affected = [Client::Claude, Client::ChatGpt];
        assert_eq!((finding.verdict, finding.affected.as_slice()), (Failure, affected.as_slice()));
        assert!(finding.observed.contains("python-httpx gets 403 text/html instead of 401"), "{finding:#?}");
    }

    #[test]
    fn a_challenge_page_with_the_usual_status_is_a_block() {
        expect(&BOT_PROTECTION, Failure, "claude-code", |record| {
            record.change(Probe::AsUserAgent(UserAgent::ClaudeCode), |it| it.set("cf-mitigated", Some("challenge")));
        });
    }

    #[test]
    fn the_metadata_must_not_be_blocked_either() {
        let blocked =
            |agent| move |record: &mut Record| record.put(Probe::MetadataAsUserAgent(agent), 403, "text/html", "");
        expect(&BOT_PROTECTION, Failure, "Claude-User", blocked(UserAgent::ClaudeUser));
        // The registry is not a client, but a blocked registry cannot list the server.
        expect(&BOT_PROTECTION, Warning, "mcp-registry", blocked(UserAgent::Registry));
    }
}
