//! How a report looks: for people in a terminal, and for programs.

pub mod json;
pub mod terminal;
