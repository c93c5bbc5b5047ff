//! JSON Schema 2020-12: schemas from Rust types, and what a schema must satisfy before a server is built with it (MCP
//! 2026-07-28, server/tools). Nothing is ever fetched. What is checked of values is in `validation`.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value};

use crate::transport::headers::{self, PARAMETER_PREFIX, Parameter};

/// The only dialect there is here.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of tools without arguments.
pub(crate) fn no_arguments() -> Value {
    serde_json::json!({"type": "object", "additionalProperties": false})
}

/// The schema of a type that is read from JSON.
pub(crate) fn of_input<T: JsonSchema>() -> Value {
    tidy(settings().into_generator().into_root_schema_for::<T>().to_value())
}

/// The schema of a type that is written as JSON.
pub(crate) fn of_output<T: JsonSchema>() -> Value {
    tidy(settings().for_serialize().into_generator().into_root_schema_for::<T>().to_value())
}

/// The schema of a type that a form asks for: no references, since forms have none.
pub(crate) fn of_form<T: JsonSchema>() -> Value {
    let inline = settings().with(|settings| settings.inline_subschemas = true);
    tidy(inline.into_generator().into_root_schema_for::<T>().to_value())
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| settings.meta_schema = None)
}

/// Drops the name of the Rust type, which clients would show to people, and the formats that `schemars` makes of Rust's
/// number types (`uint64`, `double`): no specification knows them, and clients warn of them.
fn tidy(mut schema: Value) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.remove("title");
    }
    drop_number_formats(&mut schema);
    schema
}

fn drop_number_formats(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let is_of_a_number = |format: &str| {
                matches!(format, "float" | "double") || format.starts_with("int") || format.starts_with("uint")
            };
            if members.get("format").and_then(Value::as_str).is_some_and(is_of_a_number) {
                members.remove("format");
            }
            members.values_mut().for_each(drop_number_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_number_formats),
        _ => {}
    }
}

/// What makes a schema unfit before any value is seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Arguments are an object, so their schema must say `"type": "object"`.
    #[error("the root is not of type object")]
    NotAnObject,
    /// Neither an object nor a truth value.
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

/// Checks the schema of a tool's arguments, and finds the arguments that are repeated in headers.
pub(crate) fn check_input(schema: &Value) -> Result<Vec<Parameter>, SchemaError> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err(SchemaError::NotAnObject);
    }
    check_document(schema)?;
    let mut parameters = Vec::new();
    find_headers(schema, &mut Vec::new(), true, &mut parameters)?;
    Ok(parameters)
}

/// Checks what any schema document must satisfy.
pub(crate) fn check_document(schema: &Value) -> Result<(), SchemaError> {
    if !schema.is_object() && !schema.is_boolean() {
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

/// What `#` or `#/a/b` points at. Percent-encoded pointers do not occur in practice and lead nowhere.
pub(crate) fn resolve<'s>(root: &'s Value, reference: &str) -> Option<&'s Value> {
    root.pointer(reference.strip_prefix('#')?)
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
    let refuse = |why: &str| Err(SchemaError::Header(format!("{annotation} {why}")));
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
