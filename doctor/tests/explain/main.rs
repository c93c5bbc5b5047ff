//! `explain` on a good token, and on one token for each check that can refuse it.

mod case;
mod observations;
mod refusals;
mod reports;
