//! The JSON report. `README.md` documents it. Members may be added; renaming or removing one requires another number in
//! `schema`.

use serde::Serialize;

use crate::{
    clients::Client,
    finding::Finding,
    outcome::Verdict,
    render::layout::escape,
    report::{ClientReport, Connectivity, Report},
};

/// The version of the JSON report.
const SCHEMA: u32 = 2;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    doctor: &'static str,
    url: &'a str,
    verdict: &'static str,
    counts: Counts,
    findings: Vec<FindingEntry<'a>>,
    clients: Vec<ClientEntry>,
}

#[derive(Serialize)]
struct Counts {
    ok: usize,
    warning: usize,
    failure: usize,
    skipped: usize,
}

#[derive(Serialize)]
struct FindingEntry<'a> {
    slug: &'static str,
    section: &'static str,
    verdict: &'static str,
    title: &'static str,
    observed: &'a str,
    why: &'static str,
    fix: Option<&'a str>,
    affected: Vec<&'static str>,
}

#[derive(Serialize)]
struct ClientEntry {
    client: &'static str,
    name: &'static str,
    connects: &'static str,
    how: Option<&'static str>,
    failures: Vec<&'static str>,
}

/// Renders the report as one JSON object, indented, without a trailing line break.
#[must_use]
pub fn render(report: &Report) -> String {
    let document = Document {
        schema: SCHEMA,
        doctor: env!("CARGO_PKG_VERSION"),
        url: &report.url,
        verdict: report.verdict().slug(),
        counts: Counts {
            ok: report.count(Verdict::Ok),
            warning: report.count(Verdict::Warning),
            failure: report.count(Verdict::Failure),
            skipped: report.count(Verdict::Skipped),
        },
        findings: report.findings.iter().map(finding_entry).collect(),
        clients: report.clients.iter().map(client_entry).collect(),
    };
    // Cannot fail: the document has strings and numbers only.
    escape(&serde_json::to_string_pretty(&document).unwrap_or_default())
}

fn finding_entry(finding: &Finding) -> FindingEntry<'_> {
    let check = finding.check;
    FindingEntry {
        slug: check.slug,
        section: check.section.slug(),
        verdict: finding.verdict.slug(),
        title: check.title,
        observed: &finding.observed,
        why: check.why,
        fix: finding.verdict.is_problem().then_some(finding.fix.as_str()),
        affected: finding.affected.iter().copied().map(Client::slug).collect(),
    }
}

fn client_entry(report: &ClientReport) -> ClientEntry {
    let (connects, how) = match &report.connectivity {
        Connectivity::Registers(method) => ("yes", Some(method.name())),
        Connectivity::WithoutSignIn => ("yes", Some("without sign-in")),
        Connectivity::WithClientId => ("with_client_id", Some(report.client.manual_setup())),
        Connectivity::FromAllowedOrigins => ("from_listed_origins", None),
        Connectivity::PrivateNetwork => ("not_from_outside", None),
        Connectivity::Blocked(_) => ("no", None),
    };
    let failures = match &report.connectivity {
        Connectivity::Blocked(failed) => failed.iter().map(|check| check.slug).collect(),
        _ => Vec::new(),
    };
    ClientEntry { client: report.client.slug(), name: report.client.name(), connects, how, failures }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{checks, probe::Probe, record::Record, testing::Change};

    fn rendered(change: impl FnOnce(&mut Record)) -> Value {
        let mut record = crate::testing::good();
        change(&mut record);
        serde_json::from_str(&render(&Report::new(&record))).unwrap()
    }

    /// Programs rely on this: members may be added, but not removed or renamed.
    #[test]
    fn the_report_has_the_documented_members() {
        let it = rendered(|record| record.put(Probe::MetadataAtRoot, 404, "text/plain", ""));
        assert_eq!((&it["schema"], &it["verdict"]), (&json!(2), &json!("warning")));
        // `directory_review` says what nobody can see.
        let others = checks::all().count() - 2;
        assert_eq!(it["counts"], json!({ "ok": others, "warning": 1, "failure": 0, "skipped": 1 }));
        let findings = it["findings"].as_array().unwrap();
        assert_eq!(findings.len(), checks::all().count());
        let finding = findings.iter().find(|it| it["slug"] == "metadata_root").unwrap();
        assert_eq!(
            finding,
            &json!({
                "slug": "metadata_root",
                "section": "metadata",
                "verdict": "warning",
                "title": "The same metadata is at the root",
                "observed": "https://mcp.example.com/.well-known/oauth-protected-resource: the response is 404 text/plain",
                "why": "ChatGPT requests the root in some flows, and other clients fall back to it.",
                "fix": "Serve the same document there.",
                "affected": ["chatgpt"],
            })
        );
        assert_eq!(it["findings"][0]["fix"], Value::Null);
        assert_eq!(
            it["clients"][0],
            json!({
                "client": "claude", "name": "Claude", "connects": "yes", "how": "client ID metadata document",
                "failures": [],
            })
        );
    }

    #[test]
    fn a_blocked_client_lists_the_failures() {
        let it = rendered(|record| record.put(Probe::Keys, 500, "", ""));
        assert_eq!(it["clients"][0]["connects"], "no");
        assert_eq!(it["clients"][0]["failures"], json!(["keys"]));
    }
}
