//! The MCP clients that people use: how each registers at a provider, and by what name it comes.
//!
//! What is said of hosted clients rests on their vendors' documentation and on issue trackers, and changes: date of
//! this knowledge is November 2026.

/// A client that an operator has heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    /// Claude on the web, desktop and mobile: calls come from Anthropic's network.
    Claude,
    /// Claude Code, on the user's machine.
    ClaudeCode,
    /// ChatGPT: calls come from OpenAI's network.
    ChatGpt,
    /// Visual Studio Code.
    VsCode,
    /// Cursor.
    Cursor,
    /// Codex.
    Codex,
    /// `mcp-remote`, the bridge for clients that know local servers only.
    McpRemote,
    /// MCP Inspector.
    Inspector,
    /// Programs built on the official SDKs.
    SdkApp,
    /// The same in a browser's page.
    WebPage,
}

/// A way by which a client gets a client id at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// The client id is the URL of a document about the client (CIMD).
    MetadataDocument,
    /// The client registers itself (RFC 7591).
    DynamicRegistration,
}

impl Way {
    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MetadataDocument => "client id metadata document",
            Self::DynamicRegistration => "dynamic registration",
        }
    }
}

impl Client {
    /// Hosted ones first, since those are asked for first.
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

    /// The stable name in `--json`.
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

    /// For people.
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

    /// Whether it calls from its vendor's network and therefore reaches public servers only.
    #[must_use]
    pub const fn is_hosted(self) -> bool {
        matches!(self, Self::Claude | Self::ChatGpt)
    }

    /// The way in that it takes at this provider, if there is one.
    #[must_use]
    pub fn way_in(self, offer: Offer) -> Option<Way> {
        let document = match self {
            // Their documents describe public clients, so the provider has to take clients without a secret.
            Self::Claude | Self::ClaudeCode | Self::ChatGpt | Self::VsCode | Self::Codex => {
                offer.documents && offer.public_clients
            }
            // Only with a document of one's own: `--client-metadata-url`, or the app's author.
            Self::McpRemote | Self::SdkApp | Self::WebPage | Self::Cursor | Self::Inspector => false,
        };
        if document {
            Some(Way::MetadataDocument)
        } else if offer.registration {
            Some(Way::DynamicRegistration)
        } else {
            None
        }
    }

    /// How its user connects with a client id that the operator made by hand.
    #[must_use]
    pub const fn by_hand(self) -> &'static str {
        match self {
            Self::Claude => {
                "enter a client id and secret under the connector's advanced settings; redirect URIs \
                 https://claude.ai/api/mcp/auth_callback and https://claude.com/api/mcp/auth_callback"
            }
            Self::ClaudeCode => {
                "claude mcp add --client-id … --callback-port …; redirect URI http://localhost:<port>/callback"
            }
            Self::ChatGpt => {
                "enter a predefined client in the connector's settings; it shows its redirect URI \
                 (https://chatgpt.com/connector/oauth/…)"
            }
            Self::VsCode => {
                "VS Code asks for a client id; redirect URIs http://127.0.0.1:33418/ and https://vscode.dev/redirect"
            }
            Self::Cursor => {
                "give \"auth\": {\"CLIENT_ID\": …} in mcp.json; redirect URI \
                 cursor://anysphere.cursor-mcp/oauth/callback"
            }
            Self::Codex => "only versions that let you set a client id can connect; its redirect URI is on loopback",
            Self::McpRemote => {
                "--static-oauth-client-info '{\"client_id\":…}', or --client-metadata-url if the provider takes \
                 documents; redirect URI http://localhost:<port>/oauth/callback"
            }
            Self::Inspector => "enter the client id in its settings; redirect URI http://localhost:6274/oauth/callback",
            Self::SdkApp | Self::WebPage => "its author sets a client id, or a client metadata URL",
        }
    }
}

/// What a provider offers to clients that it does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offer {
    /// `client_id_metadata_document_supported` is true.
    pub documents: bool,
    /// There is a `registration_endpoint`.
    pub registration: bool,
    /// `none` is among `token_endpoint_auth_methods_supported`.
    pub public_clients: bool,
}

/// By what name a client's requests come, as far as bot protection looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agent {
    /// Claude's connections.
    PythonHttpx,
    /// Claude's connections on behalf of a user.
    ClaudeUser,
    /// Claude Code.
    ClaudeCode,
    /// ChatGPT's connections.
    OpenAiMcp,
    /// Node's `fetch`: mcp-remote, VS Code, Cursor and TypeScript apps.
    Node,
    /// The MCP registry, which fetches proofs of ownership.
    Registry,
}

impl Agent {
    /// All that are tried.
    pub const ALL: [Self; 6] =
        [Self::PythonHttpx, Self::ClaudeUser, Self::ClaudeCode, Self::OpenAiMcp, Self::Node, Self::Registry];

    /// The `User-Agent` header. Versions are examples: rules match the name before them.
    #[must_use]
    pub const fn user_agent(self) -> &'static str {
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

    /// For people: the part that rules match.
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

    /// Whose requests come by this name.
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

    const DOCUMENTS: Offer = Offer { documents: true, registration: false, public_clients: true };

    #[test]
    fn every_client_registers_itself_where_that_is_offered() {
        let offer = Offer { registration: true, ..Offer::default() };
        assert!(Client::ALL.iter().all(|client| client.way_in(offer) == Some(Way::DynamicRegistration)));
    }

    #[test]
    fn documents_serve_those_who_publish_one_and_only_for_public_clients() {
        let served = |offer| Client::ALL.into_iter().filter(move |it| it.way_in(offer).is_some()).collect::<Vec<_>>();
        let publishers = [Client::Claude, Client::ClaudeCode, Client::ChatGpt, Client::VsCode, Client::Codex];
        assert_eq!(served(DOCUMENTS), publishers);
        assert_eq!(served(Offer { public_clients: false, ..DOCUMENTS }), []);
    }

    #[test]
    fn documents_are_preferred_to_registration() {
        let both = Offer { registration: true, ..DOCUMENTS };
        assert_eq!(Client::Claude.way_in(both), Some(Way::MetadataDocument));
        assert_eq!(Client::Cursor.way_in(both), Some(Way::DynamicRegistration));
    }
}
