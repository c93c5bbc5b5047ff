//! Ready-made configurations of clients for a key. The forms are those of the vendors' documentation, as of November 2026:
//!
//! | client | form |
//! |---|---|
//! | Claude | *Add custom connector*, *Request headers* (beta): a name and a value |
//! | Claude Code | `claude mcp add --transport http NAME URL --header "Authorization: Bearer …"` (code.claude.com/docs/en/mcp) |
//! | Cursor | `~/.cursor/mcp.json`: `mcpServers`, with `url` and `headers` (cursor.com/docs/mcp) |
//! | VS Code | `mcp.json`: `servers` of type `http` with `headers`, and `inputs` of type `promptString` (code.visualstudio.com/docs/agents/reference/mcp-configuration) |
//! | curl | a request of MCP 2026-07-28 |

use serde_json::json;

/// How a client is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSetup {
    /// The client's name.
    pub name: &'static str,
    /// Where the text goes, and what to look out for.
    pub how: &'static str,
    /// What is copied: a label, and a text with or without the key.
    pub strings: Vec<(&'static str, String)>,
}

/// All clients, for the server at `url`, which they call `name`.
#[must_use]
pub fn setups(name: &str, url: &str, key: &str) -> [ClientSetup; 5] {
    let (word, bearer) = (command_word(name), format!("Bearer {key}"));
    let cursor = json!({ "mcpServers": { &word: { "url": url, "headers": { "Authorization": bearer } } } });
    let input = format!("{word}-key");
    let vs_code = json!({
        "servers": {
            &word: { "type": "http", "url": url, "headers": { "Authorization": format!("Bearer ${{input:{input}}}") } }
        },
        "inputs": [
            { "type": "promptString", "id": input, "description": format!("Access key for {word}"), "password": true }
        ]
    });
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/list",
        "params": { "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        } }
    });
    let pretty = |value: &serde_json::Value| serde_json::to_string_pretty(value).unwrap_or_default();
    let url_word = shell_word(url);
    let curl = format!(
        "curl {url_word} \\\n  -H 'Authorization: {bearer}' \\\n  -H 'Content-Type: application/json' \\\n  \
         -H 'Accept: application/json, text/event-stream' \\\n  -H 'MCP-Protocol-Version: 2026-07-28' \\\n  \
         -H 'Mcp-Method: tools/list' \\\n  -d '{message}'"
    );
    [
        ClientSetup {
            name: "Claude",
            how: "Under Settings, Connectors, add a custom connector with the URL, and under Request headers the header \
                  Authorization with this value. Where the dialog has no request headers, your plan does not have them yet: \
                  leave the key out, and Claude lets you sign in.",
            strings: vec![("URL", url.to_owned()), ("Value", bearer.clone())],
        },
        ClientSetup {
            name: "Claude Code",
            how: "In a terminal. The key is stored in your own configuration, not in the project.",
            strings: vec![(
                "Command",
                format!("claude mcp add --transport http {word} {url_word} --header \"Authorization: {bearer}\""),
            )],
        },
        ClientSetup {
            name: "Cursor",
            how: "In ~/.cursor/mcp.json. In a file of a project, write ${env:NAME} in place of the key, so that nobody \
                  commits it.",
            strings: vec![("mcp.json", pretty(&cursor))],
        },
        ClientSetup {
            name: "VS Code",
            how: "In .vscode/mcp.json, or in the user's mcp.json. The key is not in it: VS Code asks for it once and keeps \
                  it.",
            strings: vec![("mcp.json", pretty(&vs_code))],
        },
        ClientSetup { name: "curl", how: "Lists the tools.", strings: vec![("Command", curl)] },
    ]
}

/// `name` as a word that needs no quotes in a shell: `Who am I?` becomes `who-am-i`.
fn command_word(name: &str) -> String {
    let parts = name.split(|character: char| !character.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let word = parts.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-");
    if word.is_empty() { "mcp".to_owned() } else { word }
}

/// A URL as one word of a shell.
fn shell_word(url: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/%@+,=".contains(&byte);
    if url.bytes().all(is_plain) { url.to_owned() } else { format!("'{}'", url.replace('\'', "'\\''")) }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const URL: &str = "https://mcp.example.com/mcp";
    const KEY: &str = "mcpk_0000000000000000_0000000000000000000000000000000000000000000000000";

    fn text(client: &str, name: &str, url: &str) -> String {
        let setup = setups(name, url, KEY).into_iter().find(|it| it.name == client).unwrap();
        setup.strings.last().unwrap().1.clone()
    }

    fn members(value: &Value) -> Vec<&str> {
        let mut names: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn cursor_gets_the_documented_members() {
        let json: Value = serde_json::from_str(&text("Cursor", "Who am I?", URL)).unwrap();
        assert_eq!(members(&json), ["mcpServers"]);
        let server = &json["mcpServers"]["who-am-i"];
        assert_eq!(members(server), ["headers", "url"]);
        assert_eq!(server["url"], URL);
        assert_eq!(server["headers"], json!({ "Authorization": format!("Bearer {KEY}") }));
    }

    #[test]
    fn vs_code_asks_for_the_key_and_the_file_does_not_have_it() {
        let text = text("VS Code", "Notes", URL);
        assert!(!text.contains("mcpk_"));
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(members(&json), ["inputs", "servers"]);
        let server = &json["servers"]["notes"];
        assert_eq!((members(server), &server["type"]), (vec!["headers", "type", "url"], &json!("http")));
        let input = &json["inputs"][0];
        assert_eq!(members(input), ["description", "id", "password", "type"]);
        assert_eq!((&input["type"], &input["password"]), (&json!("promptString"), &json!(true)));
        let id = input["id"].as_str().unwrap();
        assert_eq!(server["headers"]["Authorization"], format!("Bearer ${{input:{id}}}"));
    }

    #[test]
    fn claude_code_gets_one_command() {
        assert_eq!(
            text("Claude Code", "$(rm -rf /)", URL),
            format!("claude mcp add --transport http rm-rf {URL} --header \"Authorization: Bearer {KEY}\"")
        );
    }

    #[test]
    fn curl_sends_a_request_of_the_present_revision() {
        let command = text("curl", "Notes", URL);
        let body = command.split(" -d '").nth(1).and_then(|rest| rest.strip_suffix('\'')).unwrap();
        let message: Value = serde_json::from_str(body).unwrap();
        assert_eq!(message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
        assert!(
            command.contains("-H 'MCP-Protocol-Version: 2026-07-28'")
                && command.contains("-H 'Mcp-Method: tools/list'")
        );
        assert!(!body.contains('\''));
    }

    #[test]
    fn no_address_ends_a_word_of_a_shell() {
        assert!(
            text("curl", "x", "https://a.example/$(id)/'/mcp").starts_with("curl 'https://a.example/$(id)/'\\''/mcp' ")
        );
    }

    #[test]
    fn claude_gets_the_value_of_its_request_header() {
        assert_eq!(text("Claude", "x", URL), format!("Bearer {KEY}"));
    }
}
