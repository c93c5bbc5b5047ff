//! The attributes `#[tool]`, `#[prompt]` and `#[schema]`, and `include_skill!`, as [`mcp_edge`](../mcp_edge/index.html)
//! exports them.
//!
//! | module | what it contains |
//! |---|---|
//! | `item` | what an attribute says: one method of the builder for each entry |
//! | `signature` | a function's parameters: the call, arguments, or one type with all arguments |
//! | `handler` | the expansion of `#[tool]` and `#[prompt]` |
//! | `schema` | the expansion of `#[schema]` |
//! | `doc` | descriptions from doc comments |
//! | `skill` | the expansion of `include_skill!`, behind the feature `skills` |
//!
//! Code written by hand and code that comes out of here use the same builders: an attribute saves lines, and can do
//! nothing that `Tool::new` and `Prompt::new` cannot.

mod doc;
mod handler;
mod item;
mod schema;
mod signature;
#[cfg(feature = "skills")]
mod skill;

use handler::Builder;
use proc_macro::TokenStream;

/// Makes a tool of a function.
///
/// The function is replaced by one of the same name without parameters that returns the `Tool`, for
/// `ServerBuilder::tool`.
///
/// ```
/// use mcp_edge::{BuildError, Server, tool};
///
/// /// Adds two numbers.
/// #[tool(read_only, closed_world)]
/// fn add(
///     /// The first one.
///     left: f64,
///     /// The second one. Zero if missing.
///     right: Option<f64>,
/// ) -> String {
///     (left + right.unwrap_or(0.0)).to_string()
/// }
///
/// let server: Result<Server, BuildError> = Server::builder("calculator", "1.0.0").tool(add()).build();
/// assert!(server.is_ok());
/// ```
///
/// # The function
///
/// - It may be `async`. It returns what a handler of `Tool::new` may return.
/// - Its doc comment is the description that models read. A function without one is an error.
/// - A parameter of type `Call` gets the call. It may be missing. `Call` alone works on every server;
///   `Call<Env>` or, in a generic function, `Call<S>`, gives access to bindings and makes it a `Tool<Env>` or `Tool<S>`.
/// - Every other parameter is an argument. Its doc comment is its description, `Option` makes it optional, and
///   `#[default(10)]` gives a default value, which the schema shows. `#[schemars(…)]` and `#[serde(…)]` work as on the
///   field of a struct. Types must be owned and have `Deserialize` and `JsonSchema`; [`macro@schema`] derives both.
/// - A type with all arguments is taken by a pattern (`Search { query, limit }: Search`), or with `#[arguments]` in
///   front (`#[arguments] search: Search`).
///
/// Arguments that the function does not name are ignored, as by a struct with `Deserialize`: a client may still have
/// the list of yesterday's server, or add arguments of its own. `deny_unknown` refuses them, and says so in the schema.
/// A function without arguments ignores all that it is given. `null` for an optional argument counts as absent.
///
/// # What the attribute says
///
/// `name = "…"` replaces the function's name and `deny_unknown` refuses other arguments. Everything else is a method
/// of `Tool`, with its value behind `=`:
/// `title`, `description`, `scope` (again for each further scope), `needs_user`, `first_party_only`, `refuses_keys`,
/// `read_only`, `additive`, `idempotent`, `closed_world`, `needs`, `time_limit`, `icon`, `input_schema`, `output_schema`,
/// and `connection("github", "repo:read", "user")`: a connection, and the scopes that are needed of it, if any (again for
/// each further connection).
#[proc_macro_attribute]
pub fn tool(attribute: TokenStream, function: TokenStream) -> TokenStream {
    handler::expand(Builder::Tool, attribute.into(), function.into())
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Makes a prompt of a function, as [`macro@tool`] makes a tool.
///
/// ```
/// use mcp_edge::{BuildError, Server, prompt};
///
/// /// Reviews code.
/// #[prompt(title = "Review", complete_among("language", ["Python", "Rust"]))]
/// fn review(
///     /// The code to review.
///     code: String,
///     /// The programming language.
///     language: Option<String>,
/// ) -> String {
///     format!("Review this {}:\n{code}", language.as_deref().unwrap_or("code"))
/// }
///
/// let server: Result<Server, BuildError> = Server::builder("reviewer", "1.0.0").prompt(review()).build();
/// assert!(server.is_ok());
/// ```
///
/// Arguments are `String` or `Option<String>`, since users type them. Beside `name`, the attribute takes the methods
/// of `Prompt`: `title`, `description`, `scope`, `needs_user`, `first_party_only`, `refuses_keys`, `connection`, `icon`,
/// `argument`, `complete`, `complete_among`.
#[proc_macro_attribute]
pub fn prompt(attribute: TokenStream, function: TokenStream) -> TokenStream {
    handler::expand(Builder::Prompt, attribute.into(), function.into())
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Derives `Serialize`, `Deserialize` and `JsonSchema` for a type that occurs in arguments, results or forms.
///
/// The crates `serde` and `schemars` need not be dependencies of yours. Doc comments become descriptions;
/// `#[serde(…)]` and `#[schemars(…)]` work as usual.
///
/// ```
/// use mcp_edge::{Json, schema, tool};
///
/// #[schema]
/// struct Weather {
///     /// In degrees Celsius.
///     temperature: f64,
/// }
///
/// /// Tells the weather.
/// #[tool(read_only)]
/// fn weather(city: String) -> Json<Weather> {
///     Json(Weather { temperature: if city == "Oslo" { 4.5 } else { 21.5 } })
/// }
/// # let _: mcp_edge::Tool = weather();
/// ```
///
/// `#[schema(input)]` leaves out `Serialize`, and `#[schema(output)]` leaves out `Deserialize`, for fields of types
/// that have only one of them.
#[proc_macro_attribute]
pub fn schema(attribute: TokenStream, item: TokenStream) -> TokenStream {
    schema::expand(attribute.into(), &item.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Compiles a folder of Agent Skills in, as a `Skill` for `ServerBuilder::skill`.
///
/// The path is that of a folder with a `SKILL.md`, relative to the `Cargo.toml` of the crate. The folder's name is that of
/// the skill, and its files are served as `skill://<name>/<path>`, but for those whose names begin with a dot.
///
/// ```
/// use mcp_edge::{BuildError, Server, include_skill};
///
/// let server: Result<Server, BuildError> = Server::builder("handbook", "1.0.0")
///     .scope("handbook:read", "Read the handbook")
///     .skill(include_skill!("tests/skills/tea").scope("handbook:read"))
///     .build();
/// # assert!(server.is_ok());
/// ```
///
/// What breaks a rule of [Agent Skills](https://agentskills.io/specification), and what hosts would read differently, does not
/// compile:
///
/// ```compile_fail
/// let skill = mcp_edge::include_skill!("tests/skills/no-such-skill");
/// ```
///
/// A change of a file compiles the crate anew. One that was added is noticed with the next change of another: name it in
/// `SKILL.md`, where agents look for it.
#[cfg(feature = "skills")]
#[proc_macro]
pub fn include_skill(path: TokenStream) -> TokenStream {
    skill::expand(path.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}
