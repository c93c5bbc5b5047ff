//! Tools without arguments, one for each thing that a tool can return.

use mcp_edge::{ContentBlock, ResourceContents, ServerBuilder, ToolError, tool};

use crate::samples::{PNG, WAV};

/// Adds the tools.
pub fn add_to<E: Clone + 'static>(server: ServerBuilder<E>) -> ServerBuilder<E> {
    server.tool(simple_text()).tool(image()).tool(audio()).tool(embedded_resource()).tool(several()).tool(failure())
}

/// Returns a line of text
#[tool(name = "test_simple_text", read_only, closed_world)]
async fn simple_text() -> &'static str {
    "This is a simple text response for testing."
}

/// Returns an image
#[tool(name = "test_image_content", read_only, closed_world)]
async fn image() -> ContentBlock {
    ContentBlock::image(PNG, "image/png")
}

/// Returns a sound
#[tool(name = "test_audio_content", read_only, closed_world)]
async fn audio() -> ContentBlock {
    ContentBlock::audio(WAV, "audio/wav")
}

/// Returns a whole resource
#[tool(name = "test_embedded_resource", read_only, closed_world)]
async fn embedded_resource() -> ContentBlock {
    let contents = ResourceContents::text("test://embedded-resource", "This is an embedded resource content.");
    ContentBlock::resource(&contents.mime_type("text/plain"))
}

/// Returns a text, an image and a resource
#[tool(name = "test_multiple_content_types", read_only, closed_world)]
async fn several() -> Vec<ContentBlock> {
    let contents = ResourceContents::text("test://mixed-content-resource", r#"{"test":"data","value":123}"#);
    vec![
        ContentBlock::text("Multiple content types test:"),
        ContentBlock::image(PNG, "image/png"),
        ContentBlock::resource(&contents.mime_type("application/json")),
    ]
}

// The model reads the text of the error.
/// Always fails
#[tool(name = "test_error_handling", read_only, closed_world)]
async fn failure() -> Result<String, ToolError> {
    Err("This tool intentionally returns an error for testing".into())
}
