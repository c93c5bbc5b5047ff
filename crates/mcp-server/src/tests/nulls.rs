//! Where `null` counts as absent, and where the handler gets it.

use std::collections::HashMap;

use serde::{Serialize, de::DeserializeOwned};

use crate::{Json, testing::Client, tests::*};

fn echo_of<T: Serialize + DeserializeOwned + JsonSchema + 'static>() -> Server {
    build(Server::builder("t", "1").tool(Tool::new("t", |_: Call, arguments: T| async { Json(arguments) })))
}

/// What the handler has got, or what the model reads.
fn got(server: &Server, arguments: Value) -> Value {
    let answer = run(Client::new(server).call_tool("t", arguments));
    if answer.is_error() { Value::from(answer.text()) } else { answer.result()["structuredContent"].clone() }
}

fn property(server: &Server, name: &str) -> Value {
    run(Client::new(server).request("tools/list", json!({}))).result()["tools"][0]["inputSchema"]["properties"][name]
        .clone()
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Page {
    limit: Option<u32>,
    offset: u32,
    word: Option<String>,
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: Some(10), offset: 5, word: None }
    }
}

#[test]
fn null_is_a_value_where_the_default_is_another() {
    let server = echo_of::<Page>();
    let expected = json!({"anyOf": [{"type": "integer", "minimum": 0, "default": 10}, {"type": "null"}]});
    assert_eq!(property(&server, "limit"), expected);
    assert_eq!(property(&server, "word"), json!({"type": "string"}));
    assert_eq!(got(&server, json!({})), json!({"limit": 10, "offset": 5, "word": null}));
    let nulls = json!({"limit": null, "offset": null, "word": null});
    assert_eq!(got(&server, nulls), json!({"limit": null, "offset": 5, "word": null}));
}

#[derive(PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
enum Size {
    Small,
    Large,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Stock {
    counts: HashMap<Size, Option<u8>>,
}

#[test]
fn null_is_a_value_in_a_map_whose_keys_are_an_enum() {
    let server = echo_of::<Stock>();
    let counts = json!({"Small": null, "Large": 1});
    assert_eq!(got(&server, json!({"counts": counts})), json!({"counts": counts}));
    assert_eq!(got(&server, json!({"counts": {}})), json!({"counts": {}}));
    assert!(got(&server, json!({"counts": {"Huge": 1}})).to_string().contains("counts.Huge"));
}

fn three() -> u8 {
    3
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Place {
    #[serde(default = "three")]
    zoom: u8,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Shape {
    Circle {
        #[serde(default = "three")]
        radius: u8,
    },
    Square {
        #[serde(default = "three")]
        side: u8,
    },
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum When {
    At {
        date: String,
        #[serde(default = "three")]
        zone: u8,
    },
    Span {
        from: String,
        until: String,
        #[serde(default = "three")]
        zone: u8,
    },
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Nested {
    place: Place,
    places: Vec<Place>,
    by_name: HashMap<String, Place>,
    shape: Shape,
    when: When,
    pair: (Place, u8),
}

#[test]
fn a_default_within_a_type_applies_to_null() {
    let server = echo_of::<Nested>();
    let arguments = |zoom: Value| {
        json!({
            "place": {"zoom": zoom}, "places": [{"zoom": zoom}], "by_name": {"a": {"zoom": zoom}},
            "shape": {"kind": "square", "side": zoom}, "when": {"from": "a", "until": "b", "zone": zoom},
            "pair": [{"zoom": zoom}, 1]
        })
    };
    assert_eq!(got(&server, arguments(Value::Null)), arguments(json!(3)));
    assert_eq!(got(&server, arguments(json!(7))), arguments(json!(7)));
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Node {
    #[serde(default = "three")]
    weight: u8,
    #[serde(default)]
    children: Vec<Node>,
}

#[test]
fn a_recursive_type_may_be_all_arguments() {
    let server = echo_of::<Node>();
    let leaf = json!({"weight": null, "children": null});
    let clean = json!({"weight": 3, "children": []});
    let tree = |leaf: &Value| json!({"weight": 1, "children": [leaf, {"weight": 2, "children": [leaf]}]});
    assert_eq!(got(&server, tree(&leaf)), tree(&clean));
    assert!(got(&server, json!({"children": [{"weight": "x"}]})).to_string().contains("children[0].weight"));
}

#[test]
fn a_prompt_may_have_an_argument_with_another_default_than_none() {
    #[derive(Deserialize, JsonSchema)]
    #[serde(default)]
    struct Style {
        /// Its tone.
        tone: Option<String>,
    }
    impl Default for Style {
        fn default() -> Self {
            Self { tone: Some("kind".to_owned()) }
        }
    }
    let prompt = Prompt::new("p", |_: Call, style: Style| async move { style.tone.unwrap_or_default() });
    let server = build(Server::builder("t", "1").prompt(prompt));
    let client = Client::new(&server);
    let listed = run(client.request("prompts/list", json!({})));
    let expected = json!([{"name": "tone", "description": "Its tone.", "required": false}]);
    assert_eq!(listed.result()["prompts"][0]["arguments"], expected);
    let answer = run(client.request("prompts/get", json!({"name": "p", "arguments": {"tone": null}})));
    assert_eq!(answer.result()["messages"][0]["content"]["text"], "kind");
}
