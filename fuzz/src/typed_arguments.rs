//! Arguments of declared types: what serde writes of a value is accepted, and arrives as the same value.

use std::collections::BTreeMap;

use arbitrary::{Arbitrary, Result, Unstructured};
use mcp_edge::{Call, JsonSchema, Server, Tool, schemars, testing};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Arbitrary)]
#[serde(rename_all = "camelCase")]
struct Everything {
    text: String,
    letter: char,
    small: u8,
    signed: i64,
    unsigned: u64,
    quarters: Quarters,
    is_set: bool,
    maybe: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Place>,
    #[serde(default)]
    places: Vec<Place>,
    counts: BTreeMap<String, u32>,
    pair: (u8, String),
    color: Color,
    shape: Shape,
    either: Either,
    #[serde(flatten)]
    more: More,
}

/// A number that no parser rounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Quarters(f64);

impl<'a> Arbitrary<'a> for Quarters {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        input.arbitrary::<i32>().map(|number| Self(f64::from(number) / 4.0))
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Arbitrary)]
#[serde(deny_unknown_fields)]
struct Place {
    name: String,
    height: Option<i16>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Arbitrary)]
#[serde(rename_all = "snake_case")]
enum Color {
    Red,
    DarkBlue,
    Mixed(u8, u8, u8),
    Named { name: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Arbitrary)]
#[serde(tag = "kind")]
enum Shape {
    Circle { radius: u16 },
    Square { side: u16 },
    Point,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Arbitrary)]
#[serde(untagged)]
enum Either {
    Number(i32),
    Text(String),
    Many(Vec<bool>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Arbitrary)]
struct More {
    extra: Option<String>,
}

async fn echo(_: Call, everything: Everything) -> String {
    serde_json::to_string(&everything).unwrap_or_default()
}

thread_local! {
    static SERVER: Server = Server::builder("fuzz", "1").tool(Tool::new("echo", echo)).build().expect("the tool is good");
}

/// Calls the tool with a value that these bytes make.
pub fn check(input: &mut Unstructured<'_>) -> Result<()> {
    let value = Everything::arbitrary(input)?;
    let mut arguments = serde_json::to_value(&value).expect("the value serializes");
    expect(arguments.clone(), &value);
    // A member without a value may be left out.
    if let Value::Object(members) = &mut arguments {
        members.retain(|_, member| !member.is_null());
    }
    expect(arguments, &value);
    Ok(())
}

fn expect(arguments: Value, value: &Everything) {
    let answer = SERVER.with(|server| testing::run(testing::Client::new(server).call_tool("echo", arguments.clone())));
    assert!(!answer.is_error(), "{arguments}: {}", answer.text());
    let arrived: Everything =
        serde_json::from_str(&answer.text()).unwrap_or_else(|error| panic!("{error}: {}", answer.message));
    assert_eq!(arrived, *value);
}
