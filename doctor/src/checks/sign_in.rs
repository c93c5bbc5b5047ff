//! Whether a client without a token learns that, and where, it should sign in.

use super::quote;
use crate::{
    challenge::Challenge,
    clients::Client,
    exchange::Answer,
    finding::{Judgement, Skip},
    message::{self, Response},
    record::{Probe, Record, document},
};

/// The first answer, if it is a 401.
fn refusal(record: &Record) -> Result<&Answer, Skip> {
    let answer = record.of_server(Probe::Initialize)?;
    match answer.status {
        401 => Ok(answer),
        _ if record.is_open() => Err(Skip::new("it does not ask for sign-in")),
        status => Err(Skip::new(format!("it answers {status} instead of 401 (see endpoint)"))),
    }
}

/// The challenge, if it can be read.
fn readable(record: &Record) -> Result<Challenge, Skip> {
    refusal(record)?;
    match record.challenge() {
        Some(Ok(challenge)) => Ok(challenge),
        _ => Err(Skip::new("there is no challenge to read")),
    }
}

pub fn challenge(record: &Record) -> Result<Judgement, Skip> {
    let answer = refusal(record)?;
    let Some(header) = answer.header("www-authenticate") else {
        return Ok(Judgement::failure("the 401 has no WWW-Authenticate header"));
    };
    let challenge = match Challenge::parse(header) {
        Ok(challenge) => challenge,
        Err(error) => return Ok(Judgement::failure(format!("WWW-Authenticate is {}: {error}", quote(header)))),
    };
    let unquoted: Vec<_> = challenge.unquoted().collect();
    if !unquoted.is_empty() {
        return Ok(Judgement::warning(format!("not in quotes: {}", unquoted.join(", "))).hits([Client::SdkApp]));
    }
    Ok(Judgement::ok(quote(header)))
}

pub fn challenge_metadata(record: &Record) -> Result<Judgement, Skip> {
    let challenge = readable(record)?;
    let right = record.target.metadata_url();
    let mend = format!("Set resource_metadata=\"{right}\" in every 401 and 403.");
    let Some(named) = challenge.get("resource_metadata") else {
        let seen = "it has no resource_metadata";
        let judgement = match record.issuer() {
            Some(_) => Judgement::warning(format!("{seen}; clients have to guess the place")),
            None => Judgement::failure(format!("{seen}, and no metadata is where clients guess it")),
        };
        return Ok(judgement.mend(mend));
    };
    if named == right {
        return Ok(Judgement::ok(named.to_owned()));
    }
    let is_there = [Probe::MetadataAsNamed, Probe::MetadataAtRoot]
        .into_iter()
        .any(|probe| record.url(probe) == named && record.answer(probe).and_then(document).is_some());
    let seen = format!("it names {} instead of {right}", quote(named));
    Ok(if is_there {
        Judgement::warning(seen).mend(mend).hits([Client::Claude])
    } else {
        let mend = format!(
            "{mend} If the host or scheme is wrong there, the server derives it from the request: give it its public \
             URL (for mcp-edge: RESOURCE)."
        );
        Judgement::failure(format!("{seen}, and no metadata can be read there")).mend(mend).hits(Client::ALL)
    })
}

pub fn challenge_error(record: &Record) -> Result<Judgement, Skip> {
    Ok(match readable(record)?.get("error") {
        None => Judgement::ok("no error is named"),
        Some(error) => Judgement::warning(format!("it says error={}", quote(error))),
    })
}

pub fn challenge_everywhere(record: &Record) -> Result<Judgement, Skip> {
    refusal(record)?;
    // Where initialize has no readable challenge either, that is another check's matter.
    let wants_challenge = readable(record).is_ok();
    let asks = |probe| -> Option<Result<(), String>> {
        Some(match record.outcome(probe)? {
            Err(failure) => Err(failure.to_string()),
            Ok(answer) if answer.status != 401 => Err(answer.in_short()),
            Ok(answer) => match answer.header("www-authenticate").map(Challenge::parse) {
                Some(Ok(_)) => Ok(()),
                _ if !wants_challenge => Ok(()),
                _ => Err("401 without a readable challenge".to_owned()),
            },
        })
    };
    let get = asks(Probe::Get).and_then(Result::err).map(|it| format!("GET gets {it}"));
    let discover = asks(Probe::Discover).and_then(Result::err).map(|it| format!("server/discover gets {it}"));
    // After a 4xx, clients of 2026-07-28 try the handshake and are asked there.
    let falls_back = record.answer(Probe::Discover).is_some_and(|answer| (400..500).contains(&answer.status));
    Ok(match (get, discover) {
        (None, None) => Judgement::ok("GET and server/discover get the same 401"),
        (Some(get), None) => Judgement::failure(get).hits([Client::McpRemote]),
        (None, Some(discover)) if falls_back => {
            Judgement::warning(format!("{discover}; clients fall back to initialize"))
                .hits([Client::ClaudeCode, Client::SdkApp])
        }
        (None, Some(discover)) => {
            Judgement::failure(discover).hits([Client::Claude, Client::ClaudeCode, Client::SdkApp])
        }
        (Some(get), Some(discover)) => Judgement::failure(format!("{get}; {discover}")),
    })
}

pub fn forged_token(record: &Record) -> Result<Judgement, Skip> {
    refusal(record)?;
    let answer = record.of_server(Probe::ForgedToken)?;
    if matches!(message::response(answer), Some(Response::Result(_))) {
        return Ok(Judgement::failure("it lets the token in: anybody can be anybody"));
    }
    let error = answer.header("www-authenticate").and_then(|it| Challenge::parse(it).ok());
    let error = error.as_ref().and_then(|challenge| challenge.get("error"));
    Ok(match (answer.status, error) {
        (401, Some("invalid_token")) => Judgement::ok("401 invalid_token"),
        (401, None) if readable(record).is_err() => Judgement::ok("401"),
        (401, Some(other)) => Judgement::warning(format!("401 with error={} instead of invalid_token", quote(other))),
        (401, None) => Judgement::warning("401 without error=\"invalid_token\": clients cannot tell it from no token"),
        (429, _) => return Err(Skip::new("the server limits requests (429)")),
        (500..=599, _) => Judgement::failure(format!("it answers {}: a bad token makes it fail", answer.in_short())).mend(
            "See in the server's log whether it fails on bad tokens, or whether it cannot reach the provider at all \
             (mcp-edge then answers 503; see docs/denials.md, Outages).",
        ),
        _ => Judgement::warning(format!("it answers {}: clients do not renew their token then", answer.in_short())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        exchange::FailureKind,
        finding::{
            Check,
            Verdict::{Failure as Bad, Ok as Fine, Skipped, Warning},
        },
        testing::{CHALLENGE, Change, expect, found},
    };

    fn challenged(value: Option<&'static str>) -> impl FnOnce(&mut Record) {
        move |record| record.change(Probe::Initialize, |it| it.set("www-authenticate", value))
    }

    #[test]
    fn a_401_without_a_readable_challenge_leads_nowhere() {
        expect(Check::Challenge, Bad, "no WWW-Authenticate", challenged(None));
        expect(Check::Challenge, Bad, "does not begin with the word Bearer", challenged(Some("Basic realm=\"x\"")));
        expect(Check::Challenge, Bad, "no parameters", challenged(Some("Bearer")));
        expect(Check::Challenge, Warning, "not in quotes: realm", challenged(Some("Bearer realm=x")));
        expect(Check::ChallengeMetadata, Skipped, "no challenge", challenged(None));
    }

    #[test]
    fn the_first_of_several_challenges_counts() {
        expect(Check::Challenge, Bad, "Basic", |record| {
            record.change(Probe::Initialize, |it| {
                it.headers.insert(0, ("www-authenticate".into(), "Basic realm=\"x\"".into()));
            });
        });
    }

    #[test]
    fn the_challenge_must_say_where_the_metadata_is() {
        let without = challenged(Some("Bearer scope=\"whoami:read\""));
        expect(Check::ChallengeMetadata, Warning, "have to guess", without);
        expect(Check::ChallengeMetadata, Bad, "no metadata is where clients guess", |record| {
            challenged(Some("Bearer scope=\"whoami:read\""))(record);
            record.put(Probe::MetadataAtPath, 404, "", "");
            record.put(Probe::MetadataAtRoot, 404, "", "");
        });
    }

    #[test]
    fn another_place_is_doubtful_if_the_metadata_is_there_and_wrong_if_not() {
        let root = "Bearer resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource\"";
        let finding = found(Check::ChallengeMetadata, challenged(Some(root)));
        assert_eq!((finding.verdict, finding.hits.as_slice()), (Warning, [Client::Claude].as_slice()));
        // Behind a proxy that ends TLS, a server that looks at the request says http.
        let http = "Bearer resource_metadata=\"http://mcp.example.com/.well-known/oauth-protected-resource/mcp\"";
        expect(Check::ChallengeMetadata, Bad, "it names \"http://", challenged(Some(http)));
    }

    #[test]
    fn nobody_is_accused_of_a_bad_token_who_sent_none() {
        let accusing = "Bearer error=\"invalid_token\", resource_metadata=\"https://mcp.example.com/x\"";
        expect(Check::ChallengeError, Warning, "invalid_token", challenged(Some(accusing)));
    }

    #[test]
    fn get_and_discover_are_asked_to_sign_in_too() {
        let get = found(Check::ChallengeEverywhere, |record| record.put(Probe::Get, 405, "", ""));
        assert_eq!((get.verdict, get.hits.as_slice()), (Bad, [Client::McpRemote].as_slice()));
        expect(Check::ChallengeEverywhere, Warning, "fall back", |it| it.put(Probe::Discover, 400, "text/plain", ""));
        expect(Check::ChallengeEverywhere, Bad, "500", |it| it.put(Probe::Discover, 500, "text/plain", ""));
        expect(Check::ChallengeEverywhere, Bad, "in time", |it| it.fail(Probe::Discover, FailureKind::Timeout));
        expect(Check::ChallengeEverywhere, Bad, "without a readable challenge", |it| it.put(Probe::Get, 401, "", ""));
    }

    #[test]
    fn a_challenge_that_is_missing_everywhere_is_one_failure() {
        let mut record = crate::testing::good();
        for probe in [Probe::Initialize, Probe::Get, Probe::Discover, Probe::ForgedToken] {
            record.change(probe, |answer| answer.set("www-authenticate", None));
        }
        let findings = super::super::judge(&record);
        let trouble: Vec<_> = findings.iter().filter(|it| it.verdict.is_trouble()).map(|it| it.check).collect();
        assert_eq!(trouble, [Check::Challenge]);
    }

    #[test]
    fn a_token_that_nobody_signed_must_be_refused_as_such() {
        let result = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
        expect(Check::ForgedToken, Bad, "anybody can be anybody", |it| {
            it.put(Probe::ForgedToken, 200, "application/json", result);
        });
        expect(Check::ForgedToken, Bad, "makes it fail", |it| {
            it.put(Probe::ForgedToken, 503, "application/json", "{}");
        });
        expect(Check::ForgedToken, Warning, "do not renew", |it| {
            it.put(Probe::ForgedToken, 403, "application/json", "{}");
        });
        expect(Check::ForgedToken, Skipped, "429", |it| it.put(Probe::ForgedToken, 429, "", ""));
        expect(Check::ForgedToken, Warning, "cannot tell", |it| {
            it.change(Probe::ForgedToken, |answer| answer.set("www-authenticate", Some(CHALLENGE)));
        });
        expect(Check::ForgedToken, Warning, "\"bad_token\"", |it| {
            it.change(Probe::ForgedToken, |answer| answer.set("www-authenticate", Some("Bearer error=\"bad_token\"")));
        });
    }

    #[test]
    fn the_challenge_is_shown_as_it_is() {
        expect(Check::Challenge, Fine, "Bearer resource_metadata=", |_| {});
    }
}
