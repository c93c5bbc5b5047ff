//! One line of the log for each change: who did what to which client. Never a secret or a token.

use serde::Serialize;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A client was registered.
    ClientRegistered,
    /// A form of the portal was sent again; the same client was shown.
    RegistrationRepeated,
    /// Its metadata was changed.
    ClientUpdated,
    /// It was removed by whoever manages it.
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
pub struct Audit<'a> {
    /// What was done.
    #[serde(rename = "audit")]
    pub event: Event,
    /// To which client; empty where there is none.
    pub client_id: &'a str,
    /// Who did it: see [`Registrant::label`](crate::policy::Registrant::label), or `schedule`.
    pub by: &'a str,
    /// What exactly: our own words, hosts of redirect URIs.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub detail: &'a str,
}

impl Audit<'_> {
    /// The line.
    #[must_use]
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
