//! What an explanation says: the steps, the verdict, and who the token stands for.

use super::step::{State, Step};

/// What the deployment makes of a token.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// One for each check, in order.
    pub steps: Vec<Step>,
    /// Who the token stands for. `None` if a check refused it before that was known.
    pub caller: Option<Caller>,
}

/// Whether the deployment accepts the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Accepted,
    /// It does not, for this reason of `docs/denials.md`.
    Refused(&'static str),
    /// It is open: a check could not be made here. With the reason that the deployment may have.
    Undecided(Option<&'static str>),
}

impl Verdict {
    /// The stable name in the JSON report.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused(_) => "refused",
            Self::Undecided(_) => "undecided",
        }
    }

    /// The exit status of the program: 0 accepted, 1 refused, 3 undecided.
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Accepted => 0,
            Self::Refused(_) => 1,
            Self::Undecided(_) => 3,
        }
    }
}

/// Who a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// Who it is.
    pub kind: CallerKind,
    /// The client's id, with the claim that has it.
    pub client: Option<(String, String)>,
    /// Whether the client is in `FIRST_PARTY_CLIENTS`.
    pub is_first_party: bool,
    /// Granted scopes and those that they imply, sorted.
    pub scopes: Vec<String>,
    /// The organization.
    pub organization: Option<String>,
    /// The names of the claims that tools and `whoami` get, sorted.
    pub disclosed: Vec<String>,
}

/// Who sends a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// A person who signed in.
    User,
    /// A client that acts for itself.
    Machine,
    /// Nothing in the token proves either.
    Unknown,
}

impl CallerKind {
    /// The stable name, as in the result of `whoami`.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Machine => "machine",
            Self::Unknown => "unknown",
        }
    }
}

impl Explanation {
    /// The step that refused the token.
    #[must_use]
    pub fn refusal(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.state == State::Refused)
    }

    /// Whether the deployment accepts the token. What was not checked is never taken for good.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if let Some(step) = self.refusal() {
            return Verdict::Refused(step.reason.unwrap_or_default());
        }
        match self.steps.iter().find(|step| matches!(step.state, State::NotChecked | State::NotReached)) {
            Some(step) => Verdict::Undecided(step.reason),
            None => Verdict::Accepted,
        }
    }
}
