//! Arguments of types whose schemas some client or some model's API would refuse: how they are published, and what
//! reaches the handler.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use crate::{Json, testing::Client, tests::*};

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Size {
    Small,
    /// Very large
    Large,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Shape {
    Circle { radius: f64 },
    Square { side: Option<f64> },
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Id {
    Number(i64),
    Name(String),
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Place {
    city: String,
    zip: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Common {
    #[serde(default = "ten")]
    limit: u8,
    #[serde(flatten)]
    more: More,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct More {
    offset: Option<u32>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Node {
    name: Option<String>,
    children: Vec<Node>,
}

fn ten() -> u8 {
    10
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Awkward {
    size: Option<Size>,
    /// Its form.
    shape: Option<Shape>,
    id: Option<Id>,
    place: Option<Place>,
    #[serde(flatten)]
    common: Common,
    #[serde(default)]
    gift: bool,
    any: Option<Value>,
    anything: Option<Vec<Value>>,
    object: Option<serde_json::Map<String, Value>>,
    map: Option<HashMap<String, Option<u8>>>,
    numbered: Option<BTreeMap<u32, String>>,
    tuple: Option<(u8, String)>,
    point: Option<(f64, f64)>,
    letters: Option<BTreeSet<char>>,
    words: Option<Vec<Option<String>>>,
    ratio: Option<f32>,
    tree: Option<Node>,
}

async fn awkward(_: Call, arguments: Awkward) -> Json<Awkward> {
    Json(arguments)
}

fn server() -> Server {
    build(Server::builder("t", "1").tool(Tool::new("awkward", awkward)))
}

#[test]
fn each_type_has_the_form_that_all_take() {
    let server = server();
    let listed = run(Client::new(&server).request("tools/list", json!({})));
    let schema = &listed.result()["tools"][0]["inputSchema"];
    assert_eq!(schema["type"], "object");
    assert_eq!(schema.get("required"), None);
    let byte = json!({"type": "integer", "minimum": 0, "maximum": 255});
    let tagged = |kind: &str, member: &str, required: Value| {
        json!({
            "type": "object",
            "properties": {"kind": {"type": "string", "enum": [kind]}, member: {"type": "number"}},
            "required": required
        })
    };
    // Of all alternatives, but nothing may stand beside these.
    let described = |mut schema: Value| {
        schema["description"] = json!("Its form.");
        schema
    };
    for (name, expected) in [
        ("size", json!({"type": "string", "enum": ["Small", "Large"], "description": "- \"Large\": Very large"})),
        (
            "shape",
            json!({"anyOf": [
                described(tagged("circle", "radius", json!(["kind", "radius"]))),
                tagged("square", "side", json!(["kind"]))
            ]}),
        ),
        ("id", json!({"anyOf": [{"type": "integer"}, {"type": "string"}]})),
        (
            "place",
            json!({
                "type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": "string"}}, "required": ["city"]
            }),
        ),
        ("limit", json!({"type": "integer", "minimum": 0, "maximum": 255, "default": 10})),
        ("offset", json!({"type": "integer", "minimum": 0})),
        ("gift", json!({"type": "boolean", "default": false})),
        ("any", json!({})),
        ("anything", json!({"type": "array", "items": {}})),
        ("object", json!({"type": "object", "properties": {}})),
        (
            "map",
            json!({
                "type": "object", "properties": {}, "additionalProperties": {"anyOf": [byte, {"type": "null"}]}
            }),
        ),
        ("numbered", json!({"type": "object", "properties": {}, "additionalProperties": {"type": "string"}})),
        (
            "tuple",
            json!({
                "type": "array", "items": {"anyOf": [byte, {"type": "string"}]}, "minItems": 2, "maxItems": 2,
                "description": "Items in this order: an integer, a string."
            }),
        ),
        ("point", json!({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2})),
        ("letters", json!({"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 1}})),
        ("words", json!({"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}})),
        ("ratio", json!({"type": "number"})),
    ] {
        assert_eq!(schema["properties"][name], expected, "{name}");
    }
    assert_eq!(schema["properties"]["tree"]["properties"]["children"]["items"], json!({"$ref": "#/$defs/Node"}));
    let output = &listed.result()["tools"][0]["outputSchema"];
    assert_eq!(output["properties"]["size"]["anyOf"][1], json!({"type": "null"}), "results say where null may be");
}

#[test]
fn null_is_absent_for_every_optional_argument() {
    let server = server();
    let client = Client::new(&server);
    let names = [
        "size", "shape", "id", "place", "limit", "offset", "gift", "any", "anything", "object", "map", "numbered",
        "tuple", "point", "letters", "words", "ratio", "tree",
    ];
    let absent = run(client.call_tool("awkward", json!({})));
    assert_eq!(absent.result()["structuredContent"]["limit"], 10);
    let nulls: serde_json::Map<_, _> = names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    let answer = run(client.call_tool("awkward", Value::Object(nulls)));
    assert_eq!(answer.result()["structuredContent"], absent.result()["structuredContent"]);

    let nested = json!({
        "shape": {"kind": "square", "side": null},
        "place": {"city": "Oslo", "zip": null},
        "tree": {"name": null, "children": [{"name": null, "children": []}]},
        "anything": [null, {"a": null}],
        "words": [null, "a"],
        "map": {"a": null}
    });
    let answer = run(client.call_tool("awkward", nested.clone()));
    for (name, value) in nested.as_object().into_iter().flatten() {
        assert_eq!(&answer.result()["structuredContent"][name], value);
    }
}

#[test]
fn what_does_not_fit_is_reported_where_it_is() {
    let server = server();
    for (arguments, words) in [
        (
            json!({"shape": {"kind": "circle", "radius": "1"}}),
            "arguments.shape.radius: expected a number, got a string",
        ),
        (json!({"shape": {"kind": "ring"}}), "arguments.shape.kind: expected one of \"circle\", \"square\""),
        (json!({"place": {"zip": "1"}}), "arguments.place.city: required, expected a string"),
        (json!({"size": "Huge"}), "arguments.size: expected one of \"Small\", \"Large\""),
        (json!({"id": true}), "arguments.id: expected an integer or a string, got a boolean"),
        (json!({"tree": {"children": [{}]}}), "arguments.tree.children[0].children: required, expected an array"),
        (json!({"tuple": ["a", 1]}), "arguments: invalid type"),
    ] {
        let answer = run(Client::new(&server).call_tool("awkward", arguments));
        assert!(answer.is_error() && answer.text().contains(words), "{}", answer.text());
    }
}

#[test]
fn null_is_absent_in_prompts_and_forms_too() {
    #[derive(Deserialize, JsonSchema)]
    struct Review {
        code: String,
        #[serde(default)]
        language: String,
    }
    async fn ask(call: Call) -> Result<String, ToolError> {
        let Review { code, language } = call.elicit("review", "What?")?;
        Ok(format!("{code}/{language}"))
    }
    let review = |_: Call, Review { code, language }: Review| async move { format!("{code}/{language}") };
    let server = build(Server::builder("t", "1").prompt(Prompt::new("review", review)).tool(Tool::new("ask", ask)));
    let client = Client::new(&server).capabilities(json!({"elicitation": {}}));
    let given = json!({"code": "x", "language": null});
    let answer = run(client.request("prompts/get", json!({"name": "review", "arguments": given})));
    assert_eq!(answer.result()["messages"][0]["content"]["text"], "x/");
    let missing = json!({"name": "review", "arguments": {"code": null}});
    assert_eq!(run(client.request("prompts/get", missing)).error_code(), Some(-32602));
    let responses = json!({"review": {"action": "accept", "content": given}});
    let params = json!({"name": "ask", "arguments": {}, "inputResponses": responses});
    assert_eq!(run(client.request("tools/call", params)).text(), "x/");
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only its schema is looked at")]
struct Closed {
    place: Option<ClosedPlace>,
    choice: Option<Choice>,
    object: Option<serde_json::Map<String, Value>>,
    lengths: Option<HashMap<String, u8>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only its schema is looked at")]
struct ClosedPlace {
    city: String,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only its schema is looked at")]
enum Choice {
    All,
    Some { count: u8 },
}

#[test]
fn types_that_refuse_unknown_members_do_so_though_their_published_schemas_have_no_boolean() {
    let server = build(Server::builder("t", "1").tool(Tool::new("closed", |_: Call, _: Closed| async { "fine" })));
    let client = Client::new(&server);
    let listed = run(client.request("tools/list", json!({})));
    let schema = &listed.result()["tools"][0]["inputSchema"];
    assert!(!schema.to_string().contains("\"additionalProperties\":false"), "{schema}");
    assert!(!schema.to_string().contains("\"additionalProperties\":true"), "{schema}");
    assert_eq!(schema["properties"]["lengths"]["additionalProperties"]["type"], "integer");
    for (arguments, words) in [
        (json!({"citty": "a"}), "arguments.citty: no such property"),
        (json!({"place": {"city": "Oslo", "zip": "1"}}), "arguments.place.zip: no such property"),
        (json!({"choice": {"Some": {"count": 1}, "All": null}}), "arguments.choice.All: no such property"),
    ] {
        let answer = run(client.call_tool("closed", arguments));
        assert!(answer.is_error() && answer.text().contains(words), "{}", answer.text());
    }
    let fine = json!({"choice": {"Some": {"count": 1}}, "object": {"a": 1}, "lengths": {"a": 1}});
    assert_eq!(run(client.call_tool("closed", fine)).text(), "fine");
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum When {
    At { date: String, zone: Option<String> },
    Span { date: String, until: String, zone: Option<String> },
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Meeting {
    when: When,
}

#[test]
fn null_is_absent_where_several_alternatives_may_be_meant() {
    let tool = Tool::new("meet", |_: Call, meeting: Meeting| async move { Json(meeting) });
    let server = build(Server::builder("t", "1").tool(tool));
    let when = json!({"date": "a", "until": "b", "zone": null});
    let answer = run(Client::new(&server).call_tool("meet", json!({"when": when})));
    assert_eq!(answer.result()["structuredContent"]["when"], json!({"date": "a", "zone": null}), "{}", answer.text());
}
