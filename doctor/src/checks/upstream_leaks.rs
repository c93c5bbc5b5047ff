//! What of the upstream comes through the gateway and should not: headers, session IDs, its address.

use std::collections::BTreeSet;

use super::upstream_result::{require_access, require_token, require_upstream};
use crate::{
    check::{Check, Section},
    http::HttpResponse,
    mcp::{self, RpcResponse},
    outcome::{CheckResult, Outcome, Skip},
    probe::Probe,
    quote::examples,
    record::Record,
};

pub(super) const CHECKS: &[Check] = &[UPSTREAM_HEADERS, UPSTREAM_SESSIONS, UPSTREAM_ADDRESS];

const UPSTREAM_HEADERS: Check = Check {
    slug: "upstream_headers",
    section: Section::Gateway,
    title: "Responses through the gateway have no headers of the upstream",
    why: "A cookie of the upstream would be set for the gateway's domain, and its CORS headers would let pages in that the \
          gateway keeps out. Clients follow Location and WWW-Authenticate to where no token of theirs should go.",
    fix: "Let the gateway write its own headers, and pass on nothing but the content type.",
    affects: &[],
    run: upstream_headers,
};

/// Requests with the operator's token, which the gateway passes on.
const PASSED_ON: [Probe; 6] = [
    Probe::LegacyInitialize,
    Probe::LegacyInitialized,
    Probe::LegacyTools,
    Probe::ModernDiscover,
    Probe::ModernTools,
    Probe::LegacyStream,
];

/// Headers that say something about one response, or that both sides write of their own: equal values prove nothing.
const OWN: [&str; 13] = [
    "content-type",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "date",
    "vary",
    "cache-control",
    "allow",
    "x-content-type-options",
    "x-accel-buffering",
    "mcp-session-id",
];

/// Headers that no gateway passes on, in the beginnings of their names.
const SERIOUS: [&str; 4] = ["set-cookie", "access-control-", "location", "www-authenticate"];

fn upstream_headers(record: &Record) -> CheckResult {
    require_upstream(record)?;
    require_token(record)?;
    let upstream = require_access(record).ok();
    let own = record.response(Probe::Initialize);
    let mut passed: BTreeSet<String> = BTreeSet::new();
    for probe in PASSED_ON {
        let Some(response) = record.response(probe).filter(|response| response.is_success()) else { continue };
        for header in response.headers.iter().map(named) {
            let is_in = |other: &HttpResponse| other.headers.iter().map(named).any(|it| it == header);
            // What the gateway's own responses have is from the gateway, or from a proxy in front of it.
            if OWN.contains(&header.0) || own.is_some_and(is_in) {
                continue;
            }
            let is_from_upstream = match upstream {
                Some(upstream) => upstream.response(probe).is_some_and(is_in),
                None => is_serious(header.0),
            };
            if is_from_upstream {
                passed.insert(header.0.to_owned());
            }
        }
    }
    let names: Vec<_> = passed.iter().cloned().collect();
    Ok(match (names.as_slice(), upstream) {
        ([], _) => Outcome::ok("none"),
        (names, Some(_)) if names.iter().any(|name| is_serious(name)) => {
            Outcome::failure(format!("headers of the upstream: {}", examples(names)))
        }
        (names, Some(_)) => Outcome::warning(format!("headers that the upstream sends, too: {}", examples(names))),
        (names, None) => Outcome::warning(format!(
            "headers that the gateway's own responses do not have, which may be of the upstream: {}",
            examples(names)
        )),
    })
}

/// A header as far as it is compared: of a cookie, the name alone.
fn named((name, value): &(String, String)) -> (&str, &str) {
    let cookie = || value.split('=').next().unwrap_or_default();
    (name, if name == "set-cookie" { cookie() } else { value })
}

fn is_serious(name: &str) -> bool {
    SERIOUS.iter().any(|beginning| name.starts_with(beginning))
}

const UPSTREAM_SESSIONS: Check = Check {
    slug: "upstream_sessions",
    section: Section::Gateway,
    title: "The session IDs of the gateway are unknown to the upstream",
    why: "An upstream takes everybody who has a session ID for its owner. If the gateway hands it out as it is, another user can \
          go on with it.",
    fix: "Seal session IDs for the user and the client that began the session, and open them before a request is passed on.",
    affects: &[],
    run: upstream_sessions,
};

fn upstream_sessions(record: &Record) -> CheckResult {
    require_upstream(record)?;
    require_token(record)?;
    let response = record.response(Probe::LegacyInitialize).filter(|response| response.is_success());
    if response.and_then(|response| response.header("mcp-session-id")).is_none() {
        return Ok(Outcome::ok("the gateway hands out none"));
    }
    let upstream = require_access(record)?;
    let is_known = |probe| upstream.rpc_result(probe).is_some();
    match upstream.result(Probe::SessionOfGateway) {
        None => Err(Skip::new("the upstream was not asked")),
        Some(Err(error)) => Err(Skip::new(format!("the upstream, asked about it: {error}"))),
        Some(Ok(_)) if !is_known(Probe::SessionOfGateway) => Ok(Outcome::ok("the upstream does not know it")),
        Some(Ok(_)) if is_known(Probe::UnknownSession) => Ok(Outcome::ok("the upstream does not look at session IDs")),
        Some(Ok(_)) => Ok(Outcome::failure("the upstream accepts the session ID that the gateway handed out")),
    }
}

const UPSTREAM_ADDRESS: Check = Check {
    slug: "upstream_address",
    section: Section::Gateway,
    title: "Errors do not name the upstream",
    why: "Its address tells strangers where to try without the gateway.",
    fix: "Let the gateway write error messages of its own, and put what the upstream answered into the log.",
    affects: &[],
    run: upstream_address,
};

fn upstream_address(record: &Record) -> CheckResult {
    let upstream = require_upstream(record)?;
    if !record.is_reached() {
        return Err(Skip::new("the endpoint was not reached"));
    }
    let address = authority(&upstream.direct.target.origin());
    if address == authority(&record.target.origin()) {
        return Err(Skip::new("the upstream is at the gateway's own origin"));
    }
    let endpoint = record.target.origin();
    let is_own = |url: &str| url.strip_prefix(endpoint.as_str()).is_some_and(|rest| rest.starts_with('/'));
    let (mut errors, mut naming) = (0_usize, BTreeSet::new());
    for exchange in record.exchanges.values().filter(|exchange| is_own(&exchange.url)) {
        let Ok(response) = &exchange.result else { continue };
        if response.status < 400 && !matches!(mcp::rpc_response(response), Some(RpcResponse::Error(..))) {
            continue;
        }
        errors += 1;
        let mut strings = response.headers.iter().map(|(_, value)| value).chain([&response.body]);
        if strings.any(|text| names(text, &address)) {
            naming.insert(format!("a response with {}", response.summary()));
        }
    }
    Ok(match naming.into_iter().collect::<Vec<_>>().as_slice() {
        [] => Outcome::ok(format!("errors: {errors}")),
        naming => Outcome::warning(format!("{address} is in {}", examples(naming))),
    })
}

/// Host and port of an origin.
fn authority(origin: &str) -> String {
    origin.split_once("://").map_or(origin, |(_, authority)| authority).to_owned()
}

/// Whether a text has a host, not as a part of another one.
fn names(text: &str, host: &str) -> bool {
    let is_part = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.');
    text.match_indices(host).any(|(at, _)| {
        let before = text.get(..at).and_then(|it| it.chars().next_back());
        let after = text.get(at + host.len()..).and_then(|it| it.chars().next());
        // A dot after a host may end the sentence.
        !before.is_some_and(is_part) && !after.is_some_and(|char| char.is_ascii_alphanumeric() || char == '-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        http::Exchange,
        outcome::Verdict::{Failure, Ok as Fine, Skipped, Warning},
        testing::{Change, direct, expect, http_response, without_access},
    };

    fn adding(probe: Probe, name: &'static str, value: &'static str) -> impl FnOnce(&mut Record) {
        move |record| record.change(probe, |it| it.set(name, Some(value)))
    }

    #[test]
    fn headers_of_the_upstream_are_recognised() {
        // The cookie of another login of the same user has another value.
        expect(&UPSTREAM_HEADERS, Failure, "set-cookie", adding(Probe::LegacyTools, "set-cookie", "sid=2"));
        expect(&UPSTREAM_HEADERS, Failure, "access-control-allow-credentials", |record| {
            adding(Probe::ModernTools, "access-control-allow-credentials", "true")(record);
            direct(adding(Probe::ModernTools, "access-control-allow-credentials", "true"))(record);
        });
        expect(&UPSTREAM_HEADERS, Warning, "x-powered-by", adding(Probe::ModernTools, "x-powered-by", "Express"));
        expect(&UPSTREAM_HEADERS, Fine, "none", |_| {});
    }

    #[test]
    fn headers_of_the_gateway_or_its_proxy_are_not_the_upstreams() {
        expect(&UPSTREAM_HEADERS, Fine, "none", adding(Probe::LegacyTools, "set-cookie", "__cf_bm=1"));
        expect(&UPSTREAM_HEADERS, Fine, "none", adding(Probe::LegacyTools, "access-control-allow-origin", "https://a"));
        expect(&UPSTREAM_HEADERS, Fine, "none", |record| {
            for probe in [Probe::Initialize, Probe::LegacyTools] {
                adding(probe, "server", "cloudflare")(record);
            }
            direct(adding(Probe::LegacyTools, "server", "cloudflare"))(record);
        });
    }

    #[test]
    fn without_access_what_no_gateway_sends_is_a_warning() {
        expect(&UPSTREAM_HEADERS, Fine, "none", |record| {
            without_access(record);
            adding(Probe::LegacyTools, "x-powered-by", "Express")(record);
        });
        expect(&UPSTREAM_HEADERS, Warning, "may be of the upstream: set-cookie", |record| {
            without_access(record);
            adding(Probe::LegacyTools, "set-cookie", "a=b")(record);
        });
        expect(&UPSTREAM_HEADERS, Skipped, "--upstream", |it| it.upstream = None);
    }

    /// The gateway hands out a session ID, about which the upstream answers this; and this about any other one.
    fn session(of_gateway: u16, unknown: u16) -> impl FnOnce(&mut Record) {
        move |record| {
            adding(Probe::LegacyInitialize, "mcp-session-id", "s")(record);
            direct(|it| {
                for (probe, status) in [(Probe::SessionOfGateway, of_gateway), (Probe::UnknownSession, unknown)] {
                    let body = if status == 200 { r#"{"jsonrpc":"2.0","id":1,"result":{}}"# } else { "{}" };
                    let result = Ok(http_response(status, &[("content-type", "application/json")], body));
                    it.exchanges.insert(probe, Exchange { url: String::new(), result });
                }
            })(record);
        }
    }

    #[test]
    fn a_session_id_of_the_upstream_is_recognised() {
        expect(&UPSTREAM_SESSIONS, Fine, "hands out none", |_| {});
        expect(&UPSTREAM_SESSIONS, Failure, "accepts the session ID", session(200, 404));
        expect(&UPSTREAM_SESSIONS, Fine, "does not know it", session(404, 404));
        expect(&UPSTREAM_SESSIONS, Fine, "does not look at", session(200, 200));
        expect(&UPSTREAM_SESSIONS, Skipped, "needs access", |record| {
            session(200, 404)(record);
            without_access(record);
        });
    }

    #[test]
    fn an_error_that_names_the_upstream_is_a_warning() {
        expect(&UPSTREAM_ADDRESS, Fine, "errors: ", |_| {});
        for text in
            ["cannot reach https://docs.example.net/mcp", "docs.example.net: no such host", "at docs.example.net."]
        {
            expect(&UPSTREAM_ADDRESS, Warning, "docs.example.net is in a response with 502", |record| {
                record.put(Probe::LegacyTools, 502, "text/plain", text);
            });
        }
        expect(&UPSTREAM_ADDRESS, Warning, "with 401", {
            adding(Probe::Initialize, "www-authenticate", "Bearer realm=\"docs.example.net\"")
        });
        for text in ["https://old-docs.example.net/", "docs.example.network", "a.docs.example.net"] {
            expect(&UPSTREAM_ADDRESS, Fine, "", |record| record.put(Probe::LegacyTools, 502, "text/plain", text));
        }
        // A tool may well speak of it.
        expect(&UPSTREAM_ADDRESS, Fine, "", |record| {
            record.edit(Probe::LegacyTools, |it| it["result"]["_meta"] = "https://docs.example.net/".into());
        });
        expect(&UPSTREAM_ADDRESS, Skipped, "own origin", |record| {
            let url = "https://mcp.example.com/upstream";
            record.upstream.as_mut().unwrap().direct.target = crate::target::Target::parse(url).unwrap();
        });
    }
}
