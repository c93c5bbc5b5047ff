//! What services are asked, and which answers are taken.

mod accounts;
mod discovering;
mod registering;
mod round_trips;
mod world;
