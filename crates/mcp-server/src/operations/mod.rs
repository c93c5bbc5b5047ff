//! The operations that both eras share: lists, calls, reads, prompts, completion and skills.
//!
//! Each takes the same steps: find the primitive, check that the client can provide what it needs, check access, measure
//! the arguments, parse them, check the headers that repeat them, open the responses of earlier rounds, validate, run.
//! Everything up to the last step is decided at once, so that it can have a status of its own. Access is decided on names
//! alone: nothing is parsed for a caller who may not use it.

pub(crate) mod completion;
mod list;
pub(crate) mod prompts;
pub(crate) mod resources;
pub(crate) mod skills;
pub(crate) mod tools;

use std::{borrow::Cow, cell::Cell, rc::Rc, time::Duration};

use futures_util::future::LocalBoxFuture;
use mcp_edge_runtime::{http::RequestHead, json::Object};
use serde_json::{Map, Value, value::RawValue};

use crate::{
    call::Context,
    catalog::Catalog,
    input_required::{
        finish::{Target, read_values},
        request_state::{Binding, State},
    },
    limits::{Limits, SEALED_BYTES, UNCOUNTED_BYTES, URI_BYTES},
    result::OperationResult,
    size::Size,
};
use mcp_edge_identity::AccessNeeded;
use mcp_edge_protocol::{
    error::{Reason, RpcError},
    load::{Load, Overloaded, Reservation},
    method::Method,
    params::{Params, text},
    revision::Era,
};

/// Handles the methods of one group of primitives. The builder sets it when the first of them is registered, so that a
/// Worker carries only what it uses.
pub(crate) type Handler<E> = fn(Operation<'_, E>) -> Started;

/// A request for a method that the server supports.
pub(crate) struct Operation<'r, E> {
    pub catalog: &'r Catalog<E>,
    pub limits: &'r Limits,
    pub load: &'r Load,
    pub method: Method,
    pub params: Params<'r>,
    pub head: &'r RequestHead<'r>,
    pub env: E,
    pub context: Rc<Context>,
    /// How many values may still be made of what was posted.
    pub values: &'r Cell<usize>,
}

/// An operation as far as it goes without running a handler.
pub(crate) struct Started {
    /// The primitive, once it is found.
    pub name: Option<Rc<str>>,
    pub execution: Result<Execution, OperationError>,
}

/// How an operation continues.
pub(crate) enum Execution {
    Complete(OperationResult),
    Running(LocalBoxFuture<'static, OperationResult>),
}

/// Why an operation is not carried out.
pub(crate) enum OperationError {
    Rpc(RpcError),
    Access(AccessNeeded),
}

impl From<RpcError> for OperationError {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

impl From<AccessNeeded> for OperationError {
    fn from(needed: AccessNeeded) -> Self {
        Self::Access(needed)
    }
}

impl Started {
    /// An operation on what is found, or the error if nothing is.
    fn on<T>(
        found: Result<(Rc<str>, T), RpcError>,
        start: impl FnOnce(T) -> Result<Execution, OperationError>,
    ) -> Self {
        match found {
            Ok((name, found)) => Self { name: Some(name), execution: start(found) },
            Err(error) => Self { name: None, execution: Err(error.into()) },
        }
    }
}

impl<E> Operation<'_, E> {
    fn era(&self) -> Era {
        self.context.revision.era()
    }

    /// The arguments as a tree. None at all are an empty object.
    fn arguments(&self) -> Result<Value, RpcError> {
        let Some(raw) = self.params.arguments else { return Ok(Value::Object(Map::new())) };
        if !raw.get().starts_with('{') {
            return Err(RpcError::invalid_params("params.arguments must be an object"));
        }
        read_values(raw.get()).map_err(|_| {
            RpcError::invalid_params("params.arguments are nested more than 127 levels deep or not valid text")
        })
    }

    /// What the handler is called for, for when it has ended.
    fn target(&self, name: String, arguments: Option<&RawValue>) -> Target {
        let arguments = match self.era() {
            Era::Modern => arguments.map_or("{}", RawValue::get),
            Era::Legacy => "",
        };
        Target { method: self.method.as_str(), name, arguments: arguments.to_owned() }
    }

    /// Opens what the client returned of earlier rounds.
    fn read_inputs(&self, binding: &Binding) -> Result<(), RpcError> {
        if self.era() == Era::Legacy {
            return Ok(());
        }
        let context = &self.context;
        let mut inputs = context.inputs.borrow_mut();
        if let Some(raw) = self.params.request_state {
            let rejected = || RpcError::invalid_params("requestState is not valid for this request, or has expired");
            let state = Some(raw).filter(|raw| raw.get().len() <= SEALED_BYTES).and_then(text).ok_or_else(rejected)?;
            let key = context.services.state_key.as_ref().ok_or_else(rejected)?;
            let state = State::open(&state, key, &context.identity, binding, context.now).map_err(|_| rejected())?;
            inputs.given = state.answers;
            inputs.recalled = state.notes;
        }
        if let Some(raw) = self.params.input_responses {
            let latest: Map<String, Value> = serde_json::from_str(raw.get()).map_err(|_| {
                RpcError::invalid_params("params.inputResponses must be an object, at most 127 levels deep")
            })?;
            inputs.given.extend(latest);
        }
        Ok(())
    }

    /// Measures what is about to be parsed for a handler that runs no longer than `time`, and reserves memory for it. The
    /// reservation is kept until the handler has ended.
    fn reserve(&self, time: Duration) -> Result<Option<Rc<Reservation>>, RpcError> {
        let Params { arguments, input_responses, request_state, argument, context, .. } = &self.params;
        let mut bytes = 0;
        // Of arguments there is a copy as text, of responses one for each time that a handler reads them.
        for json in [arguments, input_responses, argument, context].into_iter().flatten().map(|raw| raw.get()) {
            // An estimate is good enough to accept, and never to reject.
            let most = Size::at_most(json.len());
            let is_small = json.len() <= UNCOUNTED_BYTES && most.values <= self.values.get();
            let size = if is_small { Size { bytes: json.len(), ..most } } else { Size::of(json) };
            let left = self.values.get().checked_sub(size.values);
            self.values.set(left.ok_or_else(|| too_many_values(self.limits.values))?);
            bytes += 2 * size.bytes;
        }
        // What is too long is rejected unread. Of what is short, nothing large can be made.
        let state = request_state.map_or(0, |raw| raw.get().len());
        if (2 * UNCOUNTED_BYTES + 1..=SEALED_BYTES).contains(&state) {
            bytes += Size::at_most(state).bytes;
        }
        let overloaded = |Overloaded| {
            let text =
                "other large requests are being worked on, try again later, and not several of them in one batch";
            RpcError::new(Reason::Busy, text)
        };
        self.load.admit(bytes, self.context.now, time).map_err(overloaded)
    }
}

fn too_many_values(limit: usize) -> RpcError {
    RpcError::invalid_params(format!(
        "params have more than {limit} values (strings, numbers, arrays, objects); send them in parts"
    ))
}

fn check_uri(uri: &str) -> Result<(), RpcError> {
    if uri.len() <= URI_BYTES {
        return Ok(());
    }
    Err(RpcError::invalid_params(format!("the URI is longer than {URI_BYTES} bytes")))
}

/// A parameter that must be a string.
fn required(raw: Option<&RawValue>, member: &'static str) -> Result<String, RpcError> {
    raw.and_then(text)
        .map(Cow::into_owned)
        .ok_or_else(|| RpcError::invalid_params(format!("params.{member} must be a string")))
}

/// An object with no members, as arguments.
fn no_arguments() -> Value {
    Value::Object(Map::new())
}

/// Members of a result.
fn members(member: &'static str, json: &str) -> Object {
    Object::new().raw(member, json)
}
