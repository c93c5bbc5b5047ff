//! The result of a prompt: messages, and the types that become them (MCP 2026-07-28, server/prompts).

use mcp_edge_runtime::json::{Object, array};

use crate::primitives::{
    content::{ContentBlock, Role},
    error::PromptError,
};

/// A turn of the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptMessage {
    role: Role,
    content: ContentBlock,
}

impl PromptMessage {
    /// The user says this.
    #[must_use]
    pub fn user(content: impl Into<ContentBlock>) -> Self {
        Self { role: Role::User, content: content.into() }
    }

    /// The model says this.
    #[must_use]
    pub fn assistant(content: impl Into<ContentBlock>) -> Self {
        Self { role: Role::Assistant, content: content.into() }
    }

    fn to_json(&self) -> String {
        Object::new().text("role", self.role.as_str()).object("content", &[&self.content.to_object()]).close()
    }
}

/// A prompt with its blanks filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PromptResult {
    description: Option<String>,
    messages: Vec<PromptMessage>,
}

impl PromptResult {
    /// A prompt of these turns.
    #[must_use]
    pub fn new(messages: Vec<PromptMessage>) -> Self {
        Self { description: None, messages }
    }

    /// What it is about.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    pub(crate) fn members(&self) -> Object {
        Object::new()
            .maybe_text("description", self.description.as_deref())
            .raw("messages", &array(self.messages.iter().map(PromptMessage::to_json)))
    }
}

/// What a prompt may be made of.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a prompt's text",
    note = "a prompt is a `String`, `PromptMessage`, `Vec<PromptMessage>`, `PromptResult`, or a `Result` of one of these"
)]
pub trait IntoPrompt {
    /// The prompt, or why there is none.
    ///
    /// # Errors
    /// The handler's own.
    fn into_prompt(self) -> Result<PromptResult, PromptError>;
}

impl IntoPrompt for PromptResult {
    fn into_prompt(self) -> Result<PromptResult, PromptError> {
        Ok(self)
    }
}

impl IntoPrompt for Vec<PromptMessage> {
    fn into_prompt(self) -> Result<PromptResult, PromptError> {
        Ok(PromptResult::new(self))
    }
}

impl IntoPrompt for PromptMessage {
    fn into_prompt(self) -> Result<PromptResult, PromptError> {
        vec![self].into_prompt()
    }
}

impl IntoPrompt for String {
    fn into_prompt(self) -> Result<PromptResult, PromptError> {
        PromptMessage::user(self).into_prompt()
    }
}

impl IntoPrompt for &'static str {
    fn into_prompt(self) -> Result<PromptResult, PromptError> {
        PromptMessage::user(self).into_prompt()
    }
}

impl<T: IntoPrompt, X: Into<PromptError>> IntoPrompt for Result<T, X> {
    fn into_prompt(self) -> Result<PromptResult, PromptError> {
        self.map_err(Into::into)?.into_prompt()
    }
}
