//! The published keys of a gateway's assertions (RFC 7517).

use serde_json::Value;

use super::{
    keys::{is_secret, kid},
    response::document_problem,
    upstream_result::require_upstream,
};
use crate::{
    check::{Check, Section},
    explain::keys::jwk::{Curve, Jwk, Material},
    gateway::settings::UpstreamAuth,
    outcome::{CheckResult, Outcome, Skip},
    probe::Probe,
    quote::examples,
    record::{Record, Upstream, document},
};

pub(super) const CHECKS: &[Check] = &[ASSERTION_KEYS];

const ASSERTION_KEYS: Check = Check {
    slug: "assertion_keys",
    section: Section::Gateway,
    title: "The gateway publishes the public P-256 keys of its assertions, each once and with a kid",
    why: "With these keys the upstream verifies who is calling. Without them it must trust everybody who reaches it.",
    fix: "Set UPSTREAM_SIGNING_KEY to a private P-256 key with a kid, and UPSTREAM_PUBLIC_KEYS to the public parts of the \
          next and the last one.",
    affects: &[],
    run: assertion_keys,
};

fn assertion_keys(record: &Record) -> CheckResult {
    let upstream = require_upstream(record)?;
    let url = record.target.assertion_keys_url();
    let response = match record.result(Probe::AssertionKeys) {
        None => return Err(Skip::new("the endpoint was not reached")),
        Some(Err(error)) => return Ok(Outcome::failure(format!("{url}: {error}"))),
        Some(Ok(response)) => response,
    };
    if matches!(response.status, 404 | 410) {
        return Ok(absent(upstream, &format!("{url}: the response is {}", response.summary())));
    }
    if let Some(problem) = document_problem(response) {
        return Ok(Outcome::failure(format!("{url}: {problem}")));
    }
    let set = document(response).unwrap_or_default();
    let keys: Vec<&Value> = set.get("keys").and_then(Value::as_array).into_iter().flatten().collect();
    let secret: Vec<_> = keys.iter().filter(|key| is_secret(key)).map(|key| kid(key)).collect();
    if !secret.is_empty() {
        let observed = "the document contains a private key: anyone can be anyone at the upstream";
        return Ok(Outcome::failure(format!("{observed} (kid {})", examples(&secret))).fix(
            "Make a new key for UPSTREAM_SIGNING_KEY, publish public parts only, and let the upstream forget the old key at \
             once.",
        ));
    }
    if keys.is_empty() {
        return Ok(Outcome::failure(format!("{url}: there is no key")));
    }
    let wrong: Vec<_> = keys.iter().filter_map(|key| Some(format!("kid {} {}", kid(key), problem_of(key)?))).collect();
    if !wrong.is_empty() {
        return Ok(Outcome::failure(format!("keys with which no assertion can be verified: {}", examples(&wrong))));
    }
    if let Some(what) = twice(&keys) {
        return Ok(Outcome::warning(what)
            .fix("Publish each key once, under a kid of its own: otherwise verifiers may try the wrong one."));
    }
    let kids: Vec<_> = keys.iter().map(|key| kid(key)).collect();
    Ok(Outcome::ok(format!("ES256: kid {}", examples(&kids))))
}

/// The outcome if there is no document: no problem for a gateway that shows the upstream something else than assertions.
fn absent(upstream: &Upstream, observed: &str) -> Outcome {
    match upstream.settings.as_ref().and_then(|settings| settings.auth) {
        Some(UpstreamAuth::Connection | UpstreamAuth::Secret | UpstreamAuth::Nothing) => {
            Outcome::ok("none: UPSTREAM_AUTH is not assertion")
        }
        Some(UpstreamAuth::Assertion) => {
            Outcome::failure(format!("{observed}, and UPSTREAM_AUTH is assertion")).fix(
                "Deploy these settings: the doctor asks another deployment, or one with other settings. A gateway with \
                 assertions publishes its keys.",
            )
        }
        None if upstream.is_open() => {
            Outcome::failure(format!("{observed}, and the upstream answers without credentials"))
        }
        None => Outcome::warning(format!("{observed}; something else than assertions protects the upstream")).fix(
            "If it is a static key (UPSTREAM_AUTH = \"secret\") or a private network, no change is needed; the upstream does \
             not learn who is calling.",
        ),
    }
}

/// Why a public key is no key of assertions, to follow its name. `None` if it is one.
fn problem_of(key: &Value) -> Option<&'static str> {
    let key = match Jwk::parse(key) {
        Ok(key) => key,
        Err(problem) => return Some(problem),
    };
    let is_p256 = matches!(key.material, Material::Ec { curve: Curve::P256, .. });
    if key.kid.is_none_or(|kid| kid.is_empty()) {
        Some("has no kid")
    } else if !is_p256 || key.algorithm.is_some_and(|algorithm| algorithm != Curve::P256.algorithm()) {
        Some("is not for ES256")
    } else {
        None
    }
}

/// What occurs twice among the keys.
fn twice(keys: &[&Value]) -> Option<&'static str> {
    let repeats = |one: usize, of: fn(&Value) -> [Option<&str>; 2]| {
        let first = keys.get(one).map(|key| of(key));
        keys.iter().skip(one + 1).any(|other| Some(of(other)) == first)
    };
    let any = |of| (0..keys.len()).any(|index| repeats(index, of));
    if any(|key| [key["x"].as_str(), key["y"].as_str()]) {
        Some("a key occurs twice")
    } else if any(|key| [key["kid"].as_str(), None]) {
        Some("two keys have the same kid")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        http::TransportErrorKind,
        outcome::Verdict::{Failure, Ok as Fine, Skipped, Warning},
        testing::{Change, direct, expect, found, upstream},
    };

    /// Coordinates of the generator of P-256, and of its double.
    const POINTS: [(&str, &str); 2] = [
        ("axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY", "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"),
        ("fPJ7GI0DT36KUjgDBLUaw8CJaeJ38hs1pgtI_EdmmXg", "B3dVENuO0EApPZrGn3QrueYqsNmUlkTl8bRz0dH1w9E"),
    ];

    fn key(point: usize, changes: &Value) -> Value {
        let (x, y) = POINTS[point];
        let mut key = json!({ "kty": "EC", "crv": "P-256", "kid": format!("k{point}"), "x": x, "y": y });
        for (name, value) in changes.as_object().unwrap() {
            key[name] = value.clone();
        }
        key
    }

    fn set(keys: Vec<Value>) -> impl FnOnce(&mut Record) {
        move |record| record.edit(Probe::AssertionKeys, |it| drop(it.insert("keys".to_owned(), Value::Array(keys))))
    }

    #[test]
    fn keys_are_published_for_es256() {
        expect(
            &ASSERTION_KEYS,
            Fine,
            "kid \"k0\", \"k1\"",
            set(vec![key(0, &json!({})), key(1, &json!({ "alg": "ES256" }))]),
        );
        for (changes, observed) in [
            (json!({ "kid": null }), "has no kid"),
            (json!({ "kid": "" }), "has no kid"),
            (json!({ "crv": "P-384" }), "broken coordinate"),
            (json!({ "kty": "RSA" }), "k0"),
            (json!({ "alg": "ES384" }), "k0"),
            (json!({ "use": "enc" }), "not for signatures"),
            (json!({ "x": "AAAA" }), "broken coordinate"),
        ] {
            expect(&ASSERTION_KEYS, Failure, observed, set(vec![key(0, &changes)]));
        }
        expect(&ASSERTION_KEYS, Failure, "there is no key", set(Vec::new()));
        expect(&ASSERTION_KEYS, Failure, "not a JSON object", |it| it.put(Probe::AssertionKeys, 200, "", "[]"));
        expect(&ASSERTION_KEYS, Failure, "500", |it| it.put(Probe::AssertionKeys, 500, "", ""));
        expect(&ASSERTION_KEYS, Failure, "in time", |it| it.fail(Probe::AssertionKeys, TransportErrorKind::Timeout));
        expect(&ASSERTION_KEYS, Skipped, "no upstream", |it| it.upstream = None);
    }

    #[test]
    fn a_private_key_is_a_failure_with_a_fix_of_its_own() {
        let finding = found(&ASSERTION_KEYS, set(vec![key(0, &json!({})), key(1, &json!({ "d": "s3cr3t" }))]));
        assert_eq!(finding.verdict, Failure);
        assert!(finding.observed.contains("private key") && finding.observed.contains("k1"), "{finding:#?}");
        assert!(finding.fix.contains("Make a new key") && !format!("{finding:?}").contains("s3cr3t"), "{finding:#?}");
    }

    #[test]
    fn a_key_or_its_name_occurs_once() {
        expect(&ASSERTION_KEYS, Warning, "a key occurs twice", {
            set(vec![key(0, &json!({})), key(1, &json!({})), key(0, &json!({ "kid": "other" }))])
        });
        expect(
            &ASSERTION_KEYS,
            Warning,
            "the same kid",
            set(vec![key(0, &json!({})), key(1, &json!({ "kid": "k0" }))]),
        );
    }

    #[test]
    fn keys_may_be_absent_if_something_else_protects_the_upstream() {
        let absent = |auth: Option<&'static str>, is_open: bool| {
            move |record: &mut Record| {
                record.put(Probe::AssertionKeys, 404, "application/json", "{}");
                let it = record.upstream.as_mut().unwrap();
                it.settings = auth.map(|auth| {
                    let text = format!("[vars]\nUPSTREAM_AUTH = {auth:?}");
                    crate::gateway::settings::GatewaySettings::read("w", &text, None).unwrap()
                });
                if is_open {
                    direct(|it| it.put(Probe::Initialize, 200, "application/json", r#"{"id":1,"result":{}}"#))(record);
                }
            }
        };
        expect(&ASSERTION_KEYS, Warning, "something else", absent(None, false));
        expect(&ASSERTION_KEYS, Failure, "without credentials", absent(None, true));
        expect(&ASSERTION_KEYS, Fine, "not assertion", absent(Some("secret"), false));
        expect(&ASSERTION_KEYS, Fine, "not assertion", absent(Some("none"), true));
        expect(&ASSERTION_KEYS, Fine, "none: UPSTREAM_AUTH is not assertion", absent(Some("connection"), false));
        expect(&ASSERTION_KEYS, Failure, "UPSTREAM_AUTH is assertion", absent(Some("assertion"), false));
        expect(&ASSERTION_KEYS, Warning, "something else", absent(Some("typo"), false));
        expect(&ASSERTION_KEYS, Failure, "UPSTREAM_AUTH is assertion", |record| {
            record.upstream = Some(Box::new(upstream("")));
            record.put(Probe::AssertionKeys, 404, "", "");
        });
    }
}
