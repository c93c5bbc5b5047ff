//! The tool `whoami`: whether both eras name the same user, and which claims about the user it returns.

use std::collections::BTreeSet;

use serde_json::Value;

use super::mcp_result::{MACHINE, describe, require_authorized, result};
use crate::{
    check::{Check, Section},
    clients::Client,
    outcome::{CheckResult, Outcome, Skip},
    probe::Probe,
    quote::quote,
    record::Record,
    token_kind::TokenKind,
};

pub(super) const CHECKS: &[Check] = &[WHOAMI, USER_CLAIMS];

const WHOAMI: Check = Check {
    slug: "whoami",
    section: Section::Protocol,
    title: "whoami returns the user of the token",
    why: "It exercises token, keys, scopes, protocol and tool in one request.",
    fix: "Look into the server's log at the time of this run.",
    affects: &Client::ALL,
    run: whoami,
};

fn whoami(record: &Record) -> CheckResult {
    require_authorized(record, Probe::LegacyInitialize)?;
    let mut subjects: BTreeSet<String> = BTreeSet::new();
    let (mut eras, mut is_machine) = (0, false);
    for (era, probe) in [("legacy", Probe::LegacyWhoami), ("modern", Probe::ModernWhoami)] {
        let Some(call) = record.result(probe) else { continue };
        eras += 1;
        let response = match call {
            Ok(response) => response,
            Err(error) => return Ok(Outcome::failure(format!("{era}: {error}"))),
        };
        let Some(result) = result(response) else {
            return Ok(Outcome::failure(format!("{era}: the call gets {}", describe(response))));
        };
        if result["isError"] == true {
            let message = result["content"][0]["text"].as_str().unwrap_or_default();
            return Ok(Outcome::failure(format!("{era}: the tool fails with {}", quote(message))));
        }
        is_machine |= result["structuredContent"]["kind"] == MACHINE;
        match result["structuredContent"]["sub"].as_str() {
            Some(subject) => subjects.insert(subject.to_owned()),
            None => {
                return Ok(Outcome::warning(format!("{era}: the result has no sub")).fix(
                    "If this whoami is not that of mcp-edge, no change is needed: its result may have other members.",
                ));
            }
        };
    }
    match (eras, subjects.into_iter().collect::<Vec<_>>().as_slice()) {
        (0, _) => Err(Skip::new("the server has no tool whoami without arguments")),
        (_, [subject]) => {
            let suffix = if is_machine { "; the token belongs to a machine, not to a user" } else { "" };
            let eras = if eras == 2 { "both eras" } else { "one era" };
            Ok(Outcome::ok(format!("sub {}, in {eras}{suffix}", quote(subject))))
        }
        _ => Ok(Outcome::failure("the two eras name different users for one token")
            .fix("Users receive the identity of another user. Take the server offline until the cause is found.")),
    }
}

const USER_CLAIMS: Check = Check {
    slug: "user_claims",
    section: Section::Protocol,
    title: "whoami returns more about the user than an ID",
    why: "Tools that need the user's name or e-mail address do not get them.",
    fix: "Configure the provider to put claims about the user into access tokens, and a granted scope to disclose them. At \
          Logto, a JWT access token has such claims only with a custom-claims script (console: Custom JWT; API: PUT \
          /api/configs/jwt-customizer/access-token) that returns, for example, username, name, email, email_verified and \
          picture. Clients can read these claims in the token: return them depending on token.scope. For mcp-edge, map \
          the claims in CLAIM_SCOPES, for example whoami:read=username,name,email,email_verified,picture.",
    affects: &[],
    run: user_claims,
};

/// Members of a `whoami` result that say nothing about the user: they describe the token, its client and its scopes.
const TOKEN_MEMBERS: [&str; 18] = [
    "sub",
    "iss",
    "issuer",
    "aud",
    "azp",
    "client_id",
    "client_party",
    "kind",
    "scope",
    "scopes",
    "exp",
    "expires_at",
    "iat",
    "jti",
    "email_verified",
    "organization_id",
    "credential",
    "key_id",
];

fn user_claims(record: &Record) -> CheckResult {
    require_authorized(record, Probe::LegacyInitialize)?;
    let identity = [Probe::LegacyWhoami, Probe::ModernWhoami].into_iter().find_map(|probe| {
        let identity = result(record.response(probe)?)?.get("structuredContent")?.as_object()?.clone();
        identity.contains_key("sub").then_some(identity)
    });
    let Some(identity) = identity else { return Err(Skip::new("whoami returned no user (see whoami)")) };
    // A machine has no name or e-mail address.
    if identity.get("kind").is_some_and(|kind| kind == MACHINE) {
        return Err(Skip::new("the token belongs to a machine; use one of a user who has signed in"));
    }
    let has_value = |value: &Value| !value.is_null() && value != "";
    let claims = identity.iter().filter(|(name, value)| !TOKEN_MEMBERS.contains(&name.as_str()) && has_value(value));
    let claims: Vec<_> = claims.map(|(name, _)| name.as_str()).collect();
    if !claims.is_empty() {
        return Ok(Outcome::ok(claims.join(", ")));
    }
    let observed = "whoami returns only sub";
    Ok(match record.token.as_ref().map(TokenKind::of) {
        Some(TokenKind::Jwt(jwt)) if jwt.user_claims.is_empty() => {
            Outcome::warning(format!("{observed}: the token has no claims about its user"))
        }
        Some(TokenKind::Jwt(jwt)) => Outcome::warning(format!(
            "{observed}: the token has {}, and the server does not disclose it",
            jwt.user_claims.join(", ")
        ))
        .fix(
            "Configure a granted scope to disclose these claims. For mcp-edge, map them in CLAIM_SCOPES, for example \
             whoami:read=username,name,email,email_verified,picture; the scopes profile, email, phone and address \
             disclose the claims that OpenID Connect assigns to them.",
        ),
        _ => Outcome::warning(observed),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        http::TransportErrorKind,
        outcome::Verdict::{Failure, Ok as Fine, Skipped, Warning},
        testing::{self, Change, expect, found},
        token::Token,
    };

    #[test]
    fn whoami_names_one_user_in_both_eras() {
        let edit = |change: fn(&mut Value)| {
            move |record: &mut Record| record.edit(Probe::ModernWhoami, |message| change(&mut message["result"]))
        };
        expect(&WHOAMI, Failure, "different users", edit(|it| it["structuredContent"]["sub"] = json!("u2")));
        expect(&WHOAMI, Failure, "fails with \"no\"", {
            edit(|it| *it = json!({ "isError": true, "content": [{ "type": "text", "text": "no" }] }))
        });
        expect(&WHOAMI, Warning, "has no sub", edit(|it| it["structuredContent"] = json!({})));
        expect(&WHOAMI, Failure, "in time", |it| it.fail(Probe::LegacyWhoami, TransportErrorKind::Timeout));
        expect(&WHOAMI, Skipped, "no tool whoami", |record| {
            record.exchanges.remove(&Probe::LegacyWhoami);
            record.exchanges.remove(&Probe::ModernWhoami);
        });
    }

    /// `whoami` returns this in both eras.
    fn returning(identity: &Value) -> impl FnOnce(&mut Record) {
        move |record| {
            for probe in [Probe::LegacyWhoami, Probe::ModernWhoami] {
                record.edit(probe, |message| message["result"]["structuredContent"] = identity.clone());
            }
        }
    }

    #[test]
    fn a_whoami_that_returns_only_an_id_is_a_warning() {
        let only_sub = json!({
            "sub": "u1", "issuer": "https://i", "client_id": "c", "client_party": "third", "kind": "user", "credential": "access_key", "key_id": "0123456789abcdef",
            "scopes": ["whoami:read"], "expires_at": 1, "name": null, "email": "", "email_verified": true,
            "organization_id": "org-1",
        });
        let finding = found(&USER_CLAIMS, returning(&only_sub));
        assert_eq!((finding.verdict, finding.affected.len()), (Warning, 0));
        for part in ["jwt-customizer/access-token", "Custom JWT", "CLAIM_SCOPES"] {
            assert!(finding.fix.contains(part), "{finding:#?}");
        }
        expect(&USER_CLAIMS, Warning, "returns only sub: the token has no claims", returning(&only_sub));
        let undisclosed = found(&USER_CLAIMS, |record| {
            returning(&only_sub)(record);
            record.token = Some(testing::token(&json!({ "email": "ada@example.com", "name": "Ada" })));
        });
        assert!(undisclosed.observed.contains("the token has name, email"), "{undisclosed:#?}");
        assert!(undisclosed.fix.contains("CLAIM_SCOPES") && !undisclosed.fix.contains("jwt-customizer"));
        assert!(!format!("{undisclosed:?}").contains("ada"), "the value of a claim is shown");
        expect(&USER_CLAIMS, Warning, "only sub", |record| {
            returning(&only_sub)(record);
            record.token = Token::new("opaque").ok();
        });
    }

    #[test]
    fn claims_are_listed_by_name_and_machines_have_none() {
        let finding = found(&USER_CLAIMS, returning(&json!({ "sub": "u1", "username": "ada", "email": "a@b.c" })));
        assert_eq!((finding.verdict, finding.observed.as_str()), (Fine, "email, username"));
        let machine = json!({ "sub": "app-1", "client_id": "app-1", "kind": "machine" });
        expect(&USER_CLAIMS, Skipped, "machine", returning(&machine));
        expect(&WHOAMI, Fine, "in both eras; the token belongs to a machine", returning(&machine));
        expect(&USER_CLAIMS, Skipped, "see whoami", returning(&json!({})));
    }
}
