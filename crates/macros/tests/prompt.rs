//! `#[prompt]`: what is listed, and what it writes.

use mcp_edge::{
    CompleteParams, PromptArgument, Server,
    prelude::*,
    testing::{self, Client},
};
use serde_json::json;

/// Reviews code.
#[prompt(title = "Review", complete_among("language", ["Python", "Rust"]), complete("code", recent))]
async fn review(
    call: Call,
    /// The code to review.
    code: String,
    /// The programming language.
    language: Option<String>,
) -> Result<Vec<PromptMessage>, PromptError> {
    if code.is_empty() {
        return Err(PromptError::invalid_argument("there is no code"));
    }
    let language = language.unwrap_or_else(|| "code".to_owned());
    Ok(vec![PromptMessage::user(format!("{} asks: review this {language}", call.identity().subject()))])
}

async fn recent<E>(_: Call<E>, typed: CompleteParams) -> Vec<String> {
    vec![format!("{}()", typed.value)]
}

/// Greets.
#[prompt(name = "hello", argument = PromptArgument::new("tone"))]
fn greet() -> &'static str {
    "Say hello."
}

#[test]
fn a_prompt_is_listed_completed_and_written() {
    let server: Server = Server::builder("test", "1.0.0")
        .prompt(review())
        .prompt(greet())
        .build()
        .unwrap_or_else(|error| panic!("{error}"));
    let client = Client::new(&server).identity(mcp_edge::Identity::for_test("ada", ""));
    let listed = testing::run(client.request("prompts/list", json!({})));
    assert_eq!(
        listed.result()["prompts"],
        json!([
            {"name": "review", "title": "Review", "description": "Reviews code.", "arguments": [
                {"name": "code", "description": "The code to review.", "required": true},
                {"name": "language", "description": "The programming language.", "required": false}
            ]},
            {"name": "hello", "description": "Greets.", "arguments": [{"name": "tone", "required": false}]}
        ])
    );
    let written = testing::run(client.get_prompt("review", json!({"code": "1 + 1"})));
    assert_eq!(written.result()["messages"][0]["content"]["text"], "ada asks: review this code");
    assert!(testing::run(client.get_prompt("review", json!({"code": ""}))).error_code().is_some());
    let params = json!({"ref": {"type": "ref/prompt", "name": "review"}, "argument": {"name": "code", "value": "f"}});
    let completed = testing::run(client.request("completion/complete", params));
    assert_eq!(completed.result()["completion"]["values"], json!(["f()"]));
}

/// Reviews what is open.
#[prompt(connection("github", "repo:read"))]
async fn open(call: Call) -> Result<String, PromptError> {
    Ok(call.access("github").await?.scopes)
}

#[test]
fn a_prompt_declares_connections() {
    let server: Server = Server::builder("test", "1.0.0").prompt(open()).build().unwrap();
    let client = Client::new(&server).connection("github", "gho_1");
    let answer = testing::run(client.get_prompt("open", json!({})));
    assert_eq!(answer.result()["messages"][0]["content"]["text"], "repo:read");
}
