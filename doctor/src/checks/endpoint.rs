//! The first response: whether the URL is an MCP endpoint that requires sign-in.

use super::{bot_protection::BOT_PROTECTION, response::is_blocked};
use crate::{
    check::{Check, Section},
    clients::Client,
    http::HttpResponse,
    mcp::{self, RpcResponse},
    outcome::{CheckResult, Outcome, Skip},
    probe::Probe,
    quote::quote,
    record::{Record, document, string},
};

pub(super) const CHECKS: &[Check] = &[ENDPOINT, SLASH];

const ENDPOINT: Check = Check {
    slug: "endpoint",
    section: Section::Reaching,
    title: "Requests without a token get 401",
    why: "Clients send their first request without a token, and sign in only if the response is 401.",
    fix: "Check the path, and everything in front of the server.",
    affects: &Client::ALL,
    run: endpoint,
};

fn endpoint(record: &Record) -> CheckResult {
    let response = record.require_response(Probe::Initialize)?;
    if record.is_protected() {
        return Ok(Outcome::ok("401: sign-in is required"));
    }
    if record.is_open() {
        return Ok(Outcome::warning("the server accepts requests from everybody, without a token").fix(
            "If this is intended, no change is needed. If only some tools require sign-in, answer calls of these tools \
             with 401. If all do, answer every request without a token with 401.",
        ));
    }
    let observed = format!("the response is {}", response.summary());
    if is_blocked(response) {
        return Ok(Outcome::failure(format!("{observed}: bot protection blocks the request")).fix(BOT_PROTECTION.fix));
    }
    Ok(unexpected_response(record, response, observed))
}

fn unexpected_response(record: &Record, response: &HttpResponse, observed: String) -> Outcome {
    if is_http_sse_transport(record) {
        return Outcome::failure(format!(
            "{observed}, but a GET opens a stream: this is the retired HTTP+SSE transport"
        ))
        .fix("Give users the URL of the Streamable HTTP endpoint (often /mcp instead of /sse), or migrate to it.");
    }
    let correction = resource_at_root(record).map(|url| format!(" The server's metadata names {}.", quote(&url)));
    let check_path = format!("Check the path.{}", correction.unwrap_or_default());
    let observed = match mcp::rpc_response(response) {
        Some(RpcResponse::Error(code, message)) => format!("{observed} with error {code} {}", quote(&message)),
        _ => observed,
    };
    match response.status {
        404 | 410 => Outcome::failure(format!("{observed}: there is nothing at this path"))
            .fix(format!("{check_path} For mcp-edge it is the path of RESOURCE.")),
        405 => Outcome::failure(format!("{observed}: this path does not accept POST")).fix(check_path),
        500 if response.body.contains("not set up correctly") => {
            Outcome::failure(format!("{observed}: mcp-edge has invalid settings"))
                .fix("The log names each invalid setting and its fix: run wrangler tail. See docs/denials.md.")
        }
        403 => Outcome::failure(format!("{observed} instead of 401: clients do not sign in after 403"))
            .fix("Answer 401 with a challenge. If the server does, something in front of it answers 403."),
        502..=504 | 520..=530 => Outcome::failure(format!("{observed}: a proxy in front does not reach the server"))
            .fix("Check whether the server is running, and whether the proxy forwards to the right address."),
        500..=599 => Outcome::failure(format!("{observed}: the server fails"))
            .fix("Look into the server's log at the time of this run."),
        200 => Outcome::failure(format!("{observed}, which is not an MCP response")).fix(check_path),
        _ => Outcome::failure(format!(
            "{observed} instead of 401: the server looks at the request before it requires sign-in"
        ))
        .fix("Authenticate first. If this is not an MCP endpoint, check the path."),
    }
}

/// Whether a `GET` opens a stream, as in the HTTP+SSE transport of 2024-11-05.
fn is_http_sse_transport(record: &Record) -> bool {
    let response = record.response(Probe::Get);
    response.is_some_and(|response| response.status == 200 && response.media_type() == "text/event-stream")
}

/// The endpoint in the metadata at the root, if it is another one.
fn resource_at_root(record: &Record) -> Option<String> {
    let metadata = document(record.response(Probe::MetadataAtRoot)?)?;
    string(&metadata, "resource").filter(|url| *url != record.target.as_str()).map(str::to_owned)
}

const SLASH: Check = Check {
    slug: "slash",
    section: Section::Reaching,
    title: "The URL with a slash more or less at its end is not an endpoint",
    why: "People add a slash by accident. VS Code compares the URL byte for byte; other clients get a token for the \
          wrong resource, and sign in again and again.",
    fix: "Answer 404 there, so that users notice the wrong URL at once.",
    affects: &[Client::VsCode, Client::Claude, Client::ChatGpt],
    run: slash,
};

fn slash(record: &Record) -> CheckResult {
    let Some(url) = record.target.with_slash_toggled() else {
        return Err(Skip::new("does not apply to a URL without a path"));
    };
    let response = record.require_response(Probe::SlashToggled)?;
    if let Some(location) = response.redirect() {
        let location = quote(location);
        return Ok(Outcome::warning(format!(
            "{url} redirects to {location}: clients do not repeat their request there"
        )));
    }
    Ok(match response.status {
        401 | 200..=299 => Outcome::warning(format!(
            "{url} answers {}, too: clients that use it get a resource that does not match",
            response.status
        )),
        500..=599 => Outcome::warning(format!("{url} answers {}", response.summary())),
        status => Outcome::ok(format!("{url} answers {status}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        outcome::Verdict::{Failure, Ok as Fine, Skipped, Warning},
        testing::{Change, expect, found, http_response},
    };

    #[test]
    fn each_unexpected_response_is_explained() {
        let explain = |status, media_type: &str, body: &str| {
            let finding = found(&ENDPOINT, |record| record.put(Probe::Initialize, status, media_type, body));
            assert_eq!(finding.verdict, Failure, "{finding:#?}");
            format!("{} {}", finding.observed, finding.fix)
        };
        let misconfigured = r#"{"error_description":"This server is not set up correctly"}"#;
        let rpc_error = r#"{"id":1,"error":{"code":-32600,"message":"no session"}}"#;
        for (status, media_type, body, explanation) in [
            (404, "application/json", "{}", "nothing at this path"),
            (405, "text/plain", "", "does not accept POST"),
            (200, "text/html", "<html>", "not an MCP response"),
            (403, "application/json", "{}", "instead of 401"),
            (403, "text/html", "<html>Just a moment", "bot protection"),
            (500, "application/json", misconfigured, "wrangler tail"),
            (500, "text/plain", "oops", "log"),
            (502, "text/html", "<html>", "does not reach the server"),
            (400, "application/json", rpc_error, "no session"),
        ] {
            let text = explain(status, media_type, body);
            assert!(text.contains(explanation), "{status} {media_type}: {text}");
        }
    }

    #[test]
    fn a_redirect_is_left_to_its_own_check() {
        expect(&ENDPOINT, Skipped, "", |record| {
            record.change(Probe::Initialize, |it| {
                *it = http_response(308, &[("location", "https://www.example.com/mcp")], "");
            });
        });
    }

    #[test]
    fn a_wrong_path_is_corrected_by_the_metadata_at_the_root() {
        let finding = found(&ENDPOINT, |record| {
            record.put(Probe::Initialize, 404, "application/json", "{}");
            record.edit(Probe::MetadataAtRoot, |it| {
                it.insert("resource".into(), "https://mcp.example.com/v2/mcp".into());
            });
        });
        assert!(finding.fix.contains("\"https://mcp.example.com/v2/mcp\""), "{finding:#?}");
    }

    #[test]
    fn the_retired_transport_is_recognised() {
        expect(&ENDPOINT, Failure, "HTTP+SSE", |record| {
            record.put(Probe::Initialize, 405, "text/plain", "");
            record.put(Probe::Get, 200, "text/event-stream", "");
        });
    }

    #[test]
    fn an_open_server_is_a_warning() {
        let body = r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25"}}"#;
        expect(&ENDPOINT, Warning, "everybody", |record| record.put(Probe::Initialize, 200, "application/json", body));
    }

    #[test]
    fn the_url_with_a_slash_more_must_not_be_an_endpoint() {
        let toggled = |status| move |record: &mut Record| record.change(Probe::SlashToggled, |it| it.status = status);
        expect(&SLASH, Warning, "answers 401, too", toggled(401));
        expect(&SLASH, Warning, "answers 200, too", toggled(200));
        expect(&SLASH, Warning, "answers 500", toggled(500));
        expect(&SLASH, Fine, "answers 405", toggled(405));
        expect(&SLASH, Warning, "redirects to \"/mcp\"", |record| {
            record.change(Probe::SlashToggled, |it| *it = http_response(301, &[("location", "/mcp")], ""));
        });
    }
}
