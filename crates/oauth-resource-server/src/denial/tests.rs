//! The table of denials, and `docs/denials.md` against it.

use std::collections::HashSet;

use super::*;

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
        let is_outdated = matches!(reason, Reason::Expired | Reason::IssuedBeforeCutoff | Reason::KeyDenied);
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
