//! MCP clients: how each gets a client ID at a provider.
//!
//! Sources are the vendors' documentation, issue trackers and published programs, as of November 2026; for registrations also
//! those in `registrar/src/client_metadata/known_clients.rs`:
//!
//! | client | source |
//! |---|---|
//! | Gemini CLI | google-gemini/gemini-cli, docs/tools/mcp-server.md and packages/core/src/mcp/oauth-provider.ts |
//! | Copilot Studio | learn.microsoft.com/microsoft-copilot-studio/mcp-add-existing-server-to-agent |
//! | Kiro | kiro.dev/docs/mcp/configuration, kiro.dev/oauth/client-metadata.json |
//! | Zed | zed.dev/docs/ai/mcp, crates/context_server/src/oauth.rs |
//! | Windsurf | what vendors of servers document for it: a URL, and a sign-in in the browser |
//! | Goose | block/goose, crates/goose/src/oauth/mod.rs |
//! | LibreChat | librechat.ai/docs/configuration/librechat_yaml, packages/api/src/mcp/oauth/handler.ts |
//! | n8n | docs.n8n.io/integrations/builtin/credentials/mcp, packages/cli/src/oauth/oauth.service.ts |

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
    /// Gemini CLI.
    GeminiCli,
    /// Microsoft Copilot Studio: requests come from Microsoft's network.
    CopilotStudio,
    /// Kiro.
    Kiro,
    /// Zed.
    Zed,
    /// Windsurf.
    Windsurf,
    /// Goose.
    Goose,
    /// `LibreChat`, on a server of its operator.
    LibreChat,
    /// n8n, on a server of its operator or in n8n's cloud.
    N8n,
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
    pub const ALL: [Self; 18] = [
        Self::Claude,
        Self::ClaudeCode,
        Self::ChatGpt,
        Self::VsCode,
        Self::Cursor,
        Self::Codex,
        Self::GeminiCli,
        Self::CopilotStudio,
        Self::Kiro,
        Self::Zed,
        Self::Windsurf,
        Self::Goose,
        Self::LibreChat,
        Self::N8n,
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
            Self::GeminiCli => "gemini_cli",
            Self::CopilotStudio => "copilot_studio",
            Self::Kiro => "kiro",
            Self::Zed => "zed",
            Self::Windsurf => "windsurf",
            Self::Goose => "goose",
            Self::LibreChat => "librechat",
            Self::N8n => "n8n",
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
            Self::GeminiCli => "Gemini CLI",
            Self::CopilotStudio => "Copilot Studio",
            Self::Kiro => "Kiro",
            Self::Zed => "Zed",
            Self::Windsurf => "Windsurf",
            Self::Goose => "Goose",
            Self::LibreChat => "LibreChat",
            Self::N8n => "n8n",
            Self::McpRemote => "mcp-remote",
            Self::Inspector => "Inspector",
            Self::SdkApp => "SDK apps",
            Self::WebPage => "web pages",
        }
    }

    /// Whether its requests come from its vendor's network, which reaches public servers only.
    #[must_use]
    pub const fn is_hosted(self) -> bool {
        matches!(self, Self::Claude | Self::ChatGpt | Self::CopilotStudio)
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
            Self::Claude
            | Self::ClaudeCode
            | Self::ChatGpt
            | Self::VsCode
            | Self::Codex
            | Self::Kiro
            | Self::Zed
            | Self::Goose => support.client_id_metadata_documents && support.public_clients,
            // They publish none; of SDK apps and mcp-remote, authors and users would have to (`--client-metadata-url`).
            Self::McpRemote
            | Self::SdkApp
            | Self::WebPage
            | Self::Cursor
            | Self::Inspector
            | Self::GeminiCli
            | Self::CopilotStudio
            | Self::Windsurf
            | Self::LibreChat
            | Self::N8n => false,
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
            Self::GeminiCli => {
                "set \"oauth\": {\"clientId\": …} in ~/.gemini/settings.json; redirect URI \
                 http://localhost:7777/oauth/callback"
            }
            Self::CopilotStudio => {
                "choose OAuth 2.0, Manual, and enter the client ID and secret; it shows the redirect URI after saving"
            }
            Self::Kiro => {
                "set \"oauth\": {\"clientId\": …} in mcp.json; redirect URI http://localhost:53682/oauth/callback, \
                 or redirectUri beside it"
            }
            Self::Zed => {
                "set \"oauth\": {\"client_id\": …} in context_servers; redirect URI http://127.0.0.1:<port>/callback"
            }
            Self::Windsurf => "its documents describe no setting for a client ID: use mcp-remote as a command there",
            Self::Goose => {
                "only versions with a setting for the client ID can connect; redirect URI \
                 http://127.0.0.1:<port>/oauth_callback"
            }
            Self::LibreChat => {
                "set oauth: {client_id: …} in librechat.yaml; redirect URI \
                 https://<its host>/api/mcp/<name of the server>/oauth/callback"
            }
            Self::N8n => {
                "switch off Use Dynamic Client Registration in the credential, and enter the client ID; it shows the \
                 redirect URI"
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
        let publishers = [
            Client::Claude,
            Client::ClaudeCode,
            Client::ChatGpt,
            Client::VsCode,
            Client::Codex,
            Client::Kiro,
            Client::Zed,
            Client::Goose,
        ];
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
