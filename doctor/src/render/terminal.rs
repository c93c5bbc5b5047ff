//! The terminal report. It always contains colours; the caller strips them if the output is not a terminal.

use std::fmt::Write;

use anstyle::Style;

use super::layout::{DIMMED, FAILURE, OK, Output, WARNING, sanitize};
use crate::{
    clients::Client,
    finding::Finding,
    outcome::Verdict,
    report::{ClientReport, Connectivity, Report},
};

/// Renders the report, with a trailing line break, for a terminal of this width in characters.
#[must_use]
pub fn render(report: &Report, width: usize) -> String {
    let mut out = Output::new(width);
    out.heading(&sanitize(&report.url));
    let same_section = |one: &Finding, other: &Finding| one.check.section == other.check.section;
    for section in report.findings.chunk_by(same_section) {
        if let Some(first) = section.first() {
            out.heading(first.check.section.title());
        }
        for group in section.chunk_by(have_same_skip_reason) {
            write_group(&mut out, group);
        }
    }
    out.heading("Which clients can connect");
    for client in &report.clients {
        write_client(&mut out, client);
    }
    write_summary(&mut out.text, report);
    out.text
}

/// Checks that were skipped for the same reason share a line: after an early failure, that is nearly all of them.
fn have_same_skip_reason(one: &Finding, other: &Finding) -> bool {
    one.verdict == Verdict::Skipped && other.verdict == Verdict::Skipped && one.observed == other.observed
}

fn write_group(out: &mut Output, group: &[Finding]) {
    match group {
        [first, _, ..] => {
            let (style, mark) = mark(Verdict::Skipped);
            let slugs: Vec<_> = group.iter().map(|finding| finding.check.slug).collect();
            let text = format!("{}: {}", slugs.join(", "), sanitize(&first.observed));
            out.line(style, mark, &format!("{} checks", group.len()), DIMMED, &text);
        }
        group => group.iter().for_each(|finding| write_finding(out, finding)),
    }
}

fn write_finding(out: &mut Output, finding: &Finding) {
    let (style, mark) = mark(finding.verdict);
    let text = if finding.verdict == Verdict::Skipped { DIMMED } else { Style::new() };
    out.line(style, mark, finding.check.slug, text, &sanitize(&finding.observed));
    if finding.verdict.is_problem() {
        out.detail("expected", finding.check.title);
        out.detail("why", finding.check.why);
        out.detail("fix", &sanitize(&finding.fix));
        if !finding.affected.is_empty() {
            let names: Vec<_> = finding.affected.iter().copied().map(Client::name).collect();
            let names = if names.len() == Client::ALL.len() { "every client".to_owned() } else { names.join(", ") };
            out.detail("affects", &names);
        }
    }
}

fn mark(verdict: Verdict) -> (Style, &'static str) {
    match verdict {
        Verdict::Ok => (OK, "✓"),
        Verdict::Warning => (WARNING, "!"),
        Verdict::Failure => (FAILURE, "✗"),
        Verdict::Skipped => (DIMMED, "–"),
    }
}

fn write_client(out: &mut Output, report: &ClientReport) {
    let (verdict, text) = match &report.connectivity {
        Connectivity::Registers(method) => (Verdict::Ok, format!("yes, with {}", method.name())),
        Connectivity::WithoutSignIn => (Verdict::Ok, "yes, without sign-in".to_owned()),
        Connectivity::WithClientId => {
            (Verdict::Warning, format!("only with a client ID that you create: {}", report.client.manual_setup()))
        }
        Connectivity::FromAllowedOrigins => (Verdict::Skipped, "only from origins that the server allows".to_owned()),
        Connectivity::PrivateNetwork => {
            (Verdict::Skipped, "no: it connects from the internet, and this URL is in a private network".to_owned())
        }
        Connectivity::Blocked(failed) => {
            let slugs: Vec<_> = failed.iter().map(|check| check.slug).collect();
            (Verdict::Failure, format!("no, because of {}", slugs.join(", ")))
        }
    };
    let (style, mark) = mark(verdict);
    let tone = if verdict == Verdict::Skipped { DIMMED } else { Style::new() };
    out.line(style, mark, report.client.name(), tone, &text);
}

fn write_summary(out: &mut String, report: &Report) {
    let (style, _) = mark(report.verdict());
    let counted = |verdict: Verdict, one: &str, many: &str| {
        let count = report.count(verdict);
        format!("{count} {}", if count == 1 { one } else { many })
    };
    let _ = writeln!(
        out,
        "\n{style}{}{style:#}, {}, {} ok, {} skipped",
        counted(Verdict::Failure, "failure", "failures"),
        counted(Verdict::Warning, "warning", "warnings"),
        report.count(Verdict::Ok),
        report.count(Verdict::Skipped),
    );
    if let Some(first) = report.findings.iter().find(|finding| finding.verdict == Verdict::Failure) {
        let _ = writeln!(out, "Fix {} first: later problems may follow from it.", first.check.slug);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checks,
        http::TransportErrorKind,
        outcome::Outcome,
        probe::Probe,
        render::layout::{INDENT, MAX_WIDTH},
        testing::{Change, good},
    };

    #[test]
    fn checks_that_were_skipped_for_one_reason_share_a_line_in_each_section() {
        let mut record = good();
        record.fail(Probe::Initialize, TransportErrorKind::Dns);
        let shown = anstream::adapter::strip_str(&render(&Report::new(&record), MAX_WIDTH)).to_string();
        assert!(shown.contains("✗ reachable "), "{shown}");
        assert_eq!(shown.matches("challenge_metadata").count(), 1, "{shown}");
        assert!(shown.lines().filter(|line| line.contains("the endpoint was not reached")).count() <= 6, "{shown}");
    }

    #[test]
    fn lines_fit_into_the_terminal() {
        let mut record = good();
        record.put(Probe::LegacyInitialize, 503, "text/plain", "");
        let report = Report::new(&record);
        for (terminal, widest) in [(10, 60), (80, 80), (500, 100)] {
            let shown = anstream::adapter::strip_str(&render(&report, terminal)).to_string();
            let fits = |line: &str| {
                let is_one_word = !line.chars().skip(INDENT).any(char::is_whitespace);
                line.chars().count() <= widest || is_one_word
            };
            assert!(shown.lines().all(fits), "{terminal}\n{shown}");
        }
        assert!(render(&report, 80).lines().count() > render(&report, 100).lines().count());
    }

    #[test]
    fn text_from_the_server_cannot_control_the_terminal() {
        let finding =
            Finding::new(checks::all().next().unwrap(), Ok(Outcome::failure("\u{1b}[2Jgone\u{202e}\u{9b}31m\r")));
        let mut out = Output::new(MAX_WIDTH);
        write_finding(&mut out, &finding);
        let shown = anstream::adapter::strip_str(&out.text).to_string();
        assert!(shown.contains("\u{fffd}[2Jgone\u{fffd}\u{fffd}31m\u{fffd}"), "{shown:?}");
        assert!(!shown.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\r']), "{shown:?}");
    }

    #[test]
    fn a_problem_has_expectation_reason_fix_and_affected_clients() {
        let check = checks::all().find(|check| check.slug == "metadata_root").unwrap();
        let finding = Finding::new(check, Ok(Outcome::warning("404")));
        let mut out = Output::new(MAX_WIDTH);
        write_finding(&mut out, &finding);
        let shown = anstream::adapter::strip_str(&out.text).to_string();
        for part in ["! metadata_root", "why  ChatGPT requests the root", "fix  Serve the same", "affects  ChatGPT"] {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
    }
}
