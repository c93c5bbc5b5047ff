//! `include_skill!`: what is served is what the folder has.

use std::{fs, path::Path};

use mcp_edge::{
    Identity, Server, Skill, include_skill,
    testing::{self, Client},
};
use serde_json::{Value, json};

fn server() -> Server {
    let tea: Skill = include_skill!("tests/skills/tea");
    let server = Server::builder("kitchen", "1").scope("tea", "Drink tea").skill(tea.scope("tea")).build();
    server.unwrap_or_else(|error| panic!("{error}"))
}

fn request(method: &str, params: Value) -> Value {
    let server = server();
    let client = Client::new(&server).identity(Identity::for_test("ada", "tea"));
    testing::run(client.request(method, params)).result().clone()
}

/// As a host does it.
fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

#[test]
fn front_matter_is_read_and_hidden_files_are_left_out() {
    let skill = &request("skills/get", json!({"uri": "skill://tea/SKILL.md"}))["skill"];
    let frontmatter = json!({
        "name": "tea",
        "description": "Makes tea. Use when somebody is thirsty, or asks for \"a cup\".",
        "license": "Apache-2.0",
        "metadata": {"version": "1.0"},
    });
    assert_eq!(skill["frontmatter"], frontmatter);
    let uris: Vec<_> = skill["resources"].as_array().into_iter().flatten().map(|file| &file["uri"]).collect();
    assert_eq!(uris, ["skill://tea/SKILL.md", "skill://tea/leaf.png", "skill://tea/references/kinds.md"]);
    assert_eq!(request("resources/read", json!({"uri": "skill://tea/.hidden"})), Value::Null);
}

#[test]
fn what_is_read_has_the_digest_and_size_of_the_entry_and_the_bytes_of_the_file() {
    let skill = &request("skills/list", json!({}))["skills"][0];
    for file in skill["resources"].as_array().into_iter().flatten() {
        let uri = file["uri"].as_str().unwrap_or_default();
        let contents = &request("resources/read", json!({"uri": uri}))["contents"][0];
        let path = uri.strip_prefix("skill://").unwrap_or_default();
        let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/skills").join(path));
        let bytes = bytes.unwrap_or_else(|error| panic!("{path}: {error}"));
        match (contents["text"].as_str(), contents["blob"].as_str()) {
            (Some(text), None) => assert_eq!(text.as_bytes(), bytes),
            // The one file that is no text.
            (None, Some(blob)) => assert_eq!((uri, blob), ("skill://tea/leaf.png", "iVBORwD//g==")),
            other => panic!("{uri}: {other:?}"),
        }
        assert_eq!((&file["digest"], &file["size"]), (&json!(sha256(&bytes)), &json!(bytes.len())), "{uri}");
    }
}
