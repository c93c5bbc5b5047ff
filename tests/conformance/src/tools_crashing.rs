//! Tools that crash, for which there is no other place: nothing else in this repository can be made to panic.

use std::time::Duration;

use mcp_edge::{Call, ServerBuilder, Tool};

/// Long enough to have let go of the request once.
const PAUSE: Duration = Duration::from_millis(10);

/// Adds the tools.
pub fn add_to<E: Clone + 'static>(server: ServerBuilder<E>) -> ServerBuilder<E> {
    server
        .tool(Tool::new("test_crash_at_once", at_once).description("Panics when it is called"))
        .tool(Tool::new("test_crash_later", later).description("Panics after it has waited"))
}

async fn at_once<E>(_: Call<E>) -> &'static str {
    panic!("as this tool is meant to")
}

async fn later<E>(call: Call<E>) -> &'static str {
    call.sleep(PAUSE).await;
    panic!("as this tool is meant to")
}
