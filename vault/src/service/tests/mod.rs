//! What services are asked, and which answers are taken.

mod accounts;
mod discovering;
mod moves;
mod refreshing;
mod registering;
mod round_trips;
mod world;
