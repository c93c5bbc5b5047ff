//! Connections: access to other services for the caller of a tool, with the caller's consent.
//!
//! A connection has a name, such as `github`. What it is, the vault's setting `CONNECTIONS` says: which service, in which way
//! tokens for it are obtained, and which scopes may be asked for. Who asks for a token knows the name alone.
//!
//! | module | what it contains |
//! |---|---|
//! | [`access`] | a token of a service, and where it may be sent |
//! | [`name`] | names of connections |
//! | [`port`] | [`Connections`](port::Connections), which tools and the gateway ask, and why there may be no token |
//! | [`vault_call`] | the messages to the vault, and its answers |
//! | [`by_vault`] | connections for one caller, by calls of the vault |

pub mod access;
pub mod by_vault;
pub mod name;
pub mod port;
pub mod vault_call;
