//! The object of one user: the list of their keys.
//!
//! | module | what it contains |
//! |---|---|
//! | [`message`] | what the object is asked, and what it answers |

pub mod message;
