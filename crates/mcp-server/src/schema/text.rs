//! Descriptions of schemas in words that a model can act on: "a string of at least 3 characters or null".

use mcp_edge_runtime::json::to_json;
use serde_json::Value;

use crate::schema::reference::resolve;

/// A few words for what a schema wants. References are followed a few times: beyond that, words do not help.
pub(crate) fn describe(root: &Value, schema: &Value, depth: u32) -> String {
    const MAX_DEPTH: u32 = 4;
    let unknown = || "something else".to_owned();
    if depth > MAX_DEPTH {
        return unknown();
    }
    if let Some(Value::Array(allowed)) = schema.get("enum") {
        let allowed: Vec<String> = allowed.iter().map(to_json).collect();
        return format!("one of {}", allowed.join(", "));
    }
    if let Some(only) = schema.get("const") {
        return to_json(only);
    }
    match schema.get("type") {
        Some(Value::String(name)) => with_article(name),
        Some(Value::Array(names)) => {
            let names: Vec<String> = names.iter().filter_map(Value::as_str).map(with_article).collect();
            names.join(" or ")
        }
        _ => {
            if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|pointer| resolve(root, pointer))
            {
                return describe(root, target, depth + 1);
            }
            let parts = ["anyOf", "oneOf"].into_iter().find_map(|keyword| schema.get(keyword)?.as_array());
            parts.map_or_else(unknown, |parts| describe_all(root, parts, depth + 1))
        }
    }
}

fn with_article(name: &str) -> String {
    match name {
        "null" => "null".to_owned(),
        "array" | "integer" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    }
}

/// The words for each of some alternatives.
pub(crate) fn describe_all(root: &Value, parts: &[Value], depth: u32) -> String {
    let parts: Vec<String> = parts.iter().map(|part| describe(root, part, depth)).collect();
    parts.join(" or ")
}
