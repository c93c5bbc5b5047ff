//! The report for people. Colours are always written; who prints it takes them out where they are not wanted.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use crate::{
    clients::Client,
    finding::{Check, Finding, Verdict},
    report::{Connects, Outlook, Report},
};

/// Longer lines are hard to read, and terminals at least this wide are usual.
const WIDTH: usize = 100;

/// Where the text begins, behind mark and slug.
const INDENT: usize = 26;

const GOOD: Style = AnsiColor::Green.on_default();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const QUIET: Style = Style::new().dimmed();
const HEADING: Style = Style::new().bold();

/// The whole report, ending in a line break.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut out = String::new();
    let url = plain(&report.url);
    let _ = writeln!(out, "\n{HEADING}{url}{HEADING:#}");
    let same_section = |one: &Finding, other: &Finding| one.check.section() == other.check.section();
    for section in report.findings.chunk_by(same_section) {
        if let Some(first) = section.first() {
            let _ = writeln!(out, "\n{HEADING}{}{HEADING:#}", first.check.section().title());
        }
        for alike in section.chunk_by(are_skipped_alike) {
            write_alike(&mut out, alike);
        }
    }
    let _ = writeln!(out, "\n{HEADING}Who will be able to connect{HEADING:#}");
    for outlook in &report.outlooks {
        write_outlook(&mut out, outlook);
    }
    write_summary(&mut out, report);
    out
}

/// What was skipped for one reason is told once: after a failure at the beginning, that is nearly everything.
fn are_skipped_alike(one: &Finding, other: &Finding) -> bool {
    one.verdict == Verdict::Skipped && other.verdict == Verdict::Skipped && one.seen == other.seen
}

fn write_alike(out: &mut String, alike: &[Finding]) {
    match alike {
        [first, _, ..] => {
            let (style, mark) = mark(Verdict::Skipped);
            let slugs: Vec<_> = alike.iter().map(|finding| finding.check.slug()).collect();
            let text = format!("{}: {}", slugs.join(", "), plain(&first.seen));
            write_line(out, style, mark, &format!("{} checks", alike.len()), QUIET, &text);
        }
        alike => alike.iter().for_each(|finding| write_finding(out, finding)),
    }
}

fn write_finding(out: &mut String, finding: &Finding) {
    let (style, mark) = mark(finding.verdict);
    let text = if finding.verdict == Verdict::Skipped { QUIET } else { Style::new() };
    write_line(out, style, mark, finding.check.slug(), text, &plain(&finding.seen));
    if finding.verdict.is_trouble() {
        write_detail(out, "wanted", finding.check.text().title);
        write_detail(out, "why", finding.check.text().why);
        write_detail(out, "mend", &plain(&finding.mend));
        if !finding.hits.is_empty() {
            let names: Vec<_> = finding.hits.iter().copied().map(Client::name).collect();
            let names = if names.len() == Client::ALL.len() { "every client".to_owned() } else { names.join(", ") };
            write_detail(out, "hits", &names);
        }
    }
}

fn mark(verdict: Verdict) -> (Style, &'static str) {
    match verdict {
        Verdict::Ok => (GOOD, "✓"),
        Verdict::Warning => (DOUBTFUL, "!"),
        Verdict::Failure => (BAD, "✗"),
        Verdict::Skipped => (QUIET, "–"),
    }
}

fn write_outlook(out: &mut String, outlook: &Outlook) {
    let (verdict, text) = match &outlook.connects {
        Connects::By(way) => (Verdict::Ok, format!("by {}", way.name())),
        Connects::WithoutSignIn => (Verdict::Ok, "without sign-in".to_owned()),
        Connects::WithClientId => {
            (Verdict::Warning, format!("with a client id made by hand: {}", outlook.client.by_hand()))
        }
        Connects::FromListedPages => (Verdict::Skipped, "pages of the origins that the server lists".to_owned()),
        Connects::NotFromOutside => {
            (Verdict::Skipped, "calls from its vendor's network, which does not lead here".to_owned())
        }
        Connects::Not(failed) => {
            let slugs: Vec<_> = failed.iter().copied().map(Check::slug).collect();
            (Verdict::Failure, format!("no, because of {}", slugs.join(", ")))
        }
    };
    let (style, mark) = mark(verdict);
    let tone = if verdict == Verdict::Skipped { QUIET } else { Style::new() };
    write_line(out, style, mark, outlook.client.name(), tone, &text);
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
        let _ = writeln!(out, "Begin with {}: what comes first breaks what comes after.", first.check.slug());
    }
}

/// `  ✓ slug                  text`, the text wrapped under its beginning.
fn write_line(out: &mut String, style: Style, mark: &str, name: &str, text_style: Style, text: &str) {
    for (index, line) in wrap(text, WIDTH - INDENT).iter().enumerate() {
        let _ = if index == 0 {
            writeln!(out, "  {style}{mark}{style:#} {name:<22}{text_style}{line}{text_style:#}")
        } else {
            writeln!(out, "{:INDENT$}{text_style}{line}{text_style:#}", "")
        };
    }
}

fn write_detail(out: &mut String, label: &str, text: &str) {
    // Label and its gap take as much room as the deepest indentation of a line.
    for (index, line) in wrap(text, WIDTH - INDENT).iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        let _ = writeln!(out, "{QUIET}{label:>24}{QUIET:#}  {line}");
    }
}

/// Breaks a text into lines between words; a word that is too long for a line stands alone. At least one line.
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

/// What came from elsewhere, without what a terminal would take for a command or what turns the order of letters round.
fn plain(text: &str) -> String {
    let is_command = |char: char| {
        (char.is_control() && char != '\n') || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|char| if is_command(char) { '\u{fffd}' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{exchange::FailureKind, finding::Judgement, record::Probe, testing::Change};

    #[test]
    fn what_one_failure_keeps_from_being_checked_takes_a_line_for_each_section() {
        let mut record = crate::testing::good();
        record.fail(Probe::Initialize, FailureKind::Dns);
        let shown = anstream::adapter::strip_str(&render(&Report::of(&record))).to_string();
        assert!(shown.contains("✗ reachable "), "{shown}");
        assert_eq!(shown.matches("challenge_metadata").count(), 1, "{shown}");
        assert!(shown.lines().filter(|line| line.contains("the endpoint was not reached")).count() <= 6, "{shown}");
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable x", 4), ["unbreakable", "x"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn what_a_server_writes_cannot_command_the_terminal() {
        let finding = Finding::new(Check::Challenge, Ok(Judgement::failure("\u{1b}[2Jgone\u{202e}\u{9b}31m\r")));
        let mut out = String::new();
        write_finding(&mut out, &finding);
        let shown = anstream::adapter::strip_str(&out).to_string();
        assert!(shown.contains("\u{fffd}[2Jgone\u{fffd}\u{fffd}31m\u{fffd}"), "{shown:?}");
        assert!(!shown.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\r']), "{shown:?}");
    }

    #[test]
    fn trouble_says_why_how_to_mend_it_and_whom_it_hits() {
        let finding = Finding::new(Check::MetadataRoot, Ok(Judgement::warning("404")));
        let mut out = String::new();
        write_finding(&mut out, &finding);
        let shown = anstream::adapter::strip_str(&out).to_string();
        for part in ["! metadata_root", "why  ChatGPT asks the root", "mend  Serve the same", "hits  ChatGPT"] {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
    }
}
