//! MCP clients: how each gets a client ID at a provider, and the user agents that they send.
//!
//! Sources are the vendors' documentation and issue trackers, as of November 2026.

/// A widely used MCP client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    /// Claude on the web, desktop and mobile: requests come from Anthropic's network.
    Claude,
    /// Claude Code, on the user's machine.
    ClaudeCode,
    /// ChatGPT: requests come from OpenAI's network.
    ChatGpt,
    /// Visual Studio Code.
    VsCode,
    /// Cursor.
    Cursor,
    /// Codex.
    Codex,
    /// `mcp-remote`, the bridge for clients that support local servers only.
    McpRemote,
    /// MCP Inspector.
    Inspector,
    /// Programs built on the official SDKs.
    SdkApp,
    /// Web pages built on the official SDKs.
    WebPage,
}

/// How a client gets a client ID at a provider without the operator's help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RegistrationMethod {
    /// The client ID is the URL of a metadata document that the client publishes (CIMD).
    ClientIdMetadataDocument,
    /// The client registers itself (RFC 7591).
    DynamicRegistration,
}

impl RegistrationMethod {
    /// The name in the terminal report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientIdMetadataDocument => "client ID metadata document",
            Self::DynamicRegistration => "dynamic client registration",
        }
    }
}

impl Client {
    /// Every client, in the order of the report: the most requested first.
    pub const ALL: [Self; 10] = [
        Self::Claude,
        Self::ClaudeCode,
        Self::ChatGpt,
        Self::VsCode,
        Self::Cursor,
        Self::Codex,
        Self::McpRemote,
        Self::Inspector,
        Self::SdkApp,
        Self::WebPage,
    ];

    /// The stable name in the JSON report.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::ClaudeCode => "claude_code",
            Self::ChatGpt => "chatgpt",
            Self::VsCode => "vs_code",
            Self::Cursor => "cursor",
            Self::Codex => "codex",
            Self::McpRemote => "mcp_remote",
            Self::Inspector => "inspector",
            Self::SdkApp => "sdk_app",
            Self::WebPage => "web_page",
        }
    }

    /// The name in the terminal report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Claude => "Claude",
            Self::ClaudeCode => "Claude Code",
            Self::ChatGpt => "ChatGPT",
            Self::VsCode => "VS Code",
            Self::Cursor => "Cursor",
            Self::Codex => "Codex",
            Self::McpRemote => "mcp-remote",
            Self::Inspector => "Inspector",
            Self::SdkApp => "SDK apps",
            Self::WebPage => "web pages",
        }
    }

    /// Whether its requests come from its vendor's network, which reaches public servers only.
    #[must_use]
    pub const fn is_hosted(self) -> bool {
        matches!(self, Self::Claude | Self::ChatGpt)
    }

    /// Whether it begins with `initialize` (2025-11-25), as configured by default. Otherwise it begins with
    /// `server/discover` (2026-07-28), and falls back.
    #[must_use]
    pub const fn begins_with_initialize(self) -> bool {
        !matches!(self, Self::Claude | Self::ClaudeCode)
    }

    /// The registration method that it uses at a provider. `None` if the provider supports none that it can use.
    #[must_use]
    pub fn registration_method(self, support: RegistrationSupport) -> Option<RegistrationMethod> {
        let uses_document = match self {
            // Their documents describe public clients, so the provider must support clients without a secret.
            Self::Claude | Self::ClaudeCode | Self::ChatGpt | Self::VsCode | Self::Codex => {
                support.client_id_metadata_documents && support.public_clients
            }
            // Their users or authors would have to publish a document (`--client-metadata-url`).
            Self::McpRemote | Self::SdkApp | Self::WebPage | Self::Cursor | Self::Inspector => false,
        };
        if uses_document {
            Some(RegistrationMethod::ClientIdMetadataDocument)
        } else if support.dynamic_registration {
            Some(RegistrationMethod::DynamicRegistration)
        } else {
            None
        }
    }

    /// How its user enters a client ID that the operator created.
    #[must_use]
    pub const fn manual_setup(self) -> &'static str {
        match self {
            Self::Claude => {
                "enter the client ID and secret in the connector's advanced settings; redirect URIs \
                 https://claude.ai/api/mcp/auth_callback and https://claude.com/api/mcp/auth_callback"
            }
            Self::ClaudeCode => {
                "claude mcp add --client-id … --callback-port …; redirect URI http://localhost:<port>/callback"
            }
            Self::ChatGpt => {
                "enter the client ID in the connector's settings, which show the redirect URI \
                 (https://chatgpt.com/connector/oauth/…)"
            }
            Self::VsCode => {
                "VS Code asks for the client ID; redirect URIs http://127.0.0.1:33418/ and https://vscode.dev/redirect"
            }
            Self::Cursor => {
                "set \"auth\": {\"CLIENT_ID\": …} in mcp.json; redirect URI \
                 cursor://anysphere.cursor-mcp/oauth/callback"
            }
            Self::Codex => {
                "only versions with a setting for the client ID can connect; the redirect URI is on loopback"
            }
            Self::McpRemote => {
                "--static-oauth-client-info '{\"client_id\":…}', or --client-metadata-url if the provider \
                 supports client ID metadata documents; redirect URI http://localhost:<port>/oauth/callback"
            }
            Self::Inspector => "enter the client ID in the settings; redirect URI http://localhost:6274/oauth/callback",
            Self::SdkApp | Self::WebPage => {
                "its author configures the client ID, or the URL of a client ID metadata document"
            }
        }
    }
}

/// The registration methods that a provider supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RegistrationSupport {
    /// `client_id_metadata_document_supported` is true.
    pub client_id_metadata_documents: bool,
    /// There is a `registration_endpoint`.
    pub dynamic_registration: bool,
    /// `token_endpoint_auth_methods_supported` lists `none`.
    pub public_clients: bool,
}

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
    /// Node's `fetch`: mcp-remote, VS Code, Cursor and TypeScript apps.
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
            Self::Node => &[Client::VsCode, Client::Cursor, Client::McpRemote, Client::Inspector, Client::SdkApp],
            Self::Registry => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTS: RegistrationSupport =
        RegistrationSupport { client_id_metadata_documents: true, dynamic_registration: false, public_clients: true };

    #[test]
    fn every_client_registers_itself_where_that_is_offered() {
        let support = RegistrationSupport { dynamic_registration: true, ..RegistrationSupport::default() };
        assert!(
            Client::ALL
                .iter()
                .all(|client| client.registration_method(support) == Some(RegistrationMethod::DynamicRegistration))
        );
    }

    #[test]
    fn documents_serve_those_who_publish_one_and_only_for_public_clients() {
        let served = |support| {
            Client::ALL.into_iter().filter(move |it| it.registration_method(support).is_some()).collect::<Vec<_>>()
        };
        let publishers = [Client::Claude, Client::ClaudeCode, Client::ChatGpt, Client::VsCode, Client::Codex];
        assert_eq!(served(DOCUMENTS), publishers);
        assert_eq!(served(RegistrationSupport { public_clients: false, ..DOCUMENTS }), []);
    }

    #[test]
    fn documents_are_preferred_to_registration() {
        let both = RegistrationSupport { dynamic_registration: true, ..DOCUMENTS };
        assert_eq!(Client::Claude.registration_method(both), Some(RegistrationMethod::ClientIdMetadataDocument));
        assert_eq!(Client::Cursor.registration_method(both), Some(RegistrationMethod::DynamicRegistration));
    }
}
