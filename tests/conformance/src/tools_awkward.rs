//! Tools of types that are hard to describe to every client: `clients.test.mjs` reads their list with the official ones.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mcp_edge::{Json, ServerBuilder, schema, tool};
use serde_json::{Map, Value};

/// Adds the tools.
pub fn add_to<E: Clone + 'static>(server: ServerBuilder<E>) -> ServerBuilder<E> {
    server
        .tool(nothing())
        .tool(optional())
        .tool(anything())
        .tool(choices())
        .tool(collections())
        .tool(flattened())
        .tool(tree())
        .tool(numbers())
}

/// How large something is.
#[schema]
enum Size {
    /// Fits into a pocket
    Small,
    /// Needs a van
    Large,
}

#[schema]
enum Unit {
    Metre,
    Foot,
}

#[schema]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Shape {
    Circle { radius: f64 },
    Square { side: f64, rounded: Option<bool> },
}

#[schema]
#[serde(untagged)]
enum Id {
    Number(i64),
    Name(String),
}

#[schema]
#[serde(deny_unknown_fields)]
struct Place {
    city: String,
    zip: Option<String>,
}

#[schema]
struct Page {
    #[serde(default)]
    offset: u32,
    limit: Option<u8>,
}

#[schema]
struct Search {
    query: String,
    #[serde(flatten)]
    page: Page,
}

#[schema]
struct Node {
    name: Option<String>,
    children: Vec<Node>,
}

#[schema(output)]
#[serde(tag = "state", rename_all = "lowercase")]
enum Answer {
    Found { place: Option<Place>, extra: Value },
    Missing,
}

/// Takes nothing
#[tool(name = "awkward_nothing", read_only)]
fn nothing() -> &'static str {
    "nothing"
}

/// Takes what may all be left out
#[tool(name = "awkward_optional", read_only)]
fn optional(
    place: Option<Place>,
    #[default(10)] limit: u8,
    unit: Option<Unit>,
    tags: Option<Vec<String>>,
) -> Json<Answer> {
    let _ = (limit, unit, tags);
    Json(match place {
        Some(place) => Answer::Found { place: Some(place), extra: Value::Null },
        None => Answer::Missing,
    })
}

/// Takes JSON of any form
#[tool(name = "awkward_anything", read_only)]
fn anything(value: Value, maybe: Option<Value>, list: Vec<Value>, object: Map<String, Value>) -> String {
    format!("{value} {} {} {}", maybe.unwrap_or_default(), list.len(), object.len())
}

/// Takes one of several
#[tool(name = "awkward_choices", read_only)]
fn choices(size: Size, shape: Shape, id: Id, other: Option<Shape>) -> String {
    let size = match size {
        Size::Small => "small",
        Size::Large => "large",
    };
    let name = |shape: &Shape| match shape {
        Shape::Circle { radius } => format!("circle of {radius}"),
        Shape::Square { side, rounded } => format!("square of {side}, rounded: {rounded:?}"),
    };
    let id = match id {
        Id::Number(number) => number.to_string(),
        Id::Name(name) => name,
    };
    format!("{size} {} {id} {}", name(&shape), other.as_ref().map(name).unwrap_or_default())
}

/// Takes collections
#[tool(name = "awkward_collections", read_only)]
fn collections(
    pair: (u8, String),
    point: (f64, f64),
    triple: [u8; 3],
    letters: BTreeSet<char>,
    words: Vec<Option<String>>,
    by_name: HashMap<String, Place>,
    by_number: Option<BTreeMap<u32, String>>,
) -> String {
    let sum: u32 = triple.into_iter().map(u32::from).sum();
    let sizes = [letters.len(), words.len(), by_name.len(), by_number.map_or(0, |map| map.len())];
    format!("{} {} {} {sum} {sizes:?}", pair.0, pair.1, point.0 + point.1)
}

/// Takes a type within a type
#[tool(name = "awkward_flattened", read_only)]
fn flattened(#[arguments] search: Search) -> String {
    format!("{} from {} up to {:?}", search.query, search.page.offset, search.page.limit)
}

/// Takes a tree
#[tool(name = "awkward_tree", read_only)]
fn tree(tree: Node) -> Json<Node> {
    Json(tree)
}

/// Takes numbers of all kinds
#[tool(name = "awkward_numbers", read_only)]
fn numbers(byte: u8, signed: i8, long: u64, wide: i128, ratio: f32, real: f64, letter: char) -> String {
    format!("{byte} {signed} {long} {wide} {ratio} {real} {letter}")
}
