//! Asking back: what a handler needs to know from the user, the model or the workspace at the other end
//! (`input_required`, MCP 2026-07-28, basic/patterns/mrtr, client/elicitation, client/sampling, client/roots).
//!
//! See [`Call`](crate::Call) for what a handler does. Here are the questions, the answers, and the
//! [`InputRequired`] by which a handler leaves when an answer is outstanding.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    client::{Capability, ClientCapabilities},
    primitives::content::{ContentBlock, Role},
    schema::arguments,
};
use mcp_edge_protocol::error::detail;
use mcp_edge_runtime::json::{Object, array, quote, to_json};

/// There is no answer (yet). Meant to leave the handler through `?`; code that catches it to continue without a response may
/// do so, and then no question is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputRequired(pub(crate) Cause);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The request is sent to the client, and the handler runs again with the response.
    Outstanding,
    /// The client has not declared the capability for it.
    Incapable(Capability),
    /// A client of the legacy era: a stateless server cannot send it requests.
    Legacy,
    /// The response does not match the requested schema.
    Malformed(String),
    /// The user declined, or closed the form.
    Refused { declined: bool },
    /// The handler asks for something that cannot be asked.
    Misuse(String),
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outstanding => formatter.write_str("an answer from the client is outstanding"),
            Self::Incapable(capability) => {
                write!(formatter, "the client lacks the capability {}", capability.to_json())
            }
            Self::Legacy => formatter.write_str(
                "this needs a question to the user or the model, for which the client must speak MCP 2026-07-28",
            ),
            Self::Malformed(problem) | Self::Misuse(problem) => formatter.write_str(problem),
            Self::Refused { declined: true } => formatter.write_str("the user declined to answer"),
            Self::Refused { declined: false } => formatter.write_str("the user closed the question without an answer"),
        }
    }
}

impl fmt::Display for InputRequired {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for InputRequired {}

impl InputRequired {
    /// Whether the request is sent to the client if the handler ends with this.
    #[must_use]
    pub fn is_outstanding(&self) -> bool {
        self.0 == Cause::Outstanding
    }
}

/// What a user did with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElicitResult<T> {
    /// Answered it.
    Accepted(T),
    /// Said no.
    Declined,
    /// Closed it.
    Cancelled,
}

impl<T> ElicitResult<T> {
    /// The answer, if there is one. Otherwise an error that tells the model that the user declined or cancelled.
    ///
    /// # Errors
    /// If the user declined or cancelled.
    pub fn accepted(self) -> Result<T, InputRequired> {
        match self {
            Self::Accepted(answer) => Ok(answer),
            Self::Declined => Err(InputRequired(Cause::Refused { declined: true })),
            Self::Cancelled => Err(InputRequired(Cause::Refused { declined: false })),
        }
    }

    fn map<U>(self, read: impl FnOnce(T) -> Result<U, InputRequired>) -> Result<ElicitResult<U>, InputRequired> {
        Ok(match self {
            Self::Accepted(answer) => ElicitResult::Accepted(read(answer)?),
            Self::Declined => ElicitResult::Declined,
            Self::Cancelled => ElicitResult::Cancelled,
        })
    }
}

/// A request to the model at the other end.
///
/// ```
/// use mcp_edge_server::{Call, CreateMessageParams, Role, ToolError};
/// use serde_json::json;
///
/// async fn title(call: Call) -> Result<String, ToolError> {
///     let request = CreateMessageParams::new("A title for a story about the sea", 20)
///         .message(Role::Assistant, "Salt")
///         .message(Role::User, "Longer.")
///         .system_prompt("Answer with a title and nothing else.")
///         .parameter("temperature", &json!(0.8));
///     Ok(call.sample("title", request)?.text())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct CreateMessageParams {
    messages: Vec<String>,
    rest: Object,
    with_tools: bool,
}

impl CreateMessageParams {
    /// Asks the model to answer `text` with at most `max_tokens` tokens.
    #[must_use]
    pub fn new(text: &str, max_tokens: u32) -> Self {
        let rest = Object::new().number("maxTokens", max_tokens);
        Self { messages: Vec::new(), rest, with_tools: false }.message(Role::User, text)
    }

    /// Adds a message.
    #[must_use]
    pub fn message(mut self, role: Role, content: impl Into<ContentBlock>) -> Self {
        self.messages
            .push(Object::new().text("role", role.as_str()).object("content", &[&content.into().to_object()]).close());
        self
    }

    /// What the model is to keep in mind.
    #[must_use]
    pub fn system_prompt(self, prompt: &str) -> Self {
        Self { rest: self.rest.text("systemPrompt", prompt), ..self }
    }

    /// Any other parameter of `sampling/createMessage`, such as `temperature` or `tools`.
    #[must_use]
    pub fn parameter(self, name: &str, value: &Value) -> Self {
        let with_tools = self.with_tools || matches!(name, "tools" | "toolChoice");
        Self { rest: self.rest.entry(name, &to_json(value)), with_tools, ..self }
    }
}

/// What the model answered.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CreateMessageResult {
    /// A content block or an array of them.
    pub content: Value,
    /// The model's name.
    pub model: String,
    /// Why it stopped, if the client says so: `endTurn`, `maxTokens`, …
    pub stop_reason: Option<String>,
}

impl CreateMessageResult {
    /// The text of the answer: all its text blocks, one after the other.
    #[must_use]
    pub fn text(&self) -> String {
        let blocks = self.content.as_array().map_or(std::slice::from_ref(&self.content), Vec::as_slice);
        blocks.iter().filter_map(|block| block.get("text").and_then(Value::as_str)).collect()
    }
}

/// A place in the client's workspace.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[non_exhaustive]
pub struct Root {
    /// A `file:` URI.
    pub uri: String,
    /// What people call it.
    #[serde(default)]
    pub name: Option<String>,
}

/// The responses that a request contains, and the input requests that its handler has made.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    /// By key; those of the latest round take the place of earlier ones. Without those that are used.
    pub given: Map<String, Value>,
    /// The given answers that the handler has looked at: it will look at them again in the next round.
    pub used: Map<String, Value>,
    /// Keys, and requests as JSON.
    pub asked: Vec<(String, String)>,
    /// What earlier rounds have put aside.
    pub recalled: Map<String, Value>,
    /// What this round puts aside.
    pub notes: Map<String, Value>,
}

/// A question: what kind of request, what must be declared for it, and its parameters.
pub(crate) struct Question {
    pub method: &'static str,
    pub needs: Capability,
    pub params: Object,
}

impl Inputs {
    /// The answer under `key`, or the question is put down.
    pub fn ask(
        &mut self,
        key: &str,
        capabilities: &ClientCapabilities,
        question: &Question,
    ) -> Result<Value, InputRequired> {
        if let Some(answer) = self.given.remove(key) {
            self.used.insert(key.to_owned(), answer);
        }
        if let Some(answer) = self.used.get(key) {
            return Ok(answer.clone());
        }
        if !capabilities.has(question.needs) {
            return Err(InputRequired(Cause::Incapable(question.needs)));
        }
        if !self.asked.iter().any(|(asked, _)| asked == key) {
            let request = Object::new().text("method", question.method).object("params", &[&question.params]);
            self.asked.push((key.to_owned(), request.close()));
        }
        Err(InputRequired(Cause::Outstanding))
    }

    /// The questions as the `inputRequests` object.
    pub fn requests(&self) -> String {
        self.asked.iter().fold(Object::new(), |object, (key, request)| object.entry(key, request)).close()
    }
}

/// A form.
pub(crate) fn form(message: &str, schema: &Value) -> Question {
    let params = Object::new().text("mode", "form").text("message", message).raw("requestedSchema", &to_json(schema));
    Question { method: "elicitation/create", needs: Capability::Elicitation, params }
}

/// A visit to a URL.
pub(crate) fn url(message: &str, url: &str) -> Question {
    let params = Object::new().text("mode", "url").text("message", message).text("url", url);
    Question { method: "elicitation/create", needs: Capability::UrlElicitation, params }
}

/// A message from the model.
pub(crate) fn sampling(sampling: &CreateMessageParams) -> Question {
    let needs = if sampling.with_tools { Capability::SamplingTools } else { Capability::Sampling };
    let params = Object::new().raw("messages", &array(&sampling.messages)).with(&sampling.rest);
    Question { method: "sampling/createMessage", needs, params }
}

/// The workspace roots.
pub(crate) fn roots() -> Question {
    Question { method: "roots/list", needs: Capability::Roots, params: Object::new() }
}

/// Reads what the user did with a form or a URL, without its content.
pub(crate) fn read_action(key: &str, mut answer: Value) -> Result<ElicitResult<Value>, InputRequired> {
    match answer.get("action").and_then(Value::as_str) {
        Some("accept") => Ok(ElicitResult::Accepted(take(&mut answer, "content"))),
        Some("decline") => Ok(ElicitResult::Declined),
        Some("cancel") => Ok(ElicitResult::Cancelled),
        _ => Err(malformed(key, "is not the result of an elicitation")),
    }
}

/// Reads what the user filled in, and checks it against what was asked for. `null` counts as a field that was left out.
pub(crate) fn read_form(key: &str, answer: Value, schema: &Value) -> Result<ElicitResult<Value>, InputRequired> {
    read_action(key, answer)?.map(|mut content| {
        let problems = arguments::check(schema, &mut content, "content");
        if problems.is_empty() { Ok(content) } else { Err(malformed(key, &problems.join("; "))) }
    })
}

/// Turns what was filled in into what the handler works with.
pub(crate) fn read_typed<T: DeserializeOwned>(
    key: &str,
    answer: ElicitResult<Value>,
) -> Result<ElicitResult<T>, InputRequired> {
    answer.map(|content| {
        serde_json::from_value(content)
            .map_err(|error| malformed(key, &format!("has unexpected content: {}", detail(&error))))
    })
}

/// Reads what the model said.
pub(crate) fn read_sampled(key: &str, mut answer: Value) -> Result<CreateMessageResult, InputRequired> {
    let content = take(&mut answer, "content");
    let text = |name| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    match (text("role"), content, text("model")) {
        (Some(_), content @ (Value::Object(_) | Value::Array(_)), Some(model)) => {
            Ok(CreateMessageResult { content, model, stop_reason: text("stopReason") })
        }
        _ => Err(malformed(key, "is not the result of sampling/createMessage")),
    }
}

/// Reads the list of roots.
pub(crate) fn read_roots(key: &str, mut answer: Value) -> Result<Vec<Root>, InputRequired> {
    serde_json::from_value(take(&mut answer, "roots")).map_err(|_| malformed(key, "is not the result of roots/list"))
}

/// A member of an answer, which may be large, without copying it.
fn take(answer: &mut Value, name: &str) -> Value {
    answer.get_mut(name).map(Value::take).unwrap_or_default()
}

fn malformed(key: &str, problem: &str) -> InputRequired {
    InputRequired(Cause::Malformed(format!("inputResponses[{}] {problem}", quote(key))))
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_filled_in_is_checked_against_what_was_asked_for() {
        let schema =
            json!({"type": "object", "properties": {"n": {"type": "integer", "maximum": 5}}, "required": ["n"]});
        let read = |answer| read_form("k", answer, &schema);
        assert_eq!(read(json!({"action": "accept", "content": {"n": 5}})), Ok(ElicitResult::Accepted(json!({"n": 5}))));
        assert_eq!(read(json!({"action": "decline"})), Ok(ElicitResult::Declined));
        assert_eq!(read(json!({"action": "cancel"})), Ok(ElicitResult::Cancelled));
        for (answer, problem) in [
            (json!(12345), "inputResponses[\"k\"] is not the result of an elicitation"),
            (json!({"action": "maybe"}), "inputResponses[\"k\"] is not the result of an elicitation"),
            (json!({"action": "accept"}), "inputResponses[\"k\"] content: expected an object, got null"),
            (
                json!({"action": "accept", "content": {"n": 6}}),
                "inputResponses[\"k\"] content.n: expected at most 5, got 6",
            ),
        ] {
            assert_eq!(read(answer), Err(InputRequired(Cause::Malformed(problem.to_owned()))));
        }
    }

    #[test]
    fn a_model_may_answer_in_several_blocks() {
        let block = |text: &str| json!({"type": "text", "text": text});
        let answer = json!({"role": "assistant", "model": "m", "content": [block("a"), block("b")]});
        assert_eq!(read_sampled("k", answer).map(|sampled| sampled.text()), Ok("ab".to_owned()));
        assert!(read_sampled("k", json!({"role": "assistant", "model": "m"})).is_err());
        assert!(read_roots("k", json!({"roots": [{"name": "x"}]})).is_err());
    }

    #[test]
    fn a_question_is_asked_once_under_its_key() {
        let mut inputs = Inputs::default();
        let declared = serde_json::from_str(r#"{"roots":{}}"#).unwrap_or_else(|error| panic!("{error}"));
        let capabilities = ClientCapabilities::read(declared).unwrap_or_default();
        for _ in 0..2 {
            assert_eq!(inputs.ask("r", &capabilities, &roots()), Err(InputRequired(Cause::Outstanding)));
        }
        assert_eq!(inputs.requests(), r#"{"r":{"method":"roots/list","params":{}}}"#);
        let incapable = InputRequired(Cause::Incapable(Capability::Sampling));
        assert_eq!(inputs.ask("s", &capabilities, &sampling(&CreateMessageParams::new("x", 1))), Err(incapable));
    }
}
