//! Asking back: rounds, sealed state, and what clients may get wrong.

use std::cell::RefCell;

use crate::{
    CreateMessageParams, ElicitResult, LoggingLevel, PromptError, ResourceError, StateKey,
    testing::{self, Client},
    tests::*,
};

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

#[derive(Deserialize, JsonSchema)]
struct Color {
    color: String,
}

async fn hello(call: Call) -> Result<String, ToolError> {
    let Name { name } = call.elicit("user_name", "What is your name?")?;
    Ok(format!("Hello, {name}!"))
}

async fn steps(call: Call) -> Result<String, ToolError> {
    let Name { name } = call.elicit("step1", "Step 1: What is your name?")?;
    call.remember("draft", &format!("draft for {name}"));
    let Color { color } = call.elicit("step2", "Step 2: What is your favorite color?")?;
    let draft: String = call.recall("draft").unwrap_or_default();
    Ok(format!("{name} likes {color} ({draft})"))
}

async fn together(call: Call) -> Result<String, ToolError> {
    let name = call.elicit::<Name>("user_name", "What is your name?");
    let greeting = call.sample("greeting", CreateMessageParams::new("Generate a greeting", 50));
    let roots = call.roots("client_roots");
    let (name, greeting, roots) = (name?, greeting?, roots?);
    Ok(format!("{} {} {}", greeting.text(), name.name, roots.len()))
}

async fn polite(call: Call) -> Result<&'static str, ToolError> {
    Ok(match call.elicit_answer::<Name>("user_name", "What is your name?")? {
        ElicitResult::Accepted(_) => "accepted",
        ElicitResult::Declined => "declined",
        ElicitResult::Cancelled => "cancelled",
    })
}

async fn pay(call: Call) -> Result<&'static str, ToolError> {
    call.elicit_url("pay", "Please pay", "https://pay.example/1")?.accepted()?;
    Ok("on its way")
}

/// Asks for everything that the client supports, and does without the rest.
async fn adaptive(call: Call) -> Result<String, ToolError> {
    match call.elicit::<Name>("name", "Name?") {
        Ok(Name { name }) => Ok(name),
        Err(interrupt) if interrupt.is_outstanding() => Err(interrupt.into()),
        Err(_) => Ok("nobody".to_owned()),
    }
}

fn asking() -> Server {
    let prompt = Prompt::new("contextual", |call: Call| async move {
        let Name { name } = call.elicit("user_context", "What context should the prompt use?")?;
        Ok::<_, PromptError>(format!("Use {name}"))
    });
    let resource = Resource::new("asked://", "asked", |call: Call| async move {
        let Name { name } = call.elicit("who", "Who?")?;
        Ok::<_, ResourceError>(name)
    });
    build(
        Server::builder("t", "1")
            .tool(Tool::new("hello", hello))
            .tool(Tool::new("other", hello))
            .tool(Tool::new("steps", steps))
            .tool(Tool::new("together", together))
            .tool(Tool::new("polite", polite))
            .tool(Tool::new("pay", pay))
            .tool(Tool::new("adaptive", adaptive))
            .prompt(prompt)
            .resource(resource),
    )
}

fn client(server: &Server) -> Client<'_, ()> {
    let capabilities = json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}});
    Client::new(server).capabilities(capabilities).state_key(StateKey::derive(&[7; 32], "https://mcp.example.com/mcp"))
}

/// Calls a tool with answers and state.
fn retry(client: &Client<'_, ()>, tool: &str, responses: Value, state: Option<&Value>) -> testing::ServerResponse {
    let mut params = json!({"name": tool, "arguments": {}, "inputResponses": responses});
    if let Some(state) = state {
        params["requestState"] = state.clone();
    }
    run(client.request("tools/call", params))
}

fn accept(content: Value) -> Value {
    json!({"action": "accept", "content": content})
}

#[test]
fn a_question_goes_out_and_its_answer_comes_back() {
    let server = asking();
    let client = client(&server);
    let asked = run(client.call_tool("hello", json!({})));
    let state = asked.result()["requestState"].clone();
    assert!(state.is_string());
    let schema = json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]});
    let params = json!({"mode": "form", "message": "What is your name?", "requestedSchema": schema});
    assert_eq!(
        asked.result()["inputRequests"],
        json!({"user_name": {"method": "elicitation/create", "params": params}})
    );
    assert_eq!(asked.result()["resultType"], "input_required");
    assert_eq!(asked.result().get("ttlMs"), None);
    let answers = json!({"user_name": accept(json!({"name": "Ada"})), "surplus": 1});
    assert_eq!(retry(&client, "hello", answers, Some(&state)).text(), "Hello, Ada!");
}

#[test]
fn one_round_needs_no_state() {
    let server = asking();
    let client = Client::new(&server).capabilities(json!({"elicitation": {}}));
    assert_eq!(run(client.call_tool("hello", json!({}))).result().get("requestState"), None);
    let answers = json!({"user_name": accept(json!({"name": "Ada"}))});
    assert_eq!(retry(&client, "hello", answers, None).text(), "Hello, Ada!");
}

/// The official conformance suite answers with its first request. So state proves nothing about whether anybody was
/// asked.
#[test]
fn an_answer_that_nobody_asked_for_is_taken_with_and_without_a_key() {
    let server = asking();
    let answers = || json!({"user_name": accept(json!({"name": "Ada"}))});
    assert_eq!(retry(&client(&server), "hello", answers(), None).text(), "Hello, Ada!");
    // Nor do capabilities matter then: nothing is asked of the client.
    assert_eq!(retry(&Client::new(&server), "hello", answers(), None).text(), "Hello, Ada!");
    let declined = retry(&client(&server), "hello", json!({"user_name": {"action": "decline"}}), None);
    assert!(declined.is_error());
}

#[test]
fn a_missing_answer_is_asked_for_again() {
    let server = asking();
    let answer = retry(&client(&server), "hello", json!({"wrong": accept(json!({"name": "Ada"}))}), None);
    assert_eq!(answer.result()["resultType"], "input_required");
}

#[test]
fn malformed_answers_are_errors() {
    let server = asking();
    for responses in [
        json!({"user_name": 12345}),
        json!({"user_name": null}),
        json!({"user_name": {"action": "shrug"}}),
        json!({"user_name": {"action": "accept"}}),
        json!({"user_name": accept(json!({"name": 1}))}),
        json!([]),
        json!("x"),
    ] {
        let answer = retry(&client(&server), "hello", responses.clone(), None);
        assert_eq!(answer.error_code(), Some(-32602), "{responses}");
    }
}

#[test]
fn answers_of_earlier_rounds_travel_in_the_state() {
    let server = asking();
    let client = client(&server);
    let first = run(client.call_tool("steps", json!({})));
    let state1 = first.result()["requestState"].clone();
    let second = retry(&client, "steps", json!({"step1": accept(json!({"name": "Ada"}))}), Some(&state1));
    let state2 = second.result()["requestState"].clone();
    assert_ne!(state1, state2);
    assert!(second.result()["inputRequests"]["step2"].is_object());
    let third = retry(&client, "steps", json!({"step2": accept(json!({"color": "blue"}))}), Some(&state2));
    assert_eq!(third.text(), "Ada likes blue (draft for Ada)");
}

#[test]
fn several_rounds_without_a_key_fail_clearly() {
    let server = asking();
    let lines = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&lines);
    let client = Client::new(&server).capabilities(json!({"elicitation": {}}));
    let client = client.report(move |line| log.borrow_mut().push(line.to_owned()));
    let answer = retry(&client, "steps", json!({"step1": accept(json!({"name": "Ada"}))}), None);
    assert_eq!(answer.error_code(), Some(-32603));
    assert_eq!(*lines.borrow(), ["tools/call steps: asking in several rounds needs a state key, and none is set"]);
}

#[test]
fn several_questions_go_out_together() {
    let server = asking();
    let client = client(&server);
    let asked = run(client.call_tool("together", json!({})));
    let requests = &asked.result()["inputRequests"];
    assert_eq!(requests["user_name"]["method"], "elicitation/create");
    assert_eq!(
        requests["greeting"],
        json!({"method": "sampling/createMessage", "params": {
            "messages": [{"role": "user", "content": {"type": "text", "text": "Generate a greeting"}}],
            "maxTokens": 50
        }})
    );
    assert_eq!(requests["client_roots"], json!({"method": "roots/list", "params": {}}));
    let answers = json!({
        "user_name": accept(json!({"name": "Ada"})),
        "greeting": {"role": "assistant", "content": {"type": "text", "text": "Hail"}, "model": "m"},
        "client_roots": {"roots": [{"uri": "file:///x", "name": "x"}]},
    });
    let state = asked.result()["requestState"].clone();
    assert_eq!(retry(&client, "together", answers, Some(&state)).text(), "Hail Ada 1");
}

#[test]
fn refusals_of_the_user_reach_the_handler() {
    let server = asking();
    let client = client(&server);
    for action in ["decline", "cancel"] {
        let answers = json!({"user_name": {"action": action}});
        let polite = retry(&client, "polite", answers.clone(), None).text();
        assert_eq!(polite, if action == "decline" { "declined" } else { "cancelled" });
        let hello = retry(&client, "hello", answers, None);
        assert!(hello.is_error() && hello.text().starts_with("the user "), "{}", hello.text());
    }
}

#[test]
fn a_url_is_visited_with_consent_only() {
    let server = asking();
    let client = client(&server);
    let asked = run(client.call_tool("pay", json!({})));
    assert_eq!(
        asked.result()["inputRequests"]["pay"]["params"],
        json!({"mode": "url", "message": "Please pay", "url": "https://pay.example/1"})
    );
    assert_eq!(retry(&client, "pay", json!({"pay": {"action": "accept"}}), None).text(), "on its way");
    assert!(retry(&client, "pay", json!({"pay": {"action": "decline"}}), None).is_error());
}

#[test]
fn undeclared_capabilities_are_an_error_unless_the_handler_does_without() {
    let server = asking();
    for (tool, needed) in [("hello", json!({"elicitation": {}})), ("pay", json!({"elicitation": {"url": {}}}))] {
        let answer = run(Client::new(&server).call_tool(tool, json!({})));
        assert_eq!((answer.status, answer.error_code()), (400, Some(-32021)));
        assert_eq!(answer.message["error"]["data"]["requiredCapabilities"], needed);
    }
    assert_eq!(run(Client::new(&server).call_tool("adaptive", json!({}))).text(), "nobody");
    let asked = run(client(&server).call_tool("adaptive", json!({})));
    assert_eq!(asked.result()["resultType"], "input_required");
}

#[test]
fn state_that_is_not_ours_is_rejected() {
    let server = asking();
    let ours = client(&server);
    let asked = run(ours.call_tool("hello", json!({})));
    let state = asked.result()["requestState"].as_str().unwrap_or_default().to_owned();
    let answers = json!({"user_name": accept(json!({"name": "Ada"}))});
    let code = |client: &Client<'_, ()>, tool: &str, state: Value| {
        retry(client, tool, answers.clone(), Some(&state)).error_code()
    };
    assert_eq!(code(&ours, "hello", json!(state)), None);
    assert_eq!(code(&ours, "other", json!(state)), Some(-32602));
    for tampered in [json!(state.clone() + "x"), json!(state.clone() + "TAMPERED"), json!(""), json!(7)] {
        assert_eq!(code(&ours, "hello", tampered), Some(-32602));
    }
    // That is no state at all, with which answers are taken, too.
    assert_eq!(code(&ours, "hello", json!(null)), None);
    let later = client(&server).now(testing::NOW + 600);
    assert_eq!(code(&later, "hello", json!(state)), Some(-32602));
    let bob = client(&server).identity(Identity::for_test("bob", ""));
    assert_eq!(code(&bob, "hello", json!(state)), Some(-32602));
    let keyless = Client::new(&server).capabilities(json!({"elicitation": {}}));
    assert_eq!(code(&keyless, "hello", json!(state)), Some(-32602));
}

#[test]
fn prompts_and_resources_ask_too() {
    let server = asking();
    let client = client(&server);
    let asked = run(client.get_prompt("contextual", json!({})));
    assert_eq!(asked.result()["resultType"], "input_required");
    let params = json!({"name": "contextual", "inputResponses": {"user_context": accept(json!({"name": "X"}))},
        "requestState": asked.result()["requestState"]});
    let answer = run(client.request("prompts/get", params));
    assert_eq!(answer.result()["messages"][0]["content"]["text"], "Use X");

    let asked = run(client.read_resource("asked://"));
    let params = json!({"uri": "asked://", "inputResponses": {"who": accept(json!({"name": "X"}))},
        "requestState": asked.result()["requestState"]});
    let answer = run(client.request("resources/read", params));
    assert_eq!(answer.result()["contents"][0]["text"], "X");
}

#[test]
fn clients_with_a_handshake_cannot_be_asked() {
    let server = asking();
    let client = client(&server).legacy();
    let tool = run(client.call_tool("hello", json!({})));
    assert!(tool.is_error() && tool.text().contains("2026-07-28"), "{}", tool.text());
    assert_eq!(run(client.get_prompt("contextual", json!({}))).error_code(), Some(-32603));
    assert_eq!(run(client.read_resource("asked://")).error_code(), Some(-32603));
    // Even if they send answers: nothing was asked.
    let answers = json!({"user_name": accept(json!({"name": "Ada"}))});
    assert!(retry(&client, "hello", answers, None).is_error());
}

#[test]
fn a_form_that_cannot_be_shown_is_the_operators_business() {
    #[derive(Deserialize, JsonSchema)]
    struct Nested {
        #[allow(dead_code, reason = "never gets that far")]
        name: Name,
    }
    let tool = Tool::new("nested", |call: Call| async move {
        call.elicit::<Nested>("n", "?")?;
        call.log(LoggingLevel::Info, "unreachable").await;
        Ok::<_, ToolError>("")
    });
    let server = build(Server::builder("t", "1").tool(tool));
    let lines = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&lines);
    let answer =
        run(client(&server).report(move |line| log.borrow_mut().push(line.to_owned())).call_tool("nested", json!({})));
    assert_eq!(answer.error_code(), Some(-32603));
    assert!(lines.borrow().first().is_some_and(|line| line.contains("the field name")), "{lines:?}");
}
