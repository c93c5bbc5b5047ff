//! The row that describes a check, and the sections of the report.

use crate::{clients::Client, outcome::CheckResult, record::Record};

/// A check: its description and its function, in one row.
///
/// The rows stand in the files of [`crate::checks`], each directly above its function. The text fields are the same for
/// every examined server; [`run`](Self::run) returns what was observed on this one.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// The stable name in the JSON report and in `README.md`.
    pub slug: &'static str,
    /// The section of the report.
    pub section: Section,
    /// The expected state, as a statement: "PKCE with S256 is advertised".
    pub title: &'static str,
    /// Why the expected state matters.
    pub why: &'static str,
    /// How to fix a problem, unless the outcome has a more specific fix.
    pub fix: &'static str,
    /// The clients that a problem affects, unless the outcome names others.
    pub affects: &'static [Client],
    /// Decides the outcome from the recorded exchanges.
    pub run: fn(&Record) -> CheckResult,
}

/// Slugs identify checks.
impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        self.slug == other.slug
    }
}

impl Eq for Check {}

/// A section of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The URL, the connection, and the first response.
    Reaching,
    /// The 401 and its challenge.
    SignIn,
    /// Protected resource metadata.
    Metadata,
    /// The identity provider.
    Provider,
    /// Cross-origin requests of web pages.
    Browsers,
    /// Both protocol eras, with the operator's token.
    Protocol,
    /// The upstream behind a gateway.
    Gateway,
    /// What directories and the MCP registry require.
    Directories,
}

impl Section {
    /// The stable name in the JSON report.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Reaching => "reaching",
            Self::SignIn => "sign_in",
            Self::Metadata => "metadata",
            Self::Provider => "provider",
            Self::Browsers => "browsers",
            Self::Protocol => "protocol",
            Self::Gateway => "gateway",
            Self::Directories => "directories",
        }
    }

    /// The heading in the terminal report.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Reaching => "Reaching the endpoint",
            Self::SignIn => "Asking for sign-in",
            Self::Metadata => "Protected resource metadata",
            Self::Provider => "Identity provider",
            Self::Browsers => "Web pages (CORS)",
            Self::Protocol => "MCP requests",
            Self::Gateway => "Gateway and upstream",
            Self::Directories => "Directories and the MCP registry",
        }
    }
}
