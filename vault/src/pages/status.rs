//! What is said of a key: whether it works, until when, and what its user has to know.

use super::date::{DAY, date};
use crate::key::message::{Description, State};

/// From so many days on, a page warns that a key is about to end because nobody uses it.
pub const WARNING_DAYS: u64 = 5;

/// Whether a key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It works.
    Active,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
    /// The operator has revoked all keys that were made before some moment.
    RevokedByOperator,
    /// The provider has ended the grant behind it.
    Ended,
}

impl Status {
    /// The status of a key at `now`; `not_before` is `KEYS_NOT_BEFORE`.
    #[must_use]
    pub fn of(key: &Description, not_before: Option<u64>, now: u64) -> Self {
        // A key says itself that it is too old, as of that moment.
        let is_too_old =
            not_before.is_some_and(|time| key.created_at < time && (key.state == State::Active || key.since == time));
        match key.state {
            State::Active if now >= key.expires_at => Self::Expired,
            State::Active | State::Revoked if is_too_old => Self::RevokedByOperator,
            State::Active => Self::Active,
            State::Revoked => Self::Revoked,
            State::Ended => Self::Ended,
        }
    }

    /// A word for lists and programs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked | Self::RevokedByOperator => "revoked",
            Self::Ended => "ended by the provider",
        }
    }

    /// Why a key works no longer, as a sentence; empty for one that does.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Active => "",
            Self::Expired => "Its time was over.",
            Self::Revoked => "It was revoked.",
            Self::RevokedByOperator => {
                "The operator of this server has revoked all keys that were made before a certain time."
            }
            Self::Ended => {
                "The provider has ended the access behind it: it was not used for too long, the consent was withdrawn, or \
                 the account or a role has changed. Make a new key."
            }
        }
    }
}

/// When a key that works ends, unless the provider renews its refresh token before. A provider need not do that at each use:
/// Logto does when 70 % of the token's life are over, so a use in the last days before counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdleEnd {
    /// Seconds since 1970.
    pub at: u64,
    /// Whole days until then.
    pub days_left: u64,
}

impl IdleEnd {
    /// Of a key that works; `None` if it expires before.
    #[must_use]
    pub fn of(key: &Description, refresh_days: u64, now: u64) -> Option<Self> {
        let at = key.refreshed_at + refresh_days * DAY;
        (at < key.expires_at).then(|| Self { at, days_left: at.saturating_sub(now) / DAY })
    }

    /// Whether users are to be warned.
    #[must_use]
    pub const fn is_near(self) -> bool {
        self.days_left < WARNING_DAYS
    }

    /// A sentence.
    #[must_use]
    pub fn sentence(self, now: u64) -> String {
        if now >= self.at {
            "It was not used for too long, and the provider has probably ended it. A use of it will tell.".to_owned()
        } else if self.is_near() {
            let left = match self.days_left {
                0 => "less than a day is".to_owned(),
                1 => "1 day is".to_owned(),
                days => format!("{days} days are"),
            };
            format!("It must be used in the last days before {}, or the provider ends it: {left} left.", date(self.at))
        } else {
            format!("It must be used in the last days before {}, or the provider ends it.", date(self.at))
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const NOW: u64 = 1_800_000_000;

    /// A key that works, with changes.
    pub(crate) fn key(change: impl FnOnce(&mut Description)) -> Description {
        let mut key = Description {
            issuer: "https://tenant.example/oidc".to_owned(),
            subject: "alice".to_owned(),
            name: "Nightly build".to_owned(),
            scopes: "whoami:read".to_owned(),
            tools: None,
            created_at: NOW - 10 * DAY,
            expires_at: NOW + 80 * DAY,
            rotated_from: None,
            last_used_day: Some((NOW - DAY) / DAY),
            refreshed_at: NOW - DAY,
            state: State::Active,
            since: NOW - 10 * DAY,
            grant_is_pending: false,
            grant_id: None,
        };
        change(&mut key);
        key
    }

    #[test]
    fn a_key_works_until_something_ends_it() {
        let status = |change: fn(&mut Description), not_before| Status::of(&key(change), not_before, NOW);
        assert_eq!(status(|_| (), None), Status::Active);
        assert_eq!(status(|key| key.expires_at = NOW, None), Status::Expired);
        assert_eq!(status(|_| (), Some(NOW - 10 * DAY)), Status::Active, "not before");
        assert_eq!(status(|_| (), Some(NOW - 10 * DAY + 1)), Status::RevokedByOperator);
        assert_eq!(status(|key| (key.state, key.since) = (State::Revoked, NOW), Some(NOW)), Status::RevokedByOperator);
        assert_eq!(status(|key| key.state = State::Revoked, Some(NOW)), Status::Revoked, "before that");
        assert_eq!(status(|key| (key.state, key.expires_at) = (State::Ended, 0), None), Status::Ended);
    }

    #[test]
    fn users_are_warned_before_an_idle_key_ends() {
        let end = |days_ago: u64| IdleEnd::of(&key(|key| key.refreshed_at = NOW - days_ago * DAY), 14, NOW).unwrap();
        assert!(!end(9).is_near() && end(10).is_near());
        assert_eq!(
            end(10).sentence(NOW),
            format!(
                "It must be used in the last days before {}, or the provider ends it: 4 days are left.",
                date(NOW + 4 * DAY)
            )
        );
        assert!(
            end(13).sentence(NOW).ends_with("1 day is left.")
                && end(14).sentence(NOW).contains("has probably ended it")
        );
        assert!(end(1).sentence(NOW).ends_with("ends it."));
        assert_eq!(IdleEnd::of(&key(|key| key.expires_at = NOW + DAY), 14, NOW), None, "it expires before");
    }
}
