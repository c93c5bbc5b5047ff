//! The Model Context Protocol over Streamable HTTP (MCP 2026-07-28 and earlier revisions): a stateless server.
//!
//! A [`Server`] is built once from tools, resources and prompts, and then turns HTTP requests into answers. It speaks
//! the revision of 2026-07-28, in which every request stands alone, and the revisions before it that begin with a
//! handshake, side by side at one endpoint and without sessions.
//!
//! ```
//! use mcp_edge_server::{Call, Json, Server, Tool, ToolError, testing};
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
//! # Ok::<(), mcp_edge_server::BuildError>(())
//! ```
//!
//! # What is in here
//!
//! - [`Server`], [`ServerBuilder`], [`BuildError`], [`Limits`]: the server and what it is built from.
//! - [`Tool`], [`Resource`], [`ResourceTemplate`], [`Prompt`], [`Skill`]: what it offers, each with who may use it.
//! - [`Call`]: what handlers get. It knows the caller, sends progress and log lines, and [asks back](Call#asking-back).
//! - [`Json`], [`ToolResult`], [`ContentBlock`], [`ResourceContents`], [`PromptMessage`]: what handlers return.
//! - [`ToolError`], [`ResourceError`], [`PromptError`]: why they do not.
//! - [`ServiceAccess`], [`AccessError`]: a token of another service for the caller, and why there is none.
//! - [`RequestContext`], [`ServerServices`], [`Handled`], [`Summary`], [`AccessNeeded`]: the interface to the endpoint.
//! - `testing`: a client and a clock for native tests.
//!
//! # What is not
//!
//! - Tokens: the endpoint verifies them, and hands in an [`Identity`](mcp_edge_identity::Identity). If
//!   that does not suffice, [`Server::handle`] says what is missing, and the endpoint answers with HTTP 403.
//! - `Origin` and CORS, reading the body within [`Limits::body_bytes`], the access log: the endpoint again.
//! - Sessions, streams to GET, subscriptions, the tasks extension: they need memory that all isolates share. A server
//!   made with this module declares none of them.
//!
//! # A request's way
//!
//! | module | what it contains |
//! |---|---|
//! | `dispatch` | from a posted message to its response: era, method, handler |
//! | `modern`, `legacy` | what only one era has |
//! | `operations` | the methods that both eras share, one file per group of primitives |
//! | `server`, `builder`, `build_error` | the server and how it is built |
//! | `catalog` | all primitives that it offers |
//! | `primitives` | tools, resources, prompts and skills, as their author declares them |
//! | `schema` | JSON Schema: of arguments and results, and validation |
//! | `call`, `context`, `client` | what handlers get; what requests are answered with; what a client says of itself |
//! | `access` | tokens of other services for the caller |
//! | `input_required` | input requests over several rounds |
//! | `result`, `notification`, `stream` | results in the form of either era; what a handler sends before; responses as streams |
//! | `limits`, `size` | resource limits; how large a text is when parsed |
//!
//! No file imports another in a circle; `builder` and `dispatch` put the others together.

mod access;
mod build_error;
mod builder;
mod call;
mod catalog;
mod client;
mod context;
mod dispatch;
mod input_required;
mod legacy;
mod limits;
mod modern;
mod notification;
mod operations;
mod primitives;
mod refused_call;
mod result;
mod schema;
mod server;
mod size;
mod stream;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

#[cfg(test)]
mod tests;

pub use access::AccessError;
pub use build_error::BuildError;
pub use builder::ServerBuilder;
pub use call::Call;
pub use catalog::ToolInfo;
pub use client::{Capability, ClientCapabilities, ClientInfo};
pub use context::{RequestContext, ServerServices};
pub use dispatch::Handled;
pub use input_required::{
    inputs::{CreateMessageParams, CreateMessageResult, ElicitResult, InputRequired, Root},
    request_state::StateKey,
};
pub use limits::{BATCH_LENGTH, BODY_BYTES, CONCURRENT_STREAMS, HANDLER_TIME, Limits, VALUES};
pub use mcp_edge_connections::access::{ForeignUrl, ServiceAccess};
pub use mcp_edge_identity::AccessNeeded;
pub use mcp_edge_protocol::{
    outcome::{Outcome, Summary},
    post::unreadable_body,
    revision::{Era, Revision},
};
pub use notification::LoggingLevel;
pub use primitives::{
    completion::CompleteParams,
    content::{ContentBlock, ResourceContents, ResourceLink, Role},
    error::{PromptError, ResourceError, ToolError},
    icon::{Icon, Theme},
    prompt::{Prompt, PromptArgument, PromptArgumentError, PromptHandler},
    prompt_result::{IntoPrompt, PromptMessage, PromptResult},
    required::RequiredConnection,
    resource::{Cache, IntoResourceContents, Resource, ResourceTemplate},
    skill::Skill,
    template::TemplateError,
    tool::Tool,
    tool_handler::ToolHandler,
    tool_result::{IntoToolResult, Json, ToolResult},
};
pub use refused_call::RefusedCall;
pub use schema::SchemaError;
pub use server::Server;

#[cfg(not(feature = "connections"))]
#[doc(hidden)]
pub use primitives::connection::FeatureConnections;

/// What the macros of `mcp-edge-macros` call.
#[doc(hidden)]
pub mod handler {
    pub use crate::primitives::{
        prompt::{with_arguments as prompt_with_arguments, without_arguments as prompt_without_arguments},
        skill::{IncludedContents, IncludedFile, IncludedSkill},
        tool_handler::{with_arguments as tool_with_arguments, without_arguments as tool_without_arguments},
    };
}
