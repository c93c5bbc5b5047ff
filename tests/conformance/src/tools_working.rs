//! Tools that tell what they are doing while they do it.

use std::time::Duration;

use mcp_edge::{Call, LoggingLevel, ServerBuilder, Tool, tool};

/// Between two messages.
const PAUSE: Duration = Duration::from_millis(50);

/// Adds the tools.
pub fn add_to<E: Clone + 'static>(server: ServerBuilder<E>) -> ServerBuilder<E> {
    server
        .tool(with_progress())
        .tool(Tool::new("test_tool_with_logging", with_logging).description("Sends log lines").read_only())
        // Its result is the same as that of the other one. The suite calls it without asking for log lines, and none
        // may come then.
        .tool(
            Tool::new("test_logging_tool", with_logging)
                .description("Sends log lines to clients that ask for them")
                .read_only(),
        )
}

// Clients that did not ask for progress get none; the tool need not know.
/// Reports its progress
#[tool(name = "test_tool_with_progress", read_only)]
async fn with_progress(call: Call) -> &'static str {
    for percent in [0.0, 50.0, 100.0] {
        call.progress(percent, Some(100.0), None).await;
        call.sleep(PAUSE).await;
    }
    "Progress has been reported."
}

async fn with_logging<E>(call: Call<E>) -> &'static str {
    for line in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
        call.log(LoggingLevel::Info, line).await;
        call.sleep(PAUSE).await;
    }
    "Log lines have been sent."
}
