//! How much memory the calls that are running hold, and which can be let in beside them.
//!
//! A body is measured in bytes, but what a handler gets of it is held for as long as the handler waits for something, and
//! several may be waiting. WebAssembly that cannot have more memory ends, and all requests in the isolate with it. So
//! a call whose arguments do not fit beside those of others is refused before they are built, to be sent again.
//!
//! Light calls are not held back: a client that calls one tool with much must not keep others from calling with little.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
    time::Duration,
};

/// Calls with less than 256 KiB of arguments are not held back by others: an isolate has room for hundreds.
pub const LIGHT_BYTES: usize = 256 * 1024;

/// 24 MiB for the arguments of all other calls that are running in an isolate, or one call. Of its 128 MB, JavaScript takes
/// a third; reading the largest call that is let in takes 38 MiB, and a result is copied several times on its way out.
pub const HELD_BYTES: usize = 24 * 1024 * 1024;

/// What the calls in an isolate hold together.
#[derive(Default)]
pub struct Load(RefCell<Vec<Weak<Reservation>>>);

/// Memory that a call may use as long as it keeps this.
#[derive(Debug)]
pub struct Reservation {
    bytes: usize,
    /// Seconds since 1970.
    until: u64,
}

impl Load {
    /// Lets a call in that holds so many bytes for no longer than `time`, or not. Nothing is kept of a light one. One call
    /// alone is admitted regardless of what it holds: what it may hold has limits of its own.
    ///
    /// The time matters for calls whose clients have left: the runtime forgets them without dropping anything.
    ///
    /// # Errors
    /// If there is no room for it.
    pub fn admit(&self, bytes: usize, now: u64, time: Duration) -> Result<Option<Rc<Reservation>>, Overloaded> {
        if bytes <= LIGHT_BYTES {
            return Ok(None);
        }
        let mut all = self.0.borrow_mut();
        let mut sum = 0;
        all.retain(|held| {
            let running = held.upgrade().filter(|held| now <= held.until);
            sum += running.as_ref().map_or(0, |held| held.bytes);
            running.is_some()
        });
        if sum > 0 && sum + bytes > HELD_BYTES {
            return Err(Overloaded);
        }
        let held = Rc::new(Reservation { bytes, until: now + time.as_secs() + 1 });
        all.push(Rc::downgrade(&held));
        Ok(Some(held))
    }
}

/// There is no room beside the calls that are running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overloaded;

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;
    const TIME: Duration = Duration::from_mins(1);

    fn admits(load: &Load, bytes: usize, now: u64) -> Result<Option<Rc<Reservation>>, Overloaded> {
        load.admit(bytes, now, TIME)
    }

    #[test]
    fn calls_are_let_in_as_long_as_there_is_room() {
        let load = Load::default();
        let first = admits(&load, HELD_BYTES / 2, NOW);
        let second = admits(&load, HELD_BYTES / 2, NOW);
        assert!(first.is_ok() && second.is_ok());
        assert!(admits(&load, LIGHT_BYTES + 1, NOW).is_err());
        drop(second);
        assert!(admits(&load, LIGHT_BYTES + 1, NOW).is_ok());
    }

    #[test]
    fn one_call_alone_is_admitted_regardless_of_what_it_holds() {
        let load = Load::default();
        let alone = admits(&load, 2 * HELD_BYTES, NOW);
        assert!(alone.is_ok());
        assert!(admits(&load, 2 * HELD_BYTES, NOW).is_err());
        drop(alone);
        assert!(admits(&load, 2 * HELD_BYTES, NOW).is_ok());
    }

    #[test]
    fn light_calls_are_let_in_always() {
        let load = Load::default();
        let _heavy = admits(&load, 2 * HELD_BYTES, NOW);
        assert!(matches!(admits(&load, LIGHT_BYTES, NOW), Ok(None)));
    }

    #[test]
    fn what_was_never_dropped_counts_no_longer_than_a_handler_may_take() {
        let load = Load::default();
        let forgotten = admits(&load, HELD_BYTES, NOW);
        assert!(admits(&load, HELD_BYTES, NOW + TIME.as_secs()).is_err());
        assert!(admits(&load, HELD_BYTES, NOW + TIME.as_secs() + 2).is_ok());
        drop(forgotten);
    }
}
