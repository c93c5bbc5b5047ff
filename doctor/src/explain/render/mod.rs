//! Rendering of an explanation: for people in a terminal, and as JSON for programs.

pub mod json;
pub mod report;
pub mod terminal;
