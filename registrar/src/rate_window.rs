//! Counting in periods of an hour.

use std::{cell::RefCell, collections::HashMap};

use serde::{Deserialize, Serialize};

/// The length of a period.
pub const WINDOW_SECONDS: u64 = 3_600;

/// A count in one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Window {
    /// When the period began, seconds since 1970.
    pub began: u64,
    /// How many since.
    pub count: u32,
}

impl Window {
    /// Whether the period lasts at `now`.
    #[must_use]
    pub const fn is_current(self, now: u64) -> bool {
        self.began <= now && now < self.began + WINDOW_SECONDS
    }

    /// Counts one more at `now`.
    ///
    /// # Errors
    /// The seconds until the next period, if `limit` is reached.
    pub fn count(self, now: u64, limit: u32) -> Result<Self, u64> {
        let current = if self.is_current(now) { self } else { Self { began: now, count: 0 } };
        if current.count >= limit {
            return Err((current.began + WINDOW_SECONDS).saturating_sub(now).max(1));
        }
        Ok(Self { count: current.count + 1, ..current })
    }

    /// Merges two views of the same activity: the fuller one if their periods overlap, otherwise the later.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let (early, late) = if other.began < self.began { (other, self) } else { (self, other) };
        if early.is_current(late.began) && early.count > late.count { early } else { late }
    }
}

/// The most windows that an isolate keeps: a megabyte.
const MAX_WINDOWS: usize = 10_000;

/// Windows in the memory of an isolate, by what is counted.
#[derive(Default)]
pub struct Windows(RefCell<HashMap<String, Window>>);

impl Windows {
    /// Counts one more at `now`. `stored` is what others have counted.
    ///
    /// # Errors
    /// The seconds until there may be another, if `limit` is reached.
    pub fn count(&self, key: &str, stored: Window, now: u64, limit: u32) -> Result<Window, u64> {
        let mut windows = self.0.borrow_mut();
        if windows.len() >= MAX_WINDOWS {
            windows.retain(|_, window| window.is_current(now));
            if windows.len() >= MAX_WINDOWS {
                windows.clear();
            }
        }
        let counted = windows.get(key).copied().unwrap_or_default().or(stored).count(now, limit)?;
        windows.insert(key.to_owned(), counted);
        Ok(counted)
    }

    /// Counts one less: what was counted did not take place.
    pub fn take_back(&self, key: &str) {
        if let Some(window) = self.0.borrow_mut().get_mut(key) {
            window.count = window.count.saturating_sub(1);
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn a_window_fills_up_and_ends() {
        let window = Window::default().count(NOW, 2).and_then(|it| it.count(NOW + 1, 2)).unwrap();
        assert_eq!(window.count(NOW + 600, 2), Err(3_000));
        assert_eq!(window.count(NOW + WINDOW_SECONDS, 2), Ok(Window { began: NOW + WINDOW_SECONDS, count: 1 }));
        assert_eq!(window.or(Window { began: NOW, count: 9 }).count, 9);
        assert_eq!(window.or(Window::default()), window);
    }

    #[test]
    fn two_views_of_a_flood_are_one_flood() {
        // Two isolates began to count at different moments; the later one must not make the other forget.
        let (full, later) = (Window { began: NOW, count: 2 }, Window { began: NOW + 1, count: 1 });
        assert!(full.or(later).count(NOW + 2, 2).is_err() && later.or(full).count(NOW + 2, 2).is_err());
    }
}
