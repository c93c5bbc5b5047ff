//! JSON Schema in the form that every client and every model's API takes.
//!
//! Clients hand the schemas of tools to the API of a model, and one schema that is refused there fails the whole
//! conversation; others validate the list and drop all of it. What they have in common is less than JSON Schema 2020-12:
//!
//! | written | in place of | because |
//! |---|---|---|
//! | `{}`, `{"not": {}}` | `true`, `false` | the TypeScript SDK, and Claude Code, take objects only below `properties` |
//! | `items`, `properties` always | none | OpenAI: "array schema missing items", "object schema missing properties" |
//! | no `format` that is Rust's | `uint32`, `double`, `ip` | JSON Schema has none of them; validators warn or refuse |
//! | the schema itself | `$ref` to a definition | Gemini's function declarations know no references |
//! | `"type": "string"` for what may be left out | `["string", "null"]` | Gemini: `type` "is not repeating"; `null` counts as absent here, see `arguments`; not if `default` is another value |
//! | `anyOf` | `oneOf`, `["string", "null"]` for what must be there | OpenAI: "oneOf is not permitted"; Gemini as above |
//! | nothing beside `anyOf`, words in its first part | `description`, `properties` beside it | Vertex AI: "When using `any_of`, it must be the only field set" |
//! | `enum` of strings, with descriptions in the text | `const` in alternatives | Gemini knows no `const` |
//! | `items` | `prefixItems`, `uniqueItems` | neither OpenAI's nor Gemini's subset has them; `serde` checks the rest |
//! | `additionalProperties` | `patternProperties`, `unevaluatedProperties` | the same |
//! | words in the description | `enum` and `const` of numbers | Gemini: "only allowed for STRING type" |
//! | nothing | `additionalProperties` of `true` or `false` | google-genai: "'bool' object has no attribute 'items'" |
//!
//! The first three do not change what a schema means, and hold for all schemas: [`complete`]. The others are for the
//! arguments that a Rust type describes: [`simplify`], and [`publish`] for the last two, which validation needs. Results go
//! to programs rather than to models, and keep `null`.
//! A recursive type keeps its references, since there is no other way to write it.

use serde_json::{Map, Value};

use crate::schema::{reference::resolve, text::describe};

type Members = Map<String, Value>;

/// Writes out what clients expect, without changing the meaning.
pub(crate) fn complete(schema: &mut Value) {
    if let Value::Bool(allows) = *schema {
        let mut members = Members::new();
        if !allows {
            members.insert("not".to_owned(), empty());
        }
        *schema = Value::Object(members);
    }
    let Value::Object(members) = schema else { return };
    if members.get("format").and_then(Value::as_str).is_some_and(is_of_rust) {
        members.remove("format");
    }
    if is_of(members, "array") {
        members.entry("items").or_insert_with(empty);
    }
    subschemas(members, &mut complete);
}

/// Writes the root out that a reference stands for, and adds `properties` to it.
pub(crate) fn complete_root(schema: &mut Value) {
    complete(schema);
    let reference = schema.get("$ref").and_then(Value::as_str);
    let target = reference.and_then(|reference| resolve(schema, reference)).and_then(Value::as_object).cloned();
    let Some(members) = schema.as_object_mut() else { return };
    if let Some(target) = target.filter(|target| is_separate(members, target)) {
        members.remove("$ref");
        merge(members, target);
    }
    if is_of(members, "object") {
        members.entry("properties").or_insert_with(empty);
    }
}

/// Whether two schemas mean the same written as one: no keyword says something else in each, and the properties and the
/// additional ones, which depend on each other, are in one of them.
fn is_separate(members: &Members, target: &Members) -> bool {
    let has_members = |schema: &Members| {
        ["properties", "patternProperties", "additionalProperties"].into_iter().any(|name| schema.contains_key(name))
    };
    let same = |(name, value)| {
        matches!(String::as_str(name), "title" | "description") || members.get(name).is_none_or(|own| own == value)
    };
    !(has_members(members) && has_members(target)) && target.iter().all(same)
}

/// Reduces the schema of arguments to what the APIs of models have in common. References lead into `root`.
pub(crate) fn simplify(schema: &mut Value, root: &Value) {
    let Value::Object(members) = schema else { return };
    if !is_map_of_choices(members) {
        let required = members.remove("required");
        let is_required =
            |name: &str| required.as_ref().and_then(Value::as_array).is_some_and(|all| contains(all, name));
        if let Some(Value::Object(properties)) = members.get_mut("properties") {
            // With another default, `null` does not mean the same as nothing.
            let has_default = |property: &Value| property.get("default").is_some_and(|default| !default.is_null());
            let optional =
                properties.iter_mut().filter(|(name, property)| !is_required(name) && !has_default(property));
            optional.for_each(|(_, property)| without_null(property));
        }
        if let Some(required) = required {
            members.insert("required".to_owned(), required);
        }
    }
    subschemas(members, &mut |schema| simplify(schema, root));

    if !members.contains_key("anyOf")
        && let Some(parts) = members.remove("oneOf")
    {
        members.insert("anyOf".to_owned(), parts);
    }
    join_choices(members);
    if let Some(only @ Value::String(_)) = members.get("const").cloned() {
        members.remove("const");
        members.insert("enum".to_owned(), Value::Array(vec![only]));
    }
    name_items(members, root);
    open_maps(members);
    members.remove("uniqueItems");
    if is_of(members, "object") {
        members.entry("properties").or_insert_with(empty);
    }
    split_types(members);
    isolate_alternatives(members);
}

/// Whether this is a map whose keys are an enum, which `schemars` writes as properties that are all alike. `null` is one of
/// its values. A type with optional fields that look the same may be treated alike, since `null` is nothing to them.
fn is_map_of_choices(members: &Members) -> bool {
    let Some(Value::Object(properties)) = members.get("properties") else { return false };
    let mut schemas = properties.values();
    let Some(first) = schemas.next().filter(|_| properties.len() > 1) else { return false };
    members.contains_key("additionalProperties")
        && !members.contains_key("required")
        && schemas.all(|each| each == first)
}

/// Removes what only validation needs: what is said of members that are not described, unless it is a schema, and choices
/// that are no strings, which become part of the description. Only for the list, so that a model still reads which member a
/// type does not know, and what a choice is.
pub(crate) fn publish(schema: &mut Value) {
    let is_choice = match schema.get("enum") {
        Some(Value::Array(choices)) => !choices.iter().all(Value::is_string),
        _ => schema.get("const").is_some(),
    };
    let words = if is_choice { format!("\nMust be {}.", describe(&Value::Null, schema, 0)) } else { String::new() };
    let Value::Object(members) = schema else { return };
    if is_choice {
        members.remove("enum");
        members.remove("const");
        describe_further(members, &words);
    }
    if members.get("additionalProperties").is_some_and(Value::is_boolean) {
        members.remove("additionalProperties");
    }
    subschemas(members, &mut publish);
}

/// Removes `null` from the values that a schema admits, unless it admits nothing else or anything at all.
pub(crate) fn without_null(schema: &mut Value) {
    let Value::Object(members) = schema else { return };
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            members.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = members.get_mut("enum") {
        choices.retain(|choice| !choice.is_null());
    }
    if members.get("default") == Some(&Value::Null) {
        members.remove("default");
    }
    if let Some(Value::Array(parts)) = members.get_mut("anyOf") {
        parts.retain(|part| !part.get("type").is_some_and(|name| name == "null"));
        if let [Value::Object(only)] = parts.as_mut_slice() {
            let only = std::mem::take(only);
            members.remove("anyOf");
            merge(members, only);
        }
    }
}

/// Adds what `members` does not say itself.
fn merge(members: &mut Members, others: Members) {
    for (name, value) in others {
        members.entry(name).or_insert(value);
    }
}

/// Alternatives that are all strings become one list of them. What is said of each becomes part of the description.
fn join_choices(members: &mut Members) {
    let Some(Value::Array(parts)) = members.get("anyOf") else { return };
    let mut choices = Vec::new();
    let mut lines = String::new();
    for part in parts {
        let Some(Value::Array(strings)) = part.get("enum") else { return };
        if !strings.iter().all(Value::is_string) {
            return;
        }
        if let (Some(text), [choice]) = (part.get("description").and_then(Value::as_str), strings.as_slice()) {
            lines = format!("{lines}\n- {choice}: {text}");
        }
        for choice in strings {
            if !choices.contains(choice) {
                choices.push(choice.clone());
            }
        }
    }
    members.remove("anyOf");
    members.insert("type".to_owned(), Value::from("string"));
    members.insert("enum".to_owned(), Value::Array(choices));
    describe_further(members, &lines);
}

/// Several types become alternatives of one type each, which keep what is said about their values.
fn split_types(members: &mut Members) {
    let Some(Value::Array(types)) = members.get("type") else { return };
    if members.contains_key("anyOf") {
        return;
    }
    let types = types.clone();
    let mut alike = std::mem::take(members);
    alike.remove("type");
    for name in WORDS {
        if let Some(value) = alike.remove(name) {
            members.insert(name.to_owned(), value);
        }
    }
    if let Some(Value::Array(choices)) = alike.get_mut("enum") {
        choices.retain(|choice| !choice.is_null());
    }
    let part = |name: Value| {
        let mut part = if name == "null" { Members::new() } else { alike.clone() };
        part.insert("type".to_owned(), name);
        Value::Object(part)
    };
    members.insert("anyOf".to_owned(), types.into_iter().map(part).collect());
}

/// What is said of a value in words.
const WORDS: [&str; 3] = ["title", "description", "default"];

/// What stands beside alternatives becomes part of each, words become part of the first. If that is not possible, it stays.
fn isolate_alternatives(members: &mut Members) {
    let Some(Value::Array(parts)) = members.get("anyOf") else { return };
    let mut parts = parts.clone();
    let beside = || members.iter().filter(|(name, _)| !matches!(name.as_str(), "anyOf" | "$defs"));
    for (name, value) in beside().filter(|(name, _)| !WORDS.contains(&name.as_str())) {
        if !parts.iter_mut().all(|part| part.as_object_mut().is_some_and(|part| say_also(part, name, value))) {
            return;
        }
    }
    let first = parts.iter_mut().filter_map(Value::as_object_mut).find(|part| !is_of(part, "null"));
    if let Some(first) = first {
        for (name, value) in beside().filter(|(name, _)| WORDS.contains(&name.as_str())) {
            match (first.get(name).and_then(Value::as_str), value) {
                (Some(own), Value::String(words)) if name == "description" => {
                    let both = Value::from(format!("{words}\n{own}"));
                    first.insert(name.clone(), both);
                }
                _ => drop(first.insert(name.clone(), value.clone())),
            }
        }
    }
    members.retain(|name, _| name == "$defs");
    members.insert("anyOf".to_owned(), Value::Array(parts));
}

/// Adds a keyword to a schema. Returns `false` if the schema says something else there.
fn say_also(schema: &mut Members, name: &str, value: &Value) -> bool {
    match (schema.get_mut(name), value) {
        (None, _) => drop(schema.insert(name.to_owned(), value.clone())),
        (Some(Value::Object(own)), Value::Object(others)) if name == "properties" => {
            return others
                .iter()
                .all(|(name, value)| own.entry(name.clone()).or_insert_with(|| value.clone()) == value);
        }
        (Some(Value::Array(own)), Value::Array(others)) if name == "required" => {
            let new: Vec<Value> = others.iter().filter(|other| !own.contains(other)).cloned().collect();
            own.extend(new);
        }
        (Some(own), _) => return own == value,
    }
    true
}

/// A tuple becomes an array of what its places may hold. Its length stays, and the description names the order.
fn name_items(members: &mut Members, root: &Value) {
    let Some(Value::Array(mut places)) = members.remove("prefixItems") else { return };
    let words = places.iter().map(|place| describe(root, place, 0)).collect::<Vec<_>>().join(", ");
    let mut different: Vec<Value> = Vec::new();
    for place in places.drain(..) {
        if !different.contains(&place) {
            different.push(place);
        }
    }
    if different.len() > 1 {
        describe_further(members, &format!("\nItems in this order: {words}."));
        let mut items = Members::new();
        items.insert("anyOf".to_owned(), Value::Array(different));
        members.insert("items".to_owned(), Value::Object(items));
    } else if let Some(only) = different.pop() {
        members.insert("items".to_owned(), only);
    }
}

/// Members whose names follow a pattern become members of any name.
fn open_maps(members: &mut Members) {
    if let Some(Value::Object(patterns)) = members.remove("patternProperties") {
        members.remove("additionalProperties");
        let mut schemas = patterns.into_iter().map(|(_, schema)| schema);
        if let (Some(only), None) = (schemas.next(), schemas.next()) {
            members.insert("additionalProperties".to_owned(), only);
        }
    }
    members.remove("unevaluatedProperties");
}

fn describe_further(members: &mut Members, text: &str) {
    if text.is_empty() {
        return;
    }
    let described = members.get("description").and_then(Value::as_str).unwrap_or_default();
    let text = format!("{described}{text}");
    members.insert("description".to_owned(), Value::from(text.trim_start()));
}

/// Calls `visit` for each schema directly below. The values of `default`, `enum` and so on are none.
fn subschemas(members: &mut Members, visit: &mut dyn FnMut(&mut Value)) {
    for (keyword, member) in members {
        match (keyword.as_str(), member) {
            (
                "properties" | "patternProperties" | "dependentSchemas" | "$defs" | "definitions",
                Value::Object(named),
            ) => {
                named.values_mut().for_each(&mut *visit);
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(listed)) => {
                listed.iter_mut().for_each(&mut *visit);
            }
            ("additionalProperties", Value::Bool(_)) => {}
            (
                "additionalProperties"
                | "unevaluatedProperties"
                | "propertyNames"
                | "items"
                | "unevaluatedItems"
                | "contains"
                | "not"
                | "if"
                | "then"
                | "else",
                schema,
            ) => visit(schema),
            _ => {}
        }
    }
}

/// The formats that `schemars` makes of types of Rust. JSON Schema has none of them.
fn is_of_rust(format: &str) -> bool {
    let signed = format.strip_prefix('u').unwrap_or(format);
    matches!(format, "float" | "double" | "ip")
        || matches!(signed, "int" | "int8" | "int16" | "int32" | "int64" | "int128")
}

/// Whether values of this type are meant.
fn is_of(members: &Members, name: &str) -> bool {
    match members.get("type") {
        Some(Value::Array(types)) => contains(types, name),
        Some(only) => only == name,
        None => false,
    }
}

fn contains(names: &[Value], name: &str) -> bool {
    names.iter().any(|known| known == name)
}

fn empty() -> Value {
    Value::Object(Members::new())
}
