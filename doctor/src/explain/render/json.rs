//! The JSON report. `README.md` documents its members.

use serde::Serialize;

use super::report::Report;
use crate::explain::{
    explanation::{Caller, Verdict},
    step::{State, Step},
};
use crate::render::layout::escape;

/// The version of the report: raised when a member is removed or renamed.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    doctor: &'static str,
    verdict: &'static str,
    reason: Option<&'static str>,
    settings: Vec<SettingsEntry<'a>>,
    checks: Vec<CheckEntry<'a>>,
    caller: Option<CallerEntry<'a>>,
}

#[derive(Serialize)]
struct SettingsEntry<'a> {
    source: String,
    names: &'a [&'static str],
}

#[derive(Serialize)]
struct CheckEntry<'a> {
    slug: &'static str,
    section: &'static str,
    state: &'static str,
    title: &'static str,
    observed: &'a str,
    reason: Option<&'static str>,
    fix: Option<&'a str>,
}

#[derive(Serialize)]
struct CallerEntry<'a> {
    issuer: &'a str,
    sub: &'a str,
    kind: &'static str,
    client_id: Option<&'a str>,
    client_party: &'static str,
    scopes: &'a [String],
    organization_id: Option<&'a str>,
    disclosed: &'a [String],
}

/// Renders the report as one JSON object, indented, without a trailing line break.
#[must_use]
pub fn render(report: &Report) -> String {
    let explanation = &report.explanation;
    let verdict = explanation.verdict();
    let document = Document {
        schema: SCHEMA,
        doctor: env!("CARGO_PKG_VERSION"),
        verdict: verdict.slug(),
        reason: match verdict {
            Verdict::Accepted => None,
            Verdict::Refused(reason) => Some(reason),
            Verdict::Undecided(reason) => reason,
        },
        settings: report
            .settings
            .iter()
            .map(|(source, names)| SettingsEntry { source: source.to_string(), names })
            .collect(),
        checks: explanation.steps.iter().map(check_entry).collect(),
        caller: explanation.caller.as_ref().map(caller_entry),
    };
    // Cannot fail: the document has strings and numbers only.
    escape(&serde_json::to_string_pretty(&document).unwrap_or_default())
}

fn check_entry(step: &Step) -> CheckEntry<'_> {
    CheckEntry {
        slug: step.check.slug,
        section: step.check.section.slug(),
        state: step.state.slug(),
        title: step.check.title,
        observed: &step.observed,
        reason: step.reason,
        fix: Some(step.fix.as_str()).filter(|fix| step.state != State::Ok && !fix.is_empty()),
    }
}

fn caller_entry(caller: &Caller) -> CallerEntry<'_> {
    CallerEntry {
        issuer: &caller.issuer,
        sub: &caller.subject,
        kind: caller.kind.slug(),
        client_id: caller.client.as_ref().map(|(id, _)| id.as_str()),
        client_party: if caller.is_first_party { "first" } else { "third" },
        scopes: &caller.scopes,
        organization_id: caller.organization.as_deref(),
        disclosed: &caller.disclosed,
    }
}
