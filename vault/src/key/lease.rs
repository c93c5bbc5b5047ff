//! When a key is refused, answered, refreshed, or waited for. Pure: the record and the time in, the next step out. The one
//! refresh at a time is that of [`crate::lease`].

use super::{message::State, record::Record};
use crate::lease::{Turn, is_within, turn};

/// How long an access token is kept, in seconds.
pub const KEPT_SECONDS: u64 = 60;

/// How long an endpoint may keep what it was answered, in seconds.
pub const HANDED_SECONDS: u64 = 60;

/// How often the use of a key that works no longer is reported, in seconds.
pub const REPORT_SECONDS: u64 = 60;

/// What an operator decides about all keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// `KEYS_NOT_BEFORE`: keys that were made before this moment (seconds since 1970) are revoked.
    pub not_before: Option<u64>,
    /// The values of `iss` of the provider that is asked. The refresh token of another one is not sent to it.
    pub issuers: Vec<String>,
    /// `VAULT_CLIENT_ID`. To another client the provider answers as if a refresh token were not good.
    pub client_id: String,
}

/// Why a key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It was revoked, or made before `KEYS_NOT_BEFORE`.
    Revoked,
    /// The provider has ended its grant.
    Ended,
    /// It has expired.
    Expired,
}

/// What to do for the bearer of the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Refuse.
    Refuse(Refusal),
    /// Answer with the access token that is kept.
    Answer,
    /// What there is to do without a token: wait, or refresh.
    Obtain(Turn),
}

/// Whether the key works no longer, and why. No key is refused because of an outage.
#[must_use]
pub fn refusal(record: &Record, now: u64, rules: &Rules) -> Option<Refusal> {
    match record.key.state {
        State::Revoked => Some(Refusal::Revoked),
        State::Ended => Some(Refusal::Ended),
        State::Active if is_too_old(record, rules) => Some(Refusal::Revoked),
        State::Active if now >= record.key.expires_at => Some(Refusal::Expired),
        State::Active => None,
    }
}

/// Whether the key was made before `KEYS_NOT_BEFORE`.
#[must_use]
pub fn is_too_old(record: &Record, rules: &Rules) -> bool {
    rules.not_before.is_some_and(|not_before| record.key.created_at < not_before)
}

/// Why the provider that is configured cannot say anything of the key, if that is so. It ends no key: the settings may be
/// corrected.
#[must_use]
pub fn stranger(record: &Record, rules: &Rules) -> Option<&'static str> {
    if !rules.issuers.contains(&record.key.issuer) {
        Some("the key is of another issuer")
    } else if record.client_id != rules.client_id {
        Some("the key was made with another VAULT_CLIENT_ID")
    } else {
        None
    }
}

/// The next step of a use.
#[must_use]
pub fn next(record: &Record, now: u64, rules: &Rules) -> Step {
    if let Some(refusal) = refusal(record, now, rules) {
        return Step::Refuse(refusal);
    }
    if record.token_sealed.is_some() && is_within(record.token_until, KEPT_SECONDS, now) {
        return Step::Answer;
    }
    Step::Obtain(turn(record.attempt.as_ref(), record.failed_until, now))
}

/// Whether the use of a key that works no longer is to be reported now.
#[must_use]
pub fn is_to_be_reported(record: &Record, now: u64) -> bool {
    now < record.reported_at || now >= record.reported_at.saturating_add(REPORT_SECONDS)
}
