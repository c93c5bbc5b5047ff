//! Callers with accounts of their own at the upstream (`UPSTREAM_AUTH = "connection"`).

mod links;
mod tokens;

use std::{
    cell::Cell,
    pin::pin,
    task::{Context, Poll, Waker},
};

use mcp_edge_connections::{
    access::ServiceAccess,
    port::{NoAccess, TokenRequest},
};
use mcp_edge_runtime::secret::Secret;

use super::*;

const LINK: &str = "https://mcp.example.com/account/connect/x1";
const KEY: &str = "connect:https://mcp.example.com/mcp";
const UPSTREAM: &str = "https://upstream.example";

/// The vault, for one caller: what it answers, in order, the last again and again.
struct Account {
    answers: RefCell<VecDeque<Result<ServiceAccess, NoAccess>>>,
    /// Connection, who uses the token, and the refused token.
    asked: RefCell<Vec<(String, String, Option<String>)>>,
}

impl Account {
    fn new(answers: impl IntoIterator<Item = Result<ServiceAccess, NoAccess>>) -> Self {
        Self { answers: RefCell::new(answers.into_iter().collect()), asked: RefCell::default() }
    }

    /// With this token.
    fn of(token: &str) -> Self {
        Self::new([Ok(access(token))])
    }

    fn count(&self) -> usize {
        self.asked.borrow().len()
    }
}

impl Connections for Account {
    fn access<'a>(&'a self, request: TokenRequest<'a>) -> LocalBoxFuture<'a, Result<ServiceAccess, NoAccess>> {
        assert!(request.scopes.is_empty(), "any token of the connection will do");
        let refused = request.refused.map(|access| access.token.expose().to_owned());
        self.asked.borrow_mut().push((request.connection.to_owned(), request.user_of_token.to_owned(), refused));
        let mut answers = self.answers.borrow_mut();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        async move { answer.expect("an answer") }.boxed_local()
    }
}

fn access(token: &str) -> ServiceAccess {
    ServiceAccess {
        connection: "upstream".to_owned(),
        token: Secret::new(token),
        scopes: String::new(),
        url: UPSTREAM.to_owned(),
    }
}

fn not_connected() -> NoAccess {
    NoAccess::NotConnected { title: "Notes".to_owned(), url: Some(LINK.to_owned()) }
}

/// Time that passes when nothing else is to be done: a second for each round.
#[derive(Clone, Default)]
struct Clock(Rc<Cell<u64>>);

impl Clock {
    fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return result;
            }
            self.0.set(self.0.get() + 1);
            assert!(self.0.get() < 1000, "this waits for ever");
        }
    }
}

impl Runtime for Clock {
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        let (clock, until) = (self.clone(), self.0.get() + duration.as_secs());
        std::future::poll_fn(move |_| if clock.0.get() < until { Poll::Pending } else { Poll::Ready(()) }).boxed_local()
    }

    fn random(&self, buffer: &mut [u8]) {
        Clockless.random(buffer);
    }
}

/// What a client has declared.
enum Client {
    Legacy,
    /// Without a handshake, with these capabilities.
    Modern(Value),
}

fn visits() -> Client {
    Client::Modern(json!({"elicitation": {"form": {}, "url": {}}}))
}

fn deployment(changes: &[(&str, &str)]) -> Deployment {
    let own = [("UPSTREAM_AUTH", "connection"), ("UPSTREAM_SIGNING_KEY", "")];
    Deployment::new(&[changes, &own].concat())
}

/// One that is known to speak the era without a handshake.
fn modern_deployment() -> Deployment {
    let deployment = deployment(&[]);
    deployment.answers_json(&eras::discovered());
    deployment.answers_json(&result(&json!({"resultType": "complete", "content": []})));
    deployment.send(&visits(), "tools/call", ping(), &Account::of("up-other"));
    deployment.upstream.0.sent.borrow_mut().clear();
    deployment
}

impl Deployment {
    /// Sends a request of Alice, and says how many seconds it took.
    #[allow(clippy::needless_pass_by_value, reason = "for `json!`")]
    fn send(&self, client: &Client, method: &str, params: Value, account: &Account) -> (Handled, u64) {
        self.send_as(&alice(), client, method, params, account)
    }

    fn send_as(
        &self,
        identity: &Identity,
        client: &Client,
        method: &str,
        mut params: Value,
        account: &Account,
    ) -> (Handled, u64) {
        let name = params.get("name").or_else(|| params.get("uri")).and_then(Value::as_str).unwrap_or_default();
        let name = name.to_owned();
        let mut head = post();
        match client {
            Client::Legacy => head = head.with_header("mcp-protocol-version", "2025-11-25"),
            Client::Modern(capabilities) => {
                params["_meta"] = json!({
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientCapabilities": capabilities,
                });
                head = head.with_header("mcp-protocol-version", "2026-07-28").with_header("mcp-method", method);
                if !name.is_empty() {
                    head = head.with_header("mcp-name", &name);
                }
            }
        }
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string();
        self.post_as(identity, &head, &body, account)
    }

    fn post_as(&self, identity: &Identity, head: &RequestHead<'_>, body: &str, account: &Account) -> (Handled, u64) {
        let clock = Clock::default();
        let handled = clock.run(self.handle_by(head, body, identity, &clock, Some(account)));
        (handled, clock.0.get())
    }

    /// `Authorization` of everything that was sent.
    fn authorizations(&self) -> Vec<String> {
        let sent = self.upstream.0.sent.borrow();
        sent.iter().map(|sent| sent.header("authorization").unwrap_or_default().to_owned()).collect()
    }
}

/// The text of a tool error.
fn tool_error(handled: Handled) -> String {
    let response = response(handled);
    let result = json_of(&response)["result"].clone();
    assert_eq!((response.status, &result["isError"]), (200, &json!(true)), "{result}");
    result["content"][0]["text"].as_str().unwrap_or_default().to_owned()
}

fn ping() -> Value {
    json!({"name": "ping", "arguments": {"q": 1}})
}

/// A call with what the user did with the link.
fn answered(action: &str) -> Value {
    json!({"name": "ping", "arguments": {"q": 1}, "inputResponses": {KEY: {"action": action}}})
}
