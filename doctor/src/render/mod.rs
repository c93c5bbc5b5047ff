//! Rendering of a report: for people in a terminal, and as JSON for programs.

pub mod json;
pub mod layout;
pub mod terminal;
