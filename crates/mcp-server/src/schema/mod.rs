//! JSON Schema 2020-12: schemas from Rust types, and what a schema must satisfy before a server is built with it (MCP
//! 2026-07-28, server/tools). Nothing is ever fetched.
//!
//! | module | what it contains |
//! |---|---|
//! | [`portable`] | the form of a schema that clients and the APIs of models take |
//! | [`arguments`] | the check of a call's arguments, in which `null` may stand for what is absent |
//! | [`validation`], [`alternatives`] | what is wrong with a value, also within the alternative that is meant |
//! | [`text`] | what a schema expects, in words |
//! | [`reference`], [`keywords`], [`value`] | `$ref`, single keywords, and JSON values as JSON Schema sees them |

pub(super) mod alternatives;
pub(super) mod arguments;
pub(super) mod keywords;
pub(super) mod portable;
pub(super) mod reference;
pub(super) mod text;
pub(super) mod validation;
pub(super) mod value;

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Map, Value};

use mcp_edge_runtime::json::to_json;

use crate::{limits::NAME_LENGTH, schema::reference::resolve};
use mcp_edge_protocol::headers::{self, PARAMETER_PREFIX, Parameter};

/// The only dialect there is here.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of tools without arguments. What a client sends nonetheless is ignored.
pub(crate) fn no_arguments() -> Value {
    serde_json::json!({"type": "object", "properties": {}})
}

/// The schema of a type that is read from JSON, in the form that [`portable`] describes.
pub(crate) fn of_input<T: JsonSchema>() -> Value {
    let mut schema = untitled(settings().into_generator().into_root_schema_for::<T>());
    portable::complete_root(&mut schema);
    // Arguments that are missing as a whole are an empty object.
    portable::without_null(&mut schema);
    let root = schema.clone();
    portable::simplify(&mut schema, &root);
    schema
}

/// The schema of a type that is written as JSON.
pub(crate) fn of_output<T: JsonSchema>() -> Value {
    let mut schema = untitled(settings().for_serialize().into_generator().into_root_schema_for::<T>());
    portable::complete_root(&mut schema);
    type_objects(&mut schema);
    schema
}

/// The schema of a type that a form asks for, before it is made into a form.
pub(crate) fn of_form<T: JsonSchema>() -> Value {
    let mut schema = untitled(settings().into_generator().into_root_schema_for::<T>());
    portable::complete(&mut schema);
    schema
}

/// Without references, but for those of recursive types.
fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    })
}

/// Drops the name of the Rust type, which clients would show to people.
fn untitled(mut schema: Schema) -> Value {
    schema.remove("title");
    schema.to_value()
}

/// An enum all of whose variants are objects is an object, and clients want to read that.
fn type_objects(schema: &mut Value) {
    let Some(members) = schema.as_object_mut().filter(|members| !members.contains_key("type")) else { return };
    let parts = ["oneOf", "anyOf"].into_iter().find_map(|keyword| members.get(keyword)?.as_array());
    if parts.is_some_and(|parts| parts.iter().all(is_object)) {
        members.insert("type".to_owned(), Value::from("object"));
        members.entry("properties").or_insert_with(|| Value::Object(Map::new()));
    }
}

fn is_object(schema: &Value) -> bool {
    schema.get("type").is_some_and(|name| name == "object")
}

/// What makes a schema unfit before any value is seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Arguments are an object, so their schema must say `"type": "object"`.
    #[error(
        "the arguments must be an object (root \"type\": \"object\"): put them into a struct with a field for each"
    )]
    NotAnObject,
    /// A structured result is an object for most clients: the TypeScript SDK drops the whole list otherwise.
    #[error(
        "the result must be an object (root \"type\": \"object\"): put it into a struct, as in `struct Found {{ items: Vec<Item> }}`"
    )]
    ResultNotAnObject,
    /// The type of the arguments is an enum, or flattens one: the APIs of OpenAI and of Anthropic refuse a conversation
    /// with such a tool.
    #[error(
        "the root consists of alternatives ({0}), which model APIs refuse: make the enum a field of the arguments, without `flatten`, or write a tool for each variant"
    )]
    RootAlternatives(&'static str),
    /// The APIs of models refuse a conversation with a tool whose argument has such a name (Anthropic: "property keys
    /// should match pattern '^[a-zA-Z0-9_.-]{1,64}$'").
    #[error(
        "the name of the argument {0:?} is not 1 to {NAME_LENGTH} characters of A-Z a-z 0-9 _ . -, which model APIs refuse: rename it with #[serde(rename = \"…\")]"
    )]
    ArgumentName(String),
    /// Not an object.
    #[error("a schema is an object")]
    NotASchema,
    /// `$schema` names something else than 2020-12.
    #[error("unsupported dialect {0}")]
    Dialect(String),
    /// A `$ref` outside the document (never fetched), or to nothing.
    #[error("$ref {0} leads nowhere within the schema")]
    Reference(String),
    /// `x-mcp-header` at a place or with a value that makes clients drop the tool.
    #[error("x-mcp-header {0}")]
    Header(String),
}

/// Writes out what clients expect of a schema that an author wrote, and checks it.
pub(crate) fn prepare_input(schema: &mut Value) -> Result<Vec<Parameter>, SchemaError> {
    portable::complete_root(schema);
    check_input(schema)
}

/// Checks the schema of a tool's arguments, and finds the arguments that are repeated in headers.
fn check_input(schema: &Value) -> Result<Vec<Parameter>, SchemaError> {
    if !is_object(schema) {
        return Err(SchemaError::NotAnObject);
    }
    check_document(schema)?;
    let mut parameters = Vec::new();
    find_headers(schema, &mut Vec::new(), true, &mut parameters)?;
    Ok(parameters)
}

/// Checks the schema of arguments that a Rust type describes.
pub(crate) fn check_derived_input(schema: &Value) -> Result<Vec<Parameter>, SchemaError> {
    match ["anyOf", "oneOf", "allOf"].into_iter().find(|keyword| schema.get(keyword).is_some()) {
        Some(keyword) => Err(SchemaError::RootAlternatives(keyword)),
        None => check_argument_names(schema).and_then(|()| check_input(schema)),
    }
}

/// The schema of arguments that a Rust type describes, as it is listed. It is validated with what it says of unknown
/// members.
pub(crate) fn list_derived(schema: &Value) -> String {
    let mut listed = schema.clone();
    portable::publish(&mut listed);
    to_json(&listed)
}

/// Checks the names of the arguments themselves, which are all that the APIs of models check.
fn check_argument_names(schema: &Value) -> Result<(), SchemaError> {
    let names = schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys);
    let is_refused = |name: &&String| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        name.is_empty() || name.len() > NAME_LENGTH || !name.bytes().all(fits)
    };
    match names.into_iter().find(is_refused) {
        Some(name) => Err(SchemaError::ArgumentName(name.clone())),
        None => Ok(()),
    }
}

/// Checks the schema of a tool's structured result.
pub(crate) fn check_output(schema: &Value) -> Result<(), SchemaError> {
    if schema.is_object() && !is_object(schema) {
        return Err(SchemaError::ResultNotAnObject);
    }
    check_document(schema)
}

/// Checks what any schema document must satisfy.
fn check_document(schema: &Value) -> Result<(), SchemaError> {
    if !schema.is_object() {
        return Err(SchemaError::NotASchema);
    }
    if let Some(dialect) = schema.get("$schema").filter(|dialect| dialect.as_str() != Some(DIALECT)) {
        return Err(SchemaError::Dialect(dialect.as_str().unwrap_or("that is no text").to_owned()));
    }
    check_references(schema, schema)
}

fn check_references(root: &Value, schema: &Value) -> Result<(), SchemaError> {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let anchor = reference.strip_prefix('#').is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
                if !anchor && resolve(root, reference).is_none() {
                    return Err(SchemaError::Reference(reference.clone()));
                }
            }
            // `properties` may contain a property of any name, `$ref` included, but then its value is an object.
            members.values().try_for_each(|member| check_references(root, member))
        }
        Value::Array(items) => items.iter().try_for_each(|item| check_references(root, item)),
        _ => Ok(()),
    }
}

/// Collects `x-mcp-header` annotations below `schema`. They are allowed on primitive properties that are reached
/// from the root through `properties` alone (`direct`); anywhere else clients must drop the whole tool, so a server
/// with such a tool is not built.
fn find_headers(
    schema: &Value,
    path: &mut Vec<String>,
    direct: bool,
    found: &mut Vec<Parameter>,
) -> Result<(), SchemaError> {
    let members = match schema {
        Value::Object(members) => members,
        Value::Array(items) => return items.iter().try_for_each(|item| find_headers(item, path, false, found)),
        _ => return Ok(()),
    };
    if let Some(annotation) = members.get("x-mcp-header") {
        found.push(header_parameter(annotation, members, path, direct, found)?);
    }
    for (keyword, member) in members {
        match (keyword.as_str(), member) {
            ("properties", Value::Object(properties)) => {
                for (name, property) in properties {
                    path.push(name.clone());
                    find_headers(property, path, direct, found)?;
                    path.pop();
                }
            }
            // Values, not schemas: an example may contain anything.
            ("const" | "enum" | "default" | "examples" | "x-mcp-header", _) => {}
            // Schemas by a name that is no keyword.
            ("$defs" | "patternProperties" | "dependentSchemas", Value::Object(schemas)) => {
                schemas.values().try_for_each(|schema| find_headers(schema, path, false, found))?;
            }
            (_, member) => find_headers(member, path, false, found)?,
        }
    }
    Ok(())
}

fn header_parameter(
    annotation: &Value,
    members: &Map<String, Value>,
    path: &[String],
    direct: bool,
    found: &[Parameter],
) -> Result<Parameter, SchemaError> {
    let refuse = |why: &str| Err(SchemaError::Header(format!("{} {why}", to_json(annotation))));
    let Some(name) = annotation.as_str().filter(|name| headers::is_token(name)) else {
        return refuse("is not an RFC 9110 token");
    };
    if !direct || path.is_empty() {
        return refuse("is not on a property reached through `properties` alone");
    }
    if !matches!(members.get("type").and_then(Value::as_str), Some("string" | "integer" | "boolean")) {
        return refuse("is not on a string, integer or boolean");
    }
    let header = format!("{PARAMETER_PREFIX}{}", name.to_ascii_lowercase());
    if found.iter().any(|other| other.header == header) {
        return refuse("occurs twice");
    }
    Ok(Parameter { header, path: path.to_vec() })
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_must_lead_somewhere_within_the_document() {
        for reference in ["https://example.com/schema", "#/$defs/none", "other.json"] {
            let schema = json!({"type": "object", "properties": {"a": {"$ref": reference}}});
            assert_eq!(check_input(&schema), Err(SchemaError::Reference(reference.to_owned())));
        }
        assert!(check_input(&json!({"type": "object", "properties": {"a": {"$ref": "#"}}})).is_ok());
    }

    #[test]
    fn other_dialects_are_refused() {
        let schema = json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"});
        assert!(matches!(check_input(&schema), Err(SchemaError::Dialect(_))));
        assert!(check_input(&json!({"$schema": DIALECT, "type": "object"})).is_ok());
        assert_eq!(check_input(&json!({"properties": {}})), Err(SchemaError::NotAnObject));
    }

    #[test]
    fn header_annotations_are_found_on_nested_properties() {
        let schema = json!({"type": "object", "properties": {
            "where": {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}
        }});
        let expected = Parameter { header: "mcp-param-region".to_owned(), path: vec!["where".into(), "region".into()] };
        assert_eq!(check_input(&schema), Ok(vec![expected]));
    }

    #[test]
    fn header_annotations_that_clients_would_refuse_are_refused() {
        let good = json!({"type": "string", "x-mcp-header": "Region"});
        for (name, schema) in [
            ("not a token", json!({"properties": {"a": {"type": "string", "x-mcp-header": "a b"}}})),
            ("empty", json!({"properties": {"a": {"type": "string", "x-mcp-header": ""}}})),
            ("not a text", json!({"properties": {"a": {"type": "string", "x-mcp-header": 1}}})),
            ("a float", json!({"properties": {"a": {"type": "number", "x-mcp-header": "A"}}})),
            ("twice", json!({"properties": {"a": good, "b": {"type": "string", "x-mcp-header": "REGION"}}})),
            ("in items", json!({"properties": {"a": {"type": "array", "items": good}}})),
            ("in a definition", json!({"$defs": {"a": good}})),
            ("in an alternative", json!({"anyOf": [{"properties": {"a": good}}]})),
            ("in a condition", json!({"then": {"properties": {"a": good}}})),
        ] {
            let mut schema = schema;
            schema["type"] = json!("object");
            assert!(matches!(check_input(&schema), Err(SchemaError::Header(_))), "{name}");
        }
    }
}
