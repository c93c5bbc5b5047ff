//! Which grants may be revoked at the provider, if keys share grants. Pure.
//!
//! Some providers (oidc-provider, and Logto with it) have one grant for all authorizations of a client in one browser
//! session, and revoking one refresh token (RFC 7009) revokes the grant: all keys that were made in that session would end. So
//! the grant of a key that is gone waits until no key that works can share it.

use super::rows::{Entry, State};

/// Whether a key works, or is being made, as far as the list knows.
#[must_use]
pub fn is_live(entry: &Entry, now: u64) -> bool {
    entry.state != State::Gone && now < entry.expires_at
}

/// Whether two keys may share a grant: unless the provider says that their grants are different.
#[must_use]
pub fn may_share(one: &Entry, other: &Entry) -> bool {
    match (&one.grant_id, &other.grant_id) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// Whether the grant of an entry is to be revoked, and can be without harm to another key.
#[must_use]
pub fn may_end(entry: &Entry, all: &[Entry], now: u64) -> bool {
    entry.is_pending && !all.iter().any(|other| is_live(other, now) && may_share(entry, other))
}
