//! Tools without arguments, one for each thing that a tool can return.

use mcp_edge::{Call, ContentBlock, ResourceContents, ServerBuilder, Tool, ToolError};

use crate::samples::{PNG, WAV};

/// Adds the tools.
pub fn add_to<E: Clone + 'static>(server: ServerBuilder<E>) -> ServerBuilder<E> {
    server
        .tool(harmless(Tool::new("test_simple_text", simple_text)).description("Returns a line of text"))
        .tool(harmless(Tool::new("test_image_content", image)).description("Returns an image"))
        .tool(harmless(Tool::new("test_audio_content", audio)).description("Returns a sound"))
        .tool(harmless(Tool::new("test_embedded_resource", embedded_resource)).description("Returns a whole resource"))
        .tool(
            harmless(Tool::new("test_multiple_content_types", several))
                .description("Returns a text, an image and a resource"),
        )
        .tool(harmless(Tool::new("test_error_handling", failure)).description("Always fails"))
}

/// What all of them have in common.
fn harmless<E: 'static>(tool: Tool<E>) -> Tool<E> {
    tool.read_only().closed_world()
}

async fn simple_text<E>(_: Call<E>) -> &'static str {
    "This is a simple text response for testing."
}

async fn image<E>(_: Call<E>) -> ContentBlock {
    ContentBlock::image(PNG, "image/png")
}

async fn audio<E>(_: Call<E>) -> ContentBlock {
    ContentBlock::audio(WAV, "audio/wav")
}

async fn embedded_resource<E>(_: Call<E>) -> ContentBlock {
    let contents = ResourceContents::text("test://embedded-resource", "This is an embedded resource content.");
    ContentBlock::resource(&contents.mime_type("text/plain"))
}

async fn several<E>(_: Call<E>) -> Vec<ContentBlock> {
    let contents = ResourceContents::text("test://mixed-content-resource", r#"{"test":"data","value":123}"#);
    vec![
        ContentBlock::text("Multiple content types test:"),
        ContentBlock::image(PNG, "image/png"),
        ContentBlock::resource(&contents.mime_type("application/json")),
    ]
}

/// The model reads the text of the error.
async fn failure<E>(_: Call<E>) -> Result<String, ToolError> {
    Err("This tool intentionally returns an error for testing".into())
}
