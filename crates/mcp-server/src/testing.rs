//! Testing tools natively: a client that speaks to a [`Server`] in the same process, and a clock that does not wait.
//!
//! ```
//! use mcp_edge_server::{Call, Server, Tool, testing};
//! use mcp_edge_identity::Identity;
//!
//! async fn whoami(call: Call) -> String {
//!     call.identity().subject().to_owned()
//! }
//!
//! let server: Server = Server::builder("test", "1").tool(Tool::new("whoami", whoami)).build()?;
//! let client = testing::Client::new(&server).identity(Identity::for_test("ada", ""));
//! let answer = testing::run(client.call_tool("whoami", serde_json::json!({})));
//! assert_eq!(answer.text(), "ada");
//! # Ok::<(), mcp_edge_server::BuildError>(())
//! ```

#[cfg(feature = "connections")]
mod connections;

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    pin::pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures_util::{
    future::{FutureExt, LocalBoxFuture},
    stream::StreamExt,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    context::{RequestContext, ServerServices},
    input_required::request_state::StateKey,
    server::Server,
};
use mcp_edge_identity::AccessNeeded;
use mcp_edge_identity::Identity;
use mcp_edge_protocol::{
    outcome::Summary,
    revision::{Era, MODERN, NEWEST_LEGACY, Revision},
};
use mcp_edge_runtime::{
    http::{Body, RequestHead, Response},
    ports::Runtime,
};

/// The time of day at which tests take place unless they say otherwise: 2027-01-15, in seconds since 1970.
pub const NOW: u64 = 1_800_000_000;

/// A client of a server in the same process. Each request goes through all layers but HTTP.
pub struct Client<'s, E> {
    server: &'s Server<E>,
    context: RequestContext<E>,
    services: ServerServices,
    revision: Revision,
    capabilities: Value,
    log_level: Option<&'static str>,
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ServerResponse {
    /// HTTP status; 403 if access was refused.
    pub status: u16,
    /// Notifications that came before the answer.
    pub notifications: Vec<Value>,
    /// The JSON-RPC message; null if there was none.
    pub message: Value,
    /// What the identity lacks, if access was refused.
    pub refused: Option<AccessNeeded>,
}

impl<'s> Client<'s, ()> {
    /// A client of the newest revision that declares no capabilities, used by the user `test` without any scope.
    #[must_use]
    pub fn new(server: &'s Server<()>) -> Self {
        Self::with_env(server, ())
    }
}

impl<'s, E: Clone + 'static> Client<'s, E> {
    /// Like [`Client::new`], for servers whose handlers take an environment.
    #[must_use]
    pub fn with_env(server: &'s Server<E>, env: E) -> Self {
        let identity = Rc::new(Identity::for_test("test", ""));
        let context =
            RequestContext { identity, env, now: NOW, request_id: "test-request".to_owned(), connections: None };
        let services = ServerServices::new(Rc::new(TestRuntime::default()));
        Self { server, context, services, revision: MODERN, capabilities: json!({}), log_level: None }
    }

    /// Changes who calls.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.context.identity = Rc::new(identity);
        self
    }

    /// Changes the time of day.
    #[must_use]
    pub fn now(mut self, seconds: u64) -> Self {
        self.context.now = seconds;
        self
    }

    /// Sets the key with which the server seals state.
    #[must_use]
    pub fn state_key(mut self, key: StateKey) -> Self {
        self.services.state_key = Some(key);
        self
    }

    /// Sets what takes the operator's log lines.
    #[must_use]
    pub fn report(mut self, report: impl Fn(&str) + 'static) -> Self {
        self.services.report = Rc::new(report);
        self
    }

    /// Declares capabilities: `{"elicitation": {}}`.
    #[must_use]
    pub fn capabilities(mut self, capabilities: Value) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Asks for log lines of this level and above.
    #[must_use]
    pub fn log_level(mut self, level: crate::LoggingLevel) -> Self {
        self.log_level = Some(level.as_str());
        self
    }

    /// Speaks another revision.
    #[must_use]
    pub fn revision(mut self, revision: Revision) -> Self {
        self.revision = revision;
        self
    }

    /// Speaks the newest revision with a handshake.
    #[must_use]
    pub fn legacy(self) -> Self {
        self.revision(NEWEST_LEGACY)
    }

    /// Calls a tool. Its progress is in [`ServerResponse::notifications`].
    pub async fn call_tool(&self, name: &str, arguments: Value) -> ServerResponse {
        self.request("tools/call", json!({"name": name, "arguments": arguments})).await
    }

    /// Reads a resource.
    pub async fn read_resource(&self, uri: &str) -> ServerResponse {
        self.request("resources/read", json!({"uri": uri})).await
    }

    /// Fills in a prompt.
    pub async fn get_prompt(&self, name: &str, arguments: Value) -> ServerResponse {
        self.request("prompts/get", json!({"name": name, "arguments": arguments})).await
    }

    /// Sends a request with these parameters, to which it adds what the revision demands.
    pub async fn request(&self, method: &str, mut params: Value) -> ServerResponse {
        let mut head = RequestHead::new("POST", "/mcp")
            .with_header("content-type", "application/json")
            .with_header("accept", "application/json, text/event-stream")
            .with_header("mcp-protocol-version", self.revision.as_str());
        let mut meta = json!({"progressToken": "progress"});
        let named = params.get("name").or_else(|| params.get("uri")).and_then(Value::as_str);
        let named = named.unwrap_or_default().to_owned();
        if self.revision.era() == Era::Modern {
            head = head.with_header("mcp-method", method).with_header("mcp-name", &named);
            meta["io.modelcontextprotocol/protocolVersion"] = self.revision.as_str().into();
            meta["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
            meta["io.modelcontextprotocol/clientInfo"] = json!({"name": "test", "version": "1"});
            if let Some(level) = self.log_level {
                meta["io.modelcontextprotocol/logLevel"] = level.into();
            }
        }
        params["_meta"] = meta;
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        self.post(&head, &body).await.0
    }

    /// Posts any body with any head.
    pub async fn post(&self, head: &RequestHead<'_>, body: &str) -> (ServerResponse, Summary) {
        let services = Rc::new(self.services.clone());
        let handled = self.server.handle(head, body, self.context.clone(), &services).await;
        let answer = match handled.response {
            Ok(response) => ServerResponse::read(response).await,
            Err(needed) => {
                ServerResponse { status: 403, notifications: Vec::new(), message: Value::Null, refused: Some(needed) }
            }
        };
        (answer, handled.summary)
    }
}

impl ServerResponse {
    async fn read(response: Response) -> Self {
        let Response { status, body, .. } = response;
        let mut messages: Vec<Value> = match body {
            Body::Empty | Body::Platform(_) | Body::Response(_) => Vec::new(),
            Body::Text(text) => vec![serde_json::from_str(&text).unwrap_or_default()],
            Body::Stream { chunks, .. } => {
                let text: String = chunks.collect().await;
                let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
                data.map(|json| serde_json::from_str(json).unwrap_or_default()).collect()
            }
        };
        let message = messages.pop().unwrap_or_default();
        Self { status, notifications: messages, message, refused: None }
    }

    /// The result; null if there is none.
    #[must_use]
    pub fn result(&self) -> &Value {
        &self.message["result"]
    }

    /// The code of the JSON-RPC error, if it is one.
    #[must_use]
    pub fn error_code(&self) -> Option<i64> {
        self.message["error"]["code"].as_i64()
    }

    /// Whether a tool reports a failure.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.result()["isError"] == true
    }

    /// All text of a tool's result.
    #[must_use]
    pub fn text(&self) -> String {
        let content = self.result()["content"].as_array().map_or(&[][..], Vec::as_slice);
        content.iter().filter_map(|block| block["text"].as_str()).collect()
    }
}

thread_local! {
    /// The clock of [`run`]: what it shows, and who waits for which time.
    static CLOCK: Clock = const { Clock { now: Cell::new(Duration::ZERO), sleepers: RefCell::new(Vec::new()) } };
}

struct Clock {
    now: Cell<Duration>,
    sleepers: RefCell<Vec<(Duration, Waker)>>,
}

/// Runs a future to its end on this thread. When nothing is left to do but wait, the clock of [`TestRuntime`] jumps to
/// the time that is waited for first, so tests of timeouts take no time.
///
/// # Panics
/// If the future waits for something else than that clock, since then it would never end.
pub fn run<F: Future>(future: F) -> F::Output {
    struct Flag(AtomicBool);
    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let mut future = pin!(future);
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&flag));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        if !flag.0.swap(false, Ordering::Relaxed) {
            assert!(CLOCK.with(Clock::jump), "the future waits for something that never happens in tests");
            flag.0.store(false, Ordering::Relaxed);
        }
    }
}

impl Clock {
    /// Moves to the first time that is waited for; `false` if there is none.
    fn jump(&self) -> bool {
        let mut sleepers = self.sleepers.borrow_mut();
        let Some(first) = sleepers.iter().map(|(time, _)| *time).min() else { return false };
        self.now.set(self.now.get().max(first));
        sleepers.retain(|(time, waker)| {
            let due = *time <= first;
            if due {
                waker.wake_by_ref();
            }
            !due
        });
        true
    }
}

/// A runtime for tests: time as in [`run`], and bytes that only look random and are the same in each test.
#[derive(Debug, Default)]
pub struct TestRuntime {
    drawn: Cell<u64>,
}

impl Runtime for TestRuntime {
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        let until = CLOCK.with(|clock| clock.now.get()).saturating_add(duration);
        poll_fn(move |context| {
            CLOCK.with(|clock| {
                if clock.now.get() >= until {
                    return Poll::Ready(());
                }
                clock.sleepers.borrow_mut().push((until, context.waker().clone()));
                Poll::Pending
            })
        })
        .boxed_local()
    }

    fn random(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            self.drawn.set(self.drawn.get() + 1);
            let digest = Sha256::digest(self.drawn.get().to_be_bytes());
            chunk.iter_mut().zip(digest).for_each(|(byte, random)| *byte = random);
        }
    }
}
