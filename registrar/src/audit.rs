//! The audit log: a line for each change, with who did what to which client. Never a secret or a token.

use mcp_edge_runtime::ports::OperatorLog;
use serde::Serialize;

/// An event of the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A client was registered.
    ClientRegistered,
    /// A form of the portal was sent again; the same client was shown.
    RegistrationRepeated,
    /// Its metadata was changed.
    ClientUpdated,
    /// It was removed by its owner, or with its registration access token.
    ClientRemoved,
    /// It was removed because nobody uses it.
    ClientEnded,
    /// It would have been removed, were this no dry run.
    ClientWouldEnd,
    /// It has a new secret; the old ones are gone.
    SecretRotated,
    /// A registration failed half way and was taken back.
    RegistrationUndone,
}

/// A line of the log.
#[derive(Debug, Clone, Serialize)]
struct Line<'a> {
    #[serde(rename = "audit")]
    event: Event,
    client_id: &'a str,
    by: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
}

/// Where lines of the audit log go.
#[derive(Clone, Copy)]
pub struct AuditLog<'a>(&'a dyn OperatorLog);

impl<'a> AuditLog<'a> {
    /// Creates an audit log that is a part of the operator's.
    #[must_use]
    pub fn of(log: &'a impl OperatorLog) -> Self {
        Self(log)
    }

    /// Writes a line: what was done to which client (empty where there is none), who did it (see
    /// [`Registrant::label`](crate::policy::Registrant::label), or `schedule`), and what exactly, in our own words and
    /// hosts of redirect URIs.
    pub fn record(self, event: Event, client_id: &str, by: &str, detail: &str) {
        self.0.info(&serde_json::to_string(&Line { event, client_id, by, detail }).unwrap_or_default());
    }
}
