//! Access keys: what an endpoint and the vault both know of them.
//!
//! | module | what it contains |
//! |---|---|
//! | [`mod@format`] | how a key is written: prefix, id, secret, checksum |
//! | [`vault_call`] | the messages between an endpoint and the vault |

pub mod format;
pub mod vault_call;
