//! `#[tool]`: what is listed, and what a handler is given.

use mcp_edge::{
    AccessNeeded, BuildError, Capability, ContentBlock, Identity, Server, ServerBuilder, ToolResult,
    prelude::*,
    testing::{self, Client},
};
use serde_json::{Value, json};

const READ: &str = "notes:read";

/// Searches the
/// handbook.
///
/// Best match first.
#[tool(title = "Search", scope = READ, scope = "notes:list", needs_user, read_only, closed_world)]
async fn search(
    call: Call,
    /// Words to
    /// look for.
    #[schemars(length(min = 1, max = 20))]
    query: String,
    /// How many results at most.
    limit: Option<u8>,
    /// Where to look.
    #[default(Place::Titles)]
    place: Place,
    #[serde(rename = "type")] kind: Option<String>,
) -> Result<Json<Found>, ToolError> {
    if query == "nothing" {
        return Err("there is nothing".into());
    }
    let user = call.user().unwrap_or_default().to_owned();
    Ok(Json(Found { query, user, limit, place, kind }))
}

#[schema]
#[derive(Debug)]
#[serde(rename_all = "lowercase")]
enum Place {
    Titles,
    Bodies,
}

#[schema(output)]
struct Found {
    /// What was looked for.
    query: String,
    user: String,
    limit: Option<u8>,
    place: Place,
    kind: Option<String>,
}

/// Adds.
#[tool(deny_unknown)]
fn add(left: i64, mut right: i64) -> String {
    right += left;
    right.to_string()
}

/// Answers.
#[tool(name = "ping-v2", refuses_keys)]
fn ping() -> &'static str {
    "pong"
}

#[tool(description = "Waits.", time_limit = std::time::Duration::from_secs(1), needs = Capability::Elicitation)]
pub async fn r#loop(_: Call) -> Vec<ContentBlock> {
    vec![ContentBlock::text("waited")]
}

fn server_with<E: Clone + 'static>(tools: impl FnOnce(ServerBuilder<E>) -> ServerBuilder<E>) -> Server<E> {
    let server = Server::builder("test", "1.0.0").scope(READ, "Read").scope("notes:list", "List").with(tools).build();
    server.unwrap_or_else(|error| panic!("{error}"))
}

fn listed<E: Clone + 'static>(client: &Client<'_, E>, name: &str) -> Value {
    let answer = testing::run(client.request("tools/list", json!({})));
    let tools = answer.result()["tools"].as_array().cloned().unwrap_or_default();
    tools.into_iter().find(|tool| tool["name"] == name).unwrap_or_default()
}

fn ada<E: Clone + 'static>(client: Client<'_, E>) -> Client<'_, E> {
    client.identity(Identity::for_test("ada", "notes:read notes:list"))
}

#[test]
fn name_description_title_and_hints_come_from_the_function_and_the_attribute() {
    let server = server_with::<()>(|server| server.tool(search()).tool(ping()).tool(r#loop()));
    let client = ada(Client::new(&server));
    let tool = listed(&client, "search");
    assert_eq!(tool["title"], "Search");
    assert_eq!(tool["description"], "Searches the handbook.\n\nBest match first.");
    assert_eq!(tool["annotations"]["readOnlyHint"], true);
    assert_eq!(tool["annotations"]["openWorldHint"], false);
    assert_eq!(listed(&client, "ping-v2")["description"], "Answers.");
    assert_eq!(listed(&client, "loop")["description"], "Waits.");
}

#[test]
fn arguments_are_described_by_the_parameters() {
    let server = server_with::<()>(|server| server.tool(search()).tool(ping()).tool(add()));
    let client = ada(Client::new(&server));
    let input = &listed(&client, "search")["inputSchema"];
    let properties = &input["properties"];
    assert_eq!(
        properties["query"],
        json!({"type": "string", "description": "Words to look for.", "minLength": 1, "maxLength": 20})
    );
    assert_eq!(properties["limit"]["description"], "How many results at most.");
    assert_eq!(properties["place"]["default"], "titles");
    assert!(properties["type"].is_object() && properties["kind"].is_null());
    assert_eq!(input["required"], json!(["query"]), "Option and default are optional; the call is no argument");
    assert_eq!(input["additionalProperties"], Value::Null);
    // Not every client reads a boolean there; unknown arguments are refused nonetheless.
    assert_eq!(listed(&client, "add")["inputSchema"]["additionalProperties"], Value::Null);
    assert_eq!(listed(&client, "ping-v2")["inputSchema"], json!({"type": "object", "properties": {}}));
}

#[test]
fn a_handler_gets_its_arguments_and_the_caller() {
    let server = server_with::<()>(|server| server.tool(search()).tool(add()).tool(ping()));
    let client = ada(Client::new(&server));
    let answer = testing::run(client.call_tool("search", json!({"query": "tea", "type": "x", "unknown": 1})));
    let expected = json!({"query": "tea", "user": "ada", "limit": null, "place": "titles", "kind": "x"});
    assert_eq!(answer.result()["structuredContent"], expected);
    let answer = testing::run(client.call_tool("search", json!({"query": "nothing"})));
    assert!(answer.is_error() && answer.text() == "there is nothing");
    assert_eq!(testing::run(client.call_tool("add", json!({"left": 1, "right": 2}))).text(), "3");
    assert!(testing::run(client.call_tool("add", json!({"left": 1, "right": 2, "more": 3}))).is_error());
    assert!(testing::run(client.call_tool("add", json!({"left": 1}))).text().contains("right"));
    assert_eq!(testing::run(client.call_tool("ping-v2", json!({}))).text(), "pong");
}

#[test]
fn access_is_refused_by_the_declared_scopes() {
    let server = server_with::<()>(|server| server.tool(search()));
    let client = Client::new(&server).identity(Identity::for_test("ada", READ));
    assert!(testing::run(client.call_tool("search", json!({"query": "tea"}))).refused.is_some());
}

#[test]
fn keys_are_refused_where_the_attribute_says_so() {
    let server = server_with::<()>(|server| server.tool(ping()).tool(add()));
    let client = Client::new(&server).identity(Identity::for_test("ada", "").with_access_key(None));
    assert_eq!(testing::run(client.call_tool("ping-v2", json!({}))).refused, Some(AccessNeeded::AccessToken));
    assert_eq!(listed(&client, "ping-v2"), Value::Null);
    assert_eq!(testing::run(client.call_tool("add", json!({"left": 1, "right": 2}))).text(), "3");
}

#[test]
fn capabilities_are_needed_before_the_tool_runs() {
    let server = server_with::<()>(|server| server.tool(r#loop()));
    assert_eq!(testing::run(ada(Client::new(&server)).call_tool("loop", json!({}))).error_code(), Some(-32021));
}

/// An environment.
trait Shelf: Clone + 'static {
    fn book(&self) -> String;
}

#[derive(Clone)]
struct OneBook;

impl Shelf for OneBook {
    fn book(&self) -> String {
        "a book".to_owned()
    }
}

/// Reads.
#[tool(read_only)]
async fn read<S: Shelf>(call: Call<S>) -> String {
    call.env().book()
}

/// Reads the one book.
#[tool(read_only)]
fn read_one(
    call: Call<OneBook>,
    /// Its language.
    language: String,
) -> String {
    format!("{} in {language}", call.env().book())
}

#[test]
fn the_environment_is_named_only_where_it_is_used() {
    let server = server_with(|server| server.tool(read()).tool(read_one()).tool(search()).tool(ping()));
    let client = ada(Client::with_env(&server, OneBook));
    assert_eq!(testing::run(client.call_tool("read", json!({}))).text(), "a book");
    assert_eq!(testing::run(client.call_tool("read_one", json!({"language": "Latin"}))).text(), "a book in Latin");
    assert!(!testing::run(client.call_tool("search", json!({"query": "tea"}))).is_error());
}

/// A type with all arguments.
#[schema(input)]
struct Draft {
    /// One line.
    title: String,
}

/// Writes.
#[tool(additive)]
fn write(Draft { title }: Draft) -> String {
    title
}

/// Writes again.
#[tool(additive, idempotent)]
async fn rewrite(#[arguments] draft: Draft, call: Call) -> ToolResult {
    ToolResult::new().content(format!("{} by {}", draft.title, call.identity().subject()))
}

#[test]
fn one_type_can_hold_all_arguments() {
    let server = server_with::<()>(|server| server.tool(write()).tool(rewrite()));
    let client = ada(Client::new(&server));
    for name in ["write", "rewrite"] {
        assert_eq!(listed(&client, name)["inputSchema"]["properties"]["title"]["description"], "One line.");
    }
    assert_eq!(testing::run(client.call_tool("write", json!({"title": "Tea"}))).text(), "Tea");
    assert_eq!(testing::run(client.call_tool("rewrite", json!({"title": "Tea"}))).text(), "Tea by ada");
}

#[test]
fn two_tools_of_one_name_are_no_server() {
    let server: Result<Server, BuildError> = Server::builder("test", "1.0.0").tool(ping()).tool(ping()).build();
    assert!(server.err().is_some_and(|error| error.to_string().contains("ping-v2")));
}

// Names that the attribute could confuse with its own.
mod names {
    use super::*;

    #[schema]
    struct Arguments {
        arguments: String,
    }

    /// Echoes.
    #[tool]
    fn tool(Arguments { arguments }: Arguments) -> Json<Arguments> {
        Json(Arguments { arguments })
    }

    /// Counts down.
    #[tool]
    fn down(call: u8, env: u8, arguments: u8) -> String {
        if call == 0 { format!("{env}{arguments}") } else { down(call - 1, env, arguments) }
    }

    #[test]
    fn nothing_is_shadowed() {
        let server = server_with::<()>(|server| server.tool(tool()).tool(down()));
        let client = Client::new(&server);
        let answer = testing::run(client.call_tool("tool", json!({"arguments": "x"})));
        assert_eq!(answer.result()["structuredContent"], json!({"arguments": "x"}));
        let answer = testing::run(client.call_tool("down", json!({"call": 3, "env": 1, "arguments": 2})));
        assert_eq!(answer.text(), "12");
    }
}

// The builder takes the same functions without an attribute.
mod builder {
    use super::*;

    async fn greet(call: Call) -> String {
        call.identity().subject().to_owned()
    }

    async fn echo(Draft { title }: Draft) -> String {
        title
    }

    async fn both<E>(_: Call<E>, Draft { title }: Draft) -> String {
        title
    }

    #[test]
    fn each_parameter_may_be_missing() {
        let server = server_with::<()>(|server| {
            server
                .tool(Tool::new("greet", greet))
                .tool(Tool::new("echo", echo))
                .tool(Tool::new("both", both))
                .tool(Tool::new("closure", async |draft: Draft| draft.title))
                .tool(Tool::new("nothing", async || "x"))
        });
        let client = ada(Client::new(&server));
        for (name, expected) in
            [("greet", "ada"), ("echo", "Tea"), ("both", "Tea"), ("closure", "Tea"), ("nothing", "x")]
        {
            let arguments = if matches!(name, "greet" | "nothing") { json!({}) } else { json!({"title": "Tea"}) };
            assert_eq!(testing::run(client.call_tool(name, arguments)).text(), expected, "{name}");
        }
    }
}

/// Lists issues.
#[tool(connection("github", "repo:read", SCOPE), connection("calendar"), read_only)]
async fn issues(call: Call) -> Result<String, ToolError> {
    let github = call.access("github").await?;
    let calendar = call.access("calendar").await?;
    Ok(format!("{} {:?}", github.scopes, calendar.scopes))
}

const SCOPE: &str = "user";

#[test]
fn a_tool_declares_connections() {
    let server: Server = Server::builder("test", "1.0.0").tool(issues()).build().unwrap();
    let connections = server.connections().map(|connection| (connection.name.as_str(), connection.scopes.join(" ")));
    assert_eq!(connections.collect::<Vec<_>>(), [("github", "repo:read user".to_owned()), ("calendar", String::new())]);
    let client = Client::new(&server).connection("github", "gho_1").connection("calendar", "cal_1");
    assert_eq!(testing::run(client.call_tool("issues", json!({}))).text(), "repo:read user \"\"");
}
