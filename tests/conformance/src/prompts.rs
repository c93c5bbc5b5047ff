//! Prompts: with and without arguments, with more than text, and one that asks the user back.

use mcp_edge::{
    Call, ContentBlock, Prompt, PromptError, PromptMessage, ResourceContents, ServerBuilder,
    schemars::{self, JsonSchema},
};
use serde::Deserialize;

use crate::samples::PNG;

/// Adds the prompts.
pub fn add_to<E: Clone + 'static>(server: ServerBuilder<E>) -> ServerBuilder<E> {
    server
        .prompt(Prompt::new("test_simple_prompt", simple).description("A prompt without arguments"))
        .prompt(
            Prompt::new("test_prompt_with_arguments", with_arguments)
                .description("A prompt with two arguments")
                .complete_among("arg1", ["testValue1", "testValue2", "other"]),
        )
        .prompt(
            Prompt::new("test_prompt_with_embedded_resource", with_resource)
                .description("A prompt that contains a resource"),
        )
        .prompt(Prompt::new("test_prompt_with_image", with_image).description("A prompt that contains an image"))
        .prompt(
            Prompt::new("test_input_required_result_prompt", asking).description("A prompt that asks for its context"),
        )
}

async fn simple<E>(_: Call<E>) -> &'static str {
    "This is a simple prompt for testing."
}

#[derive(Deserialize, JsonSchema)]
struct Arguments {
    /// First test argument
    arg1: String,
    /// Second test argument
    arg2: String,
}

async fn with_arguments<E>(_: Call<E>, Arguments { arg1, arg2 }: Arguments) -> String {
    format!("Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Embedding {
    /// URI of the resource to embed
    resource_uri: String,
}

async fn with_resource<E>(_: Call<E>, Embedding { resource_uri }: Embedding) -> Vec<PromptMessage> {
    let contents =
        ResourceContents::text(&resource_uri, "Embedded resource content for testing.").mime_type("text/plain");
    vec![
        PromptMessage::user(ContentBlock::resource(&contents)),
        PromptMessage::user("Please process the embedded resource above."),
    ]
}

async fn with_image<E>(_: Call<E>) -> Vec<PromptMessage> {
    vec![
        PromptMessage::user(ContentBlock::image(PNG, "image/png")),
        PromptMessage::user("Please analyze the image above."),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct UserContext {
    context: String,
}

async fn asking<E>(call: Call<E>) -> Result<String, PromptError> {
    let UserContext { context } = call.elicit("user_context", "What context should the prompt use?")?;
    Ok(format!("Use this context: {context}"))
}
