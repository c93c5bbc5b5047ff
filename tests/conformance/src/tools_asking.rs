//! Tools that need something from the other end before they can answer: a form filled in by the user, a text written
//! by the model, the roots of the workspace.
//!
//! Each reads as if it could wait. It leaves through `?` while an answer is outstanding, and runs again from its start
//! once there is one.

use mcp_edge::{Call, Capability, CreateMessageParams, Root, ServerBuilder, Tool, ToolError, schema, tool};

/// Adds the tools.
pub fn add_to<E: Clone + 'static>(server: ServerBuilder<E>) -> ServerBuilder<E> {
    server
        .tool(elicitation())
        .tool(Tool::new("test_input_required_result_sampling", sampling).description("Asks the model for a capital"))
        .tool(list_roots())
        .tool(
            Tool::new("test_input_required_result_request_state", request_state)
                .description("Asks for confirmation and remembers that it has"),
        )
        .tool(
            Tool::new("test_input_required_result_tampered_state", request_state)
                .description("Asks for confirmation and refuses a state that it has not made"),
        )
        .tool(several_at_once())
        .tool(one_by_one())
        .tool(everything_supported())
        .tool(
            Tool::new("test_missing_capability", sampling)
                .description("Refuses to begin unless the model can be asked")
                .needs(Capability::Sampling),
        )
        .tool(elicitation_midway())
        .tool(sampling_of_prompt())
}

#[schema(input)]
struct Name {
    name: String,
}

#[schema(input)]
struct Color {
    color: String,
}

#[schema(input)]
struct Confirmation {
    ok: bool,
}

/// Asks the user for a name
#[tool(name = "test_input_required_result_elicitation")]
async fn elicitation(call: Call) -> Result<String, ToolError> {
    greeting(&call)
}

fn greeting(call: &Call) -> Result<String, ToolError> {
    let Name { name } = call.elicit("user_name", "What is your name?")?;
    Ok(format!("Hello, {name}!"))
}

async fn sampling<E>(call: Call<E>) -> Result<String, ToolError> {
    let answer = call.sample("capital_question", CreateMessageParams::new("What is the capital of France?", 100))?;
    Ok(answer.text())
}

/// Asks for the roots
#[tool(name = "test_input_required_result_list_roots")]
async fn list_roots(call: Call) -> Result<String, ToolError> {
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

// All questions that are asked before the first `?` go out together.
/// Asks user, model and workspace in one round
#[tool(name = "test_input_required_result_multiple_inputs")]
async fn several_at_once(call: Call) -> Result<String, ToolError> {
    let name = call.elicit::<Name>("user_name", "What is your name?");
    let greeting = call.sample("greeting", CreateMessageParams::new("Generate a greeting", 50));
    let roots = call.roots("client_roots");
    let (Name { name }, greeting, roots) = (name?, greeting?, roots?);
    Ok(format!("{} {name} works in {}", greeting.text(), uris(&roots)))
}

// The answer to the first question is still there in the round of the second one.
/// Asks for a name, and in a second round for a color
#[tool(name = "test_input_required_result_multi_round")]
async fn one_by_one(call: Call) -> Result<String, ToolError> {
    let Name { name } = call.elicit("step1", "Step 1: What is your name?")?;
    let Color { color } = call.elicit("step2", "Step 2: What is your favorite color?")?;
    Ok(format!("{name} likes {color}."))
}

/// Asks only what the client can be asked
#[tool(name = "test_input_required_result_capabilities")]
async fn everything_supported(call: Call) -> Result<String, ToolError> {
    if call.capabilities().has(Capability::Elicitation) {
        greeting(&call)
    } else if call.capabilities().has(Capability::Sampling) {
        sampling(call).await
    } else {
        Ok("The client supports no input requests.".to_owned())
    }
}

// Progress is sent first: the question then comes as the last message of a stream.
/// Works for a while and then asks the user
#[tool(name = "test_streaming_elicitation")]
async fn elicitation_midway(call: Call) -> Result<String, ToolError> {
    call.progress(1.0, Some(2.0), Some("Half done")).await;
    greeting(&call)
}

/// Asks the model the given prompt
#[tool(name = "test_sampling")]
async fn sampling_of_prompt(
    call: Call,
    /// What to ask the model
    prompt: String,
) -> Result<String, ToolError> {
    let answer = call.sample("answer", CreateMessageParams::new(&prompt, 100))?;
    Ok(format!("LLM response: {}", answer.text()))
}

fn uris(roots: &[Root]) -> String {
    roots.iter().map(|root| root.uri.as_str()).collect::<Vec<_>>().join(", ")
}
