//! The steps of an explanation: the row that describes a check, and what the check says about one token.

/// A check of a token: its description in the report.
///
/// The rows stand in the files of [`super::checks`], each above its function.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// The stable name in the JSON report and in `README.md`.
    pub slug: &'static str,
    /// The section of the report.
    pub section: Section,
    /// What is expected of a token that is accepted.
    pub title: &'static str,
}

/// A section of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// What the operator set.
    Settings,
    /// What the token says.
    Token,
    /// Who signed it.
    Signature,
    /// Who sends it.
    Caller,
    /// What that caller may do.
    Permission,
}

impl Section {
    /// The stable name in the JSON report.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Token => "token",
            Self::Signature => "signature",
            Self::Caller => "caller",
            Self::Permission => "permission",
        }
    }

    /// The heading in the terminal report.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Settings => "Settings",
            Self::Token => "What the token says",
            Self::Signature => "Key and signature",
            Self::Caller => "Who it is",
            Self::Permission => "What it may do",
        }
    }
}

/// What a check says about a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The token passes.
    Ok,
    /// The token passes, and the operator should look at something.
    Warning,
    /// The token is refused.
    Refused,
    /// The check could not be made here.
    NotChecked,
    /// An earlier check refused the token.
    NotReached,
}

impl State {
    /// The stable name in the JSON report.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Refused => "refused",
            Self::NotChecked => "not_checked",
            Self::NotReached => "not_reached",
        }
    }
}

/// One line of the report.
#[derive(Debug, Clone)]
pub struct Step {
    /// The check.
    pub check: &'static Check,
    /// Its result.
    pub state: State,
    /// What was observed. It may contain text from the token. Empty if the check was not reached.
    pub observed: String,
    /// Why the deployment refuses the token: a name of `docs/denials.md`. `None` unless it does, or may.
    pub reason: Option<&'static str>,
    /// What to change. Empty if there is nothing to change.
    pub fix: String,
}

/// Why a token is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A name of `docs/denials.md`.
    pub reason: &'static str,
    /// What was observed.
    pub observed: String,
    /// What to change.
    pub fix: String,
}

impl Refusal {
    /// Creates a refusal.
    pub fn new(reason: &'static str, observed: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { reason, observed: observed.into(), fix: fix.into() }
    }
}

/// What a check returns: what later checks build on, with what was observed.
pub type Checked<T> = Result<(T, String), Refusal>;

/// The steps so far.
#[derive(Debug, Default)]
pub struct Steps(Vec<Step>);

impl Steps {
    /// Records the result of a check. `None` if the token is refused: no further check is reached.
    pub fn record<T>(&mut self, check: &'static Check, checked: Checked<T>) -> Option<T> {
        match checked {
            Ok((value, observed)) => {
                self.push(check, State::Ok, observed, None, String::new());
                Some(value)
            }
            Err(Refusal { reason, observed, fix }) => {
                self.push(check, State::Refused, observed, Some(reason), fix);
                None
            }
        }
    }

    /// Records something that the operator should look at.
    pub fn warn(&mut self, check: &'static Check, observed: impl Into<String>, fix: impl Into<String>) {
        self.push(check, State::Warning, observed.into(), None, fix.into());
    }

    /// Records a check that could not be made here, with the reason that the deployment would have if it sees the same.
    pub fn not_checked(
        &mut self,
        check: &'static Check,
        observed: impl Into<String>,
        reason: Option<&'static str>,
        fix: impl Into<String>,
    ) {
        self.push(check, State::NotChecked, observed.into(), reason, fix.into());
    }

    fn push(
        &mut self,
        check: &'static Check,
        state: State,
        observed: String,
        reason: Option<&'static str>,
        fix: String,
    ) {
        self.0.push(Step { check, state, observed, reason, fix });
    }

    /// The steps in the order of `all`: those that were not recorded were not reached.
    pub fn finish(mut self, all: impl Iterator<Item = &'static Check>) -> Vec<Step> {
        let is_of = |step: &Step, check: &Check| step.check.slug == check.slug;
        all.map(|check| match self.0.iter().position(|step| is_of(step, check)) {
            Some(index) => self.0.remove(index),
            None => Step { check, state: State::NotReached, observed: String::new(), reason: None, fix: String::new() },
        })
        .collect()
    }
}
