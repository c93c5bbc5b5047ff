//! The result of a tool: content blocks, structured content and an error flag (MCP 2026-07-28, server/tools).

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    primitives::{content::ContentBlock, error::ToolError},
    schema,
};
use mcp_edge_protocol::revision::Era;
use mcp_edge_runtime::json::{Object, to_json, write_json};

/// For the names of the members of a result.
const ROOM_BYTES: usize = 64;

/// What a tool has to say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ToolResult {
    content: Vec<ContentBlock>,
    /// JSON.
    structured: Option<String>,
    is_error: bool,
    pub(crate) meta: Map<String, Value>,
}

impl ToolResult {
    /// A result without anything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates what [`Json`] is as a result: structured content, and a copy of it as text. For a tool whose
    /// [`output_schema`](crate::Tool::output_schema) is given, rather than made from the type.
    ///
    /// # Errors
    /// [`ToolError::internal`] for what has no JSON form.
    pub fn json(value: &impl Serialize) -> Result<Self, ToolError> {
        let json = write_json(value).map_err(ToolError::internal)?;
        Ok(Self { content: vec![ContentBlock::text(&json)], structured: Some(json), ..Self::default() })
    }

    /// Adds content.
    #[must_use]
    pub fn content(mut self, content: impl Into<ContentBlock>) -> Self {
        self.content.push(content.into());
        self
    }

    /// Sets the structured result. It must fit the tool's output schema, if it has one; clients check. Does not add a
    /// text copy, as [`Json`] does.
    #[must_use]
    pub fn structured(mut self, value: &Value) -> Self {
        self.structured = Some(to_json(value));
        self
    }

    /// Marks the result as a failure, for results with more to say than a [`ToolError`].
    #[must_use]
    pub fn failed(mut self) -> Self {
        self.is_error = true;
        self
    }

    /// Adds a member to `_meta`, for clients that know it. The name has a prefix: `com.example/trace`.
    #[must_use]
    pub fn meta(mut self, name: impl Into<String>, value: Value) -> Self {
        self.meta.insert(name.into(), value);
        self
    }

    /// Whether it reports a failure.
    pub(crate) fn is_error(&self) -> bool {
        self.is_error
    }

    /// The members of the result on the wire. Clients with a handshake take only objects as structured results: others
    /// become the member `result` of one.
    pub(crate) fn members(&self, era: Era) -> Object {
        let content: Vec<_> = self.content.iter().map(ContentBlock::to_object).collect();
        let structured = self.structured.as_ref().map_or(0, String::len);
        let bytes = content.iter().map(|block| block.as_str().len() + 2).sum::<usize>() + structured;
        let object = Object::with_capacity(bytes + ROOM_BYTES).objects("content", &content);
        let object = match &self.structured {
            Some(json) if era == Era::Legacy && !json.starts_with('{') => {
                object.object("structuredContent", &[&Object::new().raw("result", json)])
            }
            Some(json) => object.raw("structuredContent", json),
            None => object,
        };
        if self.is_error { object.flag("isError", true) } else { object }
    }
}

/// What a handler may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a tool",
    note = "wrap it in `Json` if it is a type of your own with `Serialize` and `JsonSchema`"
)]
pub trait IntoToolResult {
    /// The result, or why there is none.
    ///
    /// # Errors
    /// The handler's own, or one for a value that has no JSON form.
    fn into_tool_result(self) -> Result<ToolResult, ToolError>;

    /// The schema of the structured result, if there is one.
    #[must_use]
    fn output_schema() -> Option<Value> {
        None
    }
}

/// A structured result, with its text as a copy for clients that do not know structured results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Serialize + JsonSchema> IntoToolResult for Json<T> {
    fn into_tool_result(self) -> Result<ToolResult, ToolError> {
        ToolResult::json(&self.0)
    }

    fn output_schema() -> Option<Value> {
        Some(schema::of_output::<T>())
    }
}

impl<T: IntoToolResult, X: Into<ToolError>> IntoToolResult for Result<T, X> {
    fn into_tool_result(self) -> Result<ToolResult, ToolError> {
        self.map_err(Into::into)?.into_tool_result()
    }

    fn output_schema() -> Option<Value> {
        T::output_schema()
    }
}

impl IntoToolResult for ToolResult {
    fn into_tool_result(self) -> Result<ToolResult, ToolError> {
        Ok(self)
    }
}

impl IntoToolResult for Vec<ContentBlock> {
    fn into_tool_result(self) -> Result<ToolResult, ToolError> {
        Ok(ToolResult { content: self, ..ToolResult::default() })
    }
}

impl IntoToolResult for ContentBlock {
    fn into_tool_result(self) -> Result<ToolResult, ToolError> {
        vec![self].into_tool_result()
    }
}

impl IntoToolResult for String {
    fn into_tool_result(self) -> Result<ToolResult, ToolError> {
        ContentBlock::text(self).into_tool_result()
    }
}

impl IntoToolResult for &'static str {
    fn into_tool_result(self) -> Result<ToolResult, ToolError> {
        ContentBlock::text(self).into_tool_result()
    }
}
