//! The provider's profile: whether its domain is a known one, and whether the server reads its tokens so.

use mcp_edge_providers::{Evidence, of_domain};

use super::mcp_result::{UNKNOWN, result};
use crate::{
    check::{Check, Section},
    outcome::{CheckResult, Outcome},
    probe::Probe,
    record::Record,
};

pub(super) const CHECKS: &[Check] = &[PROVIDER];

const PROVIDER: Check = Check {
    slug: "provider",
    section: Section::Provider,
    title: "The server reads the tokens of its provider as the provider writes them",
    why: "Providers differ in the claims that name the client and the scopes, and that tell a user from a machine. A server \
          that does not know them refuses users, or does not know its clients.",
    fix: "For mcp-edge, set PROVIDER to the name of the provider, and follow its page in docs/providers/.",
    affects: &[],
    run: provider,
};

fn provider(record: &Record) -> CheckResult {
    let issuer = record.require_issuer()?;
    let kinds = [Probe::LegacyWhoami, Probe::ModernWhoami].into_iter().filter_map(|probe| {
        let kind = result(record.response(probe)?)?["structuredContent"]["kind"].as_str()?.to_owned();
        Some(kind)
    });
    let is_unknown = kinds.collect::<Vec<_>>().iter().any(|kind| kind == UNKNOWN);
    let Some(profile) = of_domain(&issuer) else {
        if is_unknown {
            return Ok(Outcome::warning(format!("whoami returns the kind {UNKNOWN}: nothing proves a user")).fix(
                "For mcp-edge, set PROVIDER if docs/providers/ has a page for the provider. If not, and sub of its machines is \
                 always their client id, set USER_BY_SUBJECT = \"true\"; make explain (npx mcp-edge explain) says what the token lacks.",
            ));
        }
        return Ok(Outcome::ok(
            "the issuer is on no known provider's domain; for mcp-edge, docs/providers/ has a page for each profile",
        ));
    };
    let page = format!("docs/providers/{}.md", profile.name);
    let tried = match profile.evidence {
        Evidence::Recorded => "",
        Evidence::Documented => ", whose profile is documented and not tried on a real server",
    };
    let observed = format!("{}{tried}: see {page}", profile.title);
    if is_unknown {
        return Ok(Outcome::warning(format!("{observed}; whoami returns the kind {UNKNOWN}: nothing proves a user")).fix(
            format!(
                "For mcp-edge, set PROVIDER = \"{}\". If it is set, {page} says what the provider has to put into tokens, and \
                 make explain (npx mcp-edge explain) what this one lacks.",
                profile.name
            ),
        ));
    }
    Ok(Outcome::ok(observed))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        outcome::Verdict::{Ok as Fine, Warning},
        testing::{Change, expect, found},
    };

    fn issuer(issuer: &'static str) -> impl Fn(&mut Record) {
        move |record| {
            for probe in [Probe::MetadataAtPath, Probe::MetadataAtRoot] {
                record.edit(probe, |it| drop(it.insert("authorization_servers".into(), json!([issuer]))));
            }
        }
    }

    #[test]
    fn a_known_domain_has_a_page() {
        expect(&PROVIDER, Fine, "Logto: see docs/providers/logto.md", |_| ());
        expect(&PROVIDER, Fine, "WorkOS, whose profile is documented and not tried", issuer("https://a.authkit.app"));
        expect(&PROVIDER, Fine, "no known provider", issuer("https://login.example.com"));
    }

    #[test]
    fn a_user_whom_nothing_proves_is_a_warning() {
        let unknown = |record: &mut Record| {
            for probe in [Probe::LegacyWhoami, Probe::ModernWhoami] {
                record.edit(probe, |message| message["result"]["structuredContent"]["kind"] = json!("unknown"));
            }
        };
        let finding = found(&PROVIDER, unknown);
        assert_eq!(finding.verdict, Warning);
        assert!(finding.fix.contains("PROVIDER = \"logto\"") && finding.fix.contains("docs/providers/logto.md"));
        let finding = found(&PROVIDER, |record| {
            unknown(record);
            issuer("https://login.example.com")(record);
        });
        assert_eq!(finding.verdict, Warning);
        assert!(finding.fix.contains("PROVIDER") && finding.fix.contains("USER_BY_SUBJECT"), "{}", finding.fix);
    }
}
