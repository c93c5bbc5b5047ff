//! The URL and the connection: whether a request reaches the endpoint.

use crate::{
    check::{Check, Section},
    clients::Client,
    http::{TransportError, TransportErrorKind},
    outcome::{CheckResult, Outcome, Skip},
    probe::Probe,
    quote::quote,
    record::Record,
};

pub(super) const CHECKS: &[Check] = &[URL, REACHABLE, REDIRECT];

const URL: Check = Check {
    slug: "url",
    section: Section::Reaching,
    title: "The URL is https, with a path and without a query",
    why: "Every request carries a token, so the connection must be encrypted. Some clients add a slash to a URL without \
          a path, and then resource and audience differ.",
    fix: "Serve the endpoint over https at a path of its own, for example https://mcp.example.com/mcp. Plain http is for \
          servers on this machine only.",
    affects: &Client::ALL,
    run: |record| Ok(url(record)),
};

fn url(record: &Record) -> Outcome {
    let target = &record.target;
    if !target.is_https() && !target.is_loopback() {
        Outcome::failure("plain http: anyone on the network path can read the tokens")
    } else if target.has_query() {
        Outcome::warning("the URL has a query (?…): some clients keep it, others drop it")
            .fix("Serve the endpoint at a URL without a query.")
    } else if target.is_pathless() {
        Outcome::warning("the URL has no path: some clients use https://host, others https://host/")
            .affects([Client::VsCode, Client::SdkApp])
    } else {
        Outcome::ok(if target.is_https() { "https, with a path" } else { "plain http, which is fine on this machine" })
    }
}

const REACHABLE: Check = Check {
    slug: "reachable",
    section: Section::Reaching,
    title: "The endpoint responds",
    why: "Without a response nothing else can work. Claude and ChatGPT connect from their vendors' networks and trust \
          public certificate authorities only.",
    fix: "Check the DNS record, the route of the Worker or server, and the certificate.",
    affects: &Client::ALL,
    run: reachable,
};

fn reachable(record: &Record) -> CheckResult {
    match record.result(Probe::Initialize) {
        None => Err(Skip::new("no request was sent")),
        Some(Ok(_)) if record.target.is_https() => Ok(Outcome::ok("the endpoint responds, with a valid certificate")),
        Some(Ok(_)) => Ok(Outcome::ok("the endpoint responds")),
        Some(Err(error)) => Ok(unreachable(record, error)),
    }
}

fn unreachable(record: &Record, error: &TransportError) -> Outcome {
    let outcome = Outcome::failure(error.to_string());
    match error.kind {
        TransportErrorKind::Dns => outcome.fix(
            "Check the spelling of the host name, and whether it has a DNS record. At Cloudflare, deploying with \
             routes = [{ pattern = \"…\", custom_domain = true }] creates one.",
        ),
        TransportErrorKind::Connect if record.target.is_loopback() => {
            outcome.fix("Start the server (for mcp-edge: make dev, or npx mcp-edge dev), or correct the port.")
        }
        TransportErrorKind::Tls => outcome.fix(
            "Install a certificate that is valid for this host name, has not expired, comes from a public authority, \
             and is sent with its intermediate certificates: hosted clients trust no other. To examine a server with a \
             private authority, pass that authority's certificate with --ca-file; hosted clients cannot connect to it.",
        ),
        TransportErrorKind::Timeout => outcome.fix(
            "Find out why the server takes so long to respond; clients do not wait longer than this. To examine a slow \
             server, raise --timeout.",
        ),
        _ => outcome,
    }
}

const REDIRECT: Check = Check {
    slug: "redirect",
    section: Section::Reaching,
    title: "The endpoint responds without a redirect",
    why: "Clients do not repeat a POST at the new location, or repeat it without the token.",
    fix: "Give users the URL to which this one redirects, or serve the endpoint at this URL.",
    affects: &Client::ALL,
    run: redirect,
};

fn redirect(record: &Record) -> CheckResult {
    let response = record.response(Probe::Initialize).ok_or_else(|| Skip::new("the endpoint was not reached"))?;
    let Some(location) = response.redirect() else {
        return Ok(Outcome::ok(format!("no redirect (status {})", response.status)));
    };
    let observed =
        format!("{} to {}; the doctor does not follow redirects, and stops here", response.status, quote(location));
    let outcome = Outcome::failure(observed);
    let is_login = ["cloudflareaccess.com", "/login", "/authorize"].iter().any(|part| location.contains(part));
    Ok(if is_login {
        outcome.fix(
            "A gateway in front of the server asks people to sign in, which agents cannot do. Exempt the endpoint and \
             /.well-known/ from it: the server checks tokens itself.",
        )
    } else {
        outcome
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        outcome::Verdict::{Failure, Ok as Fine, Warning},
        target::Target,
        testing::{Change, expect, found, http_response},
    };

    fn at(url: &'static str) -> impl FnOnce(&mut Record) {
        move |record| record.target = Target::parse(url).unwrap()
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        expect(&URL, Failure, "plain http", at("http://mcp.example.com/mcp"));
        expect(&URL, Failure, "plain http", at("http://10.0.0.7/mcp"));
        expect(&URL, Fine, "fine on this machine", at("http://localhost:8787/mcp"));
        expect(&URL, Fine, "fine on this machine", at("http://[::1]:8787/mcp"));
    }

    #[test]
    fn a_url_without_a_path_or_with_a_query_is_a_warning() {
        expect(&URL, Warning, "no path", at("https://mcp.example.com/"));
        expect(&URL, Warning, "query", at("https://mcp.example.com/mcp?tenant=1"));
    }

    #[test]
    fn each_transport_error_has_its_own_fix() {
        let reach = |kind| found(&REACHABLE, |record| record.fail(Probe::Initialize, kind));
        for (kind, fix) in [
            (TransportErrorKind::Dns, "DNS record"),
            (TransportErrorKind::Tls, "certificate"),
            (TransportErrorKind::Timeout, "--timeout"),
            (TransportErrorKind::Connect, "route"),
        ] {
            let finding = reach(kind);
            assert_eq!(finding.verdict, Failure);
            assert!(finding.fix.contains(fix), "{finding:#?}");
        }
        let local = found(&REACHABLE, |record| {
            at("http://localhost:8787/mcp")(record);
            record.fail(Probe::Initialize, TransportErrorKind::Connect);
        });
        assert!(local.fix.contains("make dev"), "{local:#?}");
    }

    #[test]
    fn a_redirect_is_reported_with_its_location() {
        let redirect = |location: &'static str| {
            move |record: &mut Record| {
                record.change(Probe::Initialize, |it| *it = http_response(308, &[("location", location)], ""));
            }
        };
        expect(&REDIRECT, Failure, "308 to \"https://www.example.com/mcp\"", redirect("https://www.example.com/mcp"));
        let login = found(&REDIRECT, redirect("https://team.cloudflareaccess.com/cdn-cgi/access/login"));
        assert!(login.fix.contains("gateway"), "{login:#?}");
    }
}
