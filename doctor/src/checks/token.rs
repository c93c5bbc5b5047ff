//! The operator's token: which kind it is, and whether the server accepts or rejects it for good reason.

use super::{bot_protection::BOT_PROTECTION, response::is_blocked, token_mismatch};
use crate::{
    challenge::Challenge,
    check::{Check, Section},
    clients::Client,
    http::HttpResponse,
    outcome::{CheckResult, Outcome, Skip},
    probe::Probe,
    quote::quote,
    record::Record,
    token::TOKEN_VARIABLE,
    token_kind::{NotAccessToken, TokenKind},
};

pub(super) const CHECKS: &[Check] = &[TOKEN];

pub(crate) const TOKEN: Check = Check {
    slug: "token",
    section: Section::Protocol,
    title: "The token is an access token for this server",
    why: "A server must reject other kinds of tokens, and access tokens that have expired or that are for another \
          audience or from another issuer.",
    fix: "Get a new token, with resource=<the URL> in both the authorization and the token request.",
    affects: &Client::ALL,
    run: token,
};

fn token(record: &Record) -> CheckResult {
    let Some(token) = &record.token else {
        return Err(Skip::new(format!(
            "no token: pass one with --token or {TOKEN_VARIABLE} to check the requests of a user"
        )));
    };
    if !record.target.is_https() && !record.target.is_loopback() {
        return Ok(Outcome::failure("the token was not sent, because the URL is plain http").fix("Use https."));
    }
    let response = response_to_token(record)?;
    let kind = TokenKind::of(token);
    Ok(match rejection(response) {
        Some(rejection) => rejected(record, response, &kind, &rejection),
        None => accepted(record, &kind),
    })
}

/// The response that shows whether the server accepts the token. An outage does not show it, nor does a request of an
/// era that the server does not support.
fn response_to_token(record: &Record) -> Result<&HttpResponse, Skip> {
    let first = record.require_response(Probe::LegacyInitialize)?;
    let is_decision = |response: &&HttpResponse| response.is_success() || matches!(response.status, 401 | 403);
    [Some(first), record.response(Probe::ModernDiscover)].into_iter().flatten().find(is_decision).ok_or_else(|| {
        Skip::new(format!("the response is {}, which says nothing about the token (see legacy)", first.summary()))
    })
}

/// How the server rejected the token. `None` if it did not.
fn rejection(response: &HttpResponse) -> Option<String> {
    if !matches!(response.status, 401 | 403) {
        return None;
    }
    let challenge = response.header("www-authenticate").and_then(|it| Challenge::parse(it).ok());
    let reason = challenge.as_ref().and_then(|it| it.get("error_description").or_else(|| it.get("error")));
    Some(match reason {
        Some(reason) => format!("the server rejects the token with {}: {}", response.status, quote(reason)),
        None => format!("the server rejects the token with {}", response.status),
    })
}

fn rejected(record: &Record, response: &HttpResponse, kind: &TokenKind, rejection: &str) -> Outcome {
    let mismatch = match kind {
        // No client gets such a token, so no client is affected.
        TokenKind::NotAccessToken(kind) => {
            return Outcome::failure(format!("{rejection}; it is {}", kind.description()))
                .fix(kind.fix(record.target.as_str()))
                .affects([]);
        }
        // The header may explain the rejection; a server that accepts such a header is not to blame.
        TokenKind::Jwt(jwt) => {
            token_mismatch::in_claims(record, jwt).or_else(|| token_mismatch::in_header(record, jwt))
        }
        TokenKind::Opaque | TokenKind::Encrypted => None,
    };
    if let Some(mismatch) = mismatch {
        return mismatch.explain(rejection);
    }
    if is_blocked(response) {
        return Outcome::failure(format!("{rejection}, with a page for people: the response is not from the server"))
            .fix(BOT_PROTECTION.fix);
    }
    if response.status == 403 {
        return Outcome::failure(rejection).fix(
            "The token is valid, but lacks a permission. Give it to the user and to the client at the provider; for \
             mcp-edge see docs/denials.md, Permission.",
        );
    }
    match kind {
        TokenKind::Encrypted => Outcome::failure(format!(
            "{rejection}; the token is encrypted (JWE), and only its recipient can read it"
        ))
        .fix(
            "Configure the provider to issue signed tokens (JWS) for this server. Auth0 issues tokens that are encrypted \
             for itself if a request names no API: send audience, or enable its Resource Parameter Compatibility Profile \
             and send resource.",
        ),
        TokenKind::Opaque => Outcome::failure(format!(
            "{rejection}; the token is opaque, not a JWT: an access token without resource, or a refresh token, a code or \
             a secret"
        ))
        .fix(format!(
            "Use the access_token of the token response, and send resource={} in both the authorization and the token \
             request.",
            record.target.as_str()
        )),
        _ => Outcome::failure(format!("{rejection}; its issuer, audience and expiry look right"))
            .fix(
            "The server's log has the reason; for mcp-edge see docs/denials.md, or run make explain (npx mcp-edge \
             explain) with the token: it says which check refuses it.",
        ),
    }
}

fn accepted(record: &Record, kind: &TokenKind) -> Outcome {
    match kind {
        // A server may exchange these itself.
        TokenKind::NotAccessToken(NotAccessToken::PersonalAccessToken | NotAccessToken::SubjectToken) => Outcome::ok(
            "the server accepts the token, although it is not an access token; it probably exchanges it at the provider",
        ),
        TokenKind::NotAccessToken(kind) => {
            Outcome::failure(format!("the server accepts the token, but it is {}", kind.description())).fix(
                "Configure the server to accept access tokens only. For mcp-edge, TOKEN_TYPES should be at+jwt and \
                 nothing else.",
            )
        }
        TokenKind::Jwt(jwt) => match token_mismatch::in_claims(record, jwt) {
            Some(mismatch) => Outcome::failure(format!("the server accepts the token, but {}", mismatch.observed)).fix(
                "If the server allows this audience or issuer on purpose, no change is needed. Otherwise it does not check \
                 them, and accepts every token of the provider.",
            ),
            None if jwt.is_bound => {
                Outcome::failure(format!("the server accepts the token, but {}", token_mismatch::BOUND)).fix(
                    "Configure the server to require the proof, or to reject such tokens (RFC 9449 §7.2, RFC 8705 §3): \
                     otherwise a stolen token can be used without the key.",
                )
            }
            None => Outcome::ok("the server accepts the token"),
        },
        TokenKind::Encrypted => {
            Outcome::ok("the server accepts the token; it is encrypted (JWE), so its claims cannot be checked")
        }
        TokenKind::Opaque => Outcome::warning("the server accepts the token, but it is not a JWT and names no audience")
            .fix("Configure clients to send resource in the token request: the provider then issues a JWT for this server."),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        finding::Finding,
        outcome::Verdict::{Failure, Ok as Fine, Skipped, Warning},
        target::Target,
        testing::{self, Change, expect, found, http_response},
        token::Token,
    };

    /// The operator's token has valid claims, except for these.
    fn claims(changes: Value) -> impl FnOnce(&mut Record) {
        move |record| record.token = Some(testing::token(&changes))
    }

    /// The operator's token is this string.
    fn string(token: &str) -> impl FnOnce(&mut Record) {
        move |record| record.token = Token::new(token).ok()
    }

    /// The operator's token is valid, except for its empty header.
    fn without_typ(record: &mut Record) {
        let token = testing::token(&json!({}));
        let (_, rest) = token.expose().split_once('.').unwrap();
        record.token = Token::new(&format!("e30.{rest}")).ok();
    }

    /// The server rejects the token with 401.
    fn reject(record: &mut Record) {
        let challenge = "Bearer error=\"invalid_token\", error_description=\"The access token is not valid\"";
        let response = http_response(401, &[("www-authenticate", challenge)], "{}");
        for probe in [Probe::LegacyInitialize, Probe::ModernDiscover] {
            record.change(probe, |it| *it = response.clone());
        }
    }

    /// The server rejects the token for lack of a scope.
    fn forbid(record: &mut Record) {
        let challenge = [("www-authenticate", "Bearer error=\"insufficient_scope\"")];
        record.change(Probe::LegacyInitialize, |it| *it = http_response(403, &challenge, "{}"));
    }

    fn rejected(token: impl FnOnce(&mut Record)) -> Finding {
        let finding = found(&TOKEN, |record| {
            reject(record);
            token(record);
        });
        assert_eq!(finding.verdict, Failure);
        assert!(
            finding.observed.contains("rejects the token with 401: \"The access token is not valid\""),
            "{finding:#?}"
        );
        finding
    }

    #[test]
    fn a_rejected_token_is_explained_by_its_claims() {
        for (changes, observed, fix) in [
            (
                json!({ "aud": "https://mcp.example.com/mcp/" }),
                "audience is \"https://mcp.example.com/mcp/\" instead",
                "",
            ),
            (json!({ "aud": null }), "no audience", ""),
            (
                json!({ "iss": "https://other" }),
                "its issuer is \"https://other\" instead",
                "Get a token from \"https://tenant.logto.app/oidc\"",
            ),
            (json!({ "exp": testing::NOW }), "expired", ""),
            (json!({ "exp": testing::NOW - 300 }), "expired 5 minutes ago", "sign in again"),
            (json!({ "exp": null }), "expired", ""),
            (json!({ "nbf": testing::NOW + 7_200 }), "becomes valid only in 2 hours", "clock"),
            (json!({ "cnf": { "x5t#S256": "x" } }), "bound to a key", "DPoP"),
            (
                json!({ "aud": "urn:logto:organization:o1" }),
                "for an organization",
                "resource=https://mcp.example.com/mcp",
            ),
            (json!({}), "look right", ""),
        ] {
            let finding = rejected(claims(changes.clone()));
            assert!(finding.observed.contains(observed) && finding.fix.contains(fix), "{changes}: {finding:#?}");
        }
    }

    #[test]
    fn a_rejected_token_is_explained_by_its_header() {
        assert!(rejected(without_typ).observed.contains("its typ is \"\" instead"));
        let unpublished = rejected(|record| {
            record.edit(Probe::Keys, |it| drop(it.insert("keys".into(), json!([{ "kid": "k2" }]))));
        });
        assert!(unpublished.observed.contains("no longer publishes"), "{unpublished:#?}");
    }

    #[test]
    fn a_server_must_not_accept_tokens_for_others() {
        expect(&TOKEN, Failure, "accepts the token, but its audience", claims(json!({ "aud": "https://other" })));
        expect(&TOKEN, Failure, "accepts the token, but it has expired", claims(json!({ "exp": 1 })));
        // Not every provider follows RFC 9068, so a server may accept another typ.
        expect(&TOKEN, Fine, "accepts", without_typ);
        expect(&TOKEN, Warning, "not a JWT", string("opaque"));
    }

    #[test]
    fn a_missing_permission_is_not_an_invalid_token() {
        let jwt = found(&TOKEN, forbid);
        assert!(jwt.observed.contains("insufficient_scope") && jwt.fix.contains("permission"), "{jwt:#?}");
        let opaque = found(&TOKEN, |record| {
            string("0123456789")(record);
            forbid(record);
        });
        assert!(!opaque.observed.contains("JWT") && opaque.fix.contains("permission"), "{opaque:#?}");
    }

    #[test]
    fn the_token_is_not_sent_over_plain_http() {
        expect(&TOKEN, Failure, "not sent", |it| it.target = Target::parse("http://mcp.example.com/mcp").unwrap());
    }

    #[test]
    fn a_rejected_token_of_another_kind_is_named_with_the_way_to_an_access_token() {
        for (token, name, fix) in [
            ("pat_0123", "personal access token", "urn:logto:token-type:personal_access_token, resource=https://mcp."),
            ("sub_0123", "subject token", "urn:ietf:params:oauth:token-type:access_token, resource=https://mcp."),
            ("mcpreg_0123", "registration access token", "sign in"),
            ("mcpinit_0123", "initial access token", "sign in"),
            ("0123456789", "not a JWT", "resource=https://mcp.example.com/mcp"),
            ("eyJlbmMiOiJBMjU2R0NNIn0..a.b.c", "encrypted (JWE)", "Auth0"),
        ] {
            let finding = rejected(string(token));
            assert!(finding.observed.contains(name) && finding.fix.contains(fix), "{finding:#?}");
            assert!(!format!("{finding:?}").contains(token), "the token is shown");
        }
    }

    #[test]
    fn a_server_must_accept_access_tokens_only_unless_it_can_exchange_others() {
        expect(&TOKEN, Fine, "exchanges", string("pat_0123"));
        expect(&TOKEN, Failure, "accepts the token, but it is a registration", string("mcpreg_0123"));
        expect(
            &TOKEN,
            Failure,
            "accepts the token, but it is bound to a key",
            claims(json!({ "cnf": { "jkt": "x" } })),
        );
        expect(&TOKEN, Fine, "encrypted", string("eyJlbmMiOiJBMjU2R0NNIn0..a.b.c"));
    }

    #[test]
    fn a_response_that_says_nothing_about_the_token_is_skipped() {
        for status in [429, 500, 503] {
            expect(&TOKEN, Skipped, "says nothing about the token", |record| {
                for probe in [Probe::LegacyInitialize, Probe::ModernDiscover] {
                    record.put(probe, status, "application/json", "{}");
                }
            });
        }
        // One era is enough.
        expect(&TOKEN, Fine, "accepts", |record| {
            record.put(Probe::LegacyInitialize, 404, "application/json", "{}");
        });
        let blocked = found(&TOKEN, |record| record.put(Probe::LegacyInitialize, 403, "text/html", "<html>"));
        assert!(blocked.verdict == Failure && blocked.fix.contains("bot protection"), "{blocked:#?}");
    }
}
