//! For native tests: everything around the objects, in one process and with a clock of its own.
//!
//! | module | what it contains |
//! |---|---|
//! | [`clock`] | time that passes only while everybody waits, and the executor |
//! | [`sqlite`] | an object's storage: SQLite itself |
//! | [`provider`] | a provider that rotates refresh tokens and ends a grant when one is used twice |
//! | [`service`] | a service whose accounts are connected, of the same kind |
//! | [`store`] | a store that shows what was written only later |
//! | [`world`] | all of it as a [`Platform`](crate::platform::Platform), with objects that answer calls |

pub mod clock;
pub mod provider;
pub mod service;
pub mod sqlite;
pub mod store;
pub mod world;
