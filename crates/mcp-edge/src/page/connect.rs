//! The clients that the page names, and how each of them adds a server: by a link that opens the client, or by a text
//! to copy. The forms are those of the vendors' documentation, as of November 2026:
//!
//! | client | form |
//! |---|---|
//! | Claude | `claude.ai/customize/connectors?modal=add-custom-connector&connectorName=…&connectorUrl=…` |
//! | Cursor | `cursor://anysphere.cursor-deeplink/mcp/install?name=…&config=`, then its configuration in base64 |
//! | VS Code | `vscode:mcp/install?`, then its configuration as a URL component |
//! | ChatGPT | no link with values; the settings are at `chatgpt.com/#settings/Connectors` |
//! | Claude Code, MCP Inspector, `mcp-remote` | command lines |

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;

use crate::page::html::url_component;

/// A client, and what people do to connect it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its name.
    pub name: &'static str,
    /// What happens, or what to do; nothing where the text to copy says it all.
    pub how: &'static str,
    /// A link that opens the client: what it says, and where it leads.
    pub link: Option<(&'static str, String)>,
    /// A text to paste somewhere: what its button says, and the text.
    pub copy: Option<(&'static str, String)>,
}

/// All of them, for the server at `url`, which the clients shall call `name`.
#[must_use]
pub fn clients(name: &str, url: &str) -> [Client; 7] {
    let word = command_word(name);
    let cursor = BASE64_STANDARD.encode(json!({ "url": url }).to_string());
    let vs_code = json!({ "name": name, "type": "http", "url": url }).to_string();
    let client = |name, how| Client { name, how, link: None, copy: None };
    let command = |name, command| Client { copy: Some(("Copy", command)), ..client(name, "") };
    [
        Client {
            link: Some((
                "Add to Claude",
                format!(
                    "https://claude.ai/customize/connectors?modal=add-custom-connector&connectorName={}&connectorUrl={}",
                    url_component(name),
                    url_component(url)
                ),
            )),
            ..client("Claude", "On the web, on the desktop and on phones.")
        },
        command("Claude Code", format!("claude mcp add --transport http {word} {url}")),
        Client {
            link: Some(("Open settings", "https://chatgpt.com/#settings/Connectors".to_owned())),
            copy: Some(("Copy URL", url.to_owned())),
            ..client("ChatGPT", "In developer mode, create a connector and paste the URL.")
        },
        Client {
            link: Some((
                "Add to Cursor",
                format!(
                    "cursor://anysphere.cursor-deeplink/mcp/install?name={}&config={}",
                    url_component(name),
                    url_component(&cursor)
                ),
            )),
            ..client("Cursor", "Cursor shows what it adds before it does.")
        },
        Client {
            link: Some(("Add to VS Code", format!("vscode:mcp/install?{}", url_component(&vs_code)))),
            ..client("VS Code", "VS Code shows what it adds before it does.")
        },
        command("MCP Inspector", format!("npx @modelcontextprotocol/inspector --transport http --server-url {url}")),
        command("mcp-remote", format!("npx -y mcp-remote {url}")),
    ]
}

/// A name that needs no quotes in a shell: `Who am I?` becomes `who-am-i`.
fn command_word(name: &str) -> String {
    let parts = name.split(|character: char| !character.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let word = parts.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-");
    if word.is_empty() { "mcp".to_owned() } else { word }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://mcp.example.com/mcp";

    fn link(of: &str, name: &str) -> String {
        let client = clients(name, URL).into_iter().find(|client| client.name == of);
        client.and_then(|client| client.link).map(|(_, link)| link).unwrap_or_default()
    }

    #[test]
    fn links_carry_name_and_url_as_each_client_reads_them() {
        assert_eq!(
            link("Claude", "Who & what"),
            "https://claude.ai/customize/connectors?modal=add-custom-connector&connectorName=Who%20%26%20what\
             &connectorUrl=https%3A%2F%2Fmcp.example.com%2Fmcp"
        );
        let cursor = link("Cursor", "Notes");
        let config = cursor.strip_prefix("cursor://anysphere.cursor-deeplink/mcp/install?name=Notes&config=").unwrap();
        let config = BASE64_STANDARD.decode(config.replace("%3D", "=")).unwrap();
        assert_eq!(config, br#"{"url":"https://mcp.example.com/mcp"}"#);
        assert_eq!(
            link("VS Code", "Notes"),
            "vscode:mcp/install?%7B%22name%22%3A%22Notes%22%2C%22type%22%3A%22http%22%2C%22url%22%3A%22https%3A%2F%2F\
             mcp.example.com%2Fmcp%22%7D"
        );
    }

    #[test]
    fn commands_hold_no_character_that_a_shell_would_read() {
        for (name, word) in [("Who am I?", "who-am-i"), ("$(rm -rf /)", "rm-rf"), ("名前", "mcp"), ("a", "a")] {
            assert_eq!(command_word(name), word);
        }
        let copied = clients("x; reboot", URL).into_iter().filter_map(|client| client.copy).map(|(_, text)| text);
        assert!(copied.into_iter().all(|text| !text.contains(';')));
    }

    #[test]
    fn whatever_the_name_links_stay_within_their_place() {
        for of in ["Claude", "Cursor", "VS Code"] {
            let link = link(of, "\"><script>&connectorUrl=evil#");
            assert!(!link.contains(['"', '<', '>', '#', '\'']) && !link.contains("=evil"), "{link}");
        }
    }
}
