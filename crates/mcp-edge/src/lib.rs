//! An OAuth-protected MCP server at the edge.
//!
//! This crate joins three others: `mcp-edge-oauth`, the resource server that verifies bearer tokens;
//! `mcp-edge-server`, the MCP server that answers with your tools; and `mcp-edge-runtime`, what both stand on. It is the
//! only one that the author of a tool depends on, and everything an author needs is at its root.
//!
//! # A complete server
//!
//! ```
//! use mcp_edge::prelude::*;
//!
//! #[schema]
//! struct Sum {
//!     sum: f64,
//! }
//!
//! /// Adds numbers up.
//! #[tool(scope = "math:use", read_only, closed_world)]
//! fn sum(
//!     /// What to add up.
//!     numbers: Vec<f64>,
//! ) -> Json<Sum> {
//!     Json(Sum { sum: numbers.iter().sum() })
//! }
//!
//! fn server<E: Clone + 'static>() -> Result<Server<E>, BuildError> {
//!     Server::builder("calculator", "1.0.0").scope("math:use", "Use the calculator").tool(sum()).build()
//! }
//! # assert!(server::<()>().is_ok());
//! ```
//!
//! The guide in `docs/tools.md` explains the rest: bindings, errors, progress, input requests, connections, resources,
//! prompts.
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
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `access-keys` | yes | access keys of the vault, personal access tokens of the provider (`PAT_PREFIX`), and `/account`, which is the vault's |
//! | `cloudflare` | yes | the Worker; without it the crate is plain, native Rust |
//! | `connections` | no | tokens of other services for tools and the gateway, which the vault keeps; includes `access-keys` |
//! | `gateway` | yes | passing messages on to another MCP server (`UPSTREAM`) |
//! | `page` | yes | the page at `/` and its playground |
//! | `skills` | no | `include_skill!`, which compiles a skill for agents in |
//! | `testing` | no | a client, a clock and made-up identities, for `[dev-dependencies]` |
//!
//! A setting or a binding of a feature that is off is an error at the start; settings of the page are ignored.

pub mod documents;
pub mod endpoint;
#[cfg(all(feature = "cloudflare", feature = "gateway"))]
mod gateway;
pub mod health;
#[cfg_attr(not(feature = "page"), path = "without_page.rs")]
pub mod page;
pub mod settings;
#[cfg(feature = "cloudflare")]
pub mod worker;

// The server, and what is registered with it.
pub use mcp_edge_server::{
    BuildError, Cache, Icon, Limits, Prompt, PromptArgument, Resource, ResourceLink, ResourceTemplate, Server,
    ServerBuilder, Skill, Theme, Tool,
};

// What handlers get.
pub use mcp_edge_identity::{Credential, Identity, KeyUse, Kind, Party, Scopes};
pub use mcp_edge_server::{
    Call, Capability, ClientCapabilities, ClientInfo, CompleteParams, Era, LoggingLevel, Revision, StateKey,
};

/// What does not compile, as doc tests.
///
/// Without the feature `connections`, tools have none:
///
#[cfg_attr(not(feature = "connections"), doc = "```compile_fail,E0277")]
#[cfg_attr(feature = "connections", doc = "```")]
/// use mcp_edge::{Call, Tool, ToolError};
///
/// async fn issues(call: Call) -> Result<String, ToolError> {
///     Ok(call.access("github").await?.scopes)
/// }
///
/// let tool: Tool = Tool::new("issues", issues).connection("github", ["repo:read"]);
/// ```
///
/// A token is no result, neither by itself nor with what belongs to it:
///
/// ```compile_fail,E0277
/// use mcp_edge::{Call, ServiceAccess, Tool, ToolError};
///
/// async fn token(call: Call) -> Result<ServiceAccess, ToolError> {
///     Ok(call.access("github").await?)
/// }
///
/// let tool: Tool = Tool::new("token", token);
/// ```
///
/// ```compile_fail,E0277
/// use mcp_edge::{Call, Json, ServiceAccess, Tool, ToolError};
///
/// async fn token(call: Call) -> Result<Json<ServiceAccess>, ToolError> {
///     Ok(Json(call.access("github").await?))
/// }
///
/// let tool: Tool = Tool::new("token", token);
/// ```
#[cfg(doctest)]
struct WithConnections;

// Tokens of other services for the caller.
pub use mcp_edge_runtime::secret::Secret;
pub use mcp_edge_server::{AccessError, ForeignUrl, ServiceAccess};

// What handlers ask the client for (multi round-trip requests).
pub use mcp_edge_server::{CreateMessageParams, CreateMessageResult, ElicitResult, InputRequired, Root};

// What handlers return.
pub use mcp_edge_server::{
    ContentBlock, Json, PromptError, PromptMessage, PromptResult, ResourceContents, ResourceError, Role, ToolError,
    ToolResult,
};

// Attributes and derives for handlers and their types.
#[cfg(feature = "skills")]
#[doc(inline)]
pub use mcp_edge_macros::include_skill;
#[doc(inline)]
pub use mcp_edge_macros::{prompt, schema, tool};
#[doc(no_inline)]
pub use schemars::{self, JsonSchema};

// The traits behind `Tool::new` and its siblings, and the errors of `ServerBuilder::build` in detail.
pub use mcp_edge_server::{
    IntoPrompt, IntoResourceContents, IntoToolResult, PromptArgumentError, PromptHandler, SchemaError, TemplateError,
    ToolHandler,
};

// Calling a server without HTTP, as endpoints and tests do.
#[cfg(feature = "testing")]
pub use mcp_edge_server::{
    AccessNeeded, Handled, Outcome, RequestContext, RequiredConnection, ServerServices, Summary, ToolInfo, testing,
};
// Connections that tests make up.
#[cfg(all(feature = "connections", feature = "testing"))]
pub use mcp_edge_connections::port::{Connections, NoAccess, TokenRequest};

// Default limits.
pub use mcp_edge_server::{BATCH_LENGTH, BODY_BYTES, CONCURRENT_STREAMS, HANDLER_TIME, VALUES};

// The Worker.
#[cfg(feature = "cloudflare")]
pub use worker::{Request, Response, serve};

/// What tools import: `use mcp_edge::prelude::*;`.
///
/// The attributes [`macro@tool`], [`macro@prompt`] and [`macro@schema`], and the types that most handlers name.
pub mod prelude {
    #[doc(no_inline)]
    pub use crate::{
        BuildError, Call, ContentBlock, Identity, Json, Prompt, PromptError, PromptMessage, Resource, ResourceError,
        ResourceTemplate, Server, ServerBuilder, ServiceAccess, Tool, ToolError, prompt, schema, tool,
    };
}

/// What the macros expand to.
#[doc(hidden)]
pub mod __private {
    pub use mcp_edge_server::handler::*;
    pub use schemars;
    pub use serde;
}
