//! A gateway: passes MCP messages on to a server that exists already, for callers whose token was verified.
//!
//! What a client sent is never forwarded as it is. A message is read strictly, access is decided on its names, and it is
//! written anew together with its headers; the upstream learns who is calling from an assertion that the gateway signs, and
//! never sees the client's token.
//!
//! # A request's way
//!
//! | module | what it contains |
//! |---|---|
//! | [`gateway`] | the way itself: read, authorize, forward, answer |
//! | [`envelope`] | messages of clients: read strictly, rebuilt; the methods that are passed on, and what each is about |
//! | [`access`] | who may use which tool, prompt and resource: tables of patterns (`TOOL_SCOPES` and its siblings) |
//! | [`upstream`] | the server behind the gateway, and what is sent to it |
//! | [`eras`] | which eras of MCP the upstream speaks |
//! | [`credentials`] | what the gateway shows the upstream: signed assertions and their keys, or a secret |
//! | [`session`] | session ids of the upstream, sealed for one caller |
//! | [`answer`] | from its response to the client's |
//! | [`results`] | the results that are read: lists without what a caller may not use, `initialize`, `server/discover` |
//! | [`pins`] | definitions of tools that an operator has approved (`TOOL_PINS`) |
//! | [`load`] | how much memory the requests that wait for an upstream hold |
//! | [`failure`] | every way in which an upstream can fail, and what clients see of it |
//! | [`settings`] | the settings of a gateway |

pub mod access;
pub mod answer;
pub mod credentials;
pub mod envelope;
pub mod eras;
pub mod failure;
pub mod gateway;
pub mod load;
pub mod pins;
pub mod results;
pub mod session;
pub mod settings;
pub mod upstream;

#[cfg(test)]
mod tests;
