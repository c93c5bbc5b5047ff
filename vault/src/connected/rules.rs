//! When a token is answered, refreshed or waited for, and what is revoked when. Pure: rows and the time in, the next step out.

use super::{
    message::Revocation,
    record::{AccessToken, Account, Departure, Hold, Tokens},
};
use crate::{
    lease::{Turn, is_within, turn},
    service::account::AccountId,
};

/// How long before its end an access token is used no more, in seconds; half of its life if that is shorter.
const MARGIN_SECONDS: u64 = 60;

/// How long an access token is used whose end the service does not say, if there is a refresh token, in seconds.
const UNKNOWN_LIFE_SECONDS: u64 = 300;

/// By how much the clock may go back, in seconds, before what was stored counts as that of a clock that was ahead.
const CLOCK_SLACK_SECONDS: u64 = 60;

/// How long a link is good, in seconds.
pub const LINK_SECONDS: u64 = 600;

/// A link that is good for less than this, in seconds, is not given out again.
pub const LINK_LEFT_SECONDS: u64 = 120;

/// How many links a user has at most.
pub const MAX_LINKS: u32 = 50;

/// How long an account waits for its confirmation, in seconds.
pub const HOLD_SECONDS: u64 = 600;

/// How long a used authorization is remembered, in seconds: longer than its cookie, and the service's code, are good.
pub const AUTHORIZATION_SECONDS: u64 = 900;

/// How many accounts a user has at most.
pub const MAX_ACCOUNTS: usize = 100;

/// How many uses of an account are remembered.
pub const MAX_USES: u32 = 20;

/// A use is not written again within this time, in seconds.
pub const USE_SECONDS: u64 = 10;

/// How long revocation is tried, in seconds.
pub const REVOCATION_SECONDS: u64 = 86_400;

/// How long it is remembered what became of it, in seconds.
const REMEMBERED_SECONDS: u64 = 600;

/// The shortest pause between two alarms, in seconds.
pub const MIN_PAUSE: u64 = 30;

/// The longest pause before revocation is tried again, in seconds.
const MAX_PAUSE: u64 = 14_400;

/// What to do for somebody who needs a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Give them the link by which an account is connected.
    Link,
    /// Answer with the access token that is kept.
    Answer,
    /// What there is to do without a token: wait, or refresh.
    Obtain(Turn),
    /// The account has ended: its access token is not good any more, and nothing gives another.
    End,
}

/// The next step, for an account that may be there, and scopes that are needed and offered (by the settings).
#[must_use]
pub fn next(account: &Account, needed: &[String], offered: &[String], now: u64) -> Step {
    let scopes = &account.tokens.scopes;
    if account.ended_at.is_some() || !covers(scopes, needed) {
        return Step::Link;
    }
    // The operator has taken a scope away: a narrower token is obtained.
    let is_offered = is_within_offer(scopes, offered);
    let can_refresh = account.tokens.refresh_sealed.is_some();
    if is_offered && account.tokens.access.as_ref().is_some_and(|access| is_good(access, can_refresh, now)) {
        return Step::Answer;
    }
    match (&account.tokens.refresh_sealed, is_offered) {
        (Some(_), _) => Step::Obtain(turn(account.attempt.as_ref(), account.failed_until, now)),
        (None, true) => Step::End,
        (None, false) => Step::Link,
    }
}

/// What can be refreshed is not trusted longer than it lasts when the clock goes back. Otherwise that would end the account: the
/// service says when.
fn is_good(access: &AccessToken, can_refresh: bool, now: u64) -> bool {
    let length = |seconds| if can_refresh { seconds } else { u64::MAX };
    access.seconds.is_none_or(|seconds| is_within(access.until, length(seconds), now))
}

/// For how many seconds an access token is used from `now` on; `None`: until the service refuses it. `until` is when it ends,
/// as far as the service has said.
#[must_use]
pub fn seconds_of_use(until: Option<u64>, has_refresh_token: bool, now: u64) -> Option<u64> {
    match until {
        Some(until) => {
            let life = until.saturating_sub(now);
            Some(life - MARGIN_SECONDS.min(life / 2))
        }
        None => has_refresh_token.then_some(UNKNOWN_LIFE_SECONDS),
    }
}

/// Whether `granted` (separated by spaces) has all that are needed.
#[must_use]
pub fn covers(granted: &str, needed: &[String]) -> bool {
    needed.iter().all(|scope| granted.split(' ').any(|it| it == scope))
}

/// Whether all of `scopes` are offered. A connection without scopes limits none.
#[must_use]
pub fn is_within_offer(scopes: &str, offered: &[String]) -> bool {
    offered.is_empty() || words(scopes).all(|scope| offered.iter().any(|it| it == scope))
}

/// Those of `scopes` that are offered, separated by spaces.
#[must_use]
pub fn offered_of(scopes: &str, offered: &[String]) -> String {
    let is_offered = |scope: &&str| offered.is_empty() || offered.iter().any(|it| it == scope);
    words(scopes).filter(is_offered).collect::<Vec<_>>().join(" ")
}

/// What a link asks for: what was granted already and what is needed; if that is nothing, everything that is offered.
#[must_use]
pub fn asked(granted: &str, needed: &[String], offered: &[String]) -> Vec<String> {
    let granted: Vec<String> = words(&offered_of(granted, offered)).map(str::to_owned).collect();
    let further = needed.iter().filter(|scope| !granted.contains(scope)).cloned();
    let mut asked: Vec<String> = granted.iter().cloned().chain(further).collect();
    if asked.is_empty() {
        asked = offered.to_vec();
    }
    asked.sort();
    asked.dedup();
    asked
}

/// Whether every one of `scopes` is in `limit`; both are separated by spaces.
#[must_use]
pub fn is_subset(scopes: &str, limit: &str) -> bool {
    words(scopes).all(|scope| words(limit).any(|it| it == scope))
}

fn words(scopes: &str) -> impl Iterator<Item = &str> {
    scopes.split(' ').filter(|scope| !scope.is_empty())
}

/// Whether a hold can still be confirmed.
#[must_use]
pub const fn is_held(hold: &Hold, now: u64) -> bool {
    is_within(hold.until, HOLD_SECONDS + CLOCK_SLACK_SECONDS, now)
}

/// Whether a link is good that is to end then.
#[must_use]
pub const fn is_link_good(until: u64, now: u64) -> bool {
    now < until && until <= last_link(now)
}

/// When the last link ends that can have been made until `now`, in seconds since 1970.
#[must_use]
pub const fn last_link(now: u64) -> u64 {
    now.saturating_add(LINK_SECONDS + CLOCK_SLACK_SECONDS)
}

/// Whether tokens of an account, issued to a client, may be revoked when they are used no more, beside others of the same connection
/// that are kept. Some services end everything that they have given to a client for an account when one token is revoked: tokens of
/// the same account, or of one that may be the same, are forgotten instead.
#[must_use]
pub fn may_revoke<'a>(
    account: Option<&AccountId>,
    client_id: &str,
    kept: impl IntoIterator<Item = &'a Tokens>,
) -> bool {
    let is_another = |tokens: &Tokens| {
        tokens.client_id != client_id || AccountId::is_same(account, tokens.account.as_ref()) == Some(false)
    };
    kept.into_iter().all(is_another)
}

/// Whether tokens are of another account than others of the same connection, as far as their user can see: by their ids; if one is
/// not known, by what the service calls them. An id is one of its authorization server.
#[must_use]
pub fn is_another_account(one: &Tokens, other: &Tokens) -> bool {
    one.from.issuer != other.from.issuer
        || AccountId::is_same(one.account.as_ref(), other.account.as_ref())
            .map_or_else(|| one.name != other.name, |is_same| !is_same)
}

/// How many seconds to wait after revocation has failed `tries` times: four times as long each time.
#[must_use]
pub fn pause(tries: u64) -> u64 {
    (0..tries.min(8)).fold(MIN_PAUSE, |pause, _| pause * 4).min(MAX_PAUSE)
}

/// When a departure is to be looked at again, in seconds since 1970.
#[must_use]
pub fn due(departure: &Departure) -> u64 {
    match departure.state {
        Revocation::Pending => departure.next_try,
        Revocation::Revoked | Revocation::NotOffered => departure.since.saturating_add(REMEMBERED_SECONDS),
    }
}

/// Whether a departure is to be forgotten.
#[must_use]
pub fn is_over(departure: &Departure, now: u64) -> bool {
    let seconds = match departure.state {
        Revocation::Pending => REVOCATION_SECONDS,
        Revocation::Revoked | Revocation::NotOffered => REMEMBERED_SECONDS,
    };
    now >= departure.since.saturating_add(seconds)
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Provenance;

    fn list(scopes: &str) -> Vec<String> {
        words(scopes).map(str::to_owned).collect()
    }

    fn tokens(name: &str, account: Option<AccountId>, client_id: &str) -> Tokens {
        Tokens {
            name: name.to_owned(),
            account,
            client_id: client_id.to_owned(),
            from: Provenance::default(),
            scopes: String::new(),
            access: None,
            refresh_sealed: None,
        }
    }

    #[test]
    fn access_tokens_are_used_until_a_minute_before_their_end() {
        for (until, has_refresh_token, seconds) in [
            (Some(4_600), true, Some(3_540)),
            (Some(1_090), false, Some(45)),
            (Some(1_001), true, Some(1)),
            (Some(1_000), true, Some(0)),
            (Some(10), true, Some(0)),
            (None, true, Some(300)),
            (None, false, None),
        ] {
            assert_eq!(seconds_of_use(until, has_refresh_token, 1_000), seconds, "{until:?}");
        }
    }

    #[test]
    fn a_link_asks_for_what_was_granted_and_what_is_needed() {
        let offered = list("a b c");
        assert_eq!(asked("", &list("b"), &offered), ["b"]);
        assert_eq!(asked("c gone", &list("b"), &offered), ["b", "c"], "what is offered no more is not asked for");
        assert_eq!(asked("", &[], &offered), offered, "any token will do");
        assert_eq!(asked("a", &[], &offered), ["a"]);
        assert_eq!(asked("b", &list("b"), &offered), ["b"]);
    }

    #[test]
    fn scopes_are_whole_words() {
        assert!(covers("repo read:user", &list("repo")) && covers("", &[]));
        assert!(!covers("repository", &list("repo")) && !covers("", &list("repo")));
        assert!(is_within_offer("a b", &list("b a")) && !is_within_offer("a b", &list("a")));
        assert!(is_within_offer("anything", &[]));
        assert!(is_subset("a", "a b") && is_subset("", "") && !is_subset("c", "a b"));
        assert_eq!(offered_of("a b c", &list("c a")), "a c");
    }

    #[test]
    fn tokens_of_the_same_account_are_not_revoked_beside_others() {
        let id = |value: &str| Some(AccountId { member: "sub".to_owned(), value: value.to_owned() });
        let kept = |account: Option<AccountId>, client_id: &str| tokens("octocat", account, client_id);
        let may = |account: Option<AccountId>, kept: &[Tokens]| may_revoke(account.as_ref(), "client", kept);
        assert!(may(id("1"), &[]) && may(None, &[]));
        assert!(may(id("1"), &[kept(id("2"), "client")]));
        assert!(may(id("1"), &[kept(id("1"), "another client")]) && may(None, &[kept(None, "another client")]));
        for (account, other) in [(id("1"), id("1")), (id("1"), None), (None, id("1")), (None, None)] {
            assert!(!may(account.clone(), &[kept(id("2"), "another client"), kept(other, "client")]), "{account:?}");
        }
    }

    #[test]
    fn accounts_are_compared_by_their_ids_and_by_their_names_if_one_has_none() {
        let id = |value: &str| Some(AccountId { member: "sub".to_owned(), value: value.to_owned() });
        let another = |one: (&str, Option<AccountId>), other: (&str, Option<AccountId>)| {
            is_another_account(&tokens(one.0, one.1, "client"), &tokens(other.0, other.1, "client"))
        };
        assert!(!another(("alice", id("1")), ("alice (id 1)", id("1"))), "however it is shown");
        assert!(another(("alice", id("1")), ("alice", id("2"))), "a name that two users chose");
        assert!(!another(("alice", None), ("alice", id("1"))) && another(("alice", None), ("bob", id("1"))));
        let mut elsewhere = tokens("alice", id("1"), "client");
        elsewhere.from.issuer = "https://other.example.com".to_owned();
        assert!(is_another_account(&tokens("alice", id("1"), "client"), &elsewhere), "another server's user 1");
    }

    #[test]
    fn pauses_grow() {
        assert_eq!([0, 1, 2, 3, 9].map(pause), [30, 120, 480, 1_920, 14_400]);
    }
}
