//! The object of one access key.
//!
//! | module | what it contains |
//! |---|---|
//! | [`message`] | what the object is asked, and what it answers |

pub mod message;
