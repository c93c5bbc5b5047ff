//! The report for programs. `README.md` documents this shape; members may be added, none is renamed or taken away
//! without another number in `schema`.

use serde::Serialize;

use crate::{
    clients::Client,
    finding::{Check, Finding, Verdict},
    report::{Connects, Outlook, Report},
};

/// Number of this shape.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    doctor: &'static str,
    url: &'a str,
    verdict: &'static str,
    counts: Counts,
    findings: Vec<Entry<'a>>,
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
struct Entry<'a> {
    slug: &'static str,
    section: &'static str,
    verdict: &'static str,
    title: &'static str,
    seen: &'a str,
    why: &'static str,
    mend: Option<&'a str>,
    clients: Vec<&'static str>,
}

#[derive(Serialize)]
struct ClientEntry {
    client: &'static str,
    name: &'static str,
    connects: &'static str,
    how: Option<&'static str>,
    failures: Vec<&'static str>,
}

/// The whole report as one JSON object, indented, without a line break at its end.
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
        findings: report.findings.iter().map(entry).collect(),
        clients: report.outlooks.iter().map(client).collect(),
    };
    // Strings and numbers: nothing in it can fail to serialize.
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

fn entry(finding: &Finding) -> Entry<'_> {
    let text = finding.check.text();
    Entry {
        slug: finding.check.slug(),
        section: finding.check.section().slug(),
        verdict: finding.verdict.slug(),
        title: text.title,
        seen: &finding.seen,
        why: text.why,
        mend: finding.verdict.is_trouble().then_some(finding.mend.as_str()),
        clients: finding.hits.iter().copied().map(Client::slug).collect(),
    }
}

fn client(outlook: &Outlook) -> ClientEntry {
    let (connects, how) = match &outlook.connects {
        Connects::By(way) => ("yes", Some(way.name())),
        Connects::WithoutSignIn => ("yes", Some("without sign-in")),
        Connects::WithClientId => ("with_client_id", Some(outlook.client.by_hand())),
        Connects::FromListedPages => ("from_listed_origins", None),
        Connects::NotFromOutside => ("not_from_outside", None),
        Connects::Not(_) => ("no", None),
    };
    let failures = match &outlook.connects {
        Connects::Not(failed) => failed.iter().copied().map(Check::slug).collect(),
        _ => Vec::new(),
    };
    ClientEntry { client: outlook.client.slug(), name: outlook.client.name(), connects, how, failures }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{record::Probe, testing::Change};

    fn rendered(change: impl FnOnce(&mut crate::record::Record)) -> Value {
        let mut record = crate::testing::good();
        change(&mut record);
        serde_json::from_str(&render(&Report::of(&record))).unwrap()
    }

    /// Programs rely on this: members may be added, none may go.
    #[test]
    fn the_shape_is_the_documented_one() {
        let it = rendered(|record| record.put(Probe::MetadataAtRoot, 404, "text/plain", ""));
        assert_eq!((&it["schema"], &it["verdict"]), (&json!(1), &json!("warning")));
        assert_eq!(it["counts"], json!({ "ok": 37, "warning": 1, "failure": 0, "skipped": 0 }));
        let findings = it["findings"].as_array().unwrap();
        assert_eq!(findings.len(), Check::ALL.len());
        let finding = findings.iter().find(|it| it["slug"] == "metadata_root").unwrap();
        assert_eq!(
            finding,
            &json!({
                "slug": "metadata_root",
                "section": "metadata",
                "verdict": "warning",
                "title": "The same metadata is at the root",
                "seen": "https://mcp.example.com/.well-known/oauth-protected-resource: it answers 404 text/plain",
                "why": "ChatGPT asks the root in some flows, and other clients fall back to it.",
                "mend": "Serve the same document there.",
                "clients": ["chatgpt"],
            })
        );
        assert_eq!(it["findings"][0]["mend"], Value::Null);
        assert_eq!(
            it["clients"][0],
            json!({
                "client": "claude", "name": "Claude", "connects": "yes", "how": "client id metadata document",
                "failures": [],
            })
        );
    }

    #[test]
    fn a_client_that_cannot_connect_says_which_failures_stop_it() {
        let it = rendered(|record| record.put(Probe::Keys, 500, "", ""));
        assert_eq!(it["clients"][0]["connects"], "no");
        assert_eq!(it["clients"][0]["failures"], json!(["keys"]));
    }
}
