//! The clients that the page names, and how a server is added to each: with a link that opens the client, or with a
//! text to copy. The forms are those of the vendors' documentation, as of November 2026:
//!
//! | client | form |
//! |---|---|
//! | Claude | `claude.ai/customize/connectors?modal=add-custom-connector&connectorName=…&connectorUrl=…` |
//! | Cursor | `cursor://anysphere.cursor-deeplink/mcp/install?name=…&config=`, then its configuration in base64 |
//! | VS Code | `vscode:mcp/install?`, then its configuration as a URL component |
//! | ChatGPT | no link with values; the settings are at `chatgpt.com/#settings/Connectors` |
//! | Claude Code, MCP Inspector, `mcp-remote` | command lines |
//!
//! `docs/clients.md` has the forms of others, with their sources.

use mcp_edge_runtime::{base64::STANDARD, json::quote};

use crate::page::html::url_component;

/// A client, and what users do to connect it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The client's name.
    pub name: &'static str,
    /// A sentence about the way; empty where the text to copy needs no explanation.
    pub how: &'static str,
    /// Label and URL of a link that opens the client.
    pub link: Option<(&'static str, String)>,
    /// Label of a button, and the text that it copies.
    pub copy: Option<(&'static str, String)>,
}

/// Returns all clients, for the server at `url`. `name` is what the clients call it.
#[must_use]
pub fn clients(name: &str, url: &str) -> [Client; 7] {
    let word = command_word(name);
    let (name_component, url_text) = (url_component(name), quote(url));
    let cursor = STANDARD.encode(["{\"url\":", &url_text, "}"].concat());
    let vs_code = ["{\"name\":", &quote(name), ",\"type\":\"http\",\"url\":", &url_text, "}"].concat();
    let client = |name, how| Client { name, how, link: None, copy: None };
    let with_link =
        |name, how, label, link: &[&str]| Client { link: Some((label, link.concat())), ..client(name, how) };
    let command = |name, command: &[&str]| Client { copy: Some(("Copy", command.concat())), ..client(name, "") };
    [
        with_link(
            "Claude",
            "On the web, desktops and phones.",
            "Add to Claude",
            &[
                "https://claude.ai/customize/connectors?modal=add-custom-connector&connectorName=",
                &name_component,
                "&connectorUrl=",
                &url_component(url),
            ],
        ),
        command("Claude Code", &["claude mcp add --transport http ", &word, " ", url]),
        Client {
            copy: Some(("Copy URL", url.to_owned())),
            ..with_link(
                "ChatGPT",
                "In developer mode, as a connector.",
                "Open settings",
                &["https://chatgpt.com/#settings/Connectors"],
            )
        },
        with_link(
            "Cursor",
            "Asks before it adds it.",
            "Add to Cursor",
            &[
                "cursor://anysphere.cursor-deeplink/mcp/install?name=",
                &name_component,
                "&config=",
                &url_component(&cursor),
            ],
        ),
        with_link(
            "VS Code",
            "Asks before it adds it.",
            "Add to VS Code",
            &["vscode:mcp/install?", &url_component(&vs_code)],
        ),
        command("MCP Inspector", &["npx @modelcontextprotocol/inspector --transport http --server-url ", url]),
        command("mcp-remote", &["npx -y mcp-remote ", url]),
    ]
}

/// Returns `name` as a word that needs no quotes in a shell: `Who am I?` becomes `who-am-i`.
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
    fn links_contain_name_and_url_in_the_form_of_each_client() {
        assert_eq!(
            link("Claude", "Who & what"),
            "https://claude.ai/customize/connectors?modal=add-custom-connector&connectorName=Who%20%26%20what\
             &connectorUrl=https%3A%2F%2Fmcp.example.com%2Fmcp"
        );
        let cursor = link("Cursor", "Notes");
        let config = cursor.strip_prefix("cursor://anysphere.cursor-deeplink/mcp/install?name=Notes&config=").unwrap();
        let config = STANDARD.decode(config.replace("%3D", "=")).unwrap();
        assert_eq!(config, br#"{"url":"https://mcp.example.com/mcp"}"#);
        assert_eq!(
            link("VS Code", "Notes"),
            "vscode:mcp/install?%7B%22name%22%3A%22Notes%22%2C%22type%22%3A%22http%22%2C%22url%22%3A%22https%3A%2F%2F\
             mcp.example.com%2Fmcp%22%7D"
        );
    }

    #[test]
    fn commands_contain_no_special_characters_of_a_shell() {
        for (name, word) in [("Who am I?", "who-am-i"), ("$(rm -rf /)", "rm-rf"), ("名前", "mcp"), ("a", "a")] {
            assert_eq!(command_word(name), word);
        }
        let copied = clients("x; reboot", URL).into_iter().filter_map(|client| client.copy).map(|(_, text)| text);
        assert!(copied.into_iter().all(|text| !text.contains(';')));
    }

    #[test]
    fn no_name_adds_a_parameter_to_a_link() {
        for of in ["Claude", "Cursor", "VS Code"] {
            let link = link(of, "\"><script>&connectorUrl=evil#");
            assert!(!link.contains(['"', '<', '>', '#', '\'']) && !link.contains("=evil"), "{link}");
        }
    }
}
