//! The terminal report. It always contains colours; the caller strips them if the output is not a terminal.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use crate::{
    clients::Client,
    finding::Finding,
    outcome::Verdict,
    report::{ClientReport, Connectivity, Report},
};

/// The longest line, in characters: longer ones are hard to read.
pub const MAX_WIDTH: usize = 100;

/// The shortest line, in characters. Narrower terminals break the lines once more.
const MIN_WIDTH: usize = 60;

/// The column of the text, after mark and slug.
const INDENT: usize = 26;

const OK: Style = AnsiColor::Green.on_default();
const WARNING: Style = AnsiColor::Yellow.on_default();
const FAILURE: Style = AnsiColor::Red.on_default().bold();
const DIMMED: Style = Style::new().dimmed();
const HEADING: Style = Style::new().bold();

/// A report in the making.
struct Output {
    text: String,
    /// The longest line, in characters.
    width: usize,
}

/// Renders the report, with a trailing line break, for a terminal of this width in characters.
#[must_use]
pub fn render(report: &Report, width: usize) -> String {
    let mut out = Output { text: String::new(), width: width.clamp(MIN_WIDTH, MAX_WIDTH) };
    let url = sanitize(&report.url);
    let _ = writeln!(out.text, "\n{HEADING}{url}{HEADING:#}");
    let same_section = |one: &Finding, other: &Finding| one.check.section == other.check.section;
    for section in report.findings.chunk_by(same_section) {
        if let Some(first) = section.first() {
            let _ = writeln!(out.text, "\n{HEADING}{}{HEADING:#}", first.check.section.title());
        }
        for group in section.chunk_by(have_same_skip_reason) {
            write_group(&mut out, group);
        }
    }
    let _ = writeln!(out.text, "\n{HEADING}Which clients can connect{HEADING:#}");
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
            write_line(out, style, mark, &format!("{} checks", group.len()), DIMMED, &text);
        }
        group => group.iter().for_each(|finding| write_finding(out, finding)),
    }
}

fn write_finding(out: &mut Output, finding: &Finding) {
    let (style, mark) = mark(finding.verdict);
    let text = if finding.verdict == Verdict::Skipped { DIMMED } else { Style::new() };
    write_line(out, style, mark, finding.check.slug, text, &sanitize(&finding.observed));
    if finding.verdict.is_problem() {
        write_detail(out, "expected", finding.check.title);
        write_detail(out, "why", finding.check.why);
        write_detail(out, "fix", &sanitize(&finding.fix));
        if !finding.affected.is_empty() {
            let names: Vec<_> = finding.affected.iter().copied().map(Client::name).collect();
            let names = if names.len() == Client::ALL.len() { "every client".to_owned() } else { names.join(", ") };
            write_detail(out, "affects", &names);
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
    write_line(out, style, mark, report.client.name(), tone, &text);
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

/// `  ✓ slug                  text`, the text wrapped under its beginning.
fn write_line(out: &mut Output, style: Style, mark: &str, name: &str, text_style: Style, text: &str) {
    for (index, line) in wrap(text, out.width - INDENT).iter().enumerate() {
        let _ = if index == 0 {
            writeln!(out.text, "  {style}{mark}{style:#} {name:<22}{text_style}{line}{text_style:#}")
        } else {
            writeln!(out.text, "{:INDENT$}{text_style}{line}{text_style:#}", "")
        };
    }
}

fn write_detail(out: &mut Output, label: &str, text: &str) {
    // The label ends two columns before the text.
    for (index, line) in wrap(text, out.width - INDENT).iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        let _ = writeln!(out.text, "{DIMMED}{label:>24}{DIMMED:#}  {line}");
    }
}

/// Breaks a text into lines between words, at least one. A word that is longer than a line is not broken.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Replaces characters that a terminal interprets as a command, or that change the direction of the text.
fn sanitize(text: &str) -> String {
    let is_command = |char: char| {
        (char.is_control() && char != '\n') || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|char| if is_command(char) { '\u{fffd}' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checks,
        http::TransportErrorKind,
        outcome::Outcome,
        probe::Probe,
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
    fn lines_break_between_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable x", 4), ["unbreakable", "x"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn text_from_the_server_cannot_control_the_terminal() {
        let finding =
            Finding::new(checks::all().next().unwrap(), Ok(Outcome::failure("\u{1b}[2Jgone\u{202e}\u{9b}31m\r")));
        let mut out = Output { text: String::new(), width: MAX_WIDTH };
        write_finding(&mut out, &finding);
        let shown = anstream::adapter::strip_str(&out.text).to_string();
        assert!(shown.contains("\u{fffd}[2Jgone\u{fffd}\u{fffd}31m\u{fffd}"), "{shown:?}");
        assert!(!shown.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\r']), "{shown:?}");
    }

    #[test]
    fn a_problem_has_expectation_reason_fix_and_affected_clients() {
        let check = checks::all().find(|check| check.slug == "metadata_root").unwrap();
        let finding = Finding::new(check, Ok(Outcome::warning("404")));
        let mut out = Output { text: String::new(), width: MAX_WIDTH };
        write_finding(&mut out, &finding);
        let shown = anstream::adapter::strip_str(&out.text).to_string();
        for part in ["! metadata_root", "why  ChatGPT requests the root", "fix  Serve the same", "affects  ChatGPT"] {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
    }
}
