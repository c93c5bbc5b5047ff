//! Tools whose arguments need more than a Rust type says.

use mcp_edge::{ServerBuilder, tool};
use serde_json::{Value, json};

/// Adds the tools.
pub fn add_to<E: Clone + 'static>(server: ServerBuilder<E>) -> ServerBuilder<E> {
    server.tool(contact()).tool(custom_header())
}

// The handler of a tool with a schema written by hand gets what has passed that schema.
/// Takes a contact, which is described with many keywords of JSON Schema 2020-12
#[tool(name = "json_schema_2020_12_tool", input_schema = contact_schema(), read_only)]
async fn contact(#[arguments] contact: Value) -> String {
    format!("JSON Schema 2020-12 tool called with: {contact}")
}

fn contact_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}}
            }
        },
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"}
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": false
    })
}

/// Takes a value that clients repeat in the header Mcp-Param-Value
#[tool(name = "test_custom_header", read_only)]
async fn custom_header(
    /// What proxies on the way may act upon
    #[schemars(extend("x-mcp-header" = "Value"))]
    value: String,
) -> String {
    format!("Value: {value}")
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use mcp_edge::testing::{Client, run};

    use super::*;

    #[test]
    fn arguments_are_held_to_the_schema() {
        let server = crate::server::<()>().unwrap_or_else(|error| panic!("{error}"));
        let call = |arguments| run(Client::new(&server).call_tool("json_schema_2020_12_tool", arguments));
        assert!(!call(json!({"contactMethod": "phone", "phone": "1", "address": {"city": "Rome"}})).is_error());
        for wrong in [
            json!({}),
            json!({"contactMethod": "phone", "email": "a@b.example"}),
            json!({"email": "a@b.example", "fax": "1"}),
            json!({"email": "a@b.example", "address": {"city": 1}}),
        ] {
            let answer = call(wrong.clone());
            assert!(answer.is_error(), "{wrong}");
        }
    }
}
