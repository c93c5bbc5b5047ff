//! The protocol as data: JSON-RPC messages, revisions, methods, errors and results.
//!
//! | module | what it contains |
//! |---|---|
//! | [`jsonrpc`], [`params`] | JSON-RPC 2.0: reads a message as far as needed, writes responses |
//! | [`size`] | measures a JSON text before it is parsed |
//! | [`revision`], [`method`], [`era`] | the revisions and methods, and which era a request belongs to |
//! | [`error`], [`outcome`] | every error code with its HTTP status; results in the form of either era |
//! | [`notification`] | progress and log messages that a handler sends while it runs |

pub(super) mod era;
pub(super) mod error;
pub(super) mod jsonrpc;
pub(super) mod method;
pub(super) mod notification;
pub(super) mod outcome;
pub(super) mod params;
pub(super) mod revision;
pub(super) mod size;
