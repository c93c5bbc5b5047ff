//! Exchanges in flight, and failures of a moment ago.
//!
//! They are in the memory of the isolate, not in storage: an object is in one isolate at a time, and an exchange that a crash
//! has cut off can be repeated without harm.

use std::{
    cell::RefCell,
    collections::{HashMap, hash_map::Entry},
};

use super::exchange::ExchangeError;

/// How long a refusal is remembered, in seconds.
pub const REMEMBERED_SECONDS: u64 = 10;

/// How long the provider is spared after it could not be asked, in seconds.
pub const SPARED_SECONDS: u64 = 5;

/// More objects than one isolate has.
const MAX_FLIGHTS: usize = 1_000;

/// What is in flight in an isolate, by the names of objects.
#[derive(Debug, Default)]
pub struct Flights(RefCell<HashMap<String, Flight>>);

#[derive(Debug)]
enum Flight {
    Running,
    Failed { error: ExchangeError, from: u64, until: u64 },
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
}

impl Flights {
    /// What is known of the exchange of an object.
    #[must_use]
    pub fn find(&self, name: &str, now: u64) -> Option<Known> {
        match self.0.borrow().get(name)? {
            Flight::Running => Some(Known::Running),
            // A clock that has gone back says nothing of what lies ahead.
            Flight::Failed { error, from, until } if (*from..*until).contains(&now) => {
                Some(Known::Failed { error: error.clone(), retry_after: until - now })
            }
            Flight::Failed { .. } => None,
        }
    }

    /// Begins an exchange. `None`: one is in flight.
    #[must_use]
    pub fn begin(&self, name: &str, now: u64) -> Option<Running<'_>> {
        let mut flights = self.0.borrow_mut();
        flights.retain(|_, flight| match flight {
            Flight::Running => true,
            Flight::Failed { from, until, .. } => (*from..*until).contains(&now),
        });
        if flights.len() >= MAX_FLIGHTS {
            flights.retain(|_, flight| matches!(flight, Flight::Running));
        }
        match flights.entry(name.to_owned()) {
            Entry::Occupied(running) if matches!(running.get(), Flight::Running) => return None,
            entry => drop(entry.insert_entry(Flight::Running)),
        }
        Some(Running { flights: self, name: name.to_owned() })
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
        self.flights.0.borrow_mut().insert(self.name.clone(), failed);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut flights = self.flights.0.borrow_mut();
        if matches!(flights.get(&self.name), Some(Flight::Running)) {
            flights.remove(&self.name);
        }
    }
}
