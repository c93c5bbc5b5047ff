//! The object of one user's connected accounts: their tokens, sealed; the one refresh at a time; links and what waits for
//! confirmation.
//!
//! | module | what it contains |
//! |---|---|
//! | [`message`] | what it is asked, and what it answers |
//! | [`client`] | calls of the object |

pub mod client;
pub mod message;
