//! Errors of requests: each with its JSON-RPC code and its HTTP status, which depend on the era (MCP 2026-07-28 basic/transports and schema; MCP 2025-11-25 basic/transports).

use std::borrow::Cow;

use super::revision::Era;
use mcp_edge_runtime::json::Object;

/// Characters of a client's own text (a name, a version) that an error message repeats.
pub const ECHO_LENGTH: usize = 80;

/// Characters of what a Rust type has to say about arguments that do not fit. It may quote them, with escapes.
pub const DETAIL_LENGTH: usize = 1000;

/// Why a request has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The body is not JSON.
    Parse,
    /// JSON, but not one request, notification or (where they exist) batch.
    InvalidRequest,
    /// `_meta`, or a key that it must have, is missing or of the wrong type.
    Envelope,
    /// A header that repeats the body is missing, cannot be decoded or says something else.
    HeaderMismatch,
    /// The call needs something that the client has not declared.
    MissingCapability,
    /// A version that is not spoken here.
    UnsupportedVersion,
    /// No such method in this era, or nothing here that it would act on.
    MethodNotFound,
    /// Parameters of the wrong form, unknown names, bad cursors, rejected state.
    InvalidParams,
    /// No resource has this URI.
    ResourceNotFound,
    /// A handler failed, or gave up in a way that only tools can report otherwise.
    Internal,
    /// Other calls use the memory that this one needs; later there is room for it.
    Busy,
}

impl Reason {
    /// The JSON-RPC error code.
    #[must_use]
    pub fn code(self, era: Era) -> i32 {
        match self {
            Self::Parse => -32700,
            Self::InvalidRequest => -32600,
            Self::MethodNotFound => -32601,
            Self::Envelope | Self::InvalidParams => -32602,
            // The legacy code is among those that the modern era must not use.
            Self::ResourceNotFound => match era {
                Era::Modern => -32602,
                Era::Legacy => -32002,
            },
            Self::Internal | Self::Busy => -32603,
            Self::HeaderMismatch => -32020,
            Self::MissingCapability => -32021,
            Self::UnsupportedVersion => -32022,
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(self, era: Era) -> u16 {
        match self {
            Self::Parse
            | Self::InvalidRequest
            | Self::Envelope
            | Self::HeaderMismatch
            | Self::MissingCapability
            | Self::UnsupportedVersion => 400,
            // Legacy clients take any 404 for a lost session, so there it stays in-band.
            Self::MethodNotFound if era == Era::Modern => 404,
            Self::Busy => 503,
            // The status is not pinned for these. 200 leaves the outcome to the JSON-RPC error, which all clients
            // read; dual-era clients take some other statuses for a sign that the server is a legacy one.
            Self::MethodNotFound | Self::InvalidParams | Self::ResourceNotFound | Self::Internal => 200,
        }
    }
}

/// A JSON-RPC error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpcError {
    /// What went wrong; decides code and status.
    pub reason: Reason,
    /// For people and models.
    pub message: Cow<'static, str>,
    /// JSON.
    pub data: Option<String>,
}

impl RpcError {
    /// Creates an error without data.
    pub fn new(reason: Reason, message: impl Into<Cow<'static, str>>) -> Self {
        Self { reason, message: message.into(), data: None }
    }

    /// Sets `data`, which clients can read.
    #[must_use]
    pub fn with_data(mut self, data: &Object) -> Self {
        self.data = Some(data.clone().close());
        self
    }

    /// Creates the error of a body that is not JSON.
    #[must_use]
    pub fn parse() -> Self {
        Self::new(Reason::Parse, "the body is not JSON")
    }

    /// Creates the error of JSON that is not a message.
    #[must_use]
    pub fn invalid_request(message: &'static str) -> Self {
        Self::new(Reason::InvalidRequest, message)
    }

    /// Creates the error of parameters that do not fit.
    pub fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Reason::InvalidParams, message)
    }

    /// A member of `_meta` that the protocol defines is not as it should be.
    #[must_use]
    pub fn envelope(member: &str, problem: &str) -> Self {
        Self::new(Reason::Envelope, format!("_meta[\"io.modelcontextprotocol/{member}\"] {problem}"))
    }

    /// Creates the error of a header that does not repeat the body.
    pub fn header(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Reason::HeaderMismatch, message)
    }

    /// Creates the error of a method that does not exist, by its name.
    #[must_use]
    pub fn method_not_found(name: &str) -> Self {
        Self::new(Reason::MethodNotFound, format!("method not found: {}", echo(name)))
    }
}

/// The beginning of a text that came from the client, to repeat it in a message.
#[must_use]
pub fn echo(text: &str) -> Cow<'_, str> {
    beginning(text, ECHO_LENGTH)
}

/// What a Rust type has to say about a value that does not fit, which may quote the value.
#[must_use]
pub fn detail(error: &serde_json::Error) -> String {
    beginning(&error.to_string(), DETAIL_LENGTH).into_owned()
}

fn beginning(text: &str, length: usize) -> Cow<'_, str> {
    match text.char_indices().nth(length) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_ends_at_a_character_boundary() {
        let long = "ä".repeat(200);
        assert_eq!(echo(&long).chars().count(), ECHO_LENGTH + 1);
        assert_eq!(echo("short"), "short");
    }

    #[test]
    fn in_band_errors_of_the_modern_era_are_only_those_without_a_pinned_status() {
        let in_band = [Reason::InvalidParams, Reason::ResourceNotFound, Reason::Internal];
        for reason in in_band {
            assert_eq!(reason.status(Era::Modern), 200);
        }
        assert_eq!(Reason::MethodNotFound.status(Era::Modern), 404);
        assert_eq!(Reason::MethodNotFound.status(Era::Legacy), 200);
    }
}
