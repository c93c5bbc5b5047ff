//! The registry natively: who may make how many clients, what becomes of repetitions, races and faults.

mod cleanup;
mod locations;
mod registry;
