//! The lease of a refresh, of which an object has one at a time.
//!
//! Several requests are in the object at once: while one awaits the authorization server, others arrive. One of them refreshes,
//! and says so in the row before it asks; the others look at the row again and again and take the outcome. The one that
//! refreshes must be done after [`REFRESH_SECONDS`]; after [`ATTEMPT_SECONDS`] the attempt counts no longer, since a crash
//! leaves it behind.
//!
//! The clock may jump when an object moves. Nothing that is kept lasts longer than its own length from now on.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use mcp_edge_runtime::ports::Runtime;

/// The lease of an attempt, in seconds: how long others wait for it at most.
pub const ATTEMPT_SECONDS: u64 = 15;

/// How many seconds a refresh may take. Less than an attempt lasts: two in flight would send one refresh token twice, and a
/// server that rotates them takes that for theft.
pub const REFRESH_SECONDS: u64 = 12;

/// For how many seconds the authorization server is spared after a failure.
pub const SPARED_SECONDS: u64 = 5;

/// How long a request waits for another one's refresh, in milliseconds.
const PATIENCE_MILLISECONDS: u64 = 10_000;

/// How often it looks, in milliseconds.
const POLL_MILLISECONDS: u64 = 50;

/// How exactly time is measured while the authorization server is asked, in milliseconds.
const TICK_MILLISECONDS: u64 = 500;

/// A refresh in flight, which one request carries out and others wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Chosen at random.
    pub id: String,
    /// When the request that carries it out must have ended, in seconds since 1970.
    pub until: u64,
}

/// What to do without a token that is good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Say that the authorization server failed a moment ago.
    Spare {
        /// Seconds.
        retry_after: u64,
    },
    /// Wait for another request's refresh.
    Wait,
    /// The same, after the attempt was given its whole length from now on: it was begun by a clock that was ahead.
    Shorten,
    /// Refresh.
    Refresh,
}

/// Whose turn it is, by the attempt in flight and the moment until which the authorization server is spared.
#[must_use]
pub fn turn(attempt: Option<&Attempt>, failed_until: u64, now: u64) -> Turn {
    match attempt {
        Some(attempt) if is_within(attempt.until, ATTEMPT_SECONDS, now) => return Turn::Wait,
        Some(attempt) if now < attempt.until => return Turn::Shorten,
        _ => {}
    }
    if is_within(failed_until, SPARED_SECONDS, now) {
        return Turn::Spare { retry_after: failed_until - now };
    }
    Turn::Refresh
}

/// Whether something lasts still that lasts `length` seconds, until `until`. What lasts longer than that was begun by a clock
/// that was ahead, and does not count.
#[must_use]
pub const fn is_within(until: u64, length: u64, now: u64) -> bool {
    now < until && until <= now.saturating_add(length)
}

/// How long a request has waited for what another one does.
#[derive(Debug)]
pub struct Patience {
    waited: u64,
    limit: u64,
    pause: u64,
}

/// For another one's refresh.
impl Default for Patience {
    fn default() -> Self {
        Self::new(PATIENCE_MILLISECONDS, POLL_MILLISECONDS)
    }
}

impl Patience {
    /// Creates patience for `limit` milliseconds, with a look after each `pause` milliseconds.
    #[must_use]
    pub const fn new(limit: u64, pause: u64) -> Self {
        Self { waited: 0, limit, pause }
    }

    /// Waits until it is time to look again. `false`: it has waited long enough.
    pub async fn wait(&mut self, runtime: &impl Runtime) -> bool {
        if self.waited >= self.limit {
            return false;
        }
        runtime.sleep(Duration::from_millis(self.pause)).await;
        self.waited += self.pause;
        true
    }

    /// The seconds that have passed for certain.
    #[must_use]
    pub const fn seconds(&self) -> u64 {
        self.waited / 1_000
    }
}

/// Waits for `work`, at most [`REFRESH_SECONDS`]: measured by waiting, since a clock that jumps must not lose an answer.
pub async fn timed<T>(runtime: &impl Runtime, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut milliseconds = 0;
    while milliseconds < REFRESH_SECONDS * 1000 {
        match select(work, runtime.sleep(Duration::from_millis(TICK_MILLISECONDS))).await {
            Either::Left((output, _)) => return Some(output),
            Either::Right(((), unfinished)) => work = unfinished,
        }
        milliseconds += TICK_MILLISECONDS;
    }
    None
}
