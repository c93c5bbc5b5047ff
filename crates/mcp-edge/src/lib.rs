//! An OAuth-protected MCP server at the edge.
//!
//! Two bodies of knowledge that know nothing of where they run, and of each other only what an
//! [`Identity`](oauth::access::identity::Identity) is:
//!
//! - [`oauth`], the resource server: it tells clients where to sign in, and verifies the tokens they come back with.
//! - [`mcp`], the protocol: it answers Model Context Protocol requests with the tools that you write.
//!
//! [`endpoint`] is where they meet: a request's way through the server, from the first header to the answer. What the
//! rules need from outside comes in through the traits of [`ports`]; [`worker`] implements these on Cloudflare Workers
//! and is the only module that knows the platform. Without the feature `worker` (on by default) the library is plain,
//! native Rust.
//!
//! # A tool in ten lines
//!
//! ```
//! use mcp_edge::{
//!     mcp::{BuildError, Call, Json, Server, Tool, ToolError},
//!     schemars::{self, JsonSchema},
//! };
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
//! challenges, scopes and what may be shown of a user; MCP over Streamable HTTP in its stateless form, for the
//! revisions 2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26 and 2024-11-05.
//!
//! # What is not
//!
//! Signing users in, consent, and issuing tokens: the identity provider does that. Sessions: every request stands for
//! itself.

pub mod cors;
pub mod documents;
pub mod endpoint;
pub mod health;
pub mod http;
pub mod log;
pub mod mcp;
pub mod network;
pub mod oauth;
pub mod page;
pub mod ports;
pub mod secret;
pub mod settings;
#[cfg(feature = "worker")]
pub mod worker;

pub use schemars;
