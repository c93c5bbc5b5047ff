//! What a handler gets: who calls, with what, and the ways to talk back.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use futures_util::future::LocalBoxFuture;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    client::{ClientCapabilities, ClientInfo},
    context::{RequestContext, ServerServices},
    input_required::{
        form,
        inputs::{
            self, Cause, CreateMessageParams, CreateMessageResult, ElicitResult, InputRequired, Inputs, Question, Root,
        },
    },
    notification::{self, LoggingLevel, Outbox},
    primitives::connection::Access,
};
use mcp_edge_identity::{Identity, Kind};
use mcp_edge_protocol::revision::{Era, Revision};
use mcp_edge_runtime::json::to_json;

/// One call of a tool, a resource, a prompt or a completion. Cheap to clone.
///
/// # Asking back
///
/// A handler may need something from the user, the model or the workspace at the other end. A stateless server cannot
/// wait for an answer, but the handler is written as if it could: it asks, and leaves through `?` when the answer is
/// not there yet. The questions asked so far go out; the client repeats the request with the answers, the handler runs
/// again from its start, and this time the same question returns the answer. Several questions go out at once if all
/// are asked before the first `?`:
///
/// ```
/// # use mcp_edge_server::{Call, CreateMessageParams, ToolError};
/// # use schemars::JsonSchema;
/// # use serde::Deserialize;
/// #[derive(Deserialize, JsonSchema)]
/// struct Name {
///     name: String,
/// }
///
/// async fn greet(call: Call) -> Result<String, ToolError> {
///     let name = call.elicit::<Name>("name", "What is your name?");
///     let greeting = call.sample("greeting", CreateMessageParams::new("Generate a greeting", 50));
///     let (name, greeting) = (name?, greeting?);
///     Ok(format!("{}, {}!", greeting.text(), name.name))
/// }
/// ```
///
/// What a handler does before a question happens once per round, so effects belong after the last one.
///
/// A client brings back the answers of the last round only. Those of earlier rounds, and what the handler
/// [remembers](Call::remember), travel in sealed state, for which the endpoint must have a
/// [`StateKey`](crate::StateKey). A single round works without.
///
/// Clients of revisions before 2026-07-28 cannot be asked: for them the handler fails with an error that says so.
pub struct Call<E = ()> {
    env: E,
    context: Rc<Context>,
}

impl<E: Clone> Clone for Call<E> {
    fn clone(&self) -> Self {
        Self { env: self.env.clone(), context: Rc::clone(&self.context) }
    }
}

/// The parts of a call that do not depend on the type of its environment.
pub(super) struct Context {
    pub identity: Rc<Identity>,
    pub now: u64,
    pub request_id: String,
    pub services: Rc<ServerServices>,
    pub revision: Revision,
    pub client: Option<ClientInfo>,
    pub capabilities: ClientCapabilities,
    /// JSON.
    pub progress_token: Option<String>,
    /// The highest progress sent so far.
    pub progress: Cell<f64>,
    /// The least severe messages that are sent, if any are.
    pub log_level: Option<LoggingLevel>,
    pub outbox: Rc<Outbox>,
    pub inputs: RefCell<Inputs>,
    /// What the handler may ask for tokens of other services.
    pub access: Access,
}

/// What a request says of its client, in the terms of both eras.
pub(super) struct ClientDeclaration {
    pub revision: Revision,
    pub client: Option<ClientInfo>,
    pub capabilities: ClientCapabilities,
    /// JSON.
    pub progress_token: Option<String>,
    /// The least severe log messages that the client wants, if any.
    pub log_level: Option<LoggingLevel>,
}

impl<E> Call<E> {
    pub(super) fn new(env: E, context: Rc<Context>) -> Self {
        Self { env, context }
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// Who calls: the user (or machine), the client, its scopes, and the claims that may be shown.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.context.identity
    }

    /// The `sub` of the user, or `None` for a client that acts for itself and for a token that does not show whose it is.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        let identity = self.identity();
        (identity.kind() == Kind::User).then_some(identity.subject())
    }

    /// What the endpoint gives to its tools.
    #[must_use]
    pub fn env(&self) -> &E {
        &self.env
    }

    /// The time of day, in seconds since 1970, when the request came.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.context.now
    }

    /// This call without its environment, for code that works on every server.
    #[must_use]
    pub fn without_env(self) -> Call {
        Call { env: (), context: self.context }
    }

    /// Fills `buffer` with bytes fit for cryptography; in tests, with predictable ones.
    pub fn random(&self, buffer: &mut [u8]) {
        self.context.services.runtime.random(buffer);
    }

    /// Under which the operator finds this request in the log.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.context.request_id
    }

    /// The revision of the protocol that the client speaks.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.context.revision
    }

    /// What the client calls itself; only known since 2026-07-28. Nothing verifies it: use
    /// [`Identity::client_id`] for decisions.
    #[must_use]
    pub fn client_info(&self) -> Option<&ClientInfo> {
        self.context.client.as_ref()
    }

    /// What the client can be asked.
    #[must_use]
    pub fn capabilities(&self) -> &ClientCapabilities {
        &self.context.capabilities
    }

    /// Ends after `duration`.
    #[must_use]
    pub fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        self.context.services.runtime.sleep(duration)
    }

    /// Tells the client how far the work is, if it wants to know. `progress` must grow; a message that does not is
    /// dropped, as is one with a number that is not finite.
    pub async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        let context = &self.context;
        let Some(token) = &context.progress_token else { return };
        if progress.is_finite() && progress > context.progress.replace(progress.max(context.progress.get())) {
            context.outbox.send(notification::progress(token, progress, total, message)).await;
        }
    }

    /// Sends a log line to the client. `data` is shown to people or models there: no credentials, no personal data.
    ///
    /// Dropped unless the server declares [logging](crate::ServerBuilder::logging), the client asked for lines of this
    /// level, and an event stream can carry it.
    pub async fn log<T: Serialize + ?Sized>(&self, level: LoggingLevel, data: &T) {
        if self.context.log_level.is_some_and(|least| level >= least) {
            self.context.outbox.send(notification::message(level, &to_json(data))).await;
        }
    }

    /// Asks the user to fill in a form with the fields of `T`, and returns what was filled in. A form is flat: text,
    /// numbers, booleans and choices.
    ///
    /// `key` tells the questions of one handler apart and must be the same in each round. Never ask for credentials
    /// in this way.
    ///
    /// # Errors
    /// If there is no answer yet, the client cannot be asked, or the user declined or cancelled.
    pub fn elicit<T: DeserializeOwned + JsonSchema>(&self, key: &str, message: &str) -> Result<T, InputRequired> {
        self.elicit_answer(key, message)?.accepted()
    }

    /// Like [`Call::elicit`], for handlers that go on when the user declines.
    ///
    /// # Errors
    /// If there is no answer yet, or the client cannot be asked.
    pub fn elicit_answer<T: DeserializeOwned + JsonSchema>(
        &self,
        key: &str,
        message: &str,
    ) -> Result<ElicitResult<T>, InputRequired> {
        let schema = form::of::<T>().map_err(|why| InputRequired(Cause::Misuse(why)))?;
        inputs::read_typed(key, self.elicit_schema(key, message, &schema)?)
    }

    /// Like [`Call::elicit_answer`], with a schema written by hand.
    ///
    /// # Errors
    /// If there is no answer yet, or the client cannot be asked.
    pub fn elicit_schema(
        &self,
        key: &str,
        message: &str,
        schema: &Value,
    ) -> Result<ElicitResult<Value>, InputRequired> {
        let answer = self.context.ask(key, &inputs::form(message, schema))?;
        inputs::read_form(key, answer, schema)
    }

    /// Asks the user to visit a URL, for what must not pass through the client (a payment, another sign-in).
    /// Acceptance means consent to open the page, not that anything has been done there. The URL must not contain
    /// personal data, nor let anyone in who has it.
    ///
    /// # Errors
    /// If there is no answer yet, or the client cannot be asked.
    pub fn elicit_url(&self, key: &str, message: &str, url: &str) -> Result<ElicitResult<()>, InputRequired> {
        let answer = self.context.ask(key, &inputs::url(message, url))?;
        Ok(match inputs::read_action(key, answer)? {
            ElicitResult::Accepted(_) => ElicitResult::Accepted(()),
            ElicitResult::Declined => ElicitResult::Declined,
            ElicitResult::Cancelled => ElicitResult::Cancelled,
        })
    }

    /// Asks the model at the other end.
    ///
    /// # Errors
    /// If there is no answer yet, or the client cannot be asked.
    #[allow(clippy::needless_pass_by_value, reason = "built in place; a reference would only add noise")]
    pub fn sample(&self, key: &str, sampling: CreateMessageParams) -> Result<CreateMessageResult, InputRequired> {
        let answer = self.context.ask(key, &inputs::sampling(&sampling))?;
        inputs::read_sampled(key, answer)
    }

    /// Asks for the roots of the client's workspace.
    ///
    /// # Errors
    /// If there is no answer yet, or the client cannot be asked.
    pub fn roots(&self, key: &str) -> Result<Vec<Root>, InputRequired> {
        let answer = self.context.ask(key, &inputs::roots())?;
        inputs::read_roots(key, answer)
    }

    /// Puts a value aside for the next round, encrypted and bound to this request; [`Call::recall`] returns it. It may
    /// be returned more than once.
    pub fn remember<T: Serialize + ?Sized>(&self, key: &str, value: &T) {
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        self.context.inputs.borrow_mut().notes.insert(key.to_owned(), value);
    }

    /// What an earlier round put aside; what this one has put aside is seen by the next.
    #[must_use]
    pub fn recall<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let value = self.context.inputs.borrow().recalled.get(key).cloned()?;
        serde_json::from_value(value).ok()
    }
}

impl Context {
    /// Creates the context of one request; its environment is left to the caller.
    pub fn new<E>(request: RequestContext<E>, services: &Rc<ServerServices>, client: ClientDeclaration) -> (E, Self) {
        let RequestContext { identity, env, now, request_id, connections } = request;
        let ClientDeclaration { revision, client, capabilities, progress_token, log_level } = client;
        let context = Self {
            identity,
            now,
            request_id,
            services: Rc::clone(services),
            revision,
            client,
            capabilities,
            progress_token,
            progress: Cell::new(f64::NEG_INFINITY),
            log_level,
            outbox: Rc::new(Outbox::default()),
            inputs: RefCell::new(Inputs::default()),
            access: Access::new(connections),
        };
        (env, context)
    }

    pub fn ask(&self, key: &str, question: &Question) -> Result<Value, InputRequired> {
        if self.revision.era() == Era::Legacy {
            return Err(InputRequired(Cause::Legacy));
        }
        self.inputs.borrow_mut().ask(key, &self.capabilities, question)
    }
}
