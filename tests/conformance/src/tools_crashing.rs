//! Tools that crash, for which there is no other place: nothing else in this repository can be made to panic.

use std::time::Duration;

use mcp_edge::{Call, ServerBuilder, tool};

/// Long enough to have let go of the request once.
const PAUSE: Duration = Duration::from_millis(10);

/// Adds the tools.
pub fn add_to<E: Clone + 'static>(server: ServerBuilder<E>) -> ServerBuilder<E> {
    server.tool(at_once()).tool(later())
}

/// Panics when it is called
#[tool(name = "test_crash_at_once")]
async fn at_once() -> &'static str {
    panic!("as this tool is meant to")
}

/// Panics after it has waited
#[tool(name = "test_crash_later")]
async fn later(call: Call) -> &'static str {
    call.sleep(PAUSE).await;
    panic!("as this tool is meant to")
}
