//! Types whose schemas take more than one step to become portable.

use serde::Serialize;

use crate::{Json, testing::Client, tests::*};

#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Shape {
    /// Round.
    Circle {
        radius: f64,
    },
    Square {
        side: f64,
    },
}

#[derive(PartialEq, Serialize, Deserialize, JsonSchema)]
struct Drawing {
    title: String,
    #[serde(flatten)]
    shape: Shape,
}

#[derive(PartialEq, Serialize, Deserialize, JsonSchema)]
struct Node {
    children: Vec<Node>,
}

#[derive(PartialEq, Serialize, Deserialize, JsonSchema)]
struct Composed {
    /// Its form.
    shape: Option<Shape>,
    drawing: Option<Drawing>,
    /// Words, some of which are missing.
    words: Vec<Option<String>>,
    /// Each with its count.
    pairs: Vec<Option<(u8, String)>>,
    maps: Vec<Option<std::collections::HashMap<String, u8>>>,
    tree: Option<(Node, u8)>,
}

fn server() -> Server {
    build(Server::builder("t", "1").tool(Tool::new("t", |_: Call, arguments: Composed| async { Json(arguments) })))
}

fn schema(server: &Server) -> Value {
    run(Client::new(server).request("tools/list", json!({}))).result()["tools"][0]["inputSchema"].clone()
}

/// Every object within.
fn objects<'v>(value: &'v Value, found: &mut Vec<&'v serde_json::Map<String, Value>>) {
    match value {
        Value::Object(members) => {
            found.push(members);
            members.values().for_each(|member| objects(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| objects(item, found)),
        _ => {}
    }
}

#[test]
fn nothing_stands_beside_alternatives() {
    let server = server();
    let schema = schema(&server);
    let mut found = Vec::new();
    objects(&schema, &mut found);
    for members in found {
        if members.contains_key("anyOf") {
            assert_eq!(members.keys().collect::<Vec<_>>(), ["anyOf"]);
        }
        assert!(!members.contains_key("prefixItems") && !members.contains_key("oneOf"));
        assert!(members.get("type") != Some(&json!("object")) || members.contains_key("properties"), "{members:?}");
    }
    let shape = &schema["properties"]["shape"]["anyOf"];
    assert_eq!(shape[0]["description"], "Its form.\nRound.");
    assert_eq!(shape[1].get("description"), None);
    let square = json!({
        "type": "object",
        "properties": {
            "title": {"type": "string"}, "kind": {"type": "string", "enum": ["square"]}, "side": {"type": "number"}
        },
        "required": ["kind", "side", "title"]
    });
    assert_eq!(schema["properties"]["drawing"]["anyOf"][1], square);
    let words = schema["properties"]["tree"]["description"].as_str().unwrap_or_default();
    assert_eq!(words, "Items in this order: an object, an integer.");
}

#[test]
fn what_is_composed_is_read_and_validated() {
    let server = server();
    let client = Client::new(&server);
    let mut arguments = json!({
        "shape": {"kind": "circle", "radius": 1.5}, "drawing": {"title": "a", "kind": "square", "side": 0.5},
        "words": ["a", null], "pairs": [null, [1, "a"]], "maps": [null, {"a": 1}], "tree": [{"children": []}, 1]
    });
    let answer = run(client.call_tool("t", arguments.clone()));
    assert_eq!(answer.result()["structuredContent"], arguments, "{}", answer.text());
    arguments["drawing"] = json!({"kind": "square", "side": 0.5});
    let answer = run(client.call_tool("t", arguments.clone()));
    assert!(answer.text().contains("arguments.drawing.title: required, expected a string"), "{}", answer.text());
    arguments["drawing"] = json!({"title": 1, "kind": "ring"});
    let answer = run(client.call_tool("t", arguments));
    assert!(answer.text().contains("arguments.drawing.kind: expected one of"), "{}", answer.text());
}

#[test]
fn a_root_reference_with_siblings_keeps_its_meaning() {
    let base = json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]});
    let any = |schema: Value| {
        let tool = Tool::new("t", |_: Call, arguments: Value| async move { arguments.to_string() });
        build(Server::builder("t", "1").tool(tool.input_schema(schema)))
    };
    let both = any(json!({
        "type": "object", "$ref": "#/$defs/Base", "properties": {"x": {"type": "integer"}}, "required": ["x"],
        "$defs": {"Base": base}
    }));
    for arguments in [json!({"x": 1}), json!({"name": "a"}), json!({"x": 1, "name": 2}), json!({"x": "", "name": "a"})]
    {
        assert!(run(Client::new(&both).call_tool("t", arguments.clone())).is_error(), "{arguments}");
    }
    assert!(!run(Client::new(&both).call_tool("t", json!({"x": 1, "name": "a"}))).is_error());
    // Written out where nothing can hide: many clients look for `properties` at the root.
    let plain =
        any(json!({"type": "object", "$ref": "#/$defs/Base", "description": "A name", "$defs": {"Base": base}}));
    let listed = schema(&plain);
    assert_eq!((&listed["properties"], listed.get("$ref")), (&base["properties"], None));
}

#[derive(Serialize, Deserialize)]
struct Level(u8);

impl JsonSchema for Level {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Level".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "integer", "enum": [1, 2, 4], "description": "How loud."})
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Unit {
    Short(Short),
    Long(Long),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Short {
    M,
    Inch,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Long {
    Metre,
    Inch,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Values {
    level: Option<Level>,
    unit: Option<Unit>,
    #[schemars(extend("format" = "interval"))]
    every: Option<String>,
    size: Option<isize>,
}

#[test]
fn choices_that_are_no_strings_are_described_and_validated() {
    let tool = Tool::new("t", |_: Call, values: Values| async { Json(values) });
    let server = build(Server::builder("t", "1").tool(tool));
    let properties = &schema(&server)["properties"];
    assert_eq!(properties["level"], json!({"type": "integer", "description": "How loud.\nMust be one of 1, 2, 4."}));
    assert_eq!(properties["unit"], json!({"type": "string", "enum": ["m", "inch", "metre"]}));
    assert_eq!(properties["every"], json!({"type": "string", "format": "interval"}));
    assert_eq!(properties["size"], json!({"type": "integer"}));
    let client = Client::new(&server);
    assert!(!run(client.call_tool("t", json!({"level": 4}))).is_error());
    let answer = run(client.call_tool("t", json!({"level": 3})));
    assert!(answer.text().contains("arguments.level: expected one of 1, 2, 4"), "{}", answer.text());
}
