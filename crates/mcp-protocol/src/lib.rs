//! The messages of the Model Context Protocol as data, for those who answer them or pass them on (MCP 2026-07-28 and
//! earlier revisions).
//!
//! | module | what it contains |
//! |---|---|
//! | [`jsonrpc`], [`params`] | JSON-RPC 2.0: reads a message as far as needed, writes responses |
//! | [`members`] | JSON that is passed on: members and elements as they are, names that differ in case |
//! | [`revision`], [`method`], [`era`] | the revisions and methods, and which era a request belongs to |
//! | [`headers`], [`post`] | the headers that repeat parts of the body; what a POST must be before its body is read |
//! | [`security_schemes`] | which scopes the callers of a tool need, in lists |
//! | [`load`] | how much memory the calls that are running hold |
//! | [`error`], [`outcome`] | every error code with its HTTP status; how requests end |
//!
//! Nothing here knows what a server offers, or who calls it.

pub mod era;
pub mod error;
pub mod headers;
pub mod jsonrpc;
pub mod load;
pub mod members;
pub mod method;
pub mod outcome;
pub mod params;
pub mod post;
pub mod revision;
pub mod security_schemes;
