//! The Model Context Protocol over Streamable HTTP: what a tool author needs, and what the protocol demands of a
//! server.
//!
//! A [`Server`] is built once from tools, resources and prompts, and then turns HTTP requests into answers. It speaks
//! the revision of 2026-07-28, in which every request stands alone, and the revisions before it that begin with a
//! handshake, side by side at one endpoint and without sessions.
//!
//! ```
//! use mcp_edge_protocol::{Call, Json, Server, Tool, ToolError, testing};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Add {
//!     left: i64,
//!     right: i64,
//! }
//!
//! #[derive(Serialize, JsonSchema)]
//! struct Sum {
//!     sum: i64,
//! }
//!
//! async fn add(_call: Call, Add { left, right }: Add) -> Result<Json<Sum>, ToolError> {
//!     let sum = left.checked_add(right).ok_or("the sum is too large")?;
//!     Ok(Json(Sum { sum }))
//! }
//!
//! let server: Server = Server::builder("calculator", "1.0.0")
//!     .tool(Tool::new("add", add).title("Add").description("Adds two integers").read_only().closed_world())
//!     .build()?;
//!
//! let client = testing::Client::new(&server);
//! let answer = testing::run(client.call_tool("add", serde_json::json!({"left": 1, "right": 2})));
//! assert_eq!(answer.result()["structuredContent"]["sum"], 3);
//! # Ok::<(), mcp_edge_protocol::BuildError>(())
//! ```
//!
//! # What is in here
//!
//! - [`Server`], [`ServerBuilder`], [`BuildError`], [`Limits`]: the server and what it is built from.
//! - [`Tool`], [`Resource`], [`ResourceTemplate`], [`Prompt`]: what it offers, each with who may use it.
//! - [`Call`]: what handlers get. It knows the caller, sends progress and log lines, and [asks back](Call#asking-back).
//! - [`Json`], [`ToolResult`], [`Content`], [`Contents`], [`Message`]: what handlers return.
//! - [`ToolError`], [`ResourceError`], [`PromptError`]: why they do not.
//! - [`Caller`], [`Handled`], [`Summary`], [`AccessNeeded`]: the seam to the endpoint.
//! - [`testing`]: a client and a clock for native tests.
//!
//! # What is not
//!
//! - Tokens: the endpoint verifies them, and hands in an [`Identity`](mcp_edge_identity::Identity). If
//!   that does not suffice, [`Server::handle`] says what is missing, and the endpoint answers with HTTP 403.
//! - `Origin` and CORS, reading the body within [`Limits::body_bytes`], the access log: the endpoint again.
//! - Sessions, streams to GET, subscriptions, the tasks extension: they need memory that all isolates share. A server
//!   made with this module declares none of them.
//!
//! # The way of a request
//!
//! `server` takes it. `wire` holds the words of the protocol: `wire::json_rpc` reads the message as far as needed, and
//! `wire::era` tells which era it belongs to and whether its headers agree. `modern` and `legacy` answer what only one
//! era has; `operations` does the rest with what the author declared (`offer`). `asking::ending` says what became of it,
//! perhaps questions to the client; `wire::stream` decides how the answer is sent, and `wire::outcome` puts it into the
//! words of the era.

mod asking;
mod builder;
mod call;
mod client;
mod legacy;
mod limits;
mod list;
mod load;
mod modern;
mod offer;
mod operations;
mod server;
pub mod testing;
mod wire;

#[cfg(test)]
mod tests;

pub use asking::input::{Answer, Interrupt, Root, Sampled, Sampling};
pub use asking::state::StateKey;
pub use builder::{BuildError, ServerBuilder};
pub use call::{Call, Caller};
pub use client::{Capability, ClientCapabilities, ClientInfo};
pub use limits::{BATCH_LENGTH, BODY_BYTES, CONCURRENT_STREAMS, HANDLER_TIME, Limits, VALUES};
pub use offer::access::AccessNeeded;
pub use offer::completion::Partial;
pub use offer::content::{Content, Contents, ResourceLink, Role};
pub use offer::failure::{PromptError, ResourceError, ToolError};
pub use offer::icon::{Icon, Theme};
pub use offer::prompt::{
    IntoPrompt, Message, Prompt, PromptArgument, PromptArgumentError, PromptHandler, PromptResult,
};
pub use offer::resource::{Cache, IntoContents, Resource, ResourceTemplate};
pub use offer::schema::SchemaError;
pub use offer::template::TemplateError;
pub use offer::tool::{IntoToolResult, Json, Tool, ToolHandler, ToolResult};
pub use server::{Handled, Server, ToolInfo};
pub use wire::notify::Level;
pub use wire::outcome::{Summary, Verdict};
pub use wire::revision::Revision;
