//! Prompts: conversations that users start from, with blanks to fill in (MCP 2026-07-28, server/prompts).

use std::rc::Rc;

use futures_util::future::{FutureExt, LocalBoxFuture};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    call::Call,
    primitives::{
        completion::{Completer, Completers, completion_methods},
        connection::Declared,
        error::PromptError,
        listing::{Listing, listing_methods},
        prompt_result::{IntoPrompt, PromptResult},
        tool_handler::{ArgumentsOnly, Made, Nothing, WithArguments, WithoutArguments},
    },
    schema::{self, keywords, portable},
};
use mcp_edge_identity::Requirements;
use mcp_edge_protocol::error::detail;
use mcp_edge_runtime::json::{Object, array};

/// A prompt under construction.
///
/// ```
/// use mcp_edge_server::{Prompt, PromptArgument};
///
/// async fn review() -> &'static str {
///     "Review the code that I am about to send."
/// }
///
/// let prompt: Prompt = Prompt::new("review", review)
///     .title("Review")
///     .description("Reviews code.")
///     .argument(PromptArgument::new("language").description("The programming language."))
///     .complete_among("language", ["Python", "Rust"]);
/// ```
#[must_use]
pub struct Prompt<E = ()> {
    pub(crate) name: String,
    pub(crate) listing: Listing,
    handler: PromptParts<E>,
    /// Declared by hand.
    arguments: Vec<PromptArgument>,
    completers: Completers<E>,
}

/// A handler whose types are gone, with what was learned from them.
#[doc(hidden)]
pub struct PromptParts<E> {
    schema: Value,
    run: Run<E>,
}

/// Makes the prompt from arguments, which are an object of strings.
type Run<E> = Box<dyn Fn(Call<E>, Value) -> Running>;
type Running = LocalBoxFuture<'static, Result<PromptResult, PromptError>>;

/// A blank in a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptArgument {
    pub(crate) name: String,
    title: Option<String>,
    description: Option<String>,
    pub(crate) required: bool,
}

/// Why the arguments of a prompt cannot be offered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromptArgumentError {
    /// Prompt arguments are strings; users type them.
    #[error("argument {0} is not a string")]
    NotAString(String),
    /// The type of the arguments is no object.
    #[error("the arguments are not an object")]
    NotAnObject,
    /// A completion for an argument that does not occur.
    #[error("there is no argument {0} to complete")]
    NoSuchArgument(String),
}

impl PromptArgument {
    /// An argument that may be left out.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), title: None, description: None, required: false }
    }

    /// What people read in place of the name.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// What to fill in.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// It must be there.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    fn to_json(&self) -> String {
        Object::new()
            .text("name", &self.name)
            .maybe_text("title", self.title.as_deref())
            .maybe_text("description", self.description.as_deref())
            .flag("required", self.required)
            .close()
    }
}

impl<E: 'static> Prompt<E> {
    /// A prompt with the function that writes it: `async fn(Call<E>, Arguments) -> Result<T, PromptError>` or
    /// `async fn(Call<E>) -> Result<T, PromptError>` where `T` is [`IntoPrompt`]. `Arguments` is a type with a `String`
    /// or `Option<String>` for each argument; doc comments on its fields become descriptions.
    pub fn new<Kind>(name: impl Into<String>, handler: impl PromptHandler<E, Kind>) -> Self {
        Self {
            name: name.into(),
            listing: Listing::default(),
            handler: handler.into_parts(),
            arguments: Vec::new(),
            completers: Completers::default(),
        }
    }

    listing_methods!("prompt:");
    completion_methods!();

    /// Declares an argument by hand, in place of one of the same name that the handler's type describes.
    pub fn argument(mut self, argument: PromptArgument) -> Self {
        self.arguments.push(argument);
        self
    }

    pub(crate) fn build(self) -> Result<PromptEntry<E>, PromptArgumentError> {
        let Self { name, listing, handler, arguments: declared, completers } = self;
        let mut arguments = described(&handler.schema)?;
        for argument in declared {
            match arguments.iter_mut().find(|known| known.name == argument.name) {
                Some(known) => *known = argument,
                None => arguments.push(argument),
            }
        }
        if let Some(unknown) = completers.names().find(|name| !arguments.iter().any(|known| known.name == *name)) {
            return Err(PromptArgumentError::NoSuchArgument(unknown.to_owned()));
        }
        let shown = (!arguments.is_empty()).then(|| array(arguments.iter().map(PromptArgument::to_json)));
        let listed = listing
            .describe(Object::new().text("name", &name))
            .maybe_raw("arguments", shown.as_deref())
            .maybe_raw("_meta", listing.connections.meta())
            .close();
        Ok(PromptEntry {
            connections: listing.connections,
            name: name.into(),
            requirements: listing.requirements,
            arguments,
            completers: Rc::new(completers),
            run: handler.run,
            listed,
        })
    }
}

/// The arguments that a type describes.
fn described(schema: &Value) -> Result<Vec<PromptArgument>, PromptArgumentError> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err(PromptArgumentError::NotAnObject);
    }
    let required = |name: &str| schema.as_object().is_some_and(|schema| keywords::requires(schema, name));
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    properties
        .map(|(name, property)| {
            // `null` counts as absent for each of them, regardless of its default.
            let mut property = property.clone();
            portable::without_null(&mut property);
            if property.get("type").is_none_or(|name| name != "string") {
                return Err(PromptArgumentError::NotAString(name.clone()));
            }
            let text = |key| property.get(key).and_then(Value::as_str).map(str::to_owned);
            Ok(PromptArgument {
                name: name.clone(),
                title: text("title"),
                description: text("description"),
                required: required(name),
            })
        })
        .collect()
}

/// A prompt, ready to be listed and filled in.
pub(crate) struct PromptEntry<E> {
    pub name: Rc<str>,
    pub requirements: Requirements,
    pub arguments: Vec<PromptArgument>,
    pub completers: Rc<Completers<E>>,
    pub run: Run<E>,
    pub connections: Declared,
    pub listed: String,
}

/// Functions that can be prompts; see [`Prompt::new`]. `Kind` only tells the forms apart; it is never written out.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a prompt",
    label = "not an async function of, optionally, `Call<{E}>` and, optionally, arguments with `Deserialize` and `JsonSchema`",
    note = "its result must be `Result<T, PromptError>` with `T` one of `String`, `PromptMessage`, `PromptResult`"
)]
pub trait PromptHandler<E, Kind> {
    /// Forgets the types.
    #[doc(hidden)]
    fn into_parts(self) -> PromptParts<E>;
}

impl<E, F, A, Fut, R> PromptHandler<E, WithArguments<A>> for F
where
    E: 'static,
    F: Fn(Call<E>, A) -> Fut + 'static,
    A: DeserializeOwned + JsonSchema + 'static,
    Fut: Future<Output = R> + 'static,
    R: IntoPrompt + 'static,
{
    fn into_parts(self) -> PromptParts<E> {
        with_arguments(self)
    }
}

impl<E, F, Fut, R> PromptHandler<E, WithoutArguments> for F
where
    E: 'static,
    F: Fn(Call<E>) -> Fut + 'static,
    Fut: Future<Output = R> + 'static,
    R: IntoPrompt + 'static,
{
    fn into_parts(self) -> PromptParts<E> {
        without_arguments(self)
    }
}

impl<E, F, A, Fut, R> PromptHandler<E, ArgumentsOnly<A>> for F
where
    E: 'static,
    F: Fn(A) -> Fut + 'static,
    A: DeserializeOwned + JsonSchema + 'static,
    Fut: Future<Output = R> + 'static,
    R: IntoPrompt + 'static,
{
    fn into_parts(self) -> PromptParts<E> {
        with_arguments(move |_, arguments| self(arguments))
    }
}

impl<E, F, Fut, R> PromptHandler<E, Nothing> for F
where
    E: 'static,
    F: Fn() -> Fut + 'static,
    Fut: Future<Output = R> + 'static,
    R: IntoPrompt + 'static,
{
    fn into_parts(self) -> PromptParts<E> {
        without_arguments(move |_| self())
    }
}

impl<E> PromptHandler<E, Made> for PromptParts<E> {
    fn into_parts(self) -> Self {
        self
    }
}

/// Forgets the types of a handler with arguments; what `#[prompt]` calls.
#[doc(hidden)]
pub fn with_arguments<E, A, Fut>(run: impl Fn(Call<E>, A) -> Fut + 'static) -> PromptParts<E>
where
    A: DeserializeOwned + JsonSchema + 'static,
    Fut: Future<Output: IntoPrompt> + 'static,
{
    PromptParts {
        schema: schema::of_input::<A>(),
        run: Box::new(move |call, arguments| match A::deserialize(arguments) {
            Ok(arguments) => run(call, arguments).map(IntoPrompt::into_prompt).boxed_local(),
            Err(error) => {
                let problem = format!("arguments: {}", detail(&error));
                std::future::ready(Err(PromptError::invalid_argument(problem))).boxed_local()
            }
        }),
    }
}

/// Forgets the types of a handler without arguments.
#[doc(hidden)]
pub fn without_arguments<E, Fut>(run: impl Fn(Call<E>) -> Fut + 'static) -> PromptParts<E>
where
    Fut: Future<Output: IntoPrompt> + 'static,
{
    PromptParts {
        schema: schema::no_arguments(),
        run: Box::new(move |call, _| run(call).map(IntoPrompt::into_prompt).boxed_local()),
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Deserialize, JsonSchema)]
    struct Review {
        /// What to review
        code: String,
        language: Option<String>,
    }

    async fn review(_call: Call, review: Review) -> String {
        format!("Review this {}: {}", review.language.unwrap_or_default(), review.code)
    }

    #[test]
    fn arguments_are_described_by_the_type() {
        let prompt = Prompt::<()>::new("review", review)
            .argument(PromptArgument::new("language").title("Language"))
            .complete_among("language", ["rust"]);
        let entry = prompt.build().unwrap_or_else(|error| panic!("{error}"));
        let listed: Value = serde_json::from_str(&entry.listed).unwrap_or_default();
        assert_eq!(
            listed,
            json!({"name": "review", "arguments": [
                {"name": "code", "description": "What to review", "required": true},
                {"name": "language", "title": "Language", "required": false}
            ]})
        );
    }

    #[test]
    fn arguments_are_text() {
        #[derive(Deserialize, JsonSchema)]
        struct Count {
            #[allow(dead_code, reason = "only its schema is looked at")]
            count: u8,
        }
        let count = Prompt::<()>::new("count", |_: Call, _: Count| async { "" });
        assert_eq!(count.build().err(), Some(PromptArgumentError::NotAString("count".to_owned())));
        let unknown = Prompt::<()>::new("review", review).complete_among("codes", ["x"]);
        assert_eq!(unknown.build().err(), Some(PromptArgumentError::NoSuchArgument("codes".to_owned())));
    }
}
