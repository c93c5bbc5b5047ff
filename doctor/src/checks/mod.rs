//! The checks: pure functions from a record to an outcome.
//!
//! Each file lists its checks in `CHECKS`, in the order of the report. Above each function stands its
//! [row](crate::check::Check) with everything that the report and `README.md` say about it, so a new check is a row, a
//! function and a line in the `CHECKS` of one file. A check that is in no list does not compile without a warning; a
//! check without its row in `README.md` does not pass the tests.
//!
//! A check looks at one thing and relies on the checks before it: where an earlier one failed, it skips, so that one
//! cause makes one failure.

mod assertion_keys;
mod authorization;
mod bot_protection;
mod connections;
mod cors;
mod directories;
mod discovery;
mod encoding;
mod endpoint;
mod identity;
mod keys;
mod lists;
mod mcp_result;
mod metadata;
mod mirror;
mod pagination;
mod protocol;
mod provider;
mod reaching;
mod registry;
mod response;
mod schemas;
mod sign_in;
mod subschemas;
mod token;
mod token_mismatch;
mod tool_schemas;
mod tools;
mod upstream_eras;
mod upstream_leaks;
mod upstream_lists;
mod upstream_protection;
mod upstream_result;

use crate::{check::Check, finding::Finding, record::Record};

pub use authorization::registration_support;
pub use cors::refuses_other_origins;
pub(crate) use token::TOKEN;

/// The checks of each file. The order is that of a client that connects: what comes first breaks what comes after.
const GROUPS: [&[Check]; 27] = [
    reaching::CHECKS,
    endpoint::CHECKS,
    bot_protection::CHECKS,
    encoding::CHECKS,
    sign_in::CHECKS,
    metadata::CHECKS,
    discovery::CHECKS,
    authorization::CHECKS,
    keys::CHECKS,
    provider::CHECKS,
    mirror::CHECKS,
    cors::CHECKS,
    token::CHECKS,
    protocol::CHECKS,
    pagination::CHECKS,
    tools::CHECKS,
    schemas::CHECKS,
    lists::CHECKS,
    connections::CHECKS,
    identity::CHECKS,
    assertion_keys::CHECKS,
    upstream_protection::CHECKS,
    upstream_eras::CHECKS,
    upstream_lists::CHECKS,
    upstream_leaks::CHECKS,
    directories::CHECKS,
    registry::CHECKS,
];

/// Every check, in the order of the report.
pub fn all() -> impl Iterator<Item = &'static Check> {
    GROUPS.into_iter().flatten()
}

/// Runs every check: one finding each, in the order of the report.
#[must_use]
pub fn run(record: &Record) -> Vec<Finding> {
    all().map(|check| Finding::of(check, record)).collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, env, fs};

    use super::*;
    use crate::{
        http::TransportErrorKind,
        outcome::Verdict,
        probe::Probe,
        testing::{Change, good},
    };

    fn slugs(findings: &[Finding], verdict: Verdict) -> Vec<&'static str> {
        findings.iter().filter(|it| it.verdict == verdict).map(|it| it.check.slug).collect()
    }

    #[test]
    fn slugs_are_unique_and_sections_are_contiguous() {
        let slugs: HashSet<_> = all().map(|check| check.slug).collect();
        assert_eq!(slugs.len(), all().count());
        let mut sections: Vec<_> = all().map(|check| check.section.slug()).collect();
        sections.dedup();
        assert_eq!(
            sections,
            ["reaching", "sign_in", "metadata", "provider", "browsers", "protocol", "gateway", "directories"]
        );
    }

    /// Programs rely on the slugs of schema 2 and on their order. A new check need not be listed here.
    const SCHEMA_2: [&str; 38] = [
        "url",
        "reachable",
        "redirect",
        "endpoint",
        "slash",
        "bot_protection",
        "challenge",
        "challenge_metadata",
        "challenge_error",
        "challenge_everywhere",
        "forged_token",
        "metadata_path",
        "metadata_root",
        "resource",
        "authorization_servers",
        "scopes",
        "discovery",
        "issuer",
        "provider_endpoints",
        "pkce",
        "registration",
        "public_clients",
        "refresh_tokens",
        "response_issuer",
        "keys",
        "mirror",
        "own_origin",
        "preflight",
        "cors_endpoint",
        "cors_metadata",
        "cors_provider",
        "token",
        "legacy",
        "modern",
        "stream",
        "tools",
        "whoami",
        "user_claims",
    ];

    #[test]
    fn slugs_are_stable() {
        let known: Vec<_> = all().map(|check| check.slug).filter(|slug| SCHEMA_2.contains(slug)).collect();
        assert_eq!(known, SCHEMA_2);
    }

    #[test]
    fn a_good_server_has_no_problems() {
        // It says what nobody can see.
        for finding in run(&good()).into_iter().filter(|it| it.check.slug != "directory_review") {
            assert_eq!(finding.verdict, Verdict::Ok, "{finding:#?}");
        }
    }

    #[test]
    fn one_cause_makes_one_failure() {
        let mut unreachable = good();
        unreachable.fail(Probe::Initialize, TransportErrorKind::Dns);
        assert_eq!(slugs(&run(&unreachable), Verdict::Failure), ["reachable"]);

        let mut without_challenge = good();
        for probe in [Probe::Initialize, Probe::Get, Probe::Discover, Probe::ForgedToken, Probe::EmptyBearer] {
            without_challenge.change(probe, |response| response.set("www-authenticate", None));
        }
        let findings = run(&without_challenge);
        assert_eq!(slugs(&findings, Verdict::Failure), ["challenge"]);
        assert!(slugs(&findings, Verdict::Warning).is_empty());
    }

    #[test]
    fn a_rejected_token_makes_one_failure() {
        let mut record = good();
        record.directories = false;
        for probe in [Probe::LegacyInitialize, Probe::ModernDiscover] {
            record.put(probe, 401, "application/json", "{}");
        }
        record.exchanges.remove(&Probe::LegacyStream);
        let findings = run(&record);
        assert_eq!(slugs(&findings, Verdict::Failure), ["token"]);
        let protocol = all().filter(|it| it.section.slug() == "protocol" && it.slug != "token");
        let of_gateway = ["upstream_eras", "gateway_lists", "upstream_headers", "upstream_sessions"];
        let skipped: Vec<_> = protocol.map(|it| it.slug).chain(of_gateway).collect();
        let of_directories = all().filter(|it| it.section.slug() == "directories").map(|it| it.slug);
        let all_skipped: Vec<_> = skipped.iter().copied().chain(of_directories).collect();
        assert_eq!(slugs(&findings, Verdict::Skipped), all_skipped);
        for finding in findings.iter().filter(|it| skipped.contains(&it.check.slug)) {
            assert!(finding.observed.contains("see token"), "{finding:#?}");
        }
    }

    #[test]
    fn without_a_token_the_protocol_is_skipped() {
        let mut record = good();
        record.token = None;
        record.exchanges.retain(|probe, _| *probe < Probe::LegacyInitialize);
        for finding in run(&record).into_iter().filter(|it| it.check.section.slug() == "protocol") {
            assert_eq!(finding.verdict, Verdict::Skipped, "{finding:#?}");
            assert!(finding.observed.contains("token"), "{finding:#?}");
        }
    }

    #[test]
    fn without_an_upstream_the_gateway_is_skipped_for_one_reason() {
        let mut record = good();
        record.upstream = None;
        for finding in run(&record).into_iter().filter(|it| it.check.section.slug() == "gateway") {
            assert!(finding.verdict == Verdict::Skipped && finding.observed.contains("--upstream"), "{finding:#?}");
        }
    }

    #[test]
    fn a_problem_of_the_upstream_keeps_no_client_out() {
        for check in all().filter(|it| it.section.slug() == "gateway") {
            assert!(check.affects.is_empty(), "{}", check.slug);
        }
    }

    /// The table in `README.md` has one row for each check. `UPDATE_README=1 cargo test -p mcp-edge-doctor` writes it.
    #[test]
    fn the_readme_has_a_row_for_each_check() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
        let readme = fs::read_to_string(path).unwrap();
        let section = readme.find("## Findings").unwrap();
        let start = section + readme[section..].find("\n| `").unwrap() + 1;
        let end = start + readme[start..].find("\n\n").unwrap() + 1;
        let row = |check: &Check| format!("| `{}` | {} | {} |\n", check.slug, check.title, check.fix);
        let expected: String = all().map(row).collect();
        if env::var_os("UPDATE_README").is_some() {
            fs::write(path, format!("{}{expected}{}", &readme[..start], &readme[end..])).unwrap();
        } else {
            let message = "README.md is out of date: run UPDATE_README=1 cargo test -p mcp-edge-doctor";
            assert_eq!(&readme[start..end], expected, "{message}");
        }
    }
}
