//! Arguments of a tool against any schema of a bounded grammar: the tool is called if and only if they are valid, and then
//! with exactly these arguments. A refusal has a few lines.

use arbitrary::Unstructured;
use mcp_edge::{Call, Server, Tool, testing};
use serde_json::{Map, Value};

use crate::{schema, typed_arguments};

/// Violations that are listed, and the sentence before them.
const MAX_LINES: usize = 6;

async fn echo(_: Call, arguments: Map<String, Value>) -> String {
    Value::Object(arguments).to_string()
}

/// Bytes that a schema and arguments are made of; or, after `{`, both as JSON on a line each; or, after `!`, bytes that
/// arguments of declared types are made of.
pub fn check(input: &[u8]) {
    match input.first() {
        Some(b'{') => {
            let mut lines = input.splitn(2, |byte| *byte == b'\n').map(serde_json::from_slice::<Value>);
            let (Some(Ok(schema)), Some(Ok(arguments))) = (lines.next(), lines.next()) else { return };
            call(schema, arguments, &mut |_, _, _, _| {});
        }
        Some(b'!') => drop(typed_arguments::check(&mut Unstructured::new(&input[1..]))),
        _ => {
            let mut input = Unstructured::new(input);
            let Ok(schema) = schema::root(&mut input) else { return };
            // Several for each schema: to build a server takes longer than to call a tool.
            for _ in 0..4 {
                let Ok(arguments) = schema::arguments(&mut input) else { return };
                call(schema.clone(), arguments, &mut |schema, arguments, text, is_called| {
                    assert!(is_called || text.lines().count() <= MAX_LINES, "{text}");
                    assert_eq!(is_called, schema::is_valid(schema, schema, arguments), "{arguments} by {schema}");
                });
            }
        }
    }
}

/// Gets schema, arguments, what was answered, and whether the tool was called.
type Judge<'a> = &'a mut dyn FnMut(&Value, &Value, &str, bool);

/// Calls a tool of this schema.
fn call(schema: Value, arguments: Value, judge: Judge<'_>) {
    if !arguments.is_object() {
        return;
    }
    let tool = Tool::new("echo", echo).input_schema(schema.clone());
    let Ok(server) = Server::builder("fuzz", "1").tool(tool).build() else { return };
    let answer = testing::run(testing::Client::new(&server).call_tool("echo", arguments.clone()));
    let text = answer.text();
    assert_eq!(answer.status, 200, "{}", answer.message);
    if answer.is_error() {
        assert!(!text.is_empty());
        if !text.contains("too complex") {
            judge(&schema, &arguments, &text, false);
        }
        return;
    }
    let called: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{}", answer.message));
    assert!(schema::is_equal(&called, &arguments), "called with {called}, not {arguments}");
    judge(&schema, &arguments, &text, true);
}
