//! Checks a remote MCP server and its identity provider from outside, as a client would, and says how to mend what is
//! wrong.
//!
//! ```text
//!   options ─▶ examine ─▶ record ─▶ checks ─▶ report ─▶ render
//!                 │                   │
//!               wire                finding: slugs and texts
//! ```
//!
//! [`examine`](mod@examine) asks, over [`wire`], and writes down what came back: a [`record`] of plain exchanges.
//! [`checks`] are pure functions over that record, one for each [`Check`](finding::Check); a test starts from the
//! record of a good server and changes one thing. [`render`] shows the report to people or to programs.
//!
//! It shares no code with the server it judges: a parser used on both sides would hide its own mistakes.

pub mod challenge;
pub mod checks;
pub mod clients;
pub mod examine;
pub mod exchange;
pub mod finding;
pub mod message;
pub mod options;
pub mod record;
pub mod render;
pub mod report;
pub mod target;
#[cfg(test)]
mod testing;
pub mod token;
pub mod token_kind;
pub mod wire;
