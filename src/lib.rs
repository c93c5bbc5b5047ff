//! The deployable Worker: settings come from `wrangler.toml`, verification and protocol from [`mcp_edge`], and the
//! tools from [`tools`]. To add a tool, write it into a file of `src/tools/`, name it in `src/tools.rs`, and offer it
//! in [`server`].

pub mod tools;

use mcp_edge::{BuildError, Server};

mcp_edge::entry!(server);

/// The snippets of the guide are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../docs/tools.md")]
struct Guide;

/// The server and its tools.
///
/// # Errors
/// [`BuildError`] if two tools contradict each other; found by the tests, not by users.
pub fn server<E: Clone + 'static>() -> Result<Server<E>, BuildError> {
    Server::builder("mcp-edge", env!("CARGO_PKG_VERSION")).title("mcp-edge").tool(tools::whoami()).build()
}
