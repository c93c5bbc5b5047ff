//! `STEP_UP`: how clients learn that a tool needs scopes which the user has not granted yet.

use mcp_edge_runtime::settings::Reader;

/// How a shortfall of scopes of a tool call is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StepUp {
    /// Status 403 with a challenge (MCP 2026-07-28, authorization: scope challenge handling; RFC 6750 §3.1).
    #[default]
    Http,
    /// Status 200 with an error result that has the challenge, for clients that do not honour the former.
    Result,
    /// Status 403 with a challenge, and the error result in its body.
    Both,
}

impl StepUp {
    /// Reads the setting; errors are left in `reader`.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        match reader.text("STEP_UP").as_deref() {
            None | Some("http") => Self::Http,
            Some("result") => Self::Result,
            Some("both") => Self::Both,
            Some(other) => {
                reader.wrong_value("STEP_UP", other, "must be \"http\", \"result\" or \"both\"");
                Self::Http
            }
        }
    }
}
