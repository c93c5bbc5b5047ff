//! What well-known MCP clients send to register, and what it becomes: nothing that they send beside their redirect URIs
//! keeps them out.
//!
//! A registration is taken from the vendor's documentation ("documented in …"), from the client's own code ("source of …")
//! or, where there is neither, from a report of what arrived ("reported in …"). Ports are examples.
//!
//! Not found, in November 2026: what Windsurf (Devin Desktop), `JetBrains` AI Assistant and Junie register, the members that
//! Claude, ChatGPT and Cursor send beside their redirect URIs, LM Studio's path, and Postman's callback for MCP, which is
//! taken to be the one that it documents for OAuth in general.

use serde_json::{Value, json};

use super::*;

/// What a client becomes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Becomes {
    /// Public, on the user's device.
    Native,
    /// Public, on a server.
    Web,
    /// With a secret in the header.
    Basic,
    /// With a secret in the form.
    Post,
}
use Becomes::{Basic, Native, Post, Web};

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Client, source, registration, and what it becomes.
#[allow(clippy::too_many_lines, reason = "a table")]
fn registrations() -> Vec<(&'static str, &'static str, Value, Becomes)> {
    let grants = || json!(["authorization_code", "refresh_token"]);
    // The Rust SDK's registration: Goose, Warp, Codex and Amazon Q leave it to the SDK.
    let rust_sdk = |name: &str, uri: &str| {
        json!({"client_name": name, "redirect_uris": [uri], "grant_types": grants(),
            "token_endpoint_auth_method": "none", "response_types": ["code"]})
    };
    vec![
        (
            "Claude (web, desktop, mobile)",
            "documented in claude.com/docs/connectors/building/authentication; without a name, as reported in outline/outline#12833",
            json!({"redirect_uris": ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"],
                "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"],
                "response_types": ["code"], "token_endpoint_auth_method": "none"}),
            Web,
        ),
        (
            "Claude Code",
            "documented in claude.ai/oauth/claude-code-client-metadata",
            json!({"client_name": "Claude Code", "client_uri": "https://claude.ai", "grant_types": grants(),
                "redirect_uris": ["http://localhost:3118/callback"], "response_types": ["code"],
                "token_endpoint_auth_method": "none"}),
            Native,
        ),
        (
            "ChatGPT",
            "documented in developers.openai.com/apps-sdk/build/auth",
            json!({"client_name": "ChatGPT", "grant_types": grants(), "token_endpoint_auth_method": "none",
                "redirect_uris": ["https://chatgpt.com/connector/oauth/SvtDqU1r6I17",
                    "https://chatgpt.com/connector_platform_oauth_redirect"]}),
            Web,
        ),
        (
            "Codex",
            "source of openai/codex (18b3cfc), codex-rs/rmcp-client/src/perform_oauth_login.rs",
            rust_sdk("Codex", "http://127.0.0.1:49152/callback/AbC-9_xYz012"),
            Native,
        ),
        (
            "Visual Studio Code",
            "source of microsoft/vscode (main, 2026), src/vs/base/common/oauth.ts",
            json!({"client_name": "Visual Studio Code", "client_uri": "https://code.visualstudio.com",
                "grant_types": ["authorization_code", "refresh_token", DEVICE], "response_types": ["code"],
                "redirect_uris": ["https://insiders.vscode.dev/redirect", "https://vscode.dev/redirect",
                    "http://127.0.0.1/", "http://127.0.0.1:33418/"],
                "scope": "whoami:read", "token_endpoint_auth_method": "none", "application_type": "native"}),
            Native,
        ),
        (
            "Visual Studio Code, before",
            "source of microsoft/vscode (2025), src/vs/base/common/oauth.ts",
            json!({"client_name": "Visual Studio Code", "client_uri": "https://code.visualstudio.com",
                "grant_types": ["authorization_code", "refresh_token", DEVICE], "response_types": ["code"],
                "redirect_uris": ["https://insiders.vscode.dev/redirect", "https://vscode.dev/redirect", "http://localhost",
                    "http://127.0.0.1", "http://localhost:33418", "http://127.0.0.1:33418"],
                "token_endpoint_auth_method": "none"}),
            Native,
        ),
        (
            "GitHub Copilot for JetBrains",
            "reported in microsoft/copilot-intellij-feedback#2041",
            json!({"redirect_uris": ["http://127.0.0.1:33428/callback", "http://127.0.0.1/callback"],
                "token_endpoint_auth_method": "none"}),
            Native,
        ),
        (
            "Cursor, and Grok Bot",
            "documented in cursor.com/docs/context/mcp; all three at once, and its application_type, as reported in koala73/worldmonitor#8305",
            json!({"client_name": "Cursor", "grant_types": grants(), "application_type": "web",
                "redirect_uris": ["cursor://anysphere.cursor-mcp/oauth/callback",
                    "https://www.cursor.com/agents/mcp/oauth/callback", "http://localhost:8787/callback"],
                "token_endpoint_auth_method": "none"}),
            Native,
        ),
        (
            "Cursor, without a method",
            "reported in jentic/jentic-one#1245",
            json!({"redirect_uris": ["cursor://anysphere.cursor-mcp/oauth/callback"]}),
            Native,
        ),
        (
            "Kiro 1.x",
            "source of its extension, MCPAuthProvider",
            json!({"client_name": "kiro", "redirect_uris": ["http://localhost:53682/oauth/callback"],
                "grant_types": grants(), "response_types": ["code"]}),
            Basic,
        ),
        (
            "Kiro 0.x",
            "source of its extension, MCPAuthProvider; kirodotdev/Kiro#3908",
            json!({"client_name": "kiro", "redirect_uris": ["http://localhost:53682/oauth/callback"],
                "grant_types": grants(), "response_types": ["code"], "token_endpoint_auth_method": "client_secret_basic"}),
            Basic,
        ),
        (
            "Amazon Q Developer CLI",
            "source of aws/amazon-q-developer-cli (1372a0e), crates/chat-cli/src/mcp_client/oauth_util.rs",
            rust_sdk("Q DEV CLI", "http://127.0.0.1:54321"),
            Native,
        ),
        (
            "Warp",
            "source of warpdotdev/warp (139643e), app/src/ai/mcp/templatable_manager/oauth.rs",
            rust_sdk("Warp", "warp://mcp/oauth2callback"),
            Native,
        ),
        (
            "Warp Preview",
            "source of warpdotdev/warp (139643e), ChannelState::url_scheme",
            rust_sdk("Warp", "warppreview://mcp/oauth2callback"),
            Native,
        ),
        (
            "Raycast",
            "source of dust-tt/dust, the test of sanitizeOAuthRegistrationRequestBody",
            json!({"client_name": "Raycast MCP: Dust (dev)", "grant_types": ["authorization_code", "refresh_token", DEVICE],
                "redirect_uris": ["raycast://oauth?package_name=mcp_server_dust_(dev)"]}),
            Native,
        ),
        (
            "Raycast extensions",
            "documented in developers.raycast.com/api-reference/oauth",
            json!({"client_name": "Raycast", "token_endpoint_auth_method": "none",
                "redirect_uris": ["https://raycast.com/redirect?packageName=Extension",
                    "raycast://oauth?package_name=Extension", "com.raycast:/oauth?package_name=Extension"]}),
            Native,
        ),
        (
            "Goose",
            "source of block/goose (14774ea), crates/goose/src/oauth/mod.rs",
            rust_sdk("goose", "http://127.0.0.1:41001/oauth_callback"),
            Native,
        ),
        (
            "Zed",
            "source of zed-industries/zed (2026), crates/context_server/src/oauth.rs",
            json!({"client_name": "Zed", "redirect_uris": ["http://127.0.0.1:12345/callback"],
                "grant_types": ["authorization_code"], "response_types": ["code"], "token_endpoint_auth_method": "none"}),
            Native,
        ),
        (
            "Antigravity",
            "reported in google-antigravity/antigravity-cli#480; the callback is documented in antigravity.google/docs/mcp",
            json!({"client_name": "Google Antigravity", "redirect_uris": ["https://antigravity.google/oauth-callback"],
                "grant_types": grants(), "response_types": ["code"], "token_endpoint_auth_method": "none"}),
            Web,
        ),
        (
            "Gemini CLI",
            "source of google-gemini/gemini-cli (0467592), packages/core/src/mcp/oauth-provider.ts",
            json!({"client_name": "Gemini CLI MCP Client", "redirect_uris": ["http://localhost:7777/oauth/callback"],
                "grant_types": grants(), "response_types": ["code"], "token_endpoint_auth_method": "none", "scope": ""}),
            Native,
        ),
        (
            "Cline",
            "source of cline/cline (530b852), apps/vscode/src/services/mcp/McpOAuthManager.ts",
            json!({"client_name": "Cline", "redirect_uris": ["http://127.0.0.1:1456/mcp/oauth/callback"],
                "grant_types": grants(), "response_types": ["code"], "token_endpoint_auth_method": "none"}),
            Native,
        ),
        (
            "Cline, before",
            "source of cline/cline (068316f), src/services/mcp/McpOAuthManager.ts",
            json!({"client_name": "Cline", "client_uri": "https://cline.bot", "software_id": "cline",
                "redirect_uris": ["vscode://saoudrizwan.claude-dev/mcp-auth/callback/0123456789abcdef"],
                "grant_types": grants(), "response_types": ["code"], "token_endpoint_auth_method": "none"}),
            Native,
        ),
        (
            "Roo Code",
            "source of RooCodeInc/Roo-Code (035a53e), src/services/mcp/McpOAuthProvider.ts",
            json!({"client_name": "Roo Code", "redirect_uris": ["http://localhost:14000/callback"], "scope": "mcp",
                "grant_types": grants(), "response_types": ["code"], "token_endpoint_auth_method": "none"}),
            Native,
        ),
        (
            "opencode",
            "source of anomalyco/opencode (0a8a0ed), packages/opencode/src/mcp/oauth-provider.ts",
            json!({"client_name": "OpenCode", "client_uri": "https://opencode.ai", "grant_types": grants(),
                "redirect_uris": ["http://127.0.0.1:19876/mcp/oauth/callback"], "response_types": ["code"],
                "token_endpoint_auth_method": "none"}),
            Native,
        ),
        (
            "mcp-remote",
            "source of geelen/mcp-remote (00cc07f), src/lib/node-oauth-client-provider.ts",
            json!({"client_name": "MCP CLI Proxy", "client_uri": "https://github.com/modelcontextprotocol/mcp-cli",
                "software_id": "2e6dc280-f3c3-4e01-99a7-8181dbd1d23d", "software_version": "0.15.1",
                "redirect_uris": ["http://localhost:3335/oauth/callback"], "scope": "openid email profile",
                "grant_types": grants(), "response_types": ["code"], "token_endpoint_auth_method": "none"}),
            Native,
        ),
        (
            "MCP Inspector",
            "source of modelcontextprotocol/inspector (006abfb), client/src/lib/auth.ts",
            json!({"client_name": "MCP Inspector", "client_uri": "https://github.com/modelcontextprotocol/inspector",
                "redirect_uris": ["http://localhost:6274/oauth/callback", "http://localhost:6274/oauth/callback/debug"],
                "grant_types": grants(), "response_types": ["code"], "token_endpoint_auth_method": "none", "scope": ""}),
            Native,
        ),
        (
            "a page in development with the TypeScript SDK",
            "window.location.origin as its home page, as in the provider of use-mcp",
            json!({"client_name": "Playground", "client_uri": "http://localhost:4200", "logo_uri": "http://localhost:4200/l.svg",
                "redirect_uris": ["http://localhost:4200/oauth/callback"], "grant_types": grants(),
                "response_types": ["code"], "token_endpoint_auth_method": "none"}),
            Native,
        ),
        (
            "Python SDK with model_dump(), as Dify",
            "reported in langgenius/dify#34857",
            json!({"client_name": "Dify", "redirect_uris": ["https://dify.example.com/console/api/mcp/oauth/callback"],
                "token_endpoint_auth_method": null, "grant_types": null, "response_types": null, "scope": null,
                "client_uri": null, "logo_uri": null, "contacts": null, "tos_uri": null, "policy_uri": null, "jwks_uri": null,
                "jwks": null, "software_id": null, "software_version": null, "software_statement": null}),
            Basic,
        ),
        (
            "LibreChat",
            "source of danny-avila/LibreChat (2026), packages/api/src/mcp/oauth/handler.ts: the provider's own lists",
            json!({"client_name": "LibreChat MCP Client", "redirect_uris": ["https://chat.example.com/api/mcp/whoami/oauth/callback"],
                "grant_types": grants(), "response_types": ["code id_token", "code", "id_token", "none"],
                "token_endpoint_auth_method": "client_secret_post", "scope": "openid offline_access whoami:read"}),
            Post,
        ),
        (
            "Open WebUI",
            "source of open-webui/open-webui (2025), backend/open_webui/utils/oauth.py",
            json!({"client_name": "Open WebUI", "redirect_uris": ["https://ai.example.com/oauth/clients/mcp:whoami/callback"],
                "grant_types": grants(), "response_types": ["code"]}),
            Basic,
        ),
        (
            "n8n",
            "source of n8n-io/n8n (2026), packages/cli/src/oauth/oauth.service.ts",
            json!({"client_name": "n8n", "client_uri": "https://n8n.io/", "scope": "whoami:read",
                "redirect_uris": ["https://n8n.example.com/rest/oauth2-credential/callback"], "grant_types": grants(),
                "response_types": ["code"], "token_endpoint_auth_method": "none"}),
            Web,
        ),
        (
            "LM Studio",
            "reported in sigbit/mcp-auth-proxy#173 and lmstudio-ai/lmstudio-bug-tracker#1893",
            json!({"client_name": "LM Studio", "redirect_uris": ["http://127.0.0.1:1234/callback"]}),
            Basic,
        ),
        (
            "Postman",
            "documented in learning.postman.com (OAuth 2.0)",
            json!({"client_name": "Postman", "redirect_uris": ["https://oauth.pstmn.io/v1/callback",
                    "https://oauth.pstmn.io/v1/browser-callback"], "grant_types": grants()}),
            Basic,
        ),
        (
            "Slack",
            "documented in slack.com/.well-known/oauth-client-metadata",
            json!({"client_name": "Slack", "client_uri": "https://slack.com",
                "logo_uri": "https://a.slack-edge.com/80588/marketing/img/icons/icon_slack_hash_colored.png",
                "redirect_uris": ["https://oauth2.slack.com/external/auth/callback"], "grant_types": grants(),
                "response_types": ["code"], "token_endpoint_auth_method": "none"}),
            Web,
        ),
        (
            "Grok, Perplexity, Le Chat, Devin",
            "reported in koala73/worldmonitor#8307",
            json!({"redirect_uris": ["https://grok.com/connectors-oauth-exchange-code/",
                    "https://console.x.ai/connectors-oauth-exchange-code/",
                    "https://www.perplexity.ai/rest/connections/oauth_callback",
                    "https://callback.mistral.ai/v1/integrations_auth/oauth2_callback",
                    "https://api.devin.ai/mcp/oauth/callback"], "token_endpoint_auth_method": "none"}),
            Web,
        ),
    ]
}

#[test]
fn well_known_clients_register_with_the_redirect_uris_that_they_send() {
    for (client, source, body, becomes) in registrations() {
        let metadata = ClientMetadata::parse(&body.to_string(), &[]);
        let metadata = metadata.unwrap_or_else(|error| panic!("{client} ({source}): {error}")).without_foreign_pages();
        assert_eq!(json!(metadata.redirect_uris), body["redirect_uris"], "{client}");
        let expected = match becomes {
            Native | Web => AuthMethod::None,
            Basic => AuthMethod::ClientSecretBasic,
            Post => AuthMethod::ClientSecretPost,
        };
        assert_eq!(metadata.token_endpoint_auth_method, expected, "{client}");
        assert_eq!(metadata.is_native(), becomes == Native, "{client}");
        assert_eq!(metadata.response_types, ["code"], "{client}");
        assert!(
            metadata.grant_types.iter().all(|grant| ["authorization_code", "refresh_token"].contains(&grant.as_str()))
        );
        if let Some(name) = body["client_name"].as_str() {
            assert_eq!(metadata.client_name, name);
        }
    }
}
