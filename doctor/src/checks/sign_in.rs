//! The 401 and its challenge (RFC 6750 §3, RFC 9728 §5.1): whether a client learns that, and where, it must sign in.

use crate::{
    challenge::Challenge,
    check::{Check, Section},
    clients::Client,
    http::HttpResponse,
    mcp::{self, RpcResponse},
    outcome::{CheckResult, Outcome, Skip},
    probe::Probe,
    quote::{excerpt, quote},
    record::{Record, document},
};

pub(super) const CHECKS: &[Check] =
    &[CHALLENGE, CHALLENGE_METADATA, CHALLENGE_ERROR, CHALLENGE_EVERYWHERE, EMPTY_BEARER, FORGED_TOKEN];

/// The first response, if it is a 401.
fn require_401(record: &Record) -> Result<&HttpResponse, Skip> {
    let response = record.require_response(Probe::Initialize)?;
    match response.status {
        401 => Ok(response),
        _ if record.is_open() => Err(Skip::new("the server does not require sign-in")),
        status => Err(Skip::new(format!("the server answers {status} instead of 401 (see endpoint)"))),
    }
}

/// The challenge, if clients can read it.
fn require_challenge(record: &Record) -> Result<Challenge, Skip> {
    require_401(record)?;
    match record.challenge() {
        Some(Ok(challenge)) => Ok(challenge),
        _ => Err(Skip::new("there is no readable challenge (see challenge)")),
    }
}

const CHALLENGE: Check = Check {
    slug: "challenge",
    section: Section::SignIn,
    title: "The 401 has a Bearer challenge that clients can read",
    why: "Clients learn from WWW-Authenticate that they must sign in, and where. Claude, mcp-remote and others give up \
          without it.",
    fix: "Send WWW-Authenticate: Bearer resource_metadata=\"…\", scope=\"…\" as the first header of that name, with each \
          value in quotes. If the server sends it, a proxy in front removes it.",
    affects: &Client::ALL,
    run: challenge,
};

fn challenge(record: &Record) -> CheckResult {
    let response = require_401(record)?;
    let Some(header) = response.header("www-authenticate") else {
        return Ok(Outcome::failure("the 401 has no WWW-Authenticate header"));
    };
    let challenge = match Challenge::parse(header) {
        Ok(challenge) => challenge,
        Err(error) => return Ok(Outcome::failure(format!("WWW-Authenticate is {}: {error}", quote(header)))),
    };
    let unquoted: Vec<_> = challenge.unquoted().collect();
    if !unquoted.is_empty() {
        let observed = format!("parameters that are not in quotes: {}", unquoted.join(", "));
        return Ok(Outcome::warning(observed).affects([Client::SdkApp]));
    }
    Ok(Outcome::ok(excerpt(header)))
}

const CHALLENGE_METADATA: Check = Check {
    slug: "challenge_metadata",
    section: Section::SignIn,
    title: "The challenge names the URL of the metadata",
    why: "Claude accepts only the URL that RFC 9728 derives from the endpoint. Without resource_metadata, clients guess \
          the URL.",
    fix: "Set resource_metadata to the URL in the finding.",
    affects: &[Client::Claude, Client::ChatGpt, Client::McpRemote],
    run: challenge_metadata,
};

fn challenge_metadata(record: &Record) -> CheckResult {
    let challenge = require_challenge(record)?;
    let expected = record.target.metadata_url();
    let fix = format!("Set resource_metadata=\"{expected}\" in the challenge of every 401 and 403.");
    let Some(named) = challenge.get("resource_metadata") else {
        let observed = "the challenge has no resource_metadata";
        let outcome = match record.issuer() {
            Some(_) => Outcome::warning(format!("{observed}: clients have to guess the URL")),
            None => Outcome::failure(format!("{observed}, and there is no metadata where clients look for it")),
        };
        return Ok(outcome.fix(fix));
    };
    if named == expected {
        return Ok(Outcome::ok(excerpt(named)));
    }
    let is_readable = [Probe::MetadataInChallenge, Probe::MetadataAtRoot]
        .into_iter()
        .any(|probe| record.url(probe) == named && record.response(probe).and_then(document).is_some());
    let observed = format!("resource_metadata is {} instead of {}", quote(named), quote(&expected));
    Ok(if is_readable {
        Outcome::warning(observed).fix(fix).affects([Client::Claude])
    } else {
        let fix = format!(
            "{fix} If host or scheme are wrong there, the server derives them from the request: configure its public \
             URL (for mcp-edge: RESOURCE)."
        );
        Outcome::failure(format!("{observed}, and there is no metadata at that URL")).fix(fix).affects(Client::ALL)
    })
}

const CHALLENGE_ERROR: Check = Check {
    slug: "challenge_error",
    section: Section::SignIn,
    title: "The challenge has no error if no token was sent",
    why: "RFC 6750 §3.1. A client that receives invalid_token discards its tokens and starts again.",
    fix: "Send error and error_description only in response to a token.",
    affects: &[Client::Claude, Client::SdkApp],
    run: challenge_error,
};

fn challenge_error(record: &Record) -> CheckResult {
    Ok(match require_challenge(record)?.get("error") {
        None => Outcome::ok("the challenge has no error"),
        Some(error) => Outcome::warning(format!("the challenge has error={}", quote(error))),
    })
}

const CHALLENGE_EVERYWHERE: Check = Check {
    slug: "challenge_everywhere",
    section: Section::SignIn,
    title: "GET and server/discover get 401, too",
    why: "mcp-remote begins with GET, and clients of 2026-07-28 begin with server/discover. They sign in only after 401.",
    fix: "Authenticate before looking at method, version or body of the request.",
    affects: &[Client::McpRemote, Client::ClaudeCode, Client::SdkApp],
    run: challenge_everywhere,
};

fn challenge_everywhere(record: &Record) -> CheckResult {
    require_401(record)?;
    // If initialize has no readable challenge either, the check `challenge` reports it.
    let expects_challenge = require_challenge(record).is_ok();
    let problem_with = |probe| -> Option<String> {
        match record.result(probe)? {
            Err(error) => Some(error.to_string()),
            Ok(response) if response.status != 401 => Some(response.summary()),
            Ok(response) => match response.header("www-authenticate").map(Challenge::parse) {
                Some(Ok(_)) => None,
                _ if !expects_challenge => None,
                _ => Some("401 without a readable challenge".to_owned()),
            },
        }
    };
    let get = problem_with(Probe::Get).map(|it| format!("GET gets {it}"));
    let discover = problem_with(Probe::Discover).map(|it| format!("server/discover gets {it}"));
    // After a 4xx, clients of 2026-07-28 try initialize, and get the 401 there.
    let falls_back = record.response(Probe::Discover).is_some_and(|response| (400..500).contains(&response.status));
    Ok(match (get, discover) {
        (None, None) => Outcome::ok("GET and server/discover get the same 401"),
        (Some(get), None) => Outcome::failure(get).affects([Client::McpRemote]),
        (None, Some(discover)) if falls_back => {
            Outcome::warning(format!("{discover}; clients fall back to initialize"))
                .affects([Client::ClaudeCode, Client::SdkApp])
        }
        (None, Some(discover)) => {
            Outcome::failure(discover).affects([Client::Claude, Client::ClaudeCode, Client::SdkApp])
        }
        (Some(get), Some(discover)) => Outcome::failure(format!("{get}; {discover}")),
    })
}

const EMPTY_BEARER: Check = Check {
    slug: "empty_bearer",
    section: Section::SignIn,
    title: "Authorization: Bearer without a token is answered as a request without a token",
    why: "Clients send it before sign-in, or if a variable for the token is empty: versions of Inspector and VS Code, and \
          mcp-remote --header. They sign in after a 401 whose challenge has no error, and stop at any other response.",
    fix: "Answer 401 with the same challenge as without the header.",
    affects: &[Client::VsCode, Client::McpRemote, Client::Inspector],
    run: empty_bearer,
};

fn empty_bearer(record: &Record) -> CheckResult {
    require_401(record)?;
    let response = record.require_response(Probe::EmptyBearer)?;
    if response.status != 401 {
        return Ok(Outcome::warning(format!("the response is {} instead of 401", response.summary())));
    }
    Ok(match response.header("www-authenticate").map(Challenge::parse) {
        Some(Ok(challenge)) => match challenge.get("error") {
            None => Outcome::ok("401 with a challenge"),
            Some(error) => Outcome::warning(format!("401 with error={}", quote(error))),
        },
        // If initialize has no readable challenge either, the check `challenge` reports it.
        _ if require_challenge(record).is_err() => Outcome::ok("401"),
        _ => Outcome::warning("401 without a readable challenge"),
    })
}

const FORGED_TOKEN: Check = Check {
    slug: "forged_token",
    section: Section::SignIn,
    title: "An unsigned token is rejected with 401",
    why: "A server that accepts it lets anyone act as any user. If it fails in another way (500, 403), clients whose \
          token has expired do not get a new one.",
    fix: "Verify signature, issuer, audience and expiry of every token. If one is wrong, answer 401 with \
          error=\"invalid_token\".",
    affects: &Client::ALL,
    run: forged_token,
};

fn forged_token(record: &Record) -> CheckResult {
    require_401(record)?;
    let response = record.require_response(Probe::ForgedToken)?;
    if matches!(mcp::rpc_response(response), Some(RpcResponse::Result(_))) {
        return Ok(Outcome::failure("the server accepts an unsigned token: anyone can act as any user"));
    }
    let challenge = response.header("www-authenticate").and_then(|it| Challenge::parse(it).ok());
    let error = challenge.as_ref().and_then(|challenge| challenge.get("error"));
    Ok(match (response.status, error) {
        (401, Some("invalid_token")) => Outcome::ok("401 invalid_token"),
        (401, None) if require_challenge(record).is_err() => Outcome::ok("401"),
        (401, Some(other)) => Outcome::warning(format!("401 with error={} instead of invalid_token", quote(other))),
        (401, None) => Outcome::warning(
            "401 without error=\"invalid_token\": clients cannot distinguish it from a request without a token",
        ),
        (429, _) => return Err(Skip::new("the server limits requests (429)")),
        (500..=599, _) => Outcome::failure(format!(
            "the response is {}: an invalid token makes the server fail",
            response.summary()
        ))
        .fix(
            "Check in the server's log whether it fails on invalid tokens, or whether it cannot reach the provider \
                 (mcp-edge then answers 503; see docs/denials.md, Outages).",
        ),
        _ => Outcome::warning(format!(
            "the response is {} instead of 401: clients do not renew their token after it",
            response.summary()
        )),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        http::TransportErrorKind,
        outcome::Verdict::{Failure, Ok as Fine, Skipped, Warning},
        testing::{self, Change, expect, found},
    };

    fn challenged(value: Option<&'static str>) -> impl FnOnce(&mut Record) {
        move |record| record.change(Probe::Initialize, |it| it.set("www-authenticate", value))
    }

    #[test]
    fn a_401_needs_a_readable_challenge() {
        expect(&CHALLENGE, Failure, "no WWW-Authenticate", challenged(None));
        expect(&CHALLENGE, Failure, "does not begin with the word Bearer", challenged(Some("Basic realm=\"x\"")));
        expect(&CHALLENGE, Failure, "no parameters", challenged(Some("Bearer")));
        expect(&CHALLENGE, Warning, "not in quotes: realm", challenged(Some("Bearer realm=x")));
        expect(&CHALLENGE_METADATA, Skipped, "no readable challenge", challenged(None));
    }

    #[test]
    fn the_first_of_several_challenges_counts() {
        expect(&CHALLENGE, Failure, "Basic", |record| {
            record.change(Probe::Initialize, |it| {
                it.headers.insert(0, ("www-authenticate".into(), "Basic realm=\"x\"".into()));
            });
        });
    }

    #[test]
    fn an_open_server_has_no_challenge_to_check() {
        expect(&CHALLENGE, Skipped, "does not require sign-in", |record| {
            let body = r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25"}}"#;
            record.put(Probe::Initialize, 200, "application/json", body);
        });
    }

    #[test]
    fn the_challenge_must_name_the_metadata() {
        let without = challenged(Some("Bearer scope=\"whoami:read\""));
        expect(&CHALLENGE_METADATA, Warning, "have to guess", without);
        expect(&CHALLENGE_METADATA, Failure, "no metadata where clients look", |record| {
            challenged(Some("Bearer scope=\"whoami:read\""))(record);
            record.put(Probe::MetadataAtPath, 404, "", "");
            record.put(Probe::MetadataAtRoot, 404, "", "");
        });
    }

    #[test]
    fn a_server_of_2025_03_26_has_an_issuer_without_metadata() {
        expect(&CHALLENGE_METADATA, Warning, "guess", |record| {
            challenged(Some("Bearer realm=\"x\""))(record);
            record.put(Probe::MetadataAtPath, 404, "text/plain", "");
            record.put(Probe::MetadataAtRoot, 404, "text/plain", "");
            record.put(Probe::Mirror, 200, "application/json", r#"{"issuer":"https://mcp.example.com"}"#);
        });
    }

    #[test]
    fn another_metadata_url_is_a_warning_if_the_metadata_is_there_and_a_failure_if_not() {
        let root = "Bearer resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource\"";
        let finding = found(&CHALLENGE_METADATA, challenged(Some(root)));
        assert_eq!((finding.verdict, finding.affected.as_slice()), (Warning, [Client::Claude].as_slice()));
        // Behind a proxy that terminates TLS, a server that derives the URL from the request says http.
        let http = "Bearer resource_metadata=\"http://mcp.example.com/.well-known/oauth-protected-resource/mcp\"";
        expect(&CHALLENGE_METADATA, Failure, "is \"http://", challenged(Some(http)));
    }

    #[test]
    fn a_request_without_a_token_gets_no_error() {
        let with_error = "Bearer error=\"invalid_token\", resource_metadata=\"https://mcp.example.com/x\"";
        expect(&CHALLENGE_ERROR, Warning, "invalid_token", challenged(Some(with_error)));
    }

    #[test]
    fn get_and_discover_require_sign_in_too() {
        let get = found(&CHALLENGE_EVERYWHERE, |record| record.put(Probe::Get, 405, "", ""));
        assert_eq!((get.verdict, get.affected.as_slice()), (Failure, [Client::McpRemote].as_slice()));
        expect(&CHALLENGE_EVERYWHERE, Warning, "fall back", |it| it.put(Probe::Discover, 400, "text/plain", ""));
        expect(&CHALLENGE_EVERYWHERE, Failure, "500", |it| it.put(Probe::Discover, 500, "text/plain", ""));
        expect(&CHALLENGE_EVERYWHERE, Failure, "in time", |it| it.fail(Probe::Discover, TransportErrorKind::Timeout));
        expect(&CHALLENGE_EVERYWHERE, Failure, "without a readable challenge", |it| it.put(Probe::Get, 401, "", ""));
    }

    #[test]
    fn an_unsigned_token_must_be_rejected_as_invalid() {
        let result = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
        let put = |status, body| move |it: &mut Record| it.put(Probe::ForgedToken, status, "application/json", body);
        expect(&FORGED_TOKEN, Failure, "anyone can act as any user", put(200, result));
        expect(&FORGED_TOKEN, Failure, "makes the server fail", put(503, "{}"));
        expect(&FORGED_TOKEN, Warning, "do not renew", put(403, "{}"));
        expect(&FORGED_TOKEN, Skipped, "429", put(429, ""));
        let challenge =
            |value| move |it: &mut Record| it.change(Probe::ForgedToken, |it| it.set("www-authenticate", Some(value)));
        expect(&FORGED_TOKEN, Warning, "cannot distinguish", challenge(testing::CHALLENGE));
        expect(&FORGED_TOKEN, Warning, "\"bad_token\"", challenge("Bearer error=\"bad_token\""));
    }

    #[test]
    fn the_challenge_is_shown_verbatim() {
        expect(&CHALLENGE, Fine, "Bearer resource_metadata=", |_| {});
    }

    #[test]
    fn an_empty_bearer_counts_as_no_token() {
        use crate::outcome::Verdict::Ok as Fine;
        let with = |header: Option<&'static str>| {
            move |it: &mut Record| it.change(Probe::EmptyBearer, |response| response.set("www-authenticate", header))
        };
        expect(&EMPTY_BEARER, Fine, "401 with a challenge", |_| {});
        expect(&EMPTY_BEARER, Warning, "400", |it| it.put(Probe::EmptyBearer, 400, "application/json", "{}"));
        expect(&EMPTY_BEARER, Warning, "error=\"invalid_token\"", with(Some("Bearer error=\"invalid_token\"")));
        expect(&EMPTY_BEARER, Warning, "without a readable challenge", with(None));
    }
}
