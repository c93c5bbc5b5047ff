//! Asking back: what a handler needs to know from the user, the model or the workspace at the other end
//! (`input_required`, MCP 2026-07-28, basic/patterns/mrtr, client/elicitation, client/sampling, client/roots).
//!
//! A stateless server cannot wait for an answer. The handler is written as if it could: it asks, and leaves through
//! `?` when the answer is not there yet. The questions asked so far go out; the client repeats the request with the
//! answers, the handler runs again from its start, and this time the same question returns the answer. Several
//! questions go out at once if they are all asked before the first `?`:
//!
//! ```
//! # use mcp_edge::mcp::{Call, Sampling, ToolError};
//! # use schemars::JsonSchema;
//! # use serde::Deserialize;
//! #[derive(Deserialize, JsonSchema)]
//! struct Name {
//!     name: String,
//! }
//!
//! async fn greet(call: Call) -> Result<String, ToolError> {
//!     let name = call.elicit::<Name>("name", "What is your name?");
//!     let greeting = call.sample("greeting", Sampling::new("Generate a greeting", 50));
//!     let (name, greeting) = (name?, greeting?);
//!     Ok(format!("{}, {}!", greeting.text(), name.name))
//! }
//! ```
//!
//! What a handler does before a question happens once per round, so effects belong after the last one.
//! A client brings back the answers of the last round only; those of earlier rounds, and what the handler
//! [remembers](super::Call::remember), travel in sealed state, for which the endpoint must have a
//! [`StateKey`](super::StateKey). A single round works without.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    client::{Capability, ClientCapabilities},
    json::{Object, array, quote, to_json},
    schema,
};

/// There is no answer (yet). Meant to leave the handler through `?`; whoever catches it to go on without an answer may
/// do so, and then no question is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupt(pub(super) Why);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// The question goes out, and the handler runs again with the answer.
    Outstanding,
    /// The client has not declared that it can be asked this.
    Incapable(Capability),
    /// The client shook hands, and a stateless server cannot ask it anything.
    Legacy,
    /// The answer is not of the form that was asked for.
    Malformed(String),
    /// The user declined, or closed the form.
    Refused { declined: bool },
    /// The handler asks for something that cannot be asked.
    Misuse(String),
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outstanding => formatter.write_str("an answer from the client is outstanding"),
            Self::Incapable(capability) => {
                write!(formatter, "the client lacks the capability {}", capability.to_json())
            }
            Self::Legacy => formatter.write_str(
                "this needs a question to the user or the model, for which the client must speak MCP 2026-07-28",
            ),
            Self::Malformed(problem) => formatter.write_str(problem),
            Self::Refused { declined: true } => formatter.write_str("the user declined to answer"),
            Self::Refused { declined: false } => formatter.write_str("the user closed the question without an answer"),
            Self::Misuse(problem) => formatter.write_str(problem),
        }
    }
}

impl fmt::Display for Interrupt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for Interrupt {}

impl Interrupt {
    /// Whether the question goes out if the handler ends with this.
    #[must_use]
    pub fn is_outstanding(&self) -> bool {
        self.0 == Why::Outstanding
    }
}

/// What a user did with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<T> {
    /// Answered it.
    Accepted(T),
    /// Said no.
    Declined,
    /// Closed it.
    Cancelled,
}

impl<T> Answer<T> {
    /// The answer, if there is one. Otherwise an error that tells the model that the user declined or cancelled.
    ///
    /// # Errors
    /// If the user declined or cancelled.
    pub fn accepted(self) -> Result<T, Interrupt> {
        match self {
            Self::Accepted(answer) => Ok(answer),
            Self::Declined => Err(Interrupt(Why::Refused { declined: true })),
            Self::Cancelled => Err(Interrupt(Why::Refused { declined: false })),
        }
    }

    fn map<U>(self, read: impl FnOnce(T) -> Result<U, Interrupt>) -> Result<Answer<U>, Interrupt> {
        Ok(match self {
            Self::Accepted(answer) => Answer::Accepted(read(answer)?),
            Self::Declined => Answer::Declined,
            Self::Cancelled => Answer::Cancelled,
        })
    }
}

/// A request to the model at the other end.
#[derive(Debug, Clone)]
pub struct Sampling {
    messages: Vec<String>,
    rest: Object,
    with_tools: bool,
}

impl Sampling {
    /// Asks the model to answer `text` with at most `max_tokens` tokens.
    #[must_use]
    pub fn new(text: &str, max_tokens: u32) -> Self {
        let rest = Object::new().raw("maxTokens", &max_tokens.to_string());
        Self { messages: Vec::new(), rest, with_tools: false }.message(super::Role::User, text)
    }

    /// Adds a message.
    #[must_use]
    pub fn message(mut self, role: super::Role, content: impl Into<super::Content>) -> Self {
        self.messages.push(Object::new().text("role", role.as_str()).raw("content", &content.into().to_json()).close());
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
        Self { rest: self.rest.raw(name, &to_json(value)), with_tools, ..self }
    }
}

/// What the model answered.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sampled {
    /// A content block or an array of them.
    pub content: Value,
    /// The model's name.
    pub model: String,
    /// Why it stopped, if told: `endTurn`, `maxTokens`, …
    pub stop_reason: Option<String>,
}

impl Sampled {
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

/// The answers that a request brought along, and the questions that its handler has asked.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// By key; those of the latest round take the place of earlier ones.
    pub given: Map<String, Value>,
    /// The given answers that the handler has looked at: it will look at them again in the next round.
    pub used: Map<String, Value>,
    /// Keys, and requests as JSON.
    pub asked: Vec<(String, String)>,
    pub notes: Map<String, Value>,
}

/// A question: what kind of request, what must be declared for it, and its parameters.
pub(super) struct Question {
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
        question: Question,
    ) -> Result<Value, Interrupt> {
        if let Some(answer) = self.given.get(key) {
            self.used.insert(key.to_owned(), answer.clone());
            return Ok(answer.clone());
        }
        if !capabilities.has(question.needs) {
            return Err(Interrupt(Why::Incapable(question.needs)));
        }
        if !self.asked.iter().any(|(asked, _)| asked == key) {
            let request = Object::new().text("method", question.method).raw("params", &question.params.close());
            self.asked.push((key.to_owned(), request.close()));
        }
        Err(Interrupt(Why::Outstanding))
    }

    /// The questions as the `inputRequests` object.
    pub fn requests(&self) -> String {
        self.asked.iter().fold(Object::new(), |object, (key, request)| object.raw(key, request)).close()
    }
}

/// A form.
pub(super) fn form(message: &str, schema: &Value) -> Question {
    let params = Object::new().text("mode", "form").text("message", message).raw("requestedSchema", &to_json(schema));
    Question { method: "elicitation/create", needs: Capability::Elicitation, params }
}

/// A visit to a URL.
pub(super) fn url(message: &str, url: &str) -> Question {
    let params = Object::new().text("mode", "url").text("message", message).text("url", url);
    Question { method: "elicitation/create", needs: Capability::UrlElicitation, params }
}

/// A message from the model.
pub(super) fn sampling(sampling: &Sampling) -> Question {
    let needs = if sampling.with_tools { Capability::SamplingTools } else { Capability::Sampling };
    let params = Object::new().raw("messages", &array(&sampling.messages)).with(&sampling.rest);
    Question { method: "sampling/createMessage", needs, params }
}

/// The workspace roots.
pub(super) fn roots() -> Question {
    Question { method: "roots/list", needs: Capability::Roots, params: Object::new() }
}

/// Reads what the user did with a form or a URL, without its content.
pub(super) fn read_action(key: &str, answer: &Value) -> Result<Answer<Value>, Interrupt> {
    match answer.get("action").and_then(Value::as_str) {
        Some("accept") => Ok(Answer::Accepted(answer.get("content").cloned().unwrap_or(Value::Null))),
        Some("decline") => Ok(Answer::Declined),
        Some("cancel") => Ok(Answer::Cancelled),
        _ => Err(malformed(key, "is not the result of an elicitation")),
    }
}

/// Reads what the user filled in, and checks it against what was asked for.
pub(super) fn read_form(key: &str, answer: &Value, schema: &Value) -> Result<Answer<Value>, Interrupt> {
    read_action(key, answer)?.map(|content| {
        let problems = schema::violations(schema, &content, "content");
        if problems.is_empty() { Ok(content) } else { Err(malformed(key, &problems.join("; "))) }
    })
}

/// Turns what was filled in into what the handler works with.
pub(super) fn read_typed<T: DeserializeOwned>(key: &str, answer: Answer<Value>) -> Result<Answer<T>, Interrupt> {
    answer.map(|content| {
        serde_json::from_value(content).map_err(|error| malformed(key, &format!("has unexpected content: {error}")))
    })
}

/// Reads what the model said.
pub(super) fn read_sampled(key: &str, answer: &Value) -> Result<Sampled, Interrupt> {
    let content = answer.get("content").filter(|content| content.is_object() || content.is_array());
    let text = |name| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    match (text("role"), content, text("model")) {
        (Some(_), Some(content), Some(model)) => {
            Ok(Sampled { content: content.clone(), model, stop_reason: text("stopReason") })
        }
        _ => Err(malformed(key, "is not the result of sampling/createMessage")),
    }
}

/// Reads the list of roots.
pub(super) fn read_roots(key: &str, answer: &Value) -> Result<Vec<Root>, Interrupt> {
    let roots = answer.get("roots").cloned().unwrap_or(Value::Null);
    serde_json::from_value(roots).map_err(|_| malformed(key, "is not the result of roots/list"))
}

fn malformed(key: &str, problem: &str) -> Interrupt {
    Interrupt(Why::Malformed(format!("inputResponses[{}] {problem}", quote(key))))
}

/// Makes a generated schema into one that a form can have, or says why that is impossible: forms are flat objects of
/// strings, numbers, booleans and choices (MCP 2026-07-28, client/elicitation).
pub(super) fn form_schema(mut schema: Value) -> Result<Value, String> {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return Err("a form needs an object with properties".to_owned());
    };
    for (name, property) in properties {
        simplify(property);
        if !is_form_field(property) {
            return Err(format!("a form cannot have the field {name}: only text, numbers, booleans and choices"));
        }
    }
    if let Some(members) = schema.as_object_mut() {
        members.retain(|name, _| matches!(name.as_str(), "type" | "properties" | "required"));
    }
    if schema.get("type").and_then(Value::as_str) == Some("object") {
        Ok(schema)
    } else {
        Err("a form needs an object".to_owned())
    }
}

/// Optional fields may be left out, which is all that a form knows of `null`. Formats that describe Rust's number types
/// mean nothing to it, and a choice is shown by its title.
fn simplify(property: &mut Value) {
    let optional = property.get("anyOf").and_then(Value::as_array).and_then(|parts| match parts.as_slice() {
        [inner, null] if null.get("type").and_then(Value::as_str) == Some("null") => Some(inner.clone()),
        _ => None,
    });
    let Some(members) = property.as_object_mut() else { return };
    if let Some(Value::Object(inner)) = optional {
        members.remove("anyOf");
        for (name, value) in inner {
            members.entry(name).or_insert(value);
        }
    }
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            members.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = members.get_mut("enum") {
        choices.retain(|choice| !choice.is_null());
    }
    if members.get("default") == Some(&Value::Null) {
        members.remove("default");
    }
    let known = |format: &Value| matches!(format.as_str(), Some("email" | "uri" | "date" | "date-time"));
    if members.get("format").is_some_and(|format| !known(format)) {
        members.remove("format");
    }
    if let Some(Value::Array(choices)) = members.get_mut("oneOf") {
        *choices = titled(choices);
        members.entry("type").or_insert_with(|| Value::from("string"));
    }
    if let Some(items) = members.get_mut("items")
        && let Some(Value::Array(choices)) = items.get("oneOf")
    {
        *items = serde_json::json!({ "anyOf": titled(choices) });
    }
}

/// Choices as forms have them: one constant each, with a title. A type has its variants with documentation as
/// constants with a description, and those without together as an `enum`.
fn titled(choices: &[Value]) -> Vec<Value> {
    let constants = |choice: &Value| match choice.get("enum") {
        Some(Value::Array(constants)) => constants.clone(),
        _ => choice.get("const").cloned().into_iter().collect(),
    };
    let title = |choice: &Value| ["title", "description"].into_iter().find_map(|key| choice.get(key).cloned());
    choices
        .iter()
        .flat_map(|choice| {
            let title = title(choice);
            constants(choice).into_iter().map(move |constant| {
                let title = title.clone().unwrap_or_else(|| constant.clone());
                serde_json::json!({"const": constant, "title": title})
            })
        })
        .collect()
}

fn is_form_field(property: &Value) -> bool {
    let choices = |schema: &Value, keyword| {
        schema
            .get(keyword)
            .and_then(Value::as_array)
            .is_some_and(|choices| choices.iter().all(|choice| choice.get("const").is_some_and(Value::is_string)))
    };
    let words = |schema: &Value| {
        schema.get("enum").is_none_or(|words| words.as_array().is_some_and(|words| words.iter().all(Value::is_string)))
    };
    match property.get("type").and_then(Value::as_str) {
        Some("string") => words(property) && (property.get("oneOf").is_none() || choices(property, "oneOf")),
        Some("number" | "integer" | "boolean") => true,
        Some("array") => property.get("items").is_some_and(|items| {
            choices(items, "anyOf")
                || (items.get("type").and_then(Value::as_str) == Some("string")
                    && items.get("enum").is_some()
                    && words(items))
        }),
        _ => false,
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde_json::json;

    use super::*;

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is looked at")]
    enum Size {
        Small,
        /// Very large
        Large,
    }

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is looked at")]
    struct Order {
        /// Who gets it
        name: String,
        age: Option<u8>,
        size: Size,
        other_size: Option<Size>,
        sizes: Vec<Size>,
        gift: bool,
    }

    #[test]
    fn a_form_is_made_from_a_type() {
        let sizes = json!([{"const": "Small", "title": "Small"}, {"const": "Large", "title": "Very large"}]);
        let schema = form_schema(schema::of_form::<Order>()).unwrap_or_default();
        assert_eq!(schema["properties"]["size"]["type"], "string");
        assert_eq!(schema["properties"]["size"]["oneOf"], sizes);
        assert_eq!(schema["properties"]["other_size"]["oneOf"], sizes);
        assert_eq!(schema["properties"]["sizes"]["items"]["anyOf"], sizes);
        assert_eq!(schema["properties"]["age"], json!({"type": "integer", "minimum": 0, "maximum": 255}));
        assert_eq!(schema["properties"]["name"], json!({"type": "string", "description": "Who gets it"}));
        assert_eq!(schema["required"], json!(["name", "size", "sizes", "gift"]));
    }

    #[test]
    fn a_form_cannot_nest() {
        #[derive(JsonSchema)]
        #[allow(dead_code, reason = "only its schema is looked at")]
        struct Nested {
            order: Order,
        }
        let problem = form_schema(schema::of_form::<Nested>()).unwrap_err();
        assert!(problem.contains("order"), "{problem}");
        assert!(form_schema(json!({"type": "string"})).is_err());
        assert!(
            form_schema(json!({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}}))
                .is_err()
        );
    }

    #[test]
    fn what_was_filled_in_is_checked_against_what_was_asked_for() {
        let schema =
            json!({"type": "object", "properties": {"n": {"type": "integer", "maximum": 5}}, "required": ["n"]});
        let read = |answer| read_form("k", &answer, &schema);
        assert_eq!(read(json!({"action": "accept", "content": {"n": 5}})), Ok(Answer::Accepted(json!({"n": 5}))));
        assert_eq!(read(json!({"action": "decline"})), Ok(Answer::Declined));
        assert_eq!(read(json!({"action": "cancel"})), Ok(Answer::Cancelled));
        for (answer, problem) in [
            (json!(12345), "inputResponses[\"k\"] is not the result of an elicitation"),
            (json!({"action": "maybe"}), "inputResponses[\"k\"] is not the result of an elicitation"),
            (json!({"action": "accept"}), "inputResponses[\"k\"] content: expected an object, got null"),
            (
                json!({"action": "accept", "content": {"n": 6}}),
                "inputResponses[\"k\"] content.n: expected at most 5, got 6",
            ),
        ] {
            assert_eq!(read(answer), Err(Interrupt(Why::Malformed(problem.to_owned()))));
        }
    }

    #[test]
    fn a_model_may_answer_in_several_blocks() {
        let answer = json!({"role": "assistant", "model": "m", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]});
        assert_eq!(read_sampled("k", &answer).map(|sampled| sampled.text()), Ok("ab".to_owned()));
        assert!(read_sampled("k", &json!({"role": "assistant", "model": "m"})).is_err());
        assert!(read_roots("k", &json!({"roots": [{"name": "x"}]})).is_err());
    }

    #[test]
    fn a_question_is_asked_once_under_its_key() {
        let mut inputs = Inputs::default();
        let capabilities = ClientCapabilities(json!({"roots": {}}).as_object().cloned().unwrap_or_default());
        for _ in 0..2 {
            assert_eq!(inputs.ask("r", &capabilities, roots()), Err(Interrupt(Why::Outstanding)));
        }
        assert_eq!(inputs.requests(), r#"{"r":{"method":"roots/list","params":{}}}"#);
        let incapable = Interrupt(Why::Incapable(Capability::Sampling));
        assert_eq!(inputs.ask("s", &capabilities, sampling(&Sampling::new("x", 1))), Err(incapable));
    }
}
