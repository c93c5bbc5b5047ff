//! Limit on requests about unknown tokens: introspection, and the exchange of other credentials, each with a limiter of its own.
//!
//! Anybody can invent opaque tokens and keys, and each one would make a request to the provider or the vault. So the requests
//! that are open or found no good token are counted, per isolate and in windows of time: a flood of invented tokens ends as
//! "try again later" here and not as a flood there. A token that is good counts only while it is being asked about.

/// Length of a window.
pub const WINDOW_SECONDS: u64 = 10;

/// Requests in one window that may be open or have found no good token. Honest clients cause a handful at most: with an
/// expired token each.
pub const MAX_QUESTIONS: u32 = 50;

/// The same for access keys. The vault knows an invented one by its id, without asking anybody; and a job that begins with a
/// key that this isolate has not seen must not have to wait for a stranger who invents some.
pub const MAX_KEY_QUESTIONS: u32 = 1_000;

/// The requests of one isolate.
#[derive(Debug)]
pub struct IntrospectionLimiter {
    max: u32,
    since: u64,
    failed: u32,
    open: u32,
}

/// Whether a request may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may; report the answer with [`IntrospectionLimiter::answered`].
    Granted,
    /// Too many are open: try again in a moment.
    Later,
    /// Too many found no good token: not before so many seconds.
    Exhausted(u64),
}

/// Admits [`MAX_QUESTIONS`].
impl Default for IntrospectionLimiter {
    fn default() -> Self {
        Self::new(MAX_QUESTIONS)
    }
}

impl IntrospectionLimiter {
    /// Creates a limiter that admits so many requests in one window.
    #[must_use]
    pub const fn new(max: u32) -> Self {
        Self { max, since: 0, failed: 0, open: 0 }
    }

    /// Admits a request at `now` (seconds since 1970), or not.
    pub fn admit(&mut self, now: u64) -> Admission {
        if now >= self.since + WINDOW_SECONDS {
            // Open requests are forgotten as well: one whose client went away is never answered, and none takes so long.
            *self = Self { since: now, ..Self::new(self.max) };
        }
        if self.failed >= self.max {
            return Admission::Exhausted(self.since + WINDOW_SECONDS - now);
        }
        if self.failed + self.open >= self.max {
            return Admission::Later;
        }
        self.open += 1;
        Admission::Granted
    }

    /// Reports that a request was answered, and whether the token was good.
    pub fn answered(&mut self, good: bool) {
        self.open = self.open.saturating_sub(1);
        self.failed += u32::from(!good);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_invented_tokens_is_cut_off_and_forgotten_after_a_while() {
        let mut limiter = IntrospectionLimiter::default();
        for _ in 0..MAX_QUESTIONS {
            assert_eq!(limiter.admit(100), Admission::Granted);
            limiter.answered(false);
        }
        assert_eq!(limiter.admit(103), Admission::Exhausted(WINDOW_SECONDS - 3));
        assert_eq!(limiter.admit(100 + WINDOW_SECONDS), Admission::Granted);
    }

    #[test]
    fn requests_that_are_never_answered_do_not_block_others_for_good() {
        let mut limiter = IntrospectionLimiter::default();
        while limiter.admit(100) == Admission::Granted {}
        assert_eq!(limiter.admit(100 + WINDOW_SECONDS), Admission::Granted);
    }

    #[test]
    fn good_tokens_count_only_while_they_are_asked_about() {
        let mut limiter = IntrospectionLimiter::default();
        for _ in 0..MAX_QUESTIONS {
            assert_eq!(limiter.admit(100), Admission::Granted);
        }
        assert_eq!(limiter.admit(100), Admission::Later);
        for _ in 0..MAX_QUESTIONS {
            limiter.answered(true);
        }
        assert_eq!(limiter.admit(100), Admission::Granted);
    }
}
