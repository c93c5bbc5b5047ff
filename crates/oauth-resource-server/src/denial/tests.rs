//! The table of denials, and `docs/denials.md` against it.

use std::collections::HashSet;

use mcp_edge_identity::{Kind, Scopes};
use mcp_edge_runtime::{crypto::Algorithm, log::LogRecord};

use super::*;
use crate::memory_size;

#[test]
fn slugs_are_unique() {
    let slugs: HashSet<_> = Reason::ALL.iter().map(|reason| reason.slug()).collect();
    assert_eq!(slugs.len(), Reason::ALL.len());
    // `Misconfigured` is declared last: its discriminant tells how many there are.
    assert_eq!(Reason::ALL.len(), Reason::Misconfigured as usize + 1);
}

#[test]
fn descriptions_fit_into_a_challenge_without_escaping() {
    for reason in Reason::ALL {
        let text = reason.to_public().description;
        assert!(text.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{text}");
    }
}

#[test]
fn an_outage_is_never_a_401() {
    for reason in Reason::ALL.into_iter().filter(|reason| reason.is_outage()) {
        assert_eq!(reason.to_public().status, 503);
        assert!(!reason.to_public().challenge);
    }
}

#[test]
fn a_failed_attempt_is_a_bad_token_that_an_honest_client_does_not_send() {
    for reason in Reason::ALL {
        let is_bad_token = reason.to_public().error == Some("invalid_token");
        let is_outdated = matches!(
            reason,
            Reason::Expired
                | Reason::IssuedBeforeCutoff
                | Reason::KeyDenied
                | Reason::KeyExpired
                | Reason::KeyRevoked
                | Reason::KeyEnded
        );
        assert_eq!(reason.counts_as_failed_attempt(), is_bad_token && !is_outdated, "{reason:?}");
    }
}

#[test]
fn the_detail_holds_the_values() {
    let expired = Denial::Expired { exp: 100, now: 105 };
    assert_eq!(expired.detail().as_deref(), Some("exp 100, now 105"));
    assert_eq!(expired.to_string(), "expired: exp 100, now 105");
    assert_eq!(Denial::NoCredentials.detail(), None);
    assert_eq!(Denial::NoCredentials.to_string(), "no_credentials");
    let typ = |typ| Denial::WrongType { typ }.detail().unwrap_or_default();
    assert_eq!((typ(Some(Excerpt::new("JWT"))), typ(None)), (r#"typ "JWT""#.to_owned(), "typ none".to_owned()));
}

#[test]
fn what_a_denial_holds_is_counted_and_bounded() {
    let aud = Some(Excerpt::new(&"x".repeat(60_000)));
    let held = Denial::WrongAudience { aud }.held_bytes();
    assert!((MAX_EXCERPT_BYTES..=MAX_EXCERPT_BYTES + 48).contains(&held), "{held}");
    assert_eq!(Denial::Expired { exp: 1, now: 2 }.held_bytes(), 0);
}

/// `docs/denials.md` is what an operator reads at night: a row for each cause with its status and its values, and no row
/// for what is gone.
#[test]
fn the_documentation_lists_every_cause_with_its_status_and_its_values() {
    let page = include_str!("../../../../docs/denials.md");
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(rows.len(), Reason::ALL.len(), "docs/denials.md has another number of rows than there are causes");
    for reason in Reason::ALL {
        let start = format!("| `{}` | {} |", reason.slug(), reason.to_public().status);
        let row = rows.iter().find(|row| row.starts_with(&start));
        let Some(row) = row else { panic!("docs/denials.md has no row that begins {start}") };
        for value in reason.values() {
            assert!(row.contains(&format!("`{value}`")), "docs/denials.md does not name `{value}` in {start}");
        }
        let has_detail = reason.values().iter().any(|value| *value != "retry_after");
        assert_eq!(row.contains("`detail`"), has_detail, "docs/denials.md, `detail` in {start}");
    }
}

#[test]
fn a_denial_adds_its_cause_and_its_values_to_the_record_of_the_request() {
    let mut record = LogRecord::of_route("mcp");
    Denial::Expired { exp: 100, now: 105 }.add_to(&mut record);
    assert_eq!((record.get("reason"), record.get("detail")), ("expired", "exp 100, now 105"));
}

#[test]
fn the_detail_says_what_is_wrong_with_a_key_or_a_signature() {
    let kid = || Some(Excerpt::new("k"));
    let unknown = |publication| Denial::UnknownKey { kid: kid(), alg: Algorithm::ES384, publication }.detail();
    assert_eq!(unknown(Publication::No).as_deref(), Some(r#"kid "k", alg ES384"#));
    let unusable = r#"kid "k", alg ES384: this key is published and cannot be used"#;
    assert_eq!(unknown(Publication::Unusable).as_deref(), Some(unusable));
    let bad = |error| Denial::BadSignature { kid: kid(), alg: Algorithm::ES384, error }.detail();
    assert_eq!(bad(SignatureError::NotVerified).as_deref(), Some(r#"kid "k", alg ES384"#));
    assert_eq!(
        bad(SignatureError::Length { found: 64, expected: 96 }).as_deref(),
        Some(r#"kid "k", alg ES384: 64 bytes, expected 96"#)
    );
}

#[test]
fn the_detail_says_what_would_prove_a_user() {
    let detail = |kind| Denial::UserRequired { kind }.detail().unwrap_or_default();
    assert!(detail(Kind::Machine).starts_with("the client acts for itself"), "{}", detail(Kind::Machine));
    assert!(detail(Kind::Unknown).starts_with("no proof of a user"), "{}", detail(Kind::Unknown));
}

/// Remembered denials are bounded in bytes, so none may hold more than it says.
#[test]
fn strings_and_scopes_are_counted_in_every_value_that_has_them() {
    let (text, endpoint) = (Excerpt::new("a text from outside"), Endpoint::Introspection);
    // The text, and both counts of its `Rc`.
    let of_text = memory_size::text(text.as_str()) + 2 * size_of::<usize>();
    let needed = Scopes::parse("notes:read notes:write");
    let of_scopes = memory_size::scopes(&needed);
    let unavailable = |error| Denial::IntrospectionUnavailable { error, retry_after: 5 };
    for (denial, expected) in [
        (Denial::OriginNotAllowed { origin: text.clone() }, of_text),
        (Denial::WrongType { typ: Some(text.clone()) }, of_text),
        (Denial::WrongType { typ: None }, 0),
        (Denial::UnusableKey { kid: Some(text.clone()), error: text.clone() }, 2 * of_text),
        (Denial::OpaqueNotAccepted { refusal: OpaqueRefusal::Client(text.clone()) }, of_text),
        (Denial::OpaqueNotAccepted { refusal: OpaqueRefusal::NoClient }, 0),
        (Denial::Inactive { verdict: ProviderVerdict::Error { endpoint, status: 401, code: text.clone() } }, of_text),
        (Denial::Inactive { verdict: ProviderVerdict::Inactive }, 0),
        (Denial::InsufficientScope { needed }, of_scopes),
        (Denial::KeysUnavailable { cause: KeysOutage::Provider(text.clone()), retry_after: 5 }, of_text),
        (Denial::KeysUnavailable { cause: KeysOutage::NoCopy, retry_after: 5 }, 0),
        (unavailable(IntrospectionError::Fetch { endpoint, error: text.clone() }), of_text),
        (unavailable(IntrospectionError::Status { endpoint, status: 500, code: text }), of_text),
        (unavailable(IntrospectionError::NoEndpoint(endpoint)), 0),
    ] {
        assert_eq!(denial.held_bytes(), expected, "{denial:?}");
    }
}
