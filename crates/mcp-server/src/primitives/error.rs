//! Why a handler has no result: one error type for tools, one for resources, one for prompts.
//!
//! Each keeps two messages apart: what the caller may read and what only the operator may. Nothing becomes an error for
//! the caller by accident: an error of another library needs `map_err(ToolError::new)` to be shown, or
//! `map_err(ToolError::internal)` to be hidden.

use std::{borrow::Cow, fmt};

use crate::input_required::inputs::{Cause, InputRequired};

/// What the error types have inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// For the caller.
    Visible(Cow<'static, str>),
    /// For the operator.
    Internal(String),
    /// There is no such resource.
    NotFound,
    /// An argument is wrong.
    InvalidArgument(Cow<'static, str>),
    /// A question to the client.
    InputRequired(Cause),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Visible(text) | Self::InvalidArgument(text) => formatter.write_str(text),
            Self::Internal(text) => write!(formatter, "internal: {text}"),
            Self::NotFound => formatter.write_str("resource not found"),
            Self::InputRequired(why) => why.fmt(formatter),
        }
    }
}

/// Why a tool failed.
///
/// The model reads the text, and can do better next time: `ToolError::new("there is no note called \"x\"; list_notes
/// shows all names")`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolError(pub(crate) Failure);

/// Why a resource could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceError(pub(crate) Failure);

/// Why there is no prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptError(pub(crate) Failure);

impl ToolError {
    /// A failure that the model reads, in these words.
    #[must_use]
    pub fn new(text: impl fmt::Display) -> Self {
        Self(visible(text))
    }

    /// A failure that is nobody else's business: `detail` goes to the operator's log, the model reads that an internal
    /// error has occurred, and under which request id.
    #[must_use]
    pub fn internal(detail: impl fmt::Display) -> Self {
        Self(Failure::Internal(detail.to_string()))
    }
}

impl ResourceError {
    /// A failure that the client reads, in these words.
    #[must_use]
    pub fn new(text: impl fmt::Display) -> Self {
        Self(visible(text))
    }

    /// A failure whose `detail` only the operator's log gets to see.
    #[must_use]
    pub fn internal(detail: impl fmt::Display) -> Self {
        Self(Failure::Internal(detail.to_string()))
    }

    /// There is no resource with this URI; also the answer for one that the user must not know of.
    #[must_use]
    pub fn not_found() -> Self {
        Self(Failure::NotFound)
    }
}

impl PromptError {
    /// A failure that the client reads, in these words.
    #[must_use]
    pub fn new(text: impl fmt::Display) -> Self {
        Self(visible(text))
    }

    /// A failure whose `detail` only the operator's log gets to see.
    #[must_use]
    pub fn internal(detail: impl fmt::Display) -> Self {
        Self(Failure::Internal(detail.to_string()))
    }

    /// An argument has a value that the prompt cannot use.
    #[must_use]
    pub fn invalid_argument(text: impl fmt::Display) -> Self {
        Self(Failure::InvalidArgument(Cow::Owned(text.to_string())))
    }
}

fn visible(text: impl fmt::Display) -> Failure {
    Failure::Visible(Cow::Owned(text.to_string()))
}

/// The conversions that the three types share.
macro_rules! conversions {
    ($($error:ident),*) => { $(
        impl fmt::Display for $error {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl std::error::Error for $error {}

        /// A text of the author's own is meant to be read.
        impl From<String> for $error {
            fn from(text: String) -> Self {
                Self(Failure::Visible(Cow::Owned(text)))
            }
        }

        /// A text of the author's own is meant to be read.
        impl From<&'static str> for $error {
            fn from(text: &'static str) -> Self {
                Self(Failure::Visible(Cow::Borrowed(text)))
            }
        }

        /// What makes `?` work on questions to the client.
        impl From<InputRequired> for $error {
            fn from(InputRequired(why): InputRequired) -> Self {
                Self(Failure::InputRequired(why))
            }
        }
    )* };
}
conversions!(ToolError, ResourceError, PromptError);
