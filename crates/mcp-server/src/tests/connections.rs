//! Tokens of other services: what handlers declare, and what they get.

#![allow(clippy::unnecessary_wraps, reason = "answers as a script has them")]

mod asking;
mod listing;

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use futures_util::future::{FutureExt, LocalBoxFuture};
use mcp_edge_connections::port::{Connections, NoAccess, TokenRequest};
use mcp_edge_runtime::secret::Secret;

use crate::{
    AccessError, BuildError, Cache, PromptError, ResourceError, ServiceAccess, StateKey,
    testing::{self, Client},
    tests::*,
};

const LINK: &str = "https://mcp.example.com/account/connect/abc";

/// Calls a service: the token gets into the result for these tests alone.
async fn issues(call: Call) -> Result<String, ToolError> {
    let github = call.access("github").await?;
    Ok([github.token.expose(), " ", &github.scopes].concat())
}

async fn repeated(call: Call) -> Result<String, ToolError> {
    let github = call.access("github").await?;
    let github = call.access_anew(&github).await?;
    Ok(github.token.expose().to_owned())
}

/// Asks for two at once.
async fn both(call: Call) -> Result<String, ToolError> {
    let (github, calendar) = (call.access("github").await, call.access("calendar").await);
    Ok([github?.connection, calendar?.connection].concat())
}

/// Asks for one after the other, and a question between.
async fn in_turn(call: Call) -> Result<String, ToolError> {
    let github = call.access("github").await?;
    let Echo { text } = call.elicit("text", "What?")?;
    let calendar = call.access("calendar").await?;
    Ok([github.connection, text, calendar.connection].concat())
}

async fn undeclared(call: Call) -> Result<String, ToolError> {
    Ok(call.access("gitlab").await?.connection)
}

/// Does without an account.
async fn optional(call: Call) -> Result<String, ToolError> {
    match call.access("github").await {
        Err(error) if error.is_not_connected() => Ok(["public: ", error.connection()].concat()),
        outcome => Ok(outcome?.connection),
    }
}

async fn document(call: Call) -> Result<String, ResourceError> {
    Ok(call.access("github").await?.token.expose().to_owned())
}

async fn page(call: Call, _: Value) -> Result<String, ResourceError> {
    document(call).await
}

async fn review(call: Call, _: Echo) -> Result<String, PromptError> {
    Ok(call.access("github").await?.token.expose().to_owned())
}

fn connected() -> ServerBuilder {
    let tool = |name: &str| Tool::new(name, issues).connection("github", ["repo:read", "user"]);
    let suggest = async |call: Call, _| match call.access("github").await {
        Ok(github) => vec![github.token.expose().to_owned()],
        Err(_) => Vec::new(),
    };
    Server::builder("t", "1")
        .scope("issues:read", "See issues")
        .tool(tool("issues").scope("issues:read"))
        .tool(Tool::new("hurried", issues).connection("github", ["repo:read"]).time_limit(Duration::from_secs(10)))
        .tool(Tool::new("repeated", repeated).connection("github", None::<&str>))
        .tool(Tool::new("both", both).connection("github", ["a"]).connection("calendar", ["b"]))
        .tool(Tool::new("in_turn", in_turn).connection("github", ["a"]).connection("calendar", ["b"]))
        .tool(Tool::new("undeclared", undeclared).connection("github", ["repo:read"]))
        .tool(Tool::new("undeclared_at_all", issues))
        .tool(Tool::new("optional", optional).connection("github", ["repo:read"]))
        .resource(Resource::new("issues://all", "all", document).connection("github", ["repo:read"]))
        .resource_template(ResourceTemplate::new("issues://{id}/x", "one", page).connection("github", ["repo:read"]))
        .prompt(Prompt::new("review", review).connection("github", ["repo:read"]).complete("text", suggest))
}

fn server() -> Server {
    build(connected())
}

/// Answers with one after the other, and with the last one from then on. Keeps what it was asked.
#[derive(Default)]
struct Script {
    answers: RefCell<Vec<Result<ServiceAccess, NoAccess>>>,
    asked: RefCell<Vec<String>>,
    count: Cell<usize>,
}

impl Connections for Script {
    fn access<'a>(&'a self, request: TokenRequest<'a>) -> LocalBoxFuture<'a, Result<ServiceAccess, NoAccess>> {
        let TokenRequest { connection, scopes, user_of_token, refused } = request;
        let refused = refused.map_or("-", |access| access.token.expose());
        self.asked.borrow_mut().push([connection, &scopes.join("+"), user_of_token, refused].join(" "));
        self.count.set(self.count.get() + 1);
        let mut answers = self.answers.borrow_mut();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        let answer = answer.map(|access| ServiceAccess { connection: connection.to_owned(), ..access });
        std::future::ready(answer).boxed_local()
    }
}

fn script(answers: &[Result<ServiceAccess, NoAccess>]) -> Rc<Script> {
    Rc::new(Script { answers: RefCell::new(answers.to_vec()), ..Script::default() })
}

fn token(text: &str) -> Result<ServiceAccess, NoAccess> {
    Ok(ServiceAccess {
        connection: String::new(),
        token: Secret::new(text),
        scopes: "repo:read".to_owned(),
        url: "https://api.example.com".to_owned(),
    })
}

fn not_connected() -> Result<ServiceAccess, NoAccess> {
    Err(NoAccess::NotConnected { title: "GitHub".to_owned(), url: Some(LINK.to_owned()) })
}

fn unavailable() -> Result<ServiceAccess, NoAccess> {
    Err(NoAccess::Unavailable { title: "GitHub".to_owned(), retry_after: 5, cause: "a timeout".to_owned() })
}

fn refused() -> Result<ServiceAccess, NoAccess> {
    Err(NoAccess::Refused { title: "GitHub".to_owned(), cause: "access_denied".to_owned() })
}

/// A client that shows links, used by a user with all scopes.
fn client<'s>(server: &'s Server, script: &Rc<Script>) -> Client<'s, ()> {
    let connections: Rc<dyn Connections> = Rc::clone(script) as Rc<dyn Connections>;
    Client::new(server)
        .identity(Identity::for_test("ada", "issues:read"))
        .capabilities(json!({"elicitation": {"form": {}, "url": {}}}))
        .connections(connections)
}

fn answer(client: &Client<'_, ()>, tool: &str, responses: Value) -> testing::ServerResponse {
    run(client.request("tools/call", json!({"name": tool, "arguments": {}, "inputResponses": responses})))
}

fn action(action: &str) -> Value {
    json!({"connect:github": {"action": action}})
}

/// A client whose reports to the operator are kept.
fn reporting(client: Client<'_, ()>) -> (Client<'_, ()>, Rc<RefCell<Vec<String>>>) {
    let lines = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&lines);
    (client.report(move |line| kept.borrow_mut().push(line.to_owned())), lines)
}

#[test]
fn a_tool_gets_a_token_for_what_it_declares() {
    let (server, script) = (server(), script(&[token("gho_1")]));
    let client = client(&server, &script);
    assert_eq!(run(client.call_tool("issues", json!({}))).text(), "gho_1 repo:read");
    assert_eq!(*script.asked.borrow(), ["github repo:read+user issues -"]);
}

#[test]
fn tests_of_authors_hand_in_connections() {
    let server = server();
    let client = Client::new(&server).identity(Identity::for_test("ada", "issues:read"));
    let client = client.connection("github", "gho_1");
    assert_eq!(run(client.call_tool("issues", json!({}))).text(), "gho_1 repo:read user");
    let anew = run(client.call_tool("repeated", json!({})));
    assert!(anew.is_error() && anew.text().contains("https://vault.test/account/connect/github"), "{}", anew.text());
    let client = client.not_connected("github");
    assert!(run(client.call_tool("issues", json!({}))).text().contains("https://vault.test/account/connect/github"));
    let client = client.no_access("github", NoAccess::NeedsUser);
    assert!(run(client.call_tool("issues", json!({}))).text().contains("no user"));
    let client = client.connection_at("github", "gho_2", "https://api.github.com");
    assert_eq!(run(client.call_tool("issues", json!({}))).text(), "gho_2 repo:read user");
    let unknown = Client::new(&server).identity(Identity::for_test("ada", "issues:read"));
    assert!(run(unknown.call_tool("issues", json!({}))).text().contains("internal error"));
}

#[test]
fn a_token_that_the_service_refuses_is_asked_for_anew() {
    let (server, script) = (server(), script(&[token("gho_1"), token("gho_2")]));
    assert_eq!(run(client(&server, &script).call_tool("repeated", json!({}))).text(), "gho_2");
    assert_eq!(*script.asked.borrow(), ["github  repeated -", "github  repeated gho_1"]);
}

#[test]
fn what_is_not_declared_is_not_asked_for() {
    let (server, script) = (server(), script(&[token("gho_1")]));
    for tool in ["undeclared", "undeclared_at_all"] {
        let (client, lines) = reporting(client(&server, &script));
        let answer = run(client.call_tool(tool, json!({})));
        assert!(answer.is_error() && answer.text().starts_with("internal error"), "{}", answer.text());
        assert!(lines.borrow()[0].contains("add `.connection(…)`"), "{lines:?}");
    }
    assert_eq!(script.count.get(), 0);
}

#[test]
fn an_endpoint_without_connections_is_an_error_of_the_operator() {
    let server = server();
    let request = Request::modern("tools/call", json!({"name": "issues", "arguments": {}}));
    let answer = message(&response(request.send_as(&server, Identity::for_test("ada", "issues:read"))));
    assert_eq!(answer["result"]["isError"], true);
    assert!(answer["result"]["content"][0]["text"].as_str().is_some_and(|text| text.starts_with("internal error")));
}

/// An "accept" has done its work when the account is there: it need not be carried through later rounds, which would take a
/// secret.
#[test]
fn the_caller_reads_what_to_do_and_the_operator_why() {
    let misconfigured = Err(NoAccess::Misconfigured { cause: "no such connection".to_owned() });
    for (refusal, text, line) in [
        (refused(), "GitHub refuses", Some("issues: connection github: access_denied")),
        (unavailable(), "GitHub cannot be reached", Some("issues: connection github: a timeout")),
        (Err(NoAccess::NeedsUser), "the caller is no user", None),
        (Err(NoAccess::CallerRefused), "Sign in again", None),
        (misconfigured, "internal error", Some("tools/call issues: connection github: no such connection")),
    ] {
        let (server, script) = (server(), script(&[refusal]));
        let (client, lines) = reporting(client(&server, &script));
        let answer = run(client.call_tool("issues", json!({})));
        assert!(answer.is_error() && answer.text().contains(text), "{}", answer.text());
        let lines = lines.borrow();
        assert_eq!(lines.iter().map(String::as_str).collect::<Vec<_>>(), line.into_iter().collect::<Vec<_>>());
        assert!(!["access_denied", "a timeout", "no such"].iter().any(|cause| answer.text().contains(cause)));
    }
}

#[test]
fn suggestions_may_use_the_account_and_ask_for_none() {
    let server = server();
    let params = json!({"ref": {"type": "ref/prompt", "name": "review"}, "argument": {"name": "text", "value": ""}});
    for (answer, values) in [(token("gho_1"), json!(["gho_1"])), (not_connected(), json!([]))] {
        let script = script(&[answer]);
        let answer = run(client(&server, &script).request("completion/complete", params.clone()));
        assert_eq!(answer.result()["completion"]["values"], values);
    }
}

#[test]
fn errors_show_what_the_caller_reads_and_no_token() {
    let script = script(&[not_connected()]);
    let seen: Rc<RefCell<Vec<AccessError>>> = Rc::default();
    let kept = Rc::clone(&seen);
    let tool = Tool::new("t", move |call: Call| {
        let kept = Rc::clone(&kept);
        async move {
            let error = call.access("github").await.err();
            kept.borrow_mut().extend(error);
            "done"
        }
    });
    let server = build(Server::builder("t", "1").tool(tool.connection("github", ["a"])));
    assert_eq!(run(client(&server, &script).call_tool("t", json!({}))).text(), "done");
    assert_eq!(run(client(&server, &script).legacy().call_tool("t", json!({}))).text(), "done");
    let seen = seen.borrow();
    assert_eq!(seen[0].to_string(), "an answer from the client is outstanding");
    assert!(seen[1].to_string().ends_with(LINK) && seen.iter().all(AccessError::is_not_connected));
}
