//! Tools: functions that models call (MCP 2026-07-28, server/tools).
//!
//! A tool is an async function of the [`Call`](crate::Call), if it needs one, and of one type that describes its
//! arguments, if it has any. Its schema is made from that type. What is declared beyond that says who may use the tool, and
//! how clients should treat it.
//!
//! ```
//! use mcp_edge_server::{Call, Json, Tool, ToolError};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Numbers {
//!     /// At least one number
//!     numbers: Vec<f64>,
//! }
//!
//! #[derive(Serialize, JsonSchema)]
//! struct Mean {
//!     mean: f64,
//! }
//!
//! async fn mean(_call: Call, Numbers { numbers }: Numbers) -> Result<Json<Mean>, ToolError> {
//!     if numbers.is_empty() {
//!         return Err("there is no mean of no numbers".into());
//!     }
//!     Ok(Json(Mean { mean: numbers.iter().sum::<f64>() / numbers.len() as f64 }))
//! }
//!
//! let tool: Tool = Tool::new("mean", mean).description("The mean of numbers").read_only().closed_world();
//! ```

use std::{rc::Rc, time::Duration};

use serde_json::Value;

use crate::{
    client::Capability,
    primitives::{
        connection::Declared,
        listing::{Listing, listing_methods},
        tool_handler::{Arguments, CheckArguments, Handler, Run, ToolHandler},
    },
    schema::{self, SchemaError, portable},
};
use mcp_edge_identity::{Requirements, Scopes};
use mcp_edge_protocol::{
    headers::Parameter,
    security_schemes::{SECURITY_SCHEMES, security_schemes},
};
use mcp_edge_runtime::json::{Object, to_json};

/// A tool under construction.
///
/// ```
/// use mcp_edge_server::{Call, Tool};
///
/// async fn forget(call: Call) -> String {
///     format!("{} is forgotten", call.identity().subject())
/// }
///
/// let tool: Tool = Tool::new("forget", forget)
///     .title("Forget me")
///     .description("Deletes everything that is stored of the user.")
///     .scope("profile:write")
///     .needs_user()
///     .idempotent()
///     .closed_world();
/// ```
#[must_use]
pub struct Tool<E = ()> {
    pub(crate) name: String,
    pub(crate) listing: Listing,
    handler: Handler<E>,
    hints: Hints,
    needs: Vec<Capability>,
    time: Option<Duration>,
}

/// What clients should expect of a tool. Hints only, but several clients ask the user before a tool runs that might
/// destroy something, and directories of servers want each said explicitly, so all are sent always.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "they are independent, and named so by the specification")]
struct Hints {
    read_only: bool,
    destructive: bool,
    idempotent: bool,
    open_world: bool,
}

impl<E: 'static> Tool<E> {
    /// Creates a tool with the function that does its work: `async fn(Call<E>, Arguments) -> Result`, where each of the
    /// two parameters may be missing; see [`ToolHandler`].
    ///
    /// The name has 1 to 64 characters of `A-Z a-z 0-9 _ -`, the first of which is a letter or `_`: this is what the APIs of
    /// models take.
    pub fn new<Kind>(name: impl Into<String>, handler: impl ToolHandler<E, Kind>) -> Self {
        Self {
            name: name.into(),
            listing: Listing::default(),
            handler: handler.into_handler(),
            hints: Hints { read_only: false, destructive: true, idempotent: false, open_world: true },
            needs: Vec::new(),
            time: None,
        }
    }

    listing_methods!("");

    /// It changes nothing. Implies that it is neither destructive nor harmful to repeat.
    pub fn read_only(mut self) -> Self {
        self.hints = Hints { read_only: true, destructive: false, idempotent: true, ..self.hints };
        self
    }

    /// It only adds; nothing that exists is changed or lost.
    pub fn additive(mut self) -> Self {
        self.hints.destructive = false;
        self
    }

    /// Calling it again with the same arguments has no further effect.
    pub fn idempotent(mut self) -> Self {
        self.hints.idempotent = true;
        self
    }

    /// It touches nothing outside the server's own domain (a memory, say, in contrast to a web search).
    pub fn closed_world(mut self) -> Self {
        self.hints.open_world = false;
        self
    }

    /// The schema of the arguments, written by hand, in JSON Schema 2020-12. The handler then usually takes a [`Value`]
    /// or a map. It is listed as it is, but for what clients cannot read and what says the same in another way: `true`
    /// and `false` in place of a schema, missing `properties` and `items`, the formats of Rust's number types. `anyOf`,
    /// `oneOf` and `allOf` at its root are left alone, though the APIs of OpenAI and of Anthropic refuse them there.
    ///
    /// Before the handler runs, arguments are checked against `type`, `enum`, `const`, `properties`, `required`,
    /// `additionalProperties`, `items`, `prefixItems`, the limits of numbers, strings and arrays, `allOf`, `anyOf`,
    /// `oneOf`, `not`, `if`/`then`/`else`, and `$ref` to a place in the same schema. What else it says (`pattern`,
    /// `format`, …) is for the client to read and for the handler to check.
    pub fn input_schema(mut self, schema: Value) -> Self {
        self.handler.arguments = Some(Arguments::given(schema));
        self
    }

    /// The schema of the structured result, written by hand; for handlers that make a [`ToolResult`](crate::ToolResult)
    /// themselves. The result must be an object.
    pub fn output_schema(mut self, mut schema: Value) -> Self {
        portable::complete_root(&mut schema);
        self.handler.output_schema = Some(schema);
        self
    }

    /// The tool cannot work unless the client can be asked this; calls without it are refused before the tool runs.
    pub fn needs(mut self, capability: Capability) -> Self {
        self.needs.push(capability);
        self
    }

    /// How long one call may take, if not as long as [`Limits::handler_time`](crate::Limits::handler_time) says.
    pub fn time_limit(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// Checks the schemas and renders the tool as it is listed.
    pub(crate) fn build(self) -> Result<ToolEntry<E>, SchemaError> {
        let Self { name, listing, handler, hints, needs, time } = self;
        let Handler { arguments, output_schema, run } = handler;
        let (input_schema, parameters, check) = match arguments {
            None => (to_json(&schema::no_arguments()), Vec::new(), None),
            Some(Arguments { mut schema, prepare, list, check }) => {
                let parameters = prepare(&mut schema)?;
                (list(&schema), parameters, Some((check, schema)))
            }
        };
        output_schema.as_ref().map_or(Ok(()), schema::check_output)?;

        let annotations = Object::new()
            .text("title", listing.title.as_deref().unwrap_or(&name))
            .flag("readOnlyHint", hints.read_only)
            .flag("destructiveHint", hints.destructive)
            .flag("idempotentHint", hints.idempotent)
            .flag("openWorldHint", hints.open_world);
        let listed = listing
            .describe(Object::new().text("name", &name))
            .raw("inputSchema", &input_schema)
            .maybe_raw("outputSchema", output_schema.as_ref().map(to_json).as_deref())
            .object("annotations", &[&annotations])
            .maybe_raw("_meta", listing.connections.meta())
            .close();
        Ok(ToolEntry {
            connections: listing.connections,
            name: name.into(),
            title: listing.title,
            description: listing.description,
            requirements: listing.requirements,
            run,
            check,
            parameters,
            needs,
            time,
            listed,
        })
    }
}

/// A tool, ready to be listed and called.
pub(crate) struct ToolEntry<E> {
    pub name: Rc<str>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub requirements: Requirements,
    pub run: Run<E>,
    /// How arguments are validated, and the schema that they must fit. A tool without arguments ignores what it is given.
    pub check: Option<(CheckArguments, Value)>,
    pub parameters: Vec<Parameter>,
    pub needs: Vec<Capability>,
    pub time: Option<Duration>,
    pub connections: Declared,
    /// As it appears in `tools/list`.
    pub listed: String,
}

impl<E> ToolEntry<E> {
    /// Says which scopes callers need: `securitySchemes` as OpenAI's clients read them, there and in `_meta`
    /// (developers.openai.com/plugins/reference).
    pub fn add_security_scheme(&mut self, scopes: &Scopes) {
        let schemes = ["\"", SECURITY_SCHEMES, "\":", &security_schemes(scopes.iter())].concat();
        // What the list has of `_meta` is about connections. It is the last member of all, as the tool was built.
        let (members, meta) = match self.connections.meta() {
            Some(meta) => (self.listed.strip_suffix(&[",\"_meta\":", meta, "}"].concat()), Some(meta)),
            None => (self.listed.strip_suffix('}'), None),
        };
        let meta =
            meta.and_then(|meta| meta.strip_suffix('}')).map_or_else(|| "{".to_owned(), |meta| [meta, ","].concat());
        if let Some(members) = members {
            self.listed = [members, ",", &schemes, ",\"_meta\":", &meta, &schemes, "}}"].concat();
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Serialize;
    use serde_json::json;

    use super::*;
    use crate::{
        call::Call,
        primitives::tool_result::{IntoToolResult, Json, ToolResult},
    };
    use mcp_edge_protocol::revision::Era;

    #[derive(Serialize, JsonSchema)]
    struct Leaf {
        child: Option<Box<Leaf>>,
    }

    async fn leaf(_call: Call) -> Json<Leaf> {
        Json(Leaf { child: None })
    }

    fn listed<E: 'static>(tool: Tool<E>) -> Value {
        let entry = tool.build().unwrap_or_else(|error| panic!("{error}"));
        serde_json::from_str(&entry.listed).unwrap_or_default()
    }

    #[test]
    fn all_hints_are_explicit_and_the_title_is_among_them() {
        let hints = |title: &str, [read_only, destructive, idempotent, open_world]: [bool; 4]| {
            json!({
                "title": title, "readOnlyHint": read_only, "destructiveHint": destructive,
                "idempotentHint": idempotent, "openWorldHint": open_world
            })
        };
        let tool = listed(Tool::<()>::new("t", leaf).title("Tea").read_only().closed_world());
        assert_eq!(tool["annotations"], hints("Tea", [true, false, true, false]));
        let tool = listed(Tool::<()>::new("t", leaf).additive().idempotent());
        assert_eq!(tool["annotations"], hints("t", [false, false, true, true]));
        let tool = listed(Tool::<()>::new("t", leaf));
        assert_eq!(tool["annotations"], hints("t", [false, true, false, true]));
        assert_eq!(tool["inputSchema"], json!({"type": "object", "properties": {}}));
    }

    #[test]
    fn structured_content_that_is_no_object_is_wrapped_for_clients_with_a_handshake() {
        let result = ToolResult::new().structured(&json!([1]));
        assert_eq!(result.members(Era::Modern).close(), r#"{"content":[],"structuredContent":[1]}"#);
        assert_eq!(result.members(Era::Legacy).close(), r#"{"content":[],"structuredContent":{"result":[1]}}"#);
        let object = ToolResult::new().structured(&json!({}));
        assert_eq!(object.members(Era::Legacy).close(), r#"{"content":[],"structuredContent":{}}"#);
    }

    #[test]
    fn a_json_result_has_a_text_copy() {
        let result = Json(Leaf { child: None }).into_tool_result().unwrap_or_default();
        assert_eq!(
            result.members(Era::Modern).close(),
            r#"{"content":[{"type":"text","text":"{\"child\":null}"}],"structuredContent":{"child":null}}"#
        );
    }
}
