//! How many questions about unknown tokens the provider is asked.
//!
//! Anybody can invent opaque tokens, and each one would make a request to the provider. So the questions that are open
//! or that came to nothing are counted, per isolate and in windows of time: a flood of invented tokens ends as "try
//! again later" here and not as a flood there. A token that is good counts only while it is being asked about.

/// Length of a window.
pub const WINDOW_SECONDS: u64 = 10;

/// Questions in one window that may be open or have come to nothing. Honest clients cause a handful at most: with an
/// expired token each.
pub const QUESTIONS: u32 = 50;

/// The count of one isolate.
#[derive(Debug, Default)]
pub struct Budget {
    since: u64,
    in_vain: u32,
    open: u32,
}

/// Whether a question may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// It may; report with [`Budget::answered`].
    Granted,
    /// Too many are open: worth another look in a moment.
    Later,
    /// Too many came to nothing: not before so many seconds.
    Exhausted(u64),
}

impl Budget {
    /// Asks for permission at `now` (seconds since 1970).
    pub fn ask(&mut self, now: u64) -> Permission {
        if now >= self.since + WINDOW_SECONDS {
            // Questions are forgotten as well: one whose client went away is never answered, and none takes so long.
            *self = Self { since: now, ..Self::default() };
        }
        if self.in_vain >= QUESTIONS {
            return Permission::Exhausted(self.since + WINDOW_SECONDS - now);
        }
        if self.in_vain + self.open >= QUESTIONS {
            return Permission::Later;
        }
        self.open += 1;
        Permission::Granted
    }

    /// Reports that a question was answered, and whether the token was good.
    pub fn answered(&mut self, good: bool) {
        self.open = self.open.saturating_sub(1);
        self.in_vain += u32::from(!good);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_invented_tokens_is_cut_off_and_forgotten_after_a_while() {
        let mut budget = Budget::default();
        for _ in 0..QUESTIONS {
            assert_eq!(budget.ask(100), Permission::Granted);
            budget.answered(false);
        }
        assert_eq!(budget.ask(103), Permission::Exhausted(WINDOW_SECONDS - 3));
        assert_eq!(budget.ask(100 + WINDOW_SECONDS), Permission::Granted);
    }

    #[test]
    fn questions_that_are_never_answered_do_not_close_the_door_for_good() {
        let mut budget = Budget::default();
        while budget.ask(100) == Permission::Granted {}
        assert_eq!(budget.ask(100 + WINDOW_SECONDS), Permission::Granted);
    }

    #[test]
    fn good_tokens_count_only_while_they_are_asked_about() {
        let mut budget = Budget::default();
        for _ in 0..QUESTIONS {
            assert_eq!(budget.ask(100), Permission::Granted);
        }
        assert_eq!(budget.ask(100), Permission::Later);
        for _ in 0..QUESTIONS {
            budget.answered(true);
        }
        assert_eq!(budget.ask(100), Permission::Granted);
    }
}
