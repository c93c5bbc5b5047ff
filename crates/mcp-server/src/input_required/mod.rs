//! Input requests over several rounds (multi round-trip requests, MCP 2026-07-28, basic/patterns/mrtr).
//!
//! | module | what it contains |
//! |---|---|
//! | [`inputs`], [`form`] | the requests a handler makes of its client, and the responses to them |
//! | [`request_state`] | seals what must be known in the next round |
//! | [`finish`] | makes the result of what a handler returned, input requests included |

pub(super) mod finish;
pub(super) mod form;
pub(super) mod inputs;
pub(super) mod request_state;
