//! Which of several alternatives a value is meant to be, so that the violations of that one can be reported.

use mcp_edge_runtime::json::to_json;
use serde_json::{Map, Value};

use crate::schema::{
    keywords,
    reference::follow,
    value::{equal, is_of_type},
};

/// What can be said of a value that fits none of the alternatives.
pub(crate) enum Meant<'s> {
    /// This one alone has the value's type, its tag or its members.
    One(&'s Value),
    /// They differ by the value of this member, and the value has none of those, which are listed as JSON.
    Tagged(&'s str, String),
    Unclear,
}

/// Looks for the alternative that is meant.
pub(crate) fn meant<'s>(root: &'s Value, parts: &'s [Value], instance: &Value) -> Meant<'s> {
    let candidates: Vec<&Value> = parts.iter().filter(|part| accepts(root, part, instance, 0)).collect();
    let (first, object) = match (candidates.as_slice(), instance) {
        ([only], _) => return Meant::One(only),
        ([first, ..], Value::Object(object)) => (*first, object),
        _ => return Meant::Unclear,
    };
    let having = |rule: &dyn Fn(&Value) -> bool| {
        let mut fitting = candidates.iter().copied().filter(|part| rule(follow(root, part)));
        fitting.next().filter(|_| fitting.next().is_none())
    };
    let fits_tags = |part: &Value| {
        tags(part.get("properties")).all(|(name, tag)| object.get(name).is_some_and(|value| equal(value, tag)))
    };
    let has_tag = |part: &Value| tags(part.get("properties")).next().is_some() && fits_tags(part);
    let has_members = |part: &Value| {
        fits_tags(part)
            && part.as_object().into_iter().flat_map(keywords::required).all(|name| object.contains_key(name))
    };
    if let Some(part) = having(&has_tag).or_else(|| having(&has_members)) {
        return Meant::One(part);
    }
    let Some((name, _)) = tags(follow(root, first).get("properties")).next() else { return Meant::Unclear };
    let values: Vec<String> = candidates.iter().filter_map(|part| tag(follow(root, part), name)).map(to_json).collect();
    let is_among = object.get(name).is_some_and(|value| values.contains(&to_json(value)));
    if values.len() == candidates.len() && !is_among { Meant::Tagged(name, values.join(", ")) } else { Meant::Unclear }
}

/// Whether a schema is for values of this type, as far as it says.
fn accepts(root: &Value, schema: &Value, instance: &Value, depth: u32) -> bool {
    let schema = follow(root, schema);
    if let Some(expected) = schema.get("type") {
        return is_of_type(instance, expected);
    }
    let parts = ["anyOf", "oneOf"].into_iter().find_map(|keyword| schema.get(keyword)?.as_array());
    match parts {
        Some(parts) if depth < 4 => parts.iter().any(|part| accepts(root, part, instance, depth + 1)),
        _ => true,
    }
}

/// Whether an object has another value for a property that has one value only.
pub(crate) fn contradicts(schema: &Map<String, Value>, object: &Map<String, Value>, allows_null: bool) -> bool {
    tags(schema.get("properties")).any(|(name, tag)| {
        let value = object.get(name).filter(|value| !allows_null || !value.is_null());
        value.is_some_and(|value| !equal(value, tag))
    })
}

/// The properties that have one value only.
fn tags(properties: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    let properties = properties.and_then(Value::as_object).into_iter().flat_map(Map::iter);
    properties.filter_map(|(name, property)| Some((name.as_str(), only_value(property)?)))
}

fn tag<'s>(schema: &'s Value, name: &str) -> Option<&'s Value> {
    only_value(schema.get("properties")?.get(name)?)
}

fn only_value(schema: &Value) -> Option<&Value> {
    schema.get("const").or_else(|| match schema.get("enum")?.as_array()?.as_slice() {
        [only] => Some(only),
        _ => None,
    })
}
