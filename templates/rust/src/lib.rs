//! An MCP server with one tool. Add a function with `#[tool]`, and name it in `server`.

use mcp_edge::prelude::*;
use worker::Env;

#[cfg(test)]
mod tests;

mcp_edge::entry!(server::<Env>);

/// Builds the server. It is generic over the environment of its tools, so that tests need no Worker.
///
/// # Errors
/// [`BuildError`] if two items contradict each other; the tests find that out before users do.
pub fn server<E: Clone + 'static>() -> Result<Server<E>, BuildError> {
    Server::builder(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
        .scope("greet:use", "Greet you")
        .tool(greet())
        .build()
}

/// Greets the user.
#[tool(scope = "greet:use", read_only, closed_world)]
fn greet(
    call: Call,
    /// Words to greet with. "Hello" if missing.
    words: Option<String>,
) -> String {
    let words = words.as_deref().unwrap_or("Hello");
    format!("{words}, {}!", call.identity().subject())
}
