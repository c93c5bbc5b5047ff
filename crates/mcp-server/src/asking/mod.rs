//! Asking the client back over several rounds (MCP 2026-07-28, basic/patterns/mrtr).
//!
//! | module | what it does |
//! |---|---|
//! | [`input`], [`form`] | questions and answers |
//! | [`state`] | seals what must be known in the next round |
//! | [`ending`] | turns what a handler came to into a result, questions included |

pub(super) mod ending;
pub(super) mod form;
pub(super) mod input;
pub(super) mod state;
