//! One token for each check that can refuse it, with the reason and the fix.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_edge_doctor::explain::{checks, explanation::Verdict, step::State};
use serde_json::{Value, json};

use crate::case::{Case, ISSUER, KID, NOW, RESOURCE, good, public, test_keys};

/// Check, reason, a part of what was observed, a part of the fix, and the change.
pub type Row = (&'static str, &'static str, &'static str, &'static str, Case);

#[allow(clippy::too_many_lines, reason = "a list")]
pub fn refused() -> Vec<Row> {
    let jwe = URL_SAFE_NO_PAD.encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    let with_token = |token: String| Case { token: Some(token), ..good() };
    let without = |claim: &str| good().claim(claim, Value::Null);
    let other_key = json!({ "keys": [test_keys()["keys"]["p256"]["public"]] });
    let with_keys = |keys: Value| Case { keys, ..good() };
    let twice = format!(
        "{}.{}.AA",
        URL_SAFE_NO_PAD.encode("{\"alg\":\"EdDSA\"}"),
        URL_SAFE_NO_PAD.encode(r#"{"sub":"a","sub":"b"}"#)
    );
    let mut of_alg = public();
    of_alg["alg"] = "Ed25519".into();
    let cognito = || {
        let iss = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_a";
        let case =
            good().set("ISSUER", iss).set("PROVIDER", "cognito").claim("iss", iss.into()).claim("aud", Value::Null);
        let case = case.claim("token_use", "access".into()).claim("username", "ada".into());
        Case { header: json!({ "alg": "EdDSA", "kid": KID }), ..case }
    };
    vec![
        (
            "settings",
            "misconfigured",
            "PROVIDER = \"okta\" does not fit",
            "wrangler.toml",
            good().set("PROVIDER", "okta"),
        ),
        (
            "settings",
            "misconfigured",
            "has not the form",
            "wrangler.toml",
            good().set("ISSUER", "https://tenant.logto.app/"),
        ),
        (
            "form",
            "opaque_not_accepted",
            "opaque token",
            "resource=https://mcp.example.com/mcp",
            with_token("opaque".into()),
        ),
        ("form", "opaque_not_accepted", "personal access token", "token-exchange", with_token("pat_1".into())),
        (
            "form",
            "encrypted_token",
            "encrypted",
            "Turn off access token encryption",
            with_token(format!("{jwe}.a.b.c.d")),
        ),
        (
            "form",
            "malformed_token",
            "2 segments",
            "two dots",
            with_token(good().token().rsplit_once('.').expect("dots").0.into()),
        ),
        ("form", "duplicate_member", "\"sub\" twice", "custom claim", with_token(twice)),
        ("form", "token_too_large", "the limit is 16384", "smaller", good().claim("groups", "x".repeat(16_384).into())),
        ("header", "unsupported_header", "crit", "plain JWS", good().header("crit", json!(["exp"]))),
        ("header", "unsupported_algorithm", "HS256", "shared secret", good().header("alg", "HS256".into())),
        ("header", "unsupported_algorithm", "none", "RS256, ES256 or ES384", good().header("alg", "none".into())),
        ("header", "malformed_token", "kid of the header is a number", "Report it", good().header("kid", json!(1))),
        ("header", "wrong_type", "logout+jwt", "access_token", good().header("typ", "logout+jwt".into())),
        (
            "issuer",
            "wrong_issuer",
            "https://other.example",
            "PROVIDER",
            good().claim("iss", "https://other.example".into()),
        ),
        ("issuer", "wrong_issuer", "/oidc/\"", "byte for byte", good().claim("iss", format!("{ISSUER}/").into())),
        ("issuer", "wrong_issuer", "iss is null", "ISSUER", without("iss")),
        ("type", "wrong_type", "typ \"jwt\"", "docs/providers/logto.md", good().header("typ", "JWT".into())),
        (
            "type",
            "wrong_type",
            "typ \"jwt\"",
            "add jwt to TOKEN_TYPES",
            good().header("typ", "JWT".into()).set("PROVIDER", "generic"),
        ),
        ("claims", "missing_expiry", "exp is missing", "life time", without("exp")),
        ("claims", "malformed_token", "nbf is a string", "Report it", good().claim("nbf", "x".into())),
        ("claims", "bad_issue_time", "iat is no date", "seconds since 1970", good().claim("iat", json!(1.8e12))),
        ("claims", "missing_subject", "sub is empty", "custom claims", good().claim("sub", "".into())),
        ("claims", "malformed_token", "client_id is an array", "Report it", good().claim("client_id", json!(["a"]))),
        ("claims", "wrong_audience", "aud is missing", "resource=", without("aud")),
        (
            "audience",
            "wrong_audience",
            "https://other.example",
            "Register \"https://mcp",
            good().claim("aud", "https://other.example".into()),
        ),
        ("audience", "wrong_audience", "mcp/", "AUDIENCE = ", good().claim("aud", format!("{RESOURCE}/").into())),
        ("audience", "wrong_audience", "SCOPE_PREFIX is not set", "docs/providers/cognito.md", cognito()),
        (
            "audience",
            "wrong_audience",
            "ALLOWED_CLIENTS is not set",
            "ALLOWED_CLIENTS",
            cognito().set("SCOPE_PREFIX", "mcp/"),
        ),
        (
            "audience",
            "wrong_audience",
            "no scope begins with",
            "SCOPE_PREFIX",
            cognito().set("SCOPE_PREFIX", "mcp/").set("ALLOWED_CLIENTS", "agent"),
        ),
        ("use", "sender_constrained", "cnf", "DPoP", good().claim("cnf", json!({ "jkt": "x" }))),
        ("use", "not_an_access_token", "token_use", "access_token", good().claim("token_use", "id".into())),
        (
            "requirements",
            "claim_required",
            "typ is \"Bearer\"",
            "docs/providers/keycloak.md",
            good()
                .set("PROVIDER", "keycloak")
                .set("ISSUER", "https://sso.example/realms/a")
                .claim("iss", "https://sso.example/realms/a".into()),
        ),
        (
            "time",
            "expired",
            "2 hours ago",
            "--now",
            good().claim("exp", json!(NOW - 7200)).claim("iat", json!(NOW - 9000)),
        ),
        ("time", "not_yet_valid", "not valid before", "clock", good().claim("nbf", json!(NOW + 61))),
        ("time", "bad_issue_time", "in the future", "clock", good().claim("iat", json!(NOW + 61))),
        ("cutoff", "issued_before_cutoff", "before", "stolen-key.md", good().set("DENIED_ISSUED_BEFORE", "1800000000")),
        (
            "cutoff",
            "issued_before_cutoff",
            "iat is missing",
            "stolen-key.md",
            without("iat").set("DENIED_ISSUED_BEFORE", "1"),
        ),
        ("denied_keys", "key_denied", "key-1", "rotate", good().set("DENIED_KEYS", KID)),
        ("key", "unknown_key", "no key for this token", "rotated away", with_keys(other_key)),
        ("key", "unknown_key", "that is private", "new signing key", {
            let mut private = public();
            private["d"] = "AAAA".into();
            with_keys(json!({ "keys": [private, test_keys()["keys"]["p256"]["public"]] }))
        }),
        ("key", "key_mismatch", "not for alg", "tampered", good().header("alg", "RS256".into())),
        ("key", "ambiguous_key", "several keys", "its own kid", {
            let mut other = public();
            other["x"] = URL_SAFE_NO_PAD.encode([5; 32]).into();
            with_keys(json!({ "keys": [public(), other] }))
        }),
        (
            "signature",
            "bad_signature",
            "another key",
            "forged",
            with_token({
                let token = good().token();
                let (input, signature) = token.rsplit_once('.').expect("dots");
                let (_, claims) = input.split_once('.').expect("dots");
                let header =
                    URL_SAFE_NO_PAD.encode(json!({ "typ": "at+jwt", "kid": KID, "alg": "EdDSA", "x": 1 }).to_string());
                format!("{header}.{claims}.{signature}")
            }),
        ),
        ("signature", "bad_signature", "67 bytes", "whole token", with_token(format!("{}AAAA", good().token()))),
        ("clients", "client_denied", "\"agent\" is in DENIED_CLIENTS", "remove", good().set("DENIED_CLIENTS", "agent")),
        (
            "clients",
            "client_not_allowed",
            "not in ALLOWED_CLIENTS",
            "Add \"agent\"",
            good().set("ALLOWED_CLIENTS", "other"),
        ),
        (
            "clients",
            "client_not_allowed",
            "no client",
            "CLIENT_ID_CLAIMS",
            without("client_id").set("DENIED_CLIENTS", "other"),
        ),
        (
            "organizations",
            "organization_not_allowed",
            "org-1",
            "Add \"org-1\"",
            good().set("ALLOWED_ORGANIZATIONS", "org-2"),
        ),
        (
            "organizations",
            "organization_not_allowed",
            "no organization",
            "ORGANIZATION_CLAIM",
            without("organization_id").set("ALLOWED_ORGANIZATIONS", "org-2"),
        ),
        (
            "required_scopes",
            "insufficient_scope",
            "lacks admin",
            "ask for admin",
            good().set("REQUIRED_SCOPES", "admin"),
        ),
        ("tool_scopes", "insufficient_scope", "lacks notes:write", "ask for notes:write", {
            Case { scopes: vec!["notes:write".to_owned()], ..good() }
        }),
    ]
}

#[test]
fn each_check_refuses_with_its_reason_and_its_fix_and_is_the_last_one() {
    for (slug, reason, observed, fix, case) in refused() {
        let explanation = case.explain();
        assert_eq!(explanation.verdict(), Verdict::Refused(reason), "{slug}: {:?}", explanation.refusal());
        let step = explanation.refusal().expect("a refusal");
        assert_eq!(step.check.slug, slug);
        assert!(step.observed.contains(observed), "{slug}: {}", step.observed);
        assert!(step.fix.contains(fix), "{slug}: {}", step.fix);
        let mut after = explanation.steps.iter().skip_while(|step| step.state != State::Refused).skip(1);
        assert!(after.all(|step| step.state == State::NotReached && step.observed.is_empty()), "{slug}");
    }
}

#[test]
fn every_check_that_can_refuse_does_so_above() {
    const NEVER: [&str; 6] = ["provider", "kind", "client", "scopes", "organization", "disclosure"];
    let refusing: BTreeSet<_> = refused().into_iter().map(|(slug, ..)| slug).collect();
    let all: BTreeSet<_> = checks::all().map(|check| check.slug).filter(|slug| !NEVER.contains(slug)).collect();
    assert_eq!(refusing, all);
}

#[test]
fn every_reason_is_one_of_the_documents() {
    let document = include_str!("../../../docs/denials.md");
    for (_, reason, ..) in refused() {
        assert!(document.contains(&format!("\n| `{reason}` |")), "{reason}");
    }
}
