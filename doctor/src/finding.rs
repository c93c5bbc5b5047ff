//! A finding: one line of the report, made of a check's row and its outcome.

use crate::{
    check::Check,
    clients::Client,
    outcome::{CheckResult, Outcome, Skip, Verdict},
    record::Record,
};

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check.
    pub check: &'static Check,
    /// Its result.
    pub verdict: Verdict,
    /// What was observed; for a skipped check, the reason. It may contain text from the examined server.
    pub observed: String,
    /// How to fix the problem. Empty without a problem.
    pub fix: String,
    /// The clients that the problem affects. Empty without a problem.
    pub affected: Vec<Client>,
}

impl Finding {
    /// Runs a check on a record.
    #[must_use]
    pub fn of(check: &'static Check, record: &Record) -> Self {
        Self::new(check, (check.run)(record))
    }

    /// Creates a finding from the result of a check. The check's row fills in what the outcome leaves open.
    #[must_use]
    pub fn new(check: &'static Check, result: CheckResult) -> Self {
        let Outcome { verdict, observed, fix, affected } = match result {
            Ok(outcome) => outcome,
            Err(Skip(observed)) => Outcome { verdict: Verdict::Skipped, observed, fix: None, affected: None },
        };
        if !verdict.is_problem() {
            return Self { check, verdict, observed, fix: String::new(), affected: Vec::new() };
        }
        let fix = fix.unwrap_or_else(|| check.fix.to_owned());
        let affected = affected.unwrap_or_else(|| check.affects.to_vec());
        Self { check, verdict, observed, fix, affected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Section;

    const CHECK: Check = Check {
        slug: "example",
        section: Section::Reaching,
        title: "It works",
        why: "Because.",
        fix: "Repair it.",
        affects: &Client::ALL,
        run: |_| Ok(Outcome::ok("")),
    };

    #[test]
    fn only_problems_say_what_to_do() {
        let fine = Finding::new(&CHECK, Ok(Outcome::ok("S256").fix("nothing")));
        assert_eq!((fine.fix.as_str(), fine.affected.len()), ("", 0));
        let skipped = Finding::new(&CHECK, Err(Skip::new("not reached")));
        assert_eq!(
            (skipped.verdict, skipped.observed.as_str(), skipped.fix.as_str()),
            (Verdict::Skipped, "not reached", "")
        );
        let bad = Finding::new(&CHECK, Ok(Outcome::failure("plain")));
        assert_eq!((bad.fix.as_str(), bad.affected.len()), (CHECK.fix, Client::ALL.len()));
        let special = Finding::new(&CHECK, Ok(Outcome::warning("x").fix("y").affects([Client::Codex])));
        assert_eq!((special.fix.as_str(), special.affected.as_slice()), ("y", [Client::Codex].as_slice()));
    }
}
