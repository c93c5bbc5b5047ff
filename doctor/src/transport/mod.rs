//! HTTP over the network: what every way of opening connections has in common, and the two ways.
//!
//! ```text
//!   http::HttpClient ◀── native   connections of this process (ureq)
//!          ▲
//!          └──────────── host     connections of Node.js, for the doctor that is compiled to WebAssembly
//! ```
//!
//! Both send the same bytes, read as much of a response, and name a failure with the same words: [`address`], [`body`],
//! [`failure`], [`secrets`], [`certificates`](mod@certificates). `tests/doctor-in-node.test.mjs` compares them.

pub mod address;
pub mod body;
pub mod certificates;
pub mod failure;
#[cfg(target_family = "wasm")]
pub mod host;
#[cfg(not(target_family = "wasm"))]
pub mod native;
#[cfg(any(target_family = "wasm", test))]
mod node_error;
pub mod secrets;

use std::time::Duration;

use self::{certificates::Certificates, secrets::Secrets};

/// The doctor's own `User-Agent`. Probes that test bot protection replace it.
pub const USER_AGENT: &str = concat!("mcp-edge-doctor/", env!("CARGO_PKG_VERSION"));

/// How connections are opened.
#[derive(Debug, Clone)]
pub struct ConnectionOptions {
    /// Applies to each request as a whole.
    pub timeout: Duration,
    /// Without them Mozilla's list is trusted, as hosted MCP clients do; with them only these.
    pub authorities: Option<Certificates>,
    /// What is removed from every response.
    pub secrets: Secrets,
}
