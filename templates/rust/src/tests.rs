//! The server without a Worker: requests go through everything but HTTP and the token.

use mcp_edge::{AccessNeeded, Scopes, prelude::*, testing};
use serde_json::json;

fn server() -> Server<()> {
    crate::server().unwrap()
}

#[test]
fn greets_its_caller() {
    let server = server();
    let ada = testing::Client::new(&server).identity(Identity::for_test("ada", "greet:use"));
    assert_eq!(
        testing::run(ada.call_tool("greet", json!({}))).text(),
        "Hello, ada!"
    );
    assert_eq!(
        testing::run(ada.call_tool("greet", json!({"words": "Good morning"}))).text(),
        "Good morning, ada!"
    );
}

#[test]
fn needs_its_scope() {
    let server = server();
    let eve = testing::Client::new(&server).identity(Identity::for_test("eve", ""));
    let answer = testing::run(eve.call_tool("greet", json!({})));
    assert_eq!(
        answer.refused,
        Some(AccessNeeded::Scopes(Scopes::parse("greet:use")))
    );
}
