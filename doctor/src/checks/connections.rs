//! The page where users connect accounts of other services, which tools with connections lead them to.

use super::{
    mcp_result::{name_of, require_tools},
    response::unreadable,
};
use crate::{
    check::{Check, Section},
    outcome::{CheckResult, Outcome, Skip},
    probe::Probe,
    quote::examples,
    record::{Record, needs_connection},
};

pub(super) const CHECKS: &[Check] = &[CONNECTIONS];

const CONNECTIONS: Check = Check {
    slug: "connections",
    section: Section::Protocol,
    title: "Where tools need accounts of other services, users find the page on which they connect them",
    why: "A tool that needs an account answers with a link to that page of the server. Without the page nobody can connect one, \
          and the tool never works.",
    fix: "Bind VAULT and VAULT_CALLS at the endpoint, and set CONNECTIONS and CONNECTIONS_SECRET at the vault. If a proxy is in \
          front, let it pass /account on.",
    affects: &[],
    run: connections,
};

fn connections(record: &Record) -> CheckResult {
    let tools: Vec<_> = require_tools(record)?.iter().filter(|tool| needs_connection(tool)).map(name_of).collect();
    if tools.is_empty() {
        return Ok(Outcome::ok("no tool needs an account of another service"));
    }
    let url = record.target.connections_url();
    let observed = match record.result(Probe::Connections) {
        None => return Err(Skip::new("the page was not requested")),
        Some(Err(error)) => error.to_string(),
        Some(Ok(response)) => {
            let is_page = response.status == 200 && response.media_type() == "text/html";
            if is_page || response.redirect().is_some() {
                return Ok(Outcome::ok(format!("{url}: {}", response.summary())));
            }
            unreadable(response).map_or_else(|| response.summary(), |why| format!("{}: {why}", response.summary()))
        }
    };
    Ok(Outcome::failure(format!("{url}: {observed}; tools that need accounts: {}", examples(&tools))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        http::TransportErrorKind,
        outcome::Verdict::{Failure, Ok as Fine, Skipped},
        testing::{Change, expect, tool},
    };

    #[test]
    fn users_find_the_page() {
        let put = |status, media_type: &'static str| {
            move |record: &mut Record| record.put(Probe::Connections, status, media_type, "")
        };
        expect(&CONNECTIONS, Fine, "https://mcp.example.com/account/connections: 200 text/html", |_| {});
        expect(&CONNECTIONS, Fine, "302", |record| {
            record.change(Probe::Connections, |response| {
                response.status = 302;
                response.set("location", Some("/sign-in"));
            });
        });
        for (status, media_type) in [
            (404, "application/json"),
            (404, "text/html"),
            (500, "text/html"),
            (200, "application/json"),
            (200, ""),
            (302, "text/html"),
            (304, "text/html"),
        ] {
            expect(&CONNECTIONS, Failure, "tools that need accounts: \"whoami\"", put(status, media_type));
        }
        expect(&CONNECTIONS, Failure, "in time", |it| it.fail(Probe::Connections, TransportErrorKind::Timeout));
    }

    #[test]
    fn only_tools_with_connections_lead_there() {
        for connections in [json!([]), json!({}), json!("github")] {
            let change =
                move |it: &mut serde_json::Map<_, _>| it["_meta"]["mcp-edge/connections"] = connections.clone();
            expect(&CONNECTIONS, Fine, "no tool needs", tool(change));
        }
        expect(&CONNECTIONS, Fine, "no tool needs", tool(|it| drop(it.remove("_meta"))));
        expect(&CONNECTIONS, Skipped, "was not requested", |it| drop(it.exchanges.remove(&Probe::Connections)));
    }
}
