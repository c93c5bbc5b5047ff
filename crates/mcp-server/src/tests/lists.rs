//! Lists and their pages.

use crate::{testing::Client, tests::*};

#[test]
fn a_list_is_walked_page_by_page() {
    let names: Vec<String> = (0..7).map(|number| format!("tool-{number}")).collect();
    let builder = Server::builder("t", "1").page_size(3);
    let server = build(names.iter().fold(builder, |builder, name| builder.tool(Tool::new(name, echo))));
    for client in [Client::new(&server), Client::new(&server).legacy()] {
        let (mut seen, mut params) = (Vec::new(), json!({}));
        loop {
            let answer = run(client.request("tools/list", params));
            let tools = answer.result()["tools"].as_array().cloned().unwrap_or_default();
            assert!(tools.len() <= 3 && !tools.is_empty());
            seen.extend(tools.iter().filter_map(|tool| tool["name"].as_str().map(str::to_owned)));
            match answer.result().get("nextCursor") {
                Some(cursor) => params = json!({"cursor": cursor}),
                None => break,
            }
        }
        assert_eq!(seen, names);
    }
}

#[test]
fn an_item_shows_what_was_declared() {
    let server = server();
    let client = Client::new(&server);
    let tools = run(client.request("tools/list", json!({})));
    let echo = &tools.result()["tools"][0];
    assert_eq!(echo["name"], "echo");
    assert_eq!(echo["description"], "Says it again");
    let text = json!({"type": "string", "description": "Comes back", "x-mcp-header": "Text"});
    assert_eq!(echo["inputSchema"], json!({"type": "object", "properties": {"text": text}, "required": ["text"]}));
    let resources = run(client.request("resources/list", json!({})));
    let motd = json!({"uri": "note://motd", "name": "motd", "mimeType": "text/plain", "size": 5});
    assert_eq!(resources.result()["resources"], json!([motd]));
    let templates = run(client.request("resources/templates/list", json!({})));
    let note = json!({"uriTemplate": "note://{id}/text", "name": "note"});
    assert_eq!(templates.result()["resourceTemplates"], json!([note]));
    let prompts = run(client.request("prompts/list", json!({})));
    let argument = json!({"name": "text", "description": "Comes back", "required": true});
    assert_eq!(prompts.result()["prompts"], json!([{"name": "greet", "arguments": [argument]}]));
}
