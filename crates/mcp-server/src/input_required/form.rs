//! Forms for users: flat objects of text, numbers, booleans and choices (MCP 2026-07-28, client/elicitation), made from
//! the schema of a Rust type.

use schemars::JsonSchema;
use serde_json::{Value, json};

use crate::schema::{self, portable::without_null};

/// The form for a type, or why there is none.
pub(crate) fn of<T: JsonSchema>() -> Result<Value, String> {
    from_schema(schema::of_form::<T>())
}

/// Makes the schema of a type into a form. Keywords that mean nothing to a form are left out; fields that no form can
/// show are an error.
fn from_schema(mut schema: Value) -> Result<Value, String> {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return Err("a form needs an object with properties".to_owned());
    };
    for (name, property) in properties {
        simplify(property);
        if !is_form_field(property) {
            return Err(format!("a form cannot have the field {name}: only text, numbers, booleans and choices"));
        }
    }
    if let Some(members) = schema.as_object_mut() {
        members.retain(|name, _| matches!(name.as_str(), "type" | "properties" | "required"));
    }
    if schema.get("type").and_then(Value::as_str) == Some("object") {
        Ok(schema)
    } else {
        Err("a form needs an object".to_owned())
    }
}

/// Optional fields may be left out, which is all that a form knows of `null`. Formats that describe Rust's number types
/// mean nothing to it, and a choice is shown by its title.
fn simplify(property: &mut Value) {
    without_null(property);
    let Some(members) = property.as_object_mut() else { return };
    let known = |format: &Value| matches!(format.as_str(), Some("email" | "uri" | "date" | "date-time"));
    if members.get("format").is_some_and(|format| !known(format)) {
        members.remove("format");
    }
    if let Some(Value::Array(choices)) = members.get_mut("oneOf") {
        *choices = titled(choices);
        members.entry("type").or_insert_with(|| Value::from("string"));
    }
    if let Some(items) = members.get_mut("items")
        && let Some(Value::Array(choices)) = items.get("oneOf")
    {
        *items = json!({ "anyOf": titled(choices) });
    }
}

/// Choices as forms have them: one constant each, with a title. A type has its variants with documentation as
/// constants with a description, and those without together as an `enum`.
fn titled(choices: &[Value]) -> Vec<Value> {
    let constants = |choice: &Value| match choice.get("enum") {
        Some(Value::Array(constants)) => constants.clone(),
        _ => choice.get("const").cloned().into_iter().collect(),
    };
    let title = |choice: &Value| ["title", "description"].into_iter().find_map(|key| choice.get(key).cloned());
    choices
        .iter()
        .flat_map(|choice| {
            let title = title(choice);
            constants(choice).into_iter().map(move |constant| {
                let title = title.clone().unwrap_or_else(|| constant.clone());
                json!({"const": constant, "title": title})
            })
        })
        .collect()
}

fn is_form_field(property: &Value) -> bool {
    let choices = |schema: &Value, keyword| {
        schema
            .get(keyword)
            .and_then(Value::as_array)
            .is_some_and(|choices| choices.iter().all(|choice| choice.get("const").is_some_and(Value::is_string)))
    };
    let words = |schema: &Value| {
        schema.get("enum").is_none_or(|words| words.as_array().is_some_and(|words| words.iter().all(Value::is_string)))
    };
    match property.get("type").and_then(Value::as_str) {
        Some("string") => words(property) && (property.get("oneOf").is_none() || choices(property, "oneOf")),
        Some("number" | "integer" | "boolean") => true,
        Some("array") => property.get("items").is_some_and(|items| {
            choices(items, "anyOf")
                || (items.get("type").and_then(Value::as_str) == Some("string")
                    && items.get("enum").is_some()
                    && words(items))
        }),
        _ => false,
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is looked at")]
    enum Size {
        Small,
        /// Very large
        Large,
    }

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is looked at")]
    struct Order {
        /// Who gets it
        name: String,
        age: Option<u8>,
        size: Size,
        other_size: Option<Size>,
        sizes: Vec<Size>,
        gift: bool,
    }

    #[test]
    fn a_form_is_made_from_a_type() {
        let sizes = json!([{"const": "Small", "title": "Small"}, {"const": "Large", "title": "Very large"}]);
        let schema = of::<Order>().unwrap_or_default();
        assert_eq!(schema["properties"]["size"]["type"], "string");
        assert_eq!(schema["properties"]["size"]["oneOf"], sizes);
        assert_eq!(schema["properties"]["other_size"]["oneOf"], sizes);
        assert_eq!(schema["properties"]["sizes"]["items"]["anyOf"], sizes);
        assert_eq!(schema["properties"]["age"], json!({"type": "integer", "minimum": 0, "maximum": 255}));
        assert_eq!(schema["properties"]["name"], json!({"type": "string", "description": "Who gets it"}));
        assert_eq!(schema["required"], json!(["name", "size", "sizes", "gift"]));
    }

    #[test]
    fn a_form_cannot_nest() {
        #[derive(JsonSchema)]
        #[allow(dead_code, reason = "only its schema is looked at")]
        struct Nested {
            order: Order,
        }
        let problem = of::<Nested>().unwrap_err();
        assert!(problem.contains("order"), "{problem}");
        assert!(from_schema(json!({"type": "string"})).is_err());
        assert!(
            from_schema(json!({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}}))
                .is_err()
        );
    }
}
