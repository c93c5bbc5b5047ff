//! Connections: what endpoints ask for, by kind.
//!
//! | module | what it contains |
//! |---|---|
//! | [`settings`] | the table `CONNECTIONS` |
//! | [`caller`] | who asks, verified here |
//! | [`source`] | where tokens come from: one implementation for each kind but `connect` |

pub mod caller;
pub mod settings;
pub mod source;
