//! When a client expires for want of use.

use crate::policy::Limits;

/// Why a client expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryReason {
    /// Nobody ever signed in through it.
    NeverUsed,
    /// Nobody has for long.
    Idle,
    /// The provider does not have it any more.
    Gone,
}

impl ExpiryReason {
    /// For the audit log.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::NeverUsed => "never used",
            Self::Idle => "not used for long",
            Self::Gone => "removed at the provider",
        }
    }
}

/// Whether and why a client expires at `now`. `used_at` is its last sign-in; all times in seconds since 1970.
#[must_use]
pub fn expiry(
    limits: &Limits,
    created_at: u64,
    used_at: Option<u64>,
    is_made_by_hand: bool,
    now: u64,
) -> Option<ExpiryReason> {
    const DAY: u64 = 24 * 3_600;
    let is_past = |from: u64, days: u32| from + u64::from(days) * DAY <= now;
    match used_at {
        // A developer at work needs longer than a program that registers and signs in within a minute.
        None if !is_made_by_hand && is_past(created_at, limits.unused_days) => Some(ExpiryReason::NeverUsed),
        _ if is_past(used_at.unwrap_or(created_at), limits.idle_days) => Some(ExpiryReason::Idle),
        _ => None,
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;
    const DAY: u64 = 86_400;
    const LIMITS: Limits =
        Limits { per_address_and_hour: 2, clients: 5, per_developer: 3, unused_days: 7, idle_days: 180 };

    #[test]
    fn clients_end_when_nobody_uses_them() {
        let ends = |age: u64, used: Option<u64>, by_hand| {
            expiry(&LIMITS, NOW - age * DAY, used.map(|days| NOW - days * DAY), by_hand, NOW)
        };
        assert_eq!(ends(6, None, false), None);
        assert_eq!(ends(7, None, false), Some(ExpiryReason::NeverUsed));
        assert_eq!(ends(7, None, true), None);
        assert_eq!(ends(180, None, true), Some(ExpiryReason::Idle));
        assert_eq!(ends(400, Some(1), false), None);
        assert_eq!(ends(400, Some(180), false), Some(ExpiryReason::Idle));
    }
}
