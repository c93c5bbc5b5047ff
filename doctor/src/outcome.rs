//! What a check returns: an [`Outcome`] with a [`Verdict`], or a [`Skip`] with the reason why it did not run.

use crate::clients::Client;

/// The result of a check, from harmless to severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The check did not run, or does not apply.
    Skipped,
    /// Everything is as expected.
    Ok,
    /// Some clients have problems, or something is likely to break.
    Warning,
    /// Clients cannot connect, or unauthorized ones can.
    Failure,
}

impl Verdict {
    /// The stable name in the JSON report.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }

    /// Whether the operator should act on it.
    #[must_use]
    pub const fn is_problem(self) -> bool {
        matches!(self, Self::Warning | Self::Failure)
    }
}

/// What a check observed, and how severe it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) observed: String,
    pub(crate) fix: Option<String>,
    pub(crate) affected: Option<Vec<Client>>,
}

/// Why a check did not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip(pub(crate) String);

/// What a check function returns.
pub type CheckResult = Result<Outcome, Skip>;

impl Skip {
    /// Creates a skip with its reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl Outcome {
    /// Creates an outcome for what is as expected.
    pub fn ok(observed: impl Into<String>) -> Self {
        Self::new(Verdict::Ok, observed)
    }

    /// Creates an outcome for what is a problem for some clients.
    pub fn warning(observed: impl Into<String>) -> Self {
        Self::new(Verdict::Warning, observed)
    }

    /// Creates an outcome for what keeps clients out, or lets unauthorized ones in.
    pub fn failure(observed: impl Into<String>) -> Self {
        Self::new(Verdict::Failure, observed)
    }

    fn new(verdict: Verdict, observed: impl Into<String>) -> Self {
        Self { verdict, observed: observed.into(), fix: None, affected: None }
    }

    /// Replaces the fix of the check's row.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Replaces the affected clients of the check's row.
    #[must_use]
    pub fn affects(mut self, clients: impl IntoIterator<Item = Client>) -> Self {
        self.affected = Some(clients.into_iter().collect());
        self
    }
}
