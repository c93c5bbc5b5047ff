//! The operations that both eras share: lists, calls, reads, prompts and completion.
//!
//! Each goes through the same steps: find what is asked for, check that the client can be asked what it needs, check
//! access, measure what is to be turned into values, do so, check the headers that repeat arguments, read the answers of
//! earlier rounds, validate, run. Everything up to the last step is decided at once, so that it can have a status of its
//! own. Access is decided by names alone: nobody has values made who may not use them.

use std::{borrow::Cow, cell::Cell, rc::Rc, time::Duration};

use futures_util::future::{FutureExt, LocalBoxFuture};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::{
    call::{Call, Context},
    input_required::{
        finish::{
            Target, finish_tool, give_up, missing_capability, not_found, read_values, timed_out, timeout_error,
            tool_failure,
        },
        inputs::Why,
        request_state::{Binding, State},
    },
    limits::{SEALED_BYTES, UNCOUNTED_BYTES, URI_BYTES},
    list::{Row, page},
    load::{Busy, Held},
    primitives::{
        access::{AccessNeeded, Requirements},
        completion::{self, CompleteParams, Completers},
        content::ResourceContents,
        prompt::PromptEntry,
        resource::{Cache, variables},
        validation,
    },
    protocol::{
        error::{Reason, RpcError, echo},
        jsonrpc::{Params, text},
        method::Method,
        outcome::{OperationResult, Success},
        size::Size,
    },
    server::Server,
    transport::{headers::check_parameters, stream::within},
};
use mcp_edge_runtime::http::RequestHead;
use mcp_edge_runtime::json::{Object, array};

/// A request that is known to be for us.
pub(super) struct Operation<'r, E> {
    pub method: Method,
    pub params: Params<'r>,
    pub head: &'r RequestHead<'r>,
    pub env: E,
    pub context: Rc<Context>,
    /// How many values may still be made of what was posted.
    pub values: &'r Cell<usize>,
    /// What is called, once that is known.
    pub name: &'r mut Option<Rc<str>>,
}

/// How an operation goes on.
pub(super) enum Progress {
    Done(OperationResult),
    Running(LocalBoxFuture<'static, OperationResult>),
}

/// Why it does not.
pub(super) enum Refusal {
    Error(RpcError),
    Access(AccessNeeded),
}

impl From<RpcError> for Refusal {
    fn from(error: RpcError) -> Self {
        Self::Error(error)
    }
}

impl From<AccessNeeded> for Refusal {
    fn from(needed: AccessNeeded) -> Self {
        Self::Access(needed)
    }
}

impl<E> Operation<'_, E> {
    fn modern(&self) -> bool {
        self.context.revision.is_modern()
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
        let arguments = if self.modern() { arguments.map_or("{}", RawValue::get) } else { "" };
        Target { method: self.method.as_str(), name, arguments: arguments.to_owned() }
    }

    /// Opens what the client has brought back from earlier rounds.
    fn read_inputs(&self, binding: &Binding) -> Result<(), RpcError> {
        if !self.modern() {
            return Ok(());
        }
        let context = &self.context;
        let mut inputs = context.inputs.borrow_mut();
        if let Some(raw) = self.params.request_state {
            let rejected = || RpcError::invalid_params("requestState is not valid for this request, or has expired");
            let state = Some(raw).filter(|raw| raw.get().len() <= SEALED_BYTES).and_then(text).ok_or_else(rejected)?;
            let key = context.state_key.as_ref().ok_or_else(rejected)?;
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
}

impl<E: Clone + 'static> Server<E> {
    /// Whether there is anything here that `method` acts on.
    pub(super) fn offers(&self, method: Method) -> bool {
        match method {
            Method::Initialize | Method::Ping | Method::Discover => true,
            Method::SetLevel => self.logging,
            Method::ToolsList | Method::ToolsCall => !self.tools.is_empty(),
            Method::PromptsList | Method::PromptsGet => !self.prompts.is_empty(),
            Method::ResourcesList
            | Method::TemplatesList
            | Method::ResourcesRead
            | Method::Subscribe
            | Method::Unsubscribe => self.has_resources(),
            Method::Complete => self.completes(),
        }
    }

    /// Carries out an operation that is offered.
    pub(super) fn operate(&self, operation: Operation<'_, E>) -> Result<Progress, Refusal> {
        match operation.method {
            Method::ToolsCall => self.call_tool(operation),
            Method::ResourcesRead => self.read_resource(operation),
            Method::PromptsGet => self.get_prompt(operation),
            Method::Complete => self.complete(operation),
            Method::ToolsList => {
                let modern = operation.modern();
                let rows = self.tools.iter().map(|tool| Row {
                    key: &tool.name,
                    json: tool.listed(modern),
                    requirements: &tool.requirements,
                });
                self.list(&operation, "tools", &rows.collect::<Vec<_>>())
            }
            Method::PromptsList => {
                let rows = self.prompts.iter().map(|prompt| Row {
                    key: &prompt.name,
                    json: &prompt.listed,
                    requirements: &prompt.requirements,
                });
                self.list(&operation, "prompts", &rows.collect::<Vec<_>>())
            }
            Method::ResourcesList => {
                let rows = self.resources.iter().map(|resource| Row {
                    key: &resource.uri,
                    json: &resource.listed,
                    requirements: &resource.requirements,
                });
                self.list(&operation, "resources", &rows.collect::<Vec<_>>())
            }
            Method::TemplatesList => {
                let rows = self.templates.iter().map(|template| Row {
                    key: &template.uri_template,
                    json: &template.listed,
                    requirements: &template.requirements,
                });
                self.list(&operation, "resourceTemplates", &rows.collect::<Vec<_>>())
            }
            Method::Initialize
            | Method::Ping
            | Method::SetLevel
            | Method::Subscribe
            | Method::Unsubscribe
            | Method::Discover => Err(RpcError::method_not_found(operation.method.as_str()).into()),
        }
    }

    /// Measures what is about to be turned into values for a handler that runs no longer than `time`, and lets it be if
    /// there is room. What this returns is kept until the handler has ended.
    fn reserve(&self, operation: &Operation<'_, E>, time: Duration) -> Result<Option<Rc<Held>>, RpcError> {
        let Params { arguments, input_responses, request_state, argument, context, .. } = &operation.params;
        let mut bytes = 0;
        // Of arguments there is a copy as text, of answers one for each look that a handler takes at them.
        for json in [arguments, input_responses, argument, context].into_iter().flatten().map(|raw| raw.get()) {
            // An estimate is good enough to let something pass, and never to refuse it.
            let most = Size::at_most(json.len());
            let is_small = json.len() <= UNCOUNTED_BYTES && most.values <= operation.values.get();
            let size = if is_small { Size { bytes: json.len(), ..most } } else { Size::of(json) };
            let left = operation.values.get().checked_sub(size.values);
            operation.values.set(left.ok_or_else(|| too_many_values(self.limits.values))?);
            bytes += 2 * size.bytes;
        }
        // What is too long is refused unread. Of what is short, nothing large can be made.
        let state = request_state.map_or(0, |raw| raw.get().len());
        if (2 * UNCOUNTED_BYTES + 1..=SEALED_BYTES).contains(&state) {
            bytes += Size::at_most(state).bytes;
        }
        let busy = |Busy| {
            let text =
                "other large requests are being worked on, try again later, and not several of them in one batch";
            RpcError::new(Reason::Busy, text)
        };
        self.load.admit(bytes, operation.context.now, time).map_err(busy)
    }

    fn list(&self, operation: &Operation<'_, E>, member: &'static str, rows: &[Row<'_>]) -> Result<Progress, Refusal> {
        let cursor = operation.params.cursor.map(|raw| required(Some(raw), "cursor")).transpose()?;
        let page = page(rows, cursor.as_deref(), self.page_size, &operation.context.identity)?;
        let members = Object::new().raw(member, &page.items).maybe_text("nextCursor", page.next.as_deref());
        let cache = Cache { ttl: self.list_ttl, public: page.public };
        Ok(Progress::Done(OperationResult::Complete(Success::cached(members, cache))))
    }

    fn call_tool(&self, operation: Operation<'_, E>) -> Result<Progress, Refusal> {
        let name = required(operation.params.name, "name")?;
        let Some(tool) = self.tools.iter().find(|tool| *tool.name == *name) else {
            return Err(RpcError::invalid_params(format!("unknown tool: {}", echo(&name))).into());
        };
        *operation.name = Some(Rc::clone(&tool.name));
        let context = Rc::clone(&operation.context);
        let modern = operation.modern();
        let lacking = tool.needs.iter().find(|capability| !context.capabilities.has(**capability));
        if let Some(capability) = lacking.filter(|_| modern) {
            return Err(missing_capability(*capability).into());
        }
        tool.requirements.check(&context.identity)?;
        let limit = tool.time.unwrap_or(self.limits.handler_time);
        let held = self.reserve(&operation, limit)?;
        let arguments = operation.arguments()?;
        if modern {
            check_parameters(operation.head, &tool.parameters, &arguments)?;
        }
        let binding = Binding { method: operation.method.as_str(), name, arguments };
        operation.read_inputs(&binding)?;

        let refuse = |text: String| Ok(Progress::Done(tool_failure(&text)));
        if lacking.is_some() {
            return refuse(Why::Legacy.to_string());
        }
        let problems = validation::violations(&tool.input_schema, &binding.arguments, "arguments");
        if !problems.is_empty() {
            return refuse(format!("The arguments do not fit.\n{}", problems.join("\n")));
        }
        let Binding { name, arguments, .. } = binding;
        let target = operation.target(name, operation.params.arguments);
        let call = Call::new(operation.env, Rc::clone(&context));
        let tool = Rc::clone(tool);
        let work = async move {
            let running = (tool.run)(call, arguments);
            let result = within(limit, &context.runtime, running).await;
            drop(held);
            finish_tool(result.unwrap_or_else(|| Err(timeout_error(limit))), tool.wraps, &context, &target)
        };
        Ok(Progress::Running(work.boxed_local()))
    }

    fn read_resource(&self, operation: Operation<'_, E>) -> Result<Progress, Refusal> {
        let uri = required(operation.params.uri, "uri")?;
        check_uri(&uri)?;
        let context = Rc::clone(&operation.context);
        let exact = self.resources.iter().find(|resource| *resource.uri == *uri);
        let (listed, requirements, cache, read, matched) = if let Some(resource) = exact {
            (&resource.uri, &resource.requirements, resource.cache, &resource.read, Value::Object(Map::new()))
        } else {
            let found = self.templates.iter().find_map(|entry| Some((entry, entry.template.matches(&uri)?)));
            let Some((entry, matched)) = found else { return Err(not_found(&uri).into()) };
            (&entry.uri_template, &entry.requirements, entry.cache, &entry.read, variables(matched))
        };
        *operation.name = Some(Rc::clone(listed));
        requirements.check(&context.identity)?;
        let limit = self.limits.handler_time;
        let held = self.reserve(&operation, limit)?;
        let binding = Binding { method: operation.method.as_str(), name: uri, arguments: Value::Object(Map::new()) };
        operation.read_inputs(&binding)?;

        let target = operation.target(binding.name, None);
        let call = Call::new(operation.env, Rc::clone(&context));
        let read = Rc::clone(read);
        let work = async move {
            let reading = read(call, &target.name, matched);
            let result = within(limit, &context.runtime, reading).await;
            drop(held);
            match result {
                Some(Ok(contents)) => {
                    let contents = array(contents.iter().map(ResourceContents::to_json));
                    let members = Object::new().raw("contents", &contents);
                    OperationResult::Complete(Success::cached(members, cache))
                }
                Some(Err(error)) => give_up(error.0, &context, &target),
                None => timed_out(limit),
            }
        };
        Ok(Progress::Running(work.boxed_local()))
    }

    fn get_prompt(&self, operation: Operation<'_, E>) -> Result<Progress, Refusal> {
        let name = required(operation.params.name, "name")?;
        let Some(prompt) = self.prompts.iter().find(|prompt| *prompt.name == *name) else {
            return Err(RpcError::invalid_params(format!("unknown prompt: {}", echo(&name))).into());
        };
        *operation.name = Some(Rc::clone(&prompt.name));
        let context = Rc::clone(&operation.context);
        prompt.requirements.check(&context.identity)?;
        let limit = self.limits.handler_time;
        let held = self.reserve(&operation, limit)?;
        let arguments = operation.arguments()?;
        check_prompt_arguments(prompt, &arguments)?;
        let binding = Binding { method: operation.method.as_str(), name, arguments };
        operation.read_inputs(&binding)?;

        let Binding { name, arguments, .. } = binding;
        let target = operation.target(name, operation.params.arguments);
        let call = Call::new(operation.env, Rc::clone(&context));
        let prompt = Rc::clone(prompt);
        let work = async move {
            let writing = (prompt.run)(call, arguments);
            let result = within(limit, &context.runtime, writing).await;
            drop(held);
            match result {
                Some(Ok(result)) => OperationResult::Complete(Success::of(result.members())),
                Some(Err(error)) => give_up(error.0, &context, &target),
                None => timed_out(limit),
            }
        };
        Ok(Progress::Running(work.boxed_local()))
    }

    fn complete(&self, operation: Operation<'_, E>) -> Result<Progress, Refusal> {
        let invalid = |what: &'static str| RpcError::invalid_params(what);
        let reference: Reference = read(operation.params.reference).ok_or_else(|| invalid("params.ref is invalid"))?;
        let (name, requirements, completers, arguments) = self.referenced(&reference)?;
        *operation.name = Some(name);
        let context = Rc::clone(&operation.context);
        requirements.check(&context.identity)?;
        let limit = self.limits.handler_time;
        let held = self.reserve(&operation, limit)?;
        let argument: Argument =
            read(operation.params.argument).ok_or_else(|| invalid("params.argument must have a name and a value"))?;
        let others = match operation.params.context {
            Some(raw) => read(Some(raw)).ok_or_else(|| invalid("params.context is invalid"))?,
            None => Others::default(),
        };
        if !arguments.contains(&argument.name.as_str()) {
            return Err(invalid("params.argument.name is not an argument of params.ref").into());
        }

        let call = Call::new(operation.env, Rc::clone(&context));
        let typed = CompleteParams { value: argument.value, others: others.arguments };
        let work = async move {
            let values = match completers.get(&argument.name) {
                Some(completer) => within(limit, &context.runtime, completer(call, typed)).await,
                None => Some(Vec::new()),
            };
            drop(held);
            match values {
                Some(values) => OperationResult::Complete(Success::of(completion::members(&values))),
                None => timed_out(limit),
            }
        };
        Ok(Progress::Running(work.boxed_local()))
    }

    /// The prompt or template that a completion is for, and the arguments that it has.
    #[allow(clippy::type_complexity, reason = "taken apart where it is made")]
    fn referenced(
        &self,
        reference: &Reference,
    ) -> Result<(Rc<str>, &Requirements, Rc<Completers<E>>, Vec<&str>), RpcError> {
        match (reference.kind.as_str(), &reference.name, &reference.uri) {
            ("ref/prompt", Some(name), _) => {
                let prompt = self.prompts.iter().find(|prompt| *prompt.name == **name);
                let prompt =
                    prompt.ok_or_else(|| RpcError::invalid_params(format!("unknown prompt: {}", echo(name))))?;
                let arguments = prompt.arguments.iter().map(|argument| argument.name.as_str()).collect();
                Ok((Rc::clone(&prompt.name), &prompt.requirements, Rc::clone(&prompt.completers), arguments))
            }
            ("ref/resource", _, Some(uri)) => {
                check_uri(uri)?;
                let exact = self.templates.iter().find(|entry| *entry.uri_template == **uri);
                let entry = exact
                    .or_else(|| self.templates.iter().find(|entry| entry.template.matches(uri).is_some()))
                    .ok_or_else(|| RpcError::invalid_params(format!("unknown resource template: {}", echo(uri))))?;
                let variables = entry.template.variables().collect();
                Ok((Rc::clone(&entry.uri_template), &entry.requirements, Rc::clone(&entry.completers), variables))
            }
            _ => Err(RpcError::invalid_params("params.ref must name a prompt or a resource template")),
        }
    }
}

#[derive(Deserialize)]
struct Reference {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
    uri: Option<String>,
}

#[derive(Deserialize)]
struct Argument {
    name: String,
    value: String,
}

#[derive(Default, Deserialize)]
struct Others {
    #[serde(default)]
    arguments: std::collections::BTreeMap<String, String>,
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

fn read<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

/// Prompt arguments are strings, and those that are required are there.
fn check_prompt_arguments<E>(prompt: &PromptEntry<E>, arguments: &Value) -> Result<(), RpcError> {
    let members = arguments.as_object().into_iter().flatten();
    if let Some((name, _)) = members.into_iter().find(|(_, value)| !value.is_string()) {
        return Err(RpcError::invalid_params(format!("argument {} must be a string", echo(name))));
    }
    let missing = prompt.arguments.iter().find(|known| known.required && arguments.get(&known.name).is_none());
    match missing {
        Some(argument) => Err(RpcError::invalid_params(format!("argument {} is missing", argument.name))),
        None => Ok(()),
    }
}
