//! Tools that need something from the other end before they can answer: a form filled in by the user, a text written
//! by the model, the roots of the workspace.
//!
//! Each reads as if it could wait. It leaves through `?` while an answer is outstanding, and runs again from its start
//! once there is one.

use mcp_edge::{
    Call, Capability, CreateMessageParams, Root, ServerBuilder, Tool, ToolError,
    schemars::{self, JsonSchema},
};
use serde::Deserialize;

/// Adds the tools.
pub fn add_to<E: Clone + 'static>(server: ServerBuilder<E>) -> ServerBuilder<E> {
    server
        .tool(Tool::new("test_input_required_result_elicitation", elicitation).description("Asks the user for a name"))
        .tool(Tool::new("test_input_required_result_sampling", sampling).description("Asks the model for a capital"))
        .tool(Tool::new("test_input_required_result_list_roots", list_roots).description("Asks for the roots"))
        .tool(
            Tool::new("test_input_required_result_request_state", request_state)
                .description("Asks for confirmation and remembers that it has"),
        )
        .tool(
            Tool::new("test_input_required_result_tampered_state", request_state)
                .description("Asks for confirmation and refuses a state that it has not made"),
        )
        .tool(
            Tool::new("test_input_required_result_multiple_inputs", several_at_once)
                .description("Asks user, model and workspace in one round"),
        )
        .tool(
            Tool::new("test_input_required_result_multi_round", one_by_one)
                .description("Asks for a name, and in a second round for a color"),
        )
        .tool(
            Tool::new("test_input_required_result_capabilities", everything_supported)
                .description("Asks only what the client can be asked"),
        )
        .tool(
            Tool::new("test_missing_capability", sampling)
                .description("Refuses to begin unless the model can be asked")
                .needs(Capability::Sampling),
        )
        .tool(
            Tool::new("test_streaming_elicitation", elicitation_midway)
                .description("Works for a while and then asks the user"),
        )
        .tool(Tool::new("test_sampling", sampling_of_prompt).description("Asks the model the given prompt"))
}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

#[derive(Deserialize, JsonSchema)]
struct Color {
    color: String,
}

#[derive(Deserialize, JsonSchema)]
struct Confirmation {
    ok: bool,
}

async fn elicitation<E>(call: Call<E>) -> Result<String, ToolError> {
    let Name { name } = call.elicit("user_name", "What is your name?")?;
    Ok(format!("Hello, {name}!"))
}

async fn sampling<E>(call: Call<E>) -> Result<String, ToolError> {
    let answer = call.sample("capital_question", CreateMessageParams::new("What is the capital of France?", 100))?;
    Ok(answer.text())
}

async fn list_roots<E>(call: Call<E>) -> Result<String, ToolError> {
    let roots = call.roots("client_roots")?;
    Ok(format!("Roots: {}", uris(&roots)))
}

/// What `remember` puts aside comes back encrypted and authenticated, so that a handler may rely on it: here, on having
/// asked before.
async fn request_state<E>(call: Call<E>) -> Result<String, ToolError> {
    let asked: Option<String> = call.recall("asked");
    call.remember("asked", "state-ok");
    let Confirmation { ok } = call.elicit("confirm", "Please confirm")?;
    let asked = asked.ok_or("an answer has come to a question that was not asked")?;
    Ok(format!("{asked}: confirmed={ok}"))
}

/// All questions that are asked before the first `?` go out together.
async fn several_at_once<E>(call: Call<E>) -> Result<String, ToolError> {
    let name = call.elicit::<Name>("user_name", "What is your name?");
    let greeting = call.sample("greeting", CreateMessageParams::new("Generate a greeting", 50));
    let roots = call.roots("client_roots");
    let (Name { name }, greeting, roots) = (name?, greeting?, roots?);
    Ok(format!("{} {name} works in {}", greeting.text(), uris(&roots)))
}

/// The answer to the first question is still there in the round of the second one.
async fn one_by_one<E>(call: Call<E>) -> Result<String, ToolError> {
    let Name { name } = call.elicit("step1", "Step 1: What is your name?")?;
    let Color { color } = call.elicit("step2", "Step 2: What is your favorite color?")?;
    Ok(format!("{name} likes {color}."))
}

async fn everything_supported<E>(call: Call<E>) -> Result<String, ToolError> {
    if call.capabilities().has(Capability::Elicitation) {
        elicitation(call).await
    } else if call.capabilities().has(Capability::Sampling) {
        sampling(call).await
    } else {
        Ok("The client supports no input requests.".to_owned())
    }
}

/// Progress is sent first: the question then comes as the last message of a stream.
async fn elicitation_midway<E>(call: Call<E>) -> Result<String, ToolError> {
    call.progress(1.0, Some(2.0), Some("Half done")).await;
    elicitation(call).await
}

#[derive(Deserialize, JsonSchema)]
struct Prompt {
    /// What to ask the model
    prompt: String,
}

async fn sampling_of_prompt<E>(call: Call<E>, Prompt { prompt }: Prompt) -> Result<String, ToolError> {
    let answer = call.sample("answer", CreateMessageParams::new(&prompt, 100))?;
    Ok(format!("LLM response: {}", answer.text()))
}

fn uris(roots: &[Root]) -> String {
    roots.iter().map(|root| root.uri.as_str()).collect::<Vec<_>>().join(", ")
}
