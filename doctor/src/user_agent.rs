//! The user agents that MCP clients send.

use crate::clients::Client;

/// A user agent of MCP clients, as far as bot protection distinguishes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserAgent {
    /// Claude's server-side requests.
    PythonHttpx,
    /// Claude's requests on behalf of a user.
    ClaudeUser,
    /// Claude Code.
    ClaudeCode,
    /// ChatGPT's requests.
    OpenAiMcp,
    /// Node's `fetch`: mcp-remote, VS Code, Cursor, Gemini CLI and other programs in TypeScript.
    Node,
    /// The MCP registry, which fetches proofs of ownership.
    Registry,
}

impl UserAgent {
    /// Every user agent that is tried.
    pub const ALL: [Self; 6] =
        [Self::PythonHttpx, Self::ClaudeUser, Self::ClaudeCode, Self::OpenAiMcp, Self::Node, Self::Registry];

    /// The `User-Agent` header. The versions are examples: bot rules match the name.
    #[must_use]
    pub const fn header_value(self) -> &'static str {
        match self {
            Self::PythonHttpx => "python-httpx/0.28.1",
            Self::ClaudeUser => {
                "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Claude-User/1.0; \
                 +Claude-User@anthropic.com)"
            }
            Self::ClaudeCode => "claude-code/2.1.260 (cli)",
            Self::OpenAiMcp => "openai-mcp/1.0.0",
            Self::Node => "node",
            Self::Registry => "mcp-registry/1.0",
        }
    }

    /// The part of the header that bot rules match; the name in the terminal report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PythonHttpx => "python-httpx",
            Self::ClaudeUser => "Claude-User",
            Self::ClaudeCode => "claude-code",
            Self::OpenAiMcp => "openai-mcp",
            Self::Node => "node",
            Self::Registry => "mcp-registry",
        }
    }

    /// The clients that send it.
    #[must_use]
    pub const fn clients(self) -> &'static [Client] {
        match self {
            Self::PythonHttpx | Self::ClaudeUser => &[Client::Claude],
            Self::ClaudeCode => &[Client::ClaudeCode],
            Self::OpenAiMcp => &[Client::ChatGpt],
            Self::Node => &[
                Client::VsCode,
                Client::Cursor,
                Client::GeminiCli,
                Client::Kiro,
                Client::LibreChat,
                Client::N8n,
                Client::McpRemote,
                Client::Inspector,
                Client::SdkApp,
            ],
            Self::Registry => &[],
        }
    }
}
