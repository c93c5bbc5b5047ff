//! The subschemas of a JSON Schema, with the place of each, and what a `$ref` leads to.

use serde_json::Value;

/// Keywords whose value is a schema.
const SCHEMAS: [&str; 11] = [
    "additionalItems",
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Keywords whose value is an array of schemas.
const ARRAYS: [&str; 5] = ["allOf", "anyOf", "items", "oneOf", "prefixItems"];

/// Keywords whose value is an object of schemas.
const OBJECTS: [&str; 5] = ["$defs", "definitions", "dependentSchemas", "patternProperties", "properties"];

/// A schema inside of another one.
pub(super) struct Subschema<'a> {
    /// Where it stands, for people: `properties.tags.items`. Empty for the root.
    pub place: String,
    /// The keyword that holds it. Empty for the root.
    pub keyword: &'static str,
    /// The schema: an object or a boolean, or something else in an invalid schema.
    pub schema: &'a Value,
}

/// A schema and all of its subschemas. What stands in `enum`, `const` or `default` is data, not a schema.
///
/// The recursion ends, because the JSON parser accepts 127 levels only.
pub(super) fn subschemas(root: &Value) -> Vec<Subschema<'_>> {
    let mut found = Vec::new();
    collect(Subschema { place: String::new(), keyword: "", schema: root }, &mut found);
    found
}

fn collect<'a>(at: Subschema<'a>, found: &mut Vec<Subschema<'a>>) {
    let place = at.place.clone();
    let below = |keyword: &str, rest: &str| {
        let parts = [place.as_str(), keyword, rest];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
    };
    let object = at.schema.as_object();
    found.push(at);
    let Some(object) = object else { return };
    for keyword in SCHEMAS {
        if let Some(schema) = object.get(keyword).filter(|it| !it.is_array()) {
            collect(Subschema { place: below(keyword, ""), keyword, schema }, found);
        }
    }
    for keyword in ARRAYS {
        for (index, schema) in object.get(keyword).and_then(Value::as_array).into_iter().flatten().enumerate() {
            collect(Subschema { place: below(keyword, &index.to_string()), keyword, schema }, found);
        }
    }
    for keyword in OBJECTS {
        for (name, schema) in object.get(keyword).and_then(Value::as_object).into_iter().flatten() {
            collect(Subschema { place: below(keyword, name), keyword, schema }, found);
        }
    }
}

/// Where a `$ref` leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reference {
    /// To a schema in the same document.
    Here,
    /// Into the same document, where there is nothing.
    Nowhere,
    /// To another document.
    Elsewhere,
}

/// Resolves a `$ref` against the root of its schema (JSON Schema 2020-12 §8.2). An `$id` below the root is not supported,
/// and rare.
pub(super) fn resolve(reference: &str, root: &Value, anchors: &[&str]) -> Reference {
    let own = root["$id"].as_str().unwrap_or_default();
    let fragment = match reference.split_once('#') {
        Some((document, fragment)) if document.is_empty() || document == own.trim_end_matches('#') => fragment,
        None if reference == own && !own.is_empty() => "",
        _ => return Reference::Elsewhere,
    };
    let fragment = percent_decode(fragment);
    let exists = match fragment.as_str() {
        "" => true,
        pointer if pointer.starts_with('/') => {
            root.pointer(pointer).is_some_and(|it| it.is_object() || it.is_boolean())
        }
        anchor => anchors.contains(&anchor),
    };
    if exists { Reference::Here } else { Reference::Nowhere }
}

/// The names that `$ref` can use instead of a path.
pub(super) fn anchors<'a>(subschemas: &[Subschema<'a>]) -> Vec<&'a str> {
    let named = |it: &Subschema<'a>| {
        let names = ["$anchor", "$dynamicAnchor"];
        names.into_iter().filter_map(|name| it.schema.get(name)?.as_str()).collect::<Vec<_>>()
    };
    subschemas.iter().flat_map(named).collect()
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).filter(|_| *first == b'%').and_then(|it| std::str::from_utf8(it).ok());
        if let Some(byte) = hex.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            bytes.push(byte);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn data_is_not_taken_for_a_schema() {
        let schema = json!({
            "properties": { "properties": { "enum": [{ "items": true }] }, "a": { "items": [true, { "not": {} }] } },
            "default": { "anyOf": [true] },
            "$defs": { "b": { "const": { "oneOf": [false] } } },
        });
        let places: Vec<_> = subschemas(&schema).into_iter().map(|it| it.place).collect();
        let expected = [
            "",
            "$defs.b",
            "properties.a",
            "properties.a.items.0",
            "properties.a.items.1",
            "properties.a.items.1.not",
            "properties.properties",
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn references_are_followed_within_the_document_only() {
        let root = json!({
            "$id": "https://example.com/root",
            "$defs": { "a b": { "$anchor": "named" }, "c/d": {}, "no": 7 },
        });
        let all = subschemas(&root);
        let names = anchors(&all);
        for (reference, expected) in [
            ("#", Reference::Here),
            ("#/$defs/a%20b", Reference::Here),
            ("#/$defs/c~1d", Reference::Here),
            ("#named", Reference::Here),
            ("https://example.com/root#/$defs/a b", Reference::Here),
            ("#/$defs/missing", Reference::Nowhere),
            ("#/$defs/no", Reference::Nowhere),
            ("#other", Reference::Nowhere),
            ("#/%zz", Reference::Nowhere),
            ("https://example.com/other", Reference::Elsewhere),
            ("other.json#/$defs/x", Reference::Elsewhere),
        ] {
            assert_eq!(resolve(reference, &root, &names), expected, "{reference}");
        }
    }
}
