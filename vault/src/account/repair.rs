//! What is left to be done in a user's object, and when. Pure: the list and the time in, the work out.

use super::{
    rows::{Entry, State},
    siblings::{is_live, may_end},
};

/// After how many seconds the object of a reserved key is asked whether it was made.
pub const RESERVATION_SECONDS: u64 = 600;

/// How long a key that is gone stays in the list, in seconds.
pub const REMEMBERED_SECONDS: u64 = 30 * 86_400;

/// The shortest pause between two alarms, in seconds.
pub const MIN_PAUSE: u64 = 60;

/// How long a revocation at the provider may be under way, in seconds: longer than a call of a key's object.
pub const ENDING_SECONDS: u64 = 30;

/// The longest pause before a grant is tried again, in seconds.
const MAX_PAUSE: u64 = 86_400;

/// Something to be done for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Ask its object whether it was made.
    Ask,
    /// It has expired.
    Expire,
    /// Revoke its grant.
    EndGrant,
    /// Forget it.
    Forget,
}

/// How many seconds to wait after a grant could not be revoked `tries` times: four times as long each time.
#[must_use]
pub fn pause(tries: u64) -> u64 {
    (0..tries.min(8)).fold(MIN_PAUSE, |pause, _| pause * 4).min(MAX_PAUSE)
}

/// The next thing to be done for an entry, and when, in seconds since 1970. `None`: nothing, unless another key goes.
#[must_use]
pub fn due(entry: &Entry, all: &[Entry], now: u64) -> Option<(Work, u64)> {
    match entry.state {
        State::Reserved => Some((Work::Ask, entry.created_at.saturating_add(RESERVATION_SECONDS))),
        State::Active => Some((Work::Expire, entry.expires_at)),
        State::Gone => {
            let forgotten_at = entry.gone_at.unwrap_or_default().saturating_add(REMEMBERED_SECONDS);
            // A grant that waits for a sibling is waited for; one that the provider never takes is given up.
            if entry.is_pending && (now < forgotten_at || entry.tries == 0) {
                return may_end(entry, all, now).then_some((Work::EndGrant, entry.next_try));
            }
            Some((Work::Forget, forgotten_at))
        }
    }
}

/// When the object is to be woken next, in seconds since 1970; never less than [`MIN_PAUSE`] from now.
#[must_use]
pub fn next_wake(entries: &[Entry], now: u64) -> Option<u64> {
    entries.iter().filter_map(|entry| due(entry, entries, now)).map(|(_, at)| at.max(now + MIN_PAUSE)).min()
}

/// Whether the grant of an entry is being revoked at the provider. A clock that has gone back says nothing of what lies ahead.
#[must_use]
pub fn is_ending(entry: &Entry, now: u64) -> bool {
    now < entry.ending_until && entry.ending_until <= now + ENDING_SECONDS
}

/// Whether the list shows an entry. One that is being made may be a key that works already.
#[must_use]
pub fn is_listed(entry: &Entry, now: u64) -> bool {
    match entry.state {
        State::Reserved | State::Active => true,
        State::Gone => now < entry.gone_at.unwrap_or_default().saturating_add(REMEMBERED_SECONDS),
    }
}

/// How many keys of the list work, those included that are being made.
#[must_use]
pub fn count_live(entries: &[Entry], now: u64) -> usize {
    entries.iter().filter(|entry| is_live(entry, now)).count()
}
