//! Examines a remote MCP server and its identity provider from outside, as an MCP client would, and reports problems
//! with their fixes.
//!
//! ```text
//!   program: options ─▶ examine ─▶ record ─▶ checks ─▶ report ─▶ render
//!      │                   │                   │
//!    system            transport            one row for each check
//! ```
//!
//! [`examine`](mod@examine) sends [probes](probe) over a [`transport`] and collects the exchanges in a [`record`].
//! [`checks`] are pure functions over that record, each with its [row](check::Check): slug, section, title, reason, fix
//! and affected clients. [`report`] collects the [findings](finding) and what they mean for each client, and [`render`]
//! writes them for people or as JSON.
//!
//! Of a [`gateway`], the upstream behind it is examined as well.
//!
//! [`program`] does what the command line asks for. It gets everything from outside through a [`system`]: this process, or
//! Node.js, for which the same program is compiled to WebAssembly (`doctor/node`).
//!
//! [`explain`] is another examination: of one token, with the settings of a deployment, without the deployment.
//!
//! The doctor shares no code with mcp-edge: a parser used by both would hide its own errors. It shares data about
//! identity providers.

pub mod challenge;
pub mod check;
pub mod checks;
pub mod clients;
pub mod examine;
pub mod explain;
pub mod finding;
pub mod gateway;
#[cfg(target_family = "wasm")]
pub mod host;
pub mod http;
pub mod mcp;
pub mod options;
pub mod outcome;
pub mod pages;
pub mod probe;
pub mod program;
pub mod quote;
pub mod record;
pub mod render;
pub mod report;
pub mod system;
pub mod target;
#[cfg(test)]
mod testing;
pub mod token;
pub mod token_kind;
pub mod transport;
pub mod user_agent;
#[cfg(target_family = "wasm")]
pub mod wasm;
