use mcp_edge::prelude::*;
use mcp_edge::testing;
use serde_json::json;

/// F.
#[tool(read_only)]
fn plain(name: String) -> String {
    name
}

/// A tool whose argument is called `call`, raw identifiers, and mut.
#[tool]
fn raw(r#type: String, mut count: u8, #[default("x".to_owned())] r#in: String) -> String {
    count += 1;
    format!("{type}{count}{in}", type = r#type, in = r#in)
}

/// None.
#[tool(deny_unknown)]
fn none() -> String {
    "n".into()
}

#[test]
fn t() {
    let server: Server = Server::builder("a", "1").tool(plain()).tool(raw()).tool(none()).build().unwrap();
    let c = testing::Client::new(&server);
    let r = testing::run(c.call_tool("raw", json!({"type":"a","count":1})));
    eprintln!("raw {}", r.result());
    let r = testing::run(c.call_tool("plain", json!({"name":"a","x":1})));
    eprintln!("plain {}", r.result());
    let r = testing::run(c.call_tool("none", json!({"x":1})));
    eprintln!("none {}", r.result());
    let r = testing::run(c.request("tools/list", json!({})));
    eprintln!("{}", r.result());
}
