//! Connections: what endpoints ask for, by kind.
//!
//! | module | what it contains |
//! |---|---|
//! | [`settings`] | the table `CONNECTIONS` |
//! | [`read`] | how it is read and checked |
//! | [`address`] | where services may be |
//! | [`caller`] | who asks, verified here |
//! | [`source`] | where tokens come from: one implementation for each kind but `connect` |

pub mod address;
pub mod caller;
pub mod read;
pub mod settings;
pub mod source;
