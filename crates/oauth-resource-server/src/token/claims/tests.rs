//! Claims of tokens, each time one of them changed.

use serde_json::json;

use super::*;
use crate::{
    denial::Reason,
    token::{
        caller_kind::{Source, kind_of},
        token_use::check_use,
        validity::{EXPIRY_LEEWAY_SECONDS, LEEWAY_SECONDS},
    },
};
use mcp_edge_identity::Kind;
use mcp_edge_providers::profiles;

const NOW: u64 = 1_795_000_000;

fn good() -> Value {
    json!({
        "iss": "https://issuer.example/oidc", "aud": "https://mcp.example.com/mcp", "sub": "alice",
        "client_id": "agent", "scope": "whoami:read", "iat": NOW - 60, "exp": NOW + 3540,
    })
}

/// The good claims, with one change.
fn with(change: impl FnOnce(&mut Map<String, Value>)) -> Result<Claims, Reason> {
    let mut claims = good().as_object().unwrap().clone();
    change(&mut claims);
    read(claims, &TokenProfile::default()).map_err(|denial| denial.reason())
}

fn check_time(claims: &Claims, now: u64) -> Result<(), Reason> {
    super::check_time(claims, now).map_err(|denial| denial.reason())
}

fn with_member(name: &str, value: Value) -> Result<Claims, Reason> {
    with(|claims| {
        claims.insert(name.to_owned(), value);
    })
}

fn audience(value: Value) -> Result<(), Reason> {
    let audiences = ["https://mcp.example.com/mcp".to_owned()];
    check_audience(&with_member("aud", value)?, &audiences).map_err(|denial| denial.reason())
}

fn time(name: &str, value: Value) -> Result<(), Reason> {
    check_time(&with_member(name, value)?, NOW)
}

#[test]
fn the_good_claims_are_good() {
    let claims = with(|_| ()).unwrap();
    assert_eq!(claims.client_id.as_deref(), Some("agent"));
    assert_eq!(claims.scopes.to_string(), "whoami:read");
    assert_eq!(check_time(&claims, NOW), Ok(()));
}

#[test]
fn audience_is_compared_byte_for_byte() {
    assert_eq!(audience(json!("https://mcp.example.com/mcp")), Ok(()));
    assert_eq!(audience(json!(["other", "https://mcp.example.com/mcp"])), Ok(()));
    for wrong in [
        json!("https://mcp.example.com/mcp/"),
        json!("https://mcp.example.com"),
        json!("https://MCP.example.com/mcp"),
        json!("https://mcp.example.com/mcp/x"),
        json!(["other"]),
        json!([]),
        json!(["https://mcp.example.com/mcp", 1]),
        json!({"https://mcp.example.com/mcp": true}),
        json!(null),
        json!(""),
    ] {
        assert_eq!(audience(wrong.clone()), Err(Reason::WrongAudience), "{wrong}");
    }
    assert_eq!(with(|claims| drop(claims.remove("aud"))), Err(Reason::WrongAudience));
}

#[test]
fn exp_is_required_and_a_number() {
    assert_eq!(with(|claims| drop(claims.remove("exp"))), Err(Reason::MissingExpiry));
    for wrong in [json!("1795003540"), json!(null), json!(true), json!(-1), json!(1e300), json!([1_795_003_540])] {
        assert_eq!(with_member("exp", wrong.clone()), Err(Reason::MissingExpiry), "{wrong}");
    }
}

#[test]
fn a_token_ends_one_leeway_after_exp() {
    let claims = with_member("exp", json!(NOW)).unwrap();
    assert_eq!(check_time(&claims, NOW + EXPIRY_LEEWAY_SECONDS - 1), Ok(()));
    assert_eq!(check_time(&claims, NOW + EXPIRY_LEEWAY_SECONDS), Err(Reason::Expired));
    assert_eq!(check_time(&with_member("exp", json!(0.5)).unwrap(), NOW), Err(Reason::Expired));
}

#[test]
fn nbf_and_iat_are_checked_when_present() {
    assert_eq!(time("nbf", json!(NOW + LEEWAY_SECONDS)), Ok(()));
    assert_eq!(time("nbf", json!(NOW + LEEWAY_SECONDS + 1)), Err(Reason::NotYetValid));
    assert_eq!(time("nbf", json!("soon")), Err(Reason::MalformedToken));
    assert_eq!(time("iat", json!(NOW + LEEWAY_SECONDS + 1)), Err(Reason::BadIssueTime));
    assert_eq!(time("iat", json!(NOW + 3540)), Err(Reason::BadIssueTime));
    assert_eq!(time("iat", json!("yesterday")), Err(Reason::BadIssueTime));
    assert!(with(|claims| drop(claims.remove("iat"))).is_ok());
}

#[test]
fn fractions_of_a_second_never_lengthen_a_life() {
    let claims = with(|claims| {
        claims.insert("exp".into(), json!(100.9));
        claims.insert("nbf".into(), json!(50.1));
    })
    .unwrap();
    assert_eq!((claims.expires_at, claims.not_before), (100, Some(51)));
}

#[test]
fn sub_is_a_non_empty_string() {
    for wrong in [json!(""), json!(1), json!(null)] {
        assert_eq!(with_member("sub", wrong.clone()), Err(Reason::MissingSubject), "{wrong}");
    }
}

#[test]
fn iss_is_a_string() {
    assert_eq!(with_member("iss", json!(["https://issuer.example/oidc"])), Err(Reason::WrongIssuer));
}

#[test]
fn scopes_come_as_string_or_list_under_three_names() {
    for (name, value) in [("scopes", json!(["a", "b"])), ("scp", json!("a b")), ("scp", json!(["b", "a"]))] {
        let claims = with(|claims| {
            claims.remove("scope");
            claims.insert(name.into(), value.clone());
        });
        assert_eq!(claims.unwrap().scopes.to_string(), "a b", "{name}: {value}");
    }
}

#[test]
fn no_scope_claim_grants_nothing() {
    for value in [json!(null), json!(1), json!({}), json!("")] {
        assert!(with_member("scope", value.clone()).unwrap().scopes.is_empty(), "{value}");
    }
    assert!(with(|claims| drop(claims.remove("scope"))).unwrap().scopes.is_empty());
}

/// What each claim means when it is `null`: the same as its absence.
#[test]
fn a_claim_that_is_null_counts_as_absent() {
    let names = [&DECISIVE[..], &["act", "email"]].concat();
    for name in names {
        let absent = with(|claims| drop(claims.remove(name)));
        let null = with_member(name, Value::Null);
        // But for the member itself, which is never disclosed.
        let without = |claims: Claims| Claims { all: Map::new(), ..claims };
        let kinds = |claims: &Result<Claims, Reason>| {
            let kind = |claims: &Claims| (check_use(claims), kind_of(claims, &TokenProfile::default(), Source::Jwt));
            claims.as_ref().ok().map(kind)
        };
        assert_eq!(kinds(&null), kinds(&absent), "{name}");
        assert_eq!(null.map(without), absent.map(without), "{name}");
    }
}

#[test]
fn what_a_profile_looks_at_is_read() {
    for claim in profiles::ALL.iter().flat_map(|profile| profile.claims()) {
        assert!(is_decisive(claim), "{claim}");
    }
}

#[test]
fn absence_grants_nothing() {
    for (name, expected) in [
        ("iss", Reason::WrongIssuer),
        ("aud", Reason::WrongAudience),
        ("exp", Reason::MissingExpiry),
        ("sub", Reason::MissingSubject),
    ] {
        assert_eq!(with_member(name, Value::Null), Err(expected), "{name}");
    }
    // Bound to a key that is not named is not bound; bound in a way that is not understood is.
    assert!(check_use(&with_member("cnf", Value::Null).unwrap()).is_ok());
    assert!(check_use(&with_member("cnf", json!({})).unwrap()).is_err());
    // Nothing is known of the client, so the next name counts, and without any other it is nobody's.
    let named = with(|claims| claims.extend([("client_id".to_owned(), Value::Null), ("azp".to_owned(), json!("b"))]));
    assert_eq!(named.unwrap().client_id.as_deref(), Some("b"));
    assert_eq!(with_member("client_id", Value::Null).unwrap().client_id, None);
    assert_eq!(with_member("iat", Value::Null).unwrap().issued_at, None);
}

#[test]
fn of_several_scope_claims_the_first_counts_that_names_anything() {
    for (scope, expected) in [
        (json!(null), "b"),
        (json!(""), "b"),
        (json!("  "), "b"),
        (json!([]), "b"),
        (json!("a"), "a"),
        (json!(["a"]), "a"),
        // Says something, which is not understood and grants nothing.
        (json!(7), ""),
        (json!({}), ""),
        (json!(false), ""),
        (json!([null]), ""),
        (json!([""]), ""),
    ] {
        for name in ["scopes", "scp"] {
            let claims = with(|claims| {
                claims.insert("scope".into(), scope.clone());
                claims.insert(name.into(), json!("b"));
            });
            assert_eq!(claims.unwrap().scopes.to_string(), expected, "{scope} beside {name}");
        }
    }
}

#[test]
fn machines_are_known_by_the_signs_of_several_providers() {
    let is_of_a_machine = |claims: Result<Claims, Reason>| {
        kind_of(&claims.unwrap(), &TokenProfile::default(), Source::Jwt) == Kind::Machine
    };
    assert!(!is_of_a_machine(with(|_| ())));
    for (name, value) in [("sub", "agent"), ("sub", "agent@clients"), ("gty", "client-credentials"), ("idtyp", "app")] {
        assert!(is_of_a_machine(with_member(name, json!(value))), "{name}: {value}");
    }
    assert!(!is_of_a_machine(with_member("sub", json!("other@clients"))));
    assert!(!is_of_a_machine(with_member("gty", json!("authorization_code"))));
}

#[test]
fn azp_stands_in_for_client_id() {
    let claims = with(|claims| {
        claims.remove("client_id");
        claims.insert("azp".into(), json!("other-agent"));
    });
    assert_eq!(claims.unwrap().client_id.as_deref(), Some("other-agent"));
    assert_eq!(with_member("client_id", json!(7)), Err(Reason::MalformedToken));
}

#[test]
fn the_operator_reads_the_values() {
    let detail = |name: &str, value: Value| {
        let mut claims = good().as_object().unwrap().clone();
        claims.insert(name.to_owned(), value);
        let outcome =
            read(claims, &TokenProfile::default()).and_then(|claims| super::check_time(&claims, NOW).map(|()| claims));
        let outcome = outcome.and_then(|claims| super::check_audience(&claims, &["us".to_owned()]));
        outcome.unwrap_err().detail().unwrap_or_default()
    };
    assert_eq!(detail("exp", json!(NOW - 10)), format!("exp {}, now {NOW}", NOW - 10));
    assert_eq!(detail("exp", json!("soon")), "exp is not a number of seconds since 1970");
    assert_eq!(detail("nbf", json!(NOW + 100)), format!("nbf {}, now {NOW}", NOW + 100));
    assert_eq!(detail("nbf", json!("soon")), "nbf must be a number of seconds since 1970");
    assert_eq!(detail("iat", json!(NOW + 100)), format!("iat {}, exp {}, now {NOW}", NOW + 100, NOW + 3540));
    assert_eq!(detail("aud", json!(["a", "b"])), r#"aud ["a", "b"]"#);
    assert_eq!(detail("aud", json!({ "a": 1 })), r#"aud {"a":1}"#);
    assert_eq!(detail("azp", json!("x")), r#"aud ["https://mcp.example.com/mcp"]"#);
}

#[test]
fn each_claim_of_another_kind_of_token_denies_by_its_own_name() {
    for (claim, value) in [
        ("typ", json!("ID")),
        ("token_use", json!("id")),
        ("token_type", json!("id_token")),
        ("tokenType", json!("refresh_token")),
        ("tokenName", json!("id-token")),
        ("at_hash", json!("h")),
        ("c_hash", json!("h")),
        ("s_hash", json!("h")),
        ("events", json!({})),
    ] {
        let denied = check_use(&with_member(claim, value).unwrap());
        assert_eq!(denied, Err(Denial::NotAnAccessToken { claim }));
    }
    let nonce = with_member("nonce", json!("n"));
    assert_eq!(check_use(&nonce.unwrap()), Ok(()), "some access tokens have one");
}

#[test]
fn an_empty_list_of_audiences_is_none_before_anything_else_is_looked_at() {
    let claims = with(|claims| {
        claims.insert("aud".to_owned(), json!([]));
        claims.remove("exp");
    });
    assert_eq!(claims, Err(Reason::WrongAudience));
}
