//! Exchanges in flight, and failures of a moment ago.
//!
//! They are in the memory of the isolate, not in storage: an object is in one isolate at a time, and an exchange that a crash
//! has cut off can be repeated without harm.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, hash_map::Entry},
};

use super::exchange::ExchangeError;

/// How long a refusal is remembered, in seconds.
pub const REMEMBERED_SECONDS: u64 = 10;

/// How long the provider is spared after it could not be asked, in seconds.
pub const SPARED_SECONDS: u64 = 5;

/// How long an exchange may take, in seconds: a request that was cut off may never end its own.
const LEASE_SECONDS: u64 = 20;

/// More objects than one isolate has.
const MAX_FLIGHTS: usize = 1_000;

/// What is in flight in an isolate, by the names of objects.
#[derive(Debug, Default)]
pub struct Flights {
    flights: RefCell<HashMap<String, Flight>>,
    /// How many were begun.
    begun: Cell<u64>,
}

#[derive(Debug)]
enum Flight {
    Running { number: u64, from: u64 },
    Failed { error: ExchangeError, from: u64, until: u64 },
}

impl Flight {
    /// Whether it says anything at `now`. A clock that has gone back says nothing of what lies ahead.
    fn counts(&self, now: u64) -> bool {
        match self {
            Self::Running { from, .. } => (*from..from + LEASE_SECONDS).contains(&now),
            Self::Failed { from, until, .. } => (*from..*until).contains(&now),
        }
    }
}

/// What is known of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It is in flight.
    Running,
    /// It failed a moment ago.
    Failed {
        /// Why.
        error: ExchangeError,
        /// Seconds until it makes sense to ask again.
        retry_after: u64,
    },
}

/// An exchange in flight. It has ended when this is dropped, however that happens.
pub struct Running<'f> {
    flights: &'f Flights,
    name: String,
    number: u64,
}

impl Flights {
    /// What is known of the exchange of an object.
    #[must_use]
    pub fn find(&self, name: &str, now: u64) -> Option<Known> {
        match self.flights.borrow().get(name).filter(|flight| flight.counts(now))? {
            Flight::Running { .. } => Some(Known::Running),
            Flight::Failed { error, until, .. } => {
                Some(Known::Failed { error: error.clone(), retry_after: until - now })
            }
        }
    }

    /// Begins an exchange. `None`: one is in flight.
    #[must_use]
    pub fn begin(&self, name: &str, now: u64) -> Option<Running<'_>> {
        let mut flights = self.flights.borrow_mut();
        flights.retain(|_, flight| flight.counts(now));
        if flights.len() >= MAX_FLIGHTS {
            flights.retain(|_, flight| matches!(flight, Flight::Running { .. }));
        }
        let number = self.begun.get() + 1;
        self.begun.set(number);
        match flights.entry(name.to_owned()) {
            Entry::Occupied(running) if matches!(running.get(), Flight::Running { .. }) => return None,
            entry => drop(entry.insert_entry(Flight::Running { number, from: now })),
        }
        Some(Running { flights: self, name: name.to_owned(), number })
    }
}

impl Running<'_> {
    /// Ends the exchange with an error, which is remembered for a moment.
    pub fn fail(self, error: ExchangeError, now: u64) {
        let seconds = match error {
            ExchangeError::Refused => REMEMBERED_SECONDS,
            ExchangeError::Unavailable(_) => SPARED_SECONDS,
        };
        let failed = Flight::Failed { error, from: now, until: now + seconds };
        if self.is_own() {
            self.flights.flights.borrow_mut().insert(self.name.clone(), failed);
        }
    }

    /// Whether no other exchange has taken its place, for it took too long.
    fn is_own(&self) -> bool {
        let flights = self.flights.flights.borrow();
        matches!(flights.get(&self.name), Some(Flight::Running { number, .. }) if *number == self.number)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.is_own() {
            self.flights.flights.borrow_mut().remove(&self.name);
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_that_never_ends_gives_way_and_disturbs_the_next_one_no_more() {
        let flights = Flights::default();
        let lost = flights.begin("a", 100).unwrap();
        assert_eq!(flights.find("a", 119), Some(Known::Running));
        assert!(flights.begin("a", 119).is_none());
        assert_eq!(flights.find("a", 120), None);
        let next = flights.begin("a", 120).unwrap();
        lost.fail(ExchangeError::Refused, 121);
        assert_eq!(flights.find("a", 121), Some(Known::Running), "the first one says nothing any more");
        drop(next);
        assert_eq!(flights.find("a", 121), None);
    }
}
