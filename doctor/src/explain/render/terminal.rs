//! The terminal report. It always contains colours; the program removes them if the output is not a terminal.

use anstyle::Style;

use super::report::Report;
use crate::{
    explain::{
        explanation::{Caller, CallerKind, Verdict},
        settings::time::format as format_time,
        step::{State, Step},
    },
    quote::quote,
    render::layout::{DIMMED, FAILURE, OK, Output, WARNING, sanitize},
};

/// Renders the report, with a trailing line break, for a terminal of this width in characters.
#[must_use]
pub fn render(report: &Report, width: usize) -> String {
    let mut out = Output::new(width);
    out.heading(&sanitize(&format!("The token from {}", report.token_source)));
    for (source, names) in &report.settings {
        out.paragraph(DIMMED, &sanitize(&format!("{source}: {}", names.join(", "))));
    }
    for note in &report.notes {
        out.paragraph(WARNING, &sanitize(note));
    }
    if let Some(time) = report.other_time {
        out.paragraph(WARNING, &format!("As of {}", format_time(time)));
    }
    let (missed, steps): (Vec<_>, Vec<_>) =
        report.explanation.steps.iter().partition(|step| step.state == State::NotReached);
    for section in steps.chunk_by(|one, other| one.check.section == other.check.section) {
        if let Some(first) = section.first() {
            out.heading(first.check.section.title());
        }
        for step in section {
            write_step(&mut out, step);
        }
    }
    if !missed.is_empty() {
        let (style, mark) = mark(State::NotReached);
        let slugs: Vec<_> = missed.iter().map(|step| step.check.slug).collect();
        out.line(style, mark, "not reached", DIMMED, &slugs.join(", "));
    }
    write_verdict(&mut out, report);
    out.text
}

fn write_step(out: &mut Output, step: &Step) {
    let (style, mark) = mark(step.state);
    out.line(style, mark, step.check.slug, Style::new(), &sanitize(&step.observed));
    match step.state {
        State::Refused => {
            out.detail("expected", step.check.title);
            if let Some(reason) = step.reason {
                out.detail("reason", &format!("{reason} (docs/denials.md)"));
            }
            out.detail("fix", &sanitize(&step.fix));
        }
        State::Warning | State::NotChecked if !step.fix.is_empty() => out.detail("fix", &sanitize(&step.fix)),
        _ => {}
    }
}

fn mark(state: State) -> (Style, &'static str) {
    match state {
        State::Ok => (OK, "✓"),
        State::Warning => (WARNING, "!"),
        State::Refused => (FAILURE, "✗"),
        State::NotChecked => (WARNING, "?"),
        State::NotReached => (DIMMED, "–"),
    }
}

fn write_verdict(out: &mut Output, report: &Report) {
    let caller =
        report.explanation.caller.as_ref().map_or_else(String::new, |caller| format!(": {}", describe(caller)));
    out.text.push('\n');
    match report.explanation.verdict() {
        Verdict::Accepted => out.paragraph(OK, &sanitize(&format!("Accepted{caller}."))),
        Verdict::Refused(reason) => {
            let check = report.explanation.refusal().map_or("", |step| step.check.slug);
            out.paragraph(FAILURE, &format!("Refused by the check {check}, with the reason {reason}."));
        }
        Verdict::Undecided(_) if caller.is_empty() => out.paragraph(WARNING, "Undecided: only the provider can tell."),
        Verdict::Undecided(_) => out.paragraph(
            WARNING,
            &sanitize(&format!("Undecided: what has a ? was not checked. Everything else is well{caller}.")),
        ),
    }
}

fn describe(caller: &Caller) -> String {
    let kind = match caller.kind {
        CallerKind::User => "the user",
        CallerKind::Machine => "the machine",
        CallerKind::Unknown => "somebody who is not proven a user,",
    };
    let party = if caller.is_first_party { "first-party" } else { "third-party" };
    let client = match &caller.client {
        Some((id, _)) => format!("through the {party} client {}", quote(id)),
        None => "through an unnamed client".to_owned(),
    };
    let organization = caller.organization.as_deref().map_or_else(String::new, |id| format!(" in {}", quote(id)));
    let scopes = if caller.scopes.is_empty() { "no scopes".to_owned() } else { caller.scopes.join(" ") };
    format!("{kind} {}{organization}, {client}, with {scopes}", quote(&caller.subject))
}
