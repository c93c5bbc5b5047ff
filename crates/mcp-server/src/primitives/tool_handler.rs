//! Functions that can be tools: [`ToolHandler`], and what is left of one when its types are gone.

use futures_util::future::{FutureExt, LocalBoxFuture};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use mcp_edge_runtime::json::to_json;

use crate::{
    call::Call,
    primitives::{
        error::ToolError,
        tool_result::{IntoToolResult, ToolResult},
    },
    schema::{self, SchemaError, arguments},
};
use mcp_edge_protocol::{error::detail, headers::Parameter};

/// A handler whose types are gone, with what was learned from them.
#[doc(hidden)]
pub struct Handler<E> {
    /// Unless there are none.
    pub(crate) arguments: Option<Arguments>,
    pub(crate) output_schema: Option<Value>,
    pub(crate) run: Run<E>,
}

/// The arguments of a tool. What is done with them are functions, so that a Worker whose tools have no arguments does not
/// carry them.
pub(crate) struct Arguments {
    pub schema: Value,
    /// Finishes and checks the schema when the server is built.
    pub prepare: fn(&mut Value) -> Result<Vec<Parameter>, SchemaError>,
    /// Writes the schema as it is listed.
    pub list: fn(&Value) -> String,
    /// Validates the arguments of a call.
    pub check: CheckArguments,
}

/// What is wrong with arguments, of which each `null` that counts as absent is removed.
pub(crate) type CheckArguments = fn(&Value, &mut Value, &str) -> Vec<String>;

impl Arguments {
    /// With the schema that their type describes.
    pub fn derived(schema: Value) -> Self {
        Self {
            schema,
            prepare: |schema| schema::check_derived_input(schema),
            list: schema::list_derived,
            check: arguments::check,
        }
    }

    /// With a schema of the author's.
    pub fn given(schema: Value) -> Self {
        Self { schema, prepare: schema::prepare_input, list: to_json, check: arguments::check }
    }
}

/// Runs a tool. The arguments have been validated. They are handed over, so that they need not be copied: they may be
/// most of what a call holds.
pub(crate) type Run<E> = Box<dyn Fn(Call<E>, Value) -> Running>;
type Running = LocalBoxFuture<'static, Result<ToolResult, ToolError>>;

/// Functions that can be tools.
///
/// Implemented for async functions and closures of
/// - [`Call<E>`] and `A`,
/// - [`Call<E>`] alone,
/// - `A` alone, and
/// - nothing,
///
/// where `A` is a type with [`DeserializeOwned`] and [`JsonSchema`] that describes an object: all arguments of the tool.
/// The result is [`IntoToolResult`]. `Kind` only tells these forms apart; it is never written out.
///
/// ```
/// use mcp_edge_server::{Call, Tool};
///
/// async fn greet(call: Call) -> String {
///     format!("Hello, {}!", call.identity().subject())
/// }
///
/// let greet: Tool = Tool::new("greet", greet).description("Greets the user.");
/// let ping: Tool = Tool::new("ping", async || "pong").description("Answers.");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a tool",
    label = "not an async function of, optionally, `Call<{E}>` and, optionally, arguments with `Deserialize` and `JsonSchema`",
    note = "its result must be `Result<T, ToolError>` with `T` one of `Json<_>`, `String`, `ContentBlock`, `ToolResult`"
)]
pub trait ToolHandler<E, Kind> {
    /// Forgets the types.
    #[doc(hidden)]
    fn into_handler(self) -> Handler<E>;
}

/// The form with call and arguments.
#[doc(hidden)]
pub struct WithArguments<A>(std::marker::PhantomData<A>);

/// The form with a call.
#[doc(hidden)]
pub struct WithoutArguments;

/// The form with arguments.
#[doc(hidden)]
pub struct ArgumentsOnly<A>(std::marker::PhantomData<A>);

/// The form that takes nothing.
#[doc(hidden)]
pub struct Nothing;

/// A handler that was made before.
#[doc(hidden)]
pub struct Made;

impl<E, F, A, Fut, R> ToolHandler<E, WithArguments<A>> for F
where
    E: 'static,
    F: Fn(Call<E>, A) -> Fut + 'static,
    A: DeserializeOwned + JsonSchema + 'static,
    Fut: Future<Output = R> + 'static,
    R: IntoToolResult + 'static,
{
    fn into_handler(self) -> Handler<E> {
        with_arguments(self)
    }
}

impl<E, F, Fut, R> ToolHandler<E, WithoutArguments> for F
where
    E: 'static,
    F: Fn(Call<E>) -> Fut + 'static,
    Fut: Future<Output = R> + 'static,
    R: IntoToolResult + 'static,
{
    fn into_handler(self) -> Handler<E> {
        without_arguments(self)
    }
}

impl<E, F, A, Fut, R> ToolHandler<E, ArgumentsOnly<A>> for F
where
    E: 'static,
    F: Fn(A) -> Fut + 'static,
    A: DeserializeOwned + JsonSchema + 'static,
    Fut: Future<Output = R> + 'static,
    R: IntoToolResult + 'static,
{
    fn into_handler(self) -> Handler<E> {
        with_arguments(move |_, arguments| self(arguments))
    }
}

impl<E, F, Fut, R> ToolHandler<E, Nothing> for F
where
    E: 'static,
    F: Fn() -> Fut + 'static,
    Fut: Future<Output = R> + 'static,
    R: IntoToolResult + 'static,
{
    fn into_handler(self) -> Handler<E> {
        without_arguments(move |_| self())
    }
}

impl<E> ToolHandler<E, Made> for Handler<E> {
    fn into_handler(self) -> Self {
        self
    }
}

/// Forgets the types of a handler with arguments. `#[tool]` calls this rather than [`ToolHandler`], so that a type
/// that does not fit is named itself.
#[doc(hidden)]
pub fn with_arguments<E, A, Fut>(run: impl Fn(Call<E>, A) -> Fut + 'static) -> Handler<E>
where
    A: DeserializeOwned + JsonSchema + 'static,
    Fut: Future<Output: IntoToolResult> + 'static,
{
    Handler {
        arguments: Some(Arguments::derived(schema::of_input::<A>())),
        output_schema: Fut::Output::output_schema(),
        run: Box::new(move |call, arguments| match A::deserialize(arguments) {
            Ok(arguments) => run(call, arguments).map(IntoToolResult::into_tool_result).boxed_local(),
            // Validation has passed, so this is a rule that the schema does not express.
            Err(error) => {
                std::future::ready(Err(ToolError::new(format!("arguments: {}", detail(&error))))).boxed_local()
            }
        }),
    }
}

/// Forgets the types of a handler without arguments.
#[doc(hidden)]
pub fn without_arguments<E, Fut>(run: impl Fn(Call<E>) -> Fut + 'static) -> Handler<E>
where
    Fut: Future<Output: IntoToolResult> + 'static,
{
    Handler {
        arguments: None,
        output_schema: Fut::Output::output_schema(),
        run: Box::new(move |call, _| run(call).map(IntoToolResult::into_tool_result).boxed_local()),
    }
}
