//! An OAuth-protected MCP server at the edge.
//!
//! This crate joins three others: `mcp-edge-oauth`, the resource server that verifies bearer tokens;
//! `mcp-edge-protocol`, the MCP server that answers with your tools; and `mcp-edge-runtime`, what both stand on. It is the
//! only one that the author of a tool depends on, and everything an author needs is at its root.
//!
//! # A tool in ten lines
//!
//! ```
//! use mcp_edge::{BuildError, Call, Json, JsonSchema, Server, Tool, ToolError, schemars};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Numbers {
//!     /// What to add up.
//!     numbers: Vec<f64>,
//! }
//!
//! #[derive(Serialize, JsonSchema)]
//! struct Sum {
//!     sum: f64,
//! }
//!
//! async fn sum<E>(_: Call<E>, Numbers { numbers }: Numbers) -> Result<Json<Sum>, ToolError> {
//!     Ok(Json(Sum { sum: numbers.iter().sum() }))
//! }
//!
//! let server: Result<Server, BuildError> = Server::builder("calculator", "1.0.0")
//!     .scope("math:use", "Use the calculator")
//!     .tool(Tool::new("sum", sum).description("Adds numbers up.").read_only().scope("math:use"))
//!     .build();
//! assert!(server.is_ok());
//! ```
//!
//! # What is in scope
//!
//! Verification of access tokens (JWT by the issuer's keys, opaque ones by introspection), protected resource metadata,
//! challenges, scopes and disclosure of claims; MCP over Streamable HTTP in its stateless form, for the revisions
//! 2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26 and 2024-11-05.
//!
//! # What is out of scope
//!
//! Sign-in, consent and issuing tokens, which are the tasks of the identity provider. Sessions: every request is
//! authenticated.
//!
//! # Modules
//!
//! | module | what it contains |
//! |---|---|
//! | [`endpoint`] | the handling of a request: route, origin, authentication, protocol, response |
//! | [`settings`] | the settings, parsed and validated |
//! | [`documents`] | published documents: metadata, registry listing |
//! | [`page`] | the page at `/` and its playground, behind the feature `page` (on by default) |
//! | [`health`] | the health check |
//! | `testing` | a client and a clock for native tests of tools, behind the feature `testing` |
//! | `worker` | the Cloudflare Worker, behind the feature `cloudflare` (on by default) |

pub mod documents;
pub mod endpoint;
pub mod health;
#[cfg_attr(not(feature = "page"), path = "without_page.rs")]
pub mod page;
pub mod settings;
#[cfg(feature = "cloudflare")]
pub mod worker;

pub use mcp_edge_identity::{Identity, Kind, Party, Scopes};
pub use mcp_edge_protocol::*;
pub use schemars::{self, JsonSchema};
#[cfg(feature = "cloudflare")]
pub use worker::{Request, Response, serve};

/// What most tools import: `use mcp_edge::prelude::*;`.
pub mod prelude {
    pub use crate::{Call, Identity, Json, JsonSchema, Server, Tool, ToolError, schemars};
}
