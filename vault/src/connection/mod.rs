//! Connections: what endpoints ask for, by kind.
//!
//! | module | what it contains |
//! |---|---|
//! | [`settings`] | the table `CONNECTIONS` |
//! | [`read`] | how it is read and checked |
//! | [`address`] | where services may be |
//! | [`agent`], [`caller`] | the software that asks; who asks, verified here |
//! | [`answer`] | what endpoints ask, answered |
//! | [`source`], [`sources`] | where tokens come from: one implementation for each kind but `connect` and `static` |

pub mod address;
pub mod agent;
pub mod answer;
pub mod caller;
pub mod read;
pub mod settings;
pub mod source;
pub mod sources;
