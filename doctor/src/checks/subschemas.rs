//! The subschemas of a JSON Schema, with the place of each, and what a `$ref` leads to.

use std::{borrow::Cow, collections::BTreeSet};

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
    /// The keyword that holds it. Empty for the root.
    pub keyword: &'static str,
    /// The schema: an object or a boolean, or something else in an invalid schema.
    pub schema: &'a Value,
    /// What the keyword holds it as.
    part: Part<'a>,
    /// The index of the schema with the keyword. The root names itself.
    parent: usize,
}

/// The place of a schema in the value of a keyword.
enum Part<'a> {
    /// The value itself.
    Whole,
    /// An element of the array.
    Index(usize),
    /// A member of the object.
    Name(&'a str),
}

/// A schema and all of its subschemas, in order. Never empty: the root comes first.
pub(super) struct Subschemas<'a>(Vec<Subschema<'a>>);

impl<'a> Subschemas<'a> {
    /// Finds all of them. What stands in `enum`, `const` or `default` is data, not a schema.
    ///
    /// The recursion ends, because the JSON parser accepts 127 levels only.
    pub(super) fn of(root: &'a Value) -> Self {
        let mut found = Self(Vec::new());
        found.collect(Subschema { keyword: "", schema: root, part: Part::Whole, parent: 0 });
        found
    }

    fn collect(&mut self, at: Subschema<'a>) {
        let parent = self.0.len();
        let object = at.schema.as_object();
        self.0.push(at);
        let Some(object) = object else { return };
        for keyword in SCHEMAS {
            if let Some(schema) = object.get(keyword).filter(|it| !it.is_array()) {
                self.collect(Subschema { keyword, schema, part: Part::Whole, parent });
            }
        }
        for keyword in ARRAYS {
            for (index, schema) in object.get(keyword).and_then(Value::as_array).into_iter().flatten().enumerate() {
                self.collect(Subschema { keyword, schema, part: Part::Index(index), parent });
            }
        }
        for keyword in OBJECTS {
            for (name, schema) in object.get(keyword).and_then(Value::as_object).into_iter().flatten() {
                self.collect(Subschema { keyword, schema, part: Part::Name(name), parent });
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Subschema<'a>> {
        self.0.iter()
    }

    /// Where a subschema stands, for people: `properties.tags.items`. Empty for the root.
    ///
    /// Made for a single one when it is reported: a server that repeats a long name above many subschemas would
    /// otherwise fill the memory.
    pub(super) fn place(&self, subschema: &Subschema<'a>) -> String {
        let mut parts = Vec::new();
        let mut at = Some(subschema);
        while let Some(it) = at.filter(|it| !it.keyword.is_empty()) {
            match it.part {
                Part::Whole => {}
                Part::Index(index) => parts.push(Cow::from(index.to_string())),
                Part::Name(name) => parts.push(name.into()),
            }
            parts.push(it.keyword.into());
            at = self.0.get(it.parent);
        }
        parts.reverse();
        parts.join(".")
    }

    /// The names that `$ref` can use instead of a path.
    pub(super) fn anchors(&self) -> BTreeSet<&'a str> {
        let named =
            |it: &Subschema<'a>| ["$anchor", "$dynamicAnchor"].map(|name| it.schema.get(name).and_then(Value::as_str));
        self.0.iter().flat_map(named).flatten().collect()
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
pub(super) fn resolve(reference: &str, root: &Value, anchors: &BTreeSet<&str>) -> Reference {
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
        anchor => anchors.contains(anchor),
    };
    if exists { Reference::Here } else { Reference::Nowhere }
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
        let all = Subschemas::of(&schema);
        let places: Vec<_> = all.iter().map(|it| all.place(it)).collect();
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
        let names = Subschemas::of(&root).anchors();
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
