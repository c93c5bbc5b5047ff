//! Prompts: with and without arguments, with more than text, and one that asks the user back.

use mcp_edge::{Call, ContentBlock, PromptError, PromptMessage, ResourceContents, ServerBuilder, prompt, schema};

use crate::samples::PNG;

/// Adds the prompts.
pub fn add_to<E: Clone + 'static>(server: ServerBuilder<E>) -> ServerBuilder<E> {
    server.prompt(simple()).prompt(with_arguments()).prompt(with_resource()).prompt(with_image()).prompt(asking())
}

/// A prompt without arguments
#[prompt(name = "test_simple_prompt")]
async fn simple() -> &'static str {
    "This is a simple prompt for testing."
}

/// A prompt with two arguments
#[prompt(name = "test_prompt_with_arguments", complete_among("arg1", ["testValue1", "testValue2", "other"]))]
async fn with_arguments(
    /// First test argument
    arg1: String,
    /// Second test argument
    arg2: String,
) -> String {
    format!("Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")
}

/// A prompt that contains a resource
#[prompt(name = "test_prompt_with_embedded_resource")]
async fn with_resource(
    /// URI of the resource to embed
    #[serde(rename = "resourceUri")]
    resource_uri: String,
) -> Vec<PromptMessage> {
    let contents =
        ResourceContents::text(&resource_uri, "Embedded resource content for testing.").mime_type("text/plain");
    vec![
        PromptMessage::user(ContentBlock::resource(&contents)),
        PromptMessage::user("Please process the embedded resource above."),
    ]
}

/// A prompt that contains an image
#[prompt(name = "test_prompt_with_image")]
async fn with_image() -> Vec<PromptMessage> {
    vec![
        PromptMessage::user(ContentBlock::image(PNG, "image/png")),
        PromptMessage::user("Please analyze the image above."),
    ]
}

#[schema(input)]
struct UserContext {
    context: String,
}

/// A prompt that asks for its context
#[prompt(name = "test_input_required_result_prompt")]
async fn asking(call: Call) -> Result<String, PromptError> {
    let UserContext { context } = call.elicit("user_context", "What context should the prompt use?")?;
    Ok(format!("Use this context: {context}"))
}
