//! The schemas of the tools: whether every client and every model's API can read them.
//!
//! JSON Schema allows more than clients do. One tool with a schema that a client cannot read costs it the tool, the
//! list, or the conversation.

use serde_json::Value;

use super::{
    mcp_result::{name_of, require_tools},
    subschemas::{Reference, Subschemas, resolve},
    tool_schemas::{ToolSchema, inputs, inputs_and_outputs, places, verdict},
};
use crate::{
    check::{Check, Section},
    clients::Client,
    outcome::{CheckResult, Outcome},
    quote::examples,
    record::Record,
};

pub(super) const CHECKS: &[Check] = &[
    SCHEMA_PROPERTIES,
    SCHEMA_PROPERTY_NAMES,
    SCHEMA_COMBINATORS,
    SCHEMA_BOOLEANS,
    SCHEMA_ARRAYS,
    SCHEMA_FORMATS,
    SCHEMA_REFERENCES,
    OUTPUT_SCHEMA,
];

/// Clients that validate the whole list with the TypeScript SDK, so that one wrong tool costs them all tools.
const VALIDATE_THE_LIST: [Client; 4] = [Client::ClaudeCode, Client::Inspector, Client::SdkApp, Client::WebPage];

/// The longest name of an argument that Anthropic's API accepts, in characters.
const MAX_NAME_CHARS: usize = 64;

/// The formats of numbers that validators know (`ajv-formats`, `OpenAPI`).
const NUMBER_FORMATS: [&str; 4] = ["int32", "int64", "float", "double"];

const SCHEMA_PROPERTIES: Check = Check {
    slug: "schema_properties",
    section: Section::Protocol,
    title: "Every inputSchema has properties, even if there are none",
    why: "OpenAI's API rejects a conversation with such a tool (\"object schema missing properties\"). Clients that do not \
          add the member fail there.",
    fix: "Send \"properties\": {} in the inputSchema of tools without arguments, and an array of strings as required.",
    affects: &[Client::ChatGpt, Client::SdkApp],
    run: schema_properties,
};

fn schema_properties(record: &Record) -> CheckResult {
    let tools = require_tools(record)?;
    // Another type is reported by `tools`.
    let schemas: Vec<_> = inputs(tools).into_iter().filter(|it| it.schema["type"] == "object").collect();
    let having = |problem: fn(&Value) -> bool| {
        schemas.iter().filter(|it| problem(it.schema)).map(|it| it.at("")).collect::<Vec<_>>()
    };
    let invalid = having(|schema| {
        let is_strings = |it: &Value| it.as_array().is_some_and(|names| names.iter().all(Value::is_string));
        schema.get("properties").is_some_and(|it| !it.is_object())
            || schema.get("required").is_some_and(|it| !is_strings(it))
    });
    if !invalid.is_empty() {
        let observed =
            format!("properties is not an object, or required not an array of strings: {}", examples(&invalid));
        return Ok(Outcome::failure(observed).affects(VALIDATE_THE_LIST));
    }
    let missing = having(|schema| schema.get("properties").is_none());
    Ok(verdict("tools without properties", &missing, "every inputSchema has properties"))
}

const SCHEMA_PROPERTY_NAMES: Check = Check {
    slug: "schema_property_names",
    section: Section::Protocol,
    title: "Names of arguments consist of 1 to 64 of A-Z, a-z, 0-9, _, . and -",
    why: "Anthropic's API rejects a conversation with other names at the root of an inputSchema (\"Property keys should \
          match pattern\"): one such tool costs the user all of them, those of other servers included.",
    fix: "Rename the arguments, for example filter[id] to filter.id.",
    affects: &[Client::Claude, Client::ClaudeCode],
    run: schema_property_names,
};

fn schema_property_names(record: &Record) -> CheckResult {
    let tools = require_tools(record)?;
    let is_allowed = |name: &str| {
        (1..=MAX_NAME_CHARS).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
    };
    let first = |it: &ToolSchema<'_>| {
        let name = it.schema["properties"].as_object()?.keys().find(|name| !is_allowed(name))?;
        Some(it.at(&format!("properties.{name}")))
    };
    let found: Vec<_> = inputs(tools).iter().filter_map(first).collect();
    Ok(verdict(
        "arguments whose names are empty, longer than 64 characters, or have other characters",
        &found,
        "the names of all arguments are allowed",
    ))
}

const SCHEMA_COMBINATORS: Check = Check {
    slug: "schema_combinators",
    section: Section::Protocol,
    title: "No inputSchema has anyOf, oneOf or allOf at its root",
    why: "Anthropic's API rejects a conversation with such a tool (\"input_schema does not support oneOf, allOf, or anyOf at \
          the top level\"), and so do others. Claude Code drops the tool without a word.",
    fix: "Describe all arguments in one object, and say in the description which of them belong together; or move the \
          alternatives into a property, or into tools of their own.",
    affects: &[Client::Claude, Client::ClaudeCode, Client::Cursor, Client::VsCode],
    run: schema_combinators,
};

fn schema_combinators(record: &Record) -> CheckResult {
    let tools = require_tools(record)?;
    let first = |it: &ToolSchema<'_>| {
        let combinator = ["anyOf", "oneOf", "allOf"].into_iter().find(|name| it.schema.get(*name).is_some())?;
        Some(it.at(combinator))
    };
    let found: Vec<_> = inputs(tools).iter().filter_map(first).collect();
    Ok(verdict("alternatives at the root of a schema", &found, "no alternatives at the root of a schema"))
}

const SCHEMA_BOOLEANS: Check = Check {
    slug: "schema_booleans",
    section: Section::Protocol,
    title: "No schema is true or false, except in additionalProperties",
    why: "JSON Schema allows it, and clients do not: the TypeScript SDK (version 1) rejects the whole list because of one \
          such property, Claude Code shows no tool of the server, and Gemini's API rejects the conversation. (Google's \
          Python SDK fails at additionalProperties, too, if it is true or false: leave it out for programs that use it.)",
    fix: "Write {} instead of true. In Rust, such a schema comes from fields of the type serde_json::Value.",
    affects: &VALIDATE_THE_LIST,
    run: schema_booleans,
};

fn schema_booleans(record: &Record) -> CheckResult {
    let tools = require_tools(record)?;
    let found = places(&inputs_and_outputs(tools), |it| it.schema.is_boolean() && it.keyword != "additionalProperties");
    Ok(verdict("schemas that are true or false", &found, "every schema is an object"))
}

const SCHEMA_ARRAYS: Check = Check {
    slug: "schema_arrays",
    section: Section::Protocol,
    title: "Every array in an inputSchema has items",
    why: "VS Code refuses the tool (\"array type must have items\"), and so does OpenAI's API.",
    fix: "Add items with the schema of the elements, for example {\"type\": \"string\"}.",
    affects: &[Client::VsCode, Client::ChatGpt, Client::SdkApp],
    run: schema_arrays,
};

fn schema_arrays(record: &Record) -> CheckResult {
    let tools = require_tools(record)?;
    let found = places(&inputs(tools), |it| has_type(it.schema, &["array"]) && it.schema.get("items").is_none());
    Ok(verdict("arrays without items", &found, "every array has items"))
}

/// Whether `type`, a name or a list of names, names one of these.
fn has_type(schema: &Value, names: &[&str]) -> bool {
    let is_one = |name: &Value| name.as_str().is_some_and(|name| names.contains(&name));
    is_one(&schema["type"]) || schema["type"].as_array().is_some_and(|list| list.iter().any(is_one))
}

const SCHEMA_FORMATS: Check = Check {
    slug: "schema_formats",
    section: Section::Protocol,
    title: "Numbers have no format that validators do not know",
    why: "Strict validators reject the schema (\"unknown format\"), others log a warning at each call.",
    fix: "Remove the format, and use minimum and maximum. In Rust, schemars adds uint32 and the like.",
    affects: &[Client::SdkApp],
    run: schema_formats,
};

fn schema_formats(record: &Record) -> CheckResult {
    let tools = require_tools(record)?;
    let is_number = |schema: &Value| has_type(schema, &["integer", "number"]);
    let is_unknown = |schema: &Value| schema["format"].as_str().is_some_and(|it| !NUMBER_FORMATS.contains(&it));
    let found = places(&inputs_and_outputs(tools), |it| is_number(it.schema) && is_unknown(it.schema));
    Ok(verdict("numbers with a format that validators do not know", &found, "every format of a number is known"))
}

const SCHEMA_REFERENCES: Check = Check {
    slug: "schema_references",
    section: Section::Protocol,
    title: "Every $ref leads to a definition in the same schema",
    why: "Clients load no other documents. At a reference that leads nowhere Claude Code and others give the whole list up \
          (\"can't resolve reference\").",
    fix: "Put the definition into $defs of the same schema, or in the place of the reference.",
    affects: &[Client::ClaudeCode, Client::Cursor, Client::SdkApp],
    run: schema_references,
};

fn schema_references(record: &Record) -> CheckResult {
    let tools = require_tools(record)?;
    let mut found = Vec::new();
    for it in inputs_and_outputs(tools) {
        let all = Subschemas::of(it.schema);
        let names = all.anchors();
        let wrong = all.iter().find_map(|subschema| {
            let reference = subschema.schema.get("$ref")?.as_str()?;
            let resolved = resolve(reference, it.schema, &names);
            (resolved != Reference::Here).then_some((resolved, all.place(subschema)))
        });
        if let Some((resolved, place)) = wrong {
            let leads = if resolved == Reference::Nowhere { "nowhere" } else { "to another document" };
            found.push(format!("{leads} in {}", it.at(&place)));
        }
    }
    Ok(verdict("references that lead", &found, "every reference leads to a definition"))
}

const OUTPUT_SCHEMA: Check = Check {
    slug: "output_schema",
    section: Section::Protocol,
    title: "Every outputSchema is an object of type object",
    why: "The TypeScript SDK (version 1) rejects the whole list because of one such tool: its users see no tools.",
    fix: "Return an object, for example {\"result\": …}, and describe it with \"type\": \"object\"; or leave outputSchema out.",
    affects: &VALIDATE_THE_LIST,
    run: output_schema,
};

fn output_schema(record: &Record) -> CheckResult {
    let tools = require_tools(record)?;
    let is_wrong = |tool: &&Value| {
        tool.get("outputSchema").is_some_and(|schema| {
            schema["type"] != "object" || schema.get("properties").is_some_and(|it| !it.is_object())
        })
    };
    let found: Vec<_> = tools.iter().filter(is_wrong).map(name_of).collect();
    Ok(if found.is_empty() {
        Outcome::ok("every outputSchema is an object")
    } else {
        Outcome::failure(format!("tools whose outputSchema is not of type object: {}", examples(&found)))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        outcome::Verdict::{self, Failure, Ok as Fine, Skipped, Warning},
        testing::{expect, tool},
    };

    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "the tests are shorter")]
    fn input(check: &'static Check, verdict: Verdict, observed: &str, schema: Value) {
        expect(check, verdict, observed, tool(|it| it["inputSchema"] = schema.clone()));
    }

    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "the tests are shorter")]
    fn property(check: &'static Check, verdict: Verdict, observed: &str, schema: Value) {
        input(check, verdict, observed, json!({ "type": "object", "properties": { "a": schema } }));
    }

    #[test]
    fn properties_are_there_even_if_empty() {
        let wrong = "without properties: \"whoami\" (inputSchema)";
        input(&SCHEMA_PROPERTIES, Warning, wrong, json!({ "type": "object" }));
        input(&SCHEMA_PROPERTIES, Fine, "", json!({ "type": "object", "properties": {} }));
        input(&SCHEMA_PROPERTIES, Failure, "not an object", json!({ "type": "object", "properties": [] }));
        let required = json!({ "type": "object", "properties": {}, "required": [7] });
        input(&SCHEMA_PROPERTIES, Failure, "array of strings", required);
    }

    #[test]
    fn property_names_are_allowed_at_the_root() {
        let named = |name: &str| json!({ "type": "object", "properties": { name: { "type": "string" } } });
        for name in ["", "filter[id]", "$top", "a b", "ä", &"x".repeat(65)] {
            input(&SCHEMA_PROPERTY_NAMES, Warning, "\"whoami\" (inputSchema.properties.", named(name));
            property(&SCHEMA_PROPERTY_NAMES, Fine, "", named(name));
        }
        input(&SCHEMA_PROPERTY_NAMES, Fine, "", named(&"A-z_9.".repeat(10)));
        let finding = crate::testing::found(&SCHEMA_PROPERTY_NAMES, tool(|it| it["inputSchema"] = named("a b")));
        assert_eq!(finding.affected, [Client::Claude, Client::ClaudeCode]);
    }

    #[test]
    fn alternatives_are_not_at_the_root() {
        for name in ["anyOf", "oneOf", "allOf"] {
            let root = json!({ "type": "object", "properties": {}, name: [{ "required": ["a"] }] });
            input(&SCHEMA_COMBINATORS, Warning, &format!("(inputSchema.{name})"), root);
            property(&SCHEMA_COMBINATORS, Fine, "", json!({ name: [{ "type": "string" }] }));
        }
    }

    #[test]
    fn schemas_are_objects() {
        property(&SCHEMA_BOOLEANS, Warning, "\"whoami\" (inputSchema.properties.a)", json!(true));
        let items = json!({ "anyOf": [{ "type": "array", "items": true }, { "type": "null" }] });
        property(&SCHEMA_BOOLEANS, Warning, "(inputSchema.properties.a.anyOf.0.items)", items);
        property(&SCHEMA_BOOLEANS, Fine, "", json!({ "type": "object", "additionalProperties": false }));
        property(&SCHEMA_BOOLEANS, Fine, "", json!({ "const": true, "default": true, "nullable": true }));
        let output = json!({ "type": "object", "properties": { "result": true } });
        expect(
            &SCHEMA_BOOLEANS,
            Warning,
            "(outputSchema.properties.result)",
            tool(|it| {
                it.insert("outputSchema".into(), output.clone());
            }),
        );
    }

    #[test]
    fn arrays_have_items() {
        property(&SCHEMA_ARRAYS, Warning, "(inputSchema.properties.a)", json!({ "type": "array" }));
        property(&SCHEMA_ARRAYS, Warning, "", json!({ "type": ["array", "null"] }));
        property(&SCHEMA_ARRAYS, Fine, "", json!({ "type": "array", "items": {} }));
        property(&SCHEMA_ARRAYS, Fine, "", json!({ "type": "string", "enum": ["array"] }));
    }

    #[test]
    fn formats_of_numbers_are_known() {
        property(
            &SCHEMA_FORMATS,
            Warning,
            "(inputSchema.properties.a)",
            json!({ "type": "integer", "format": "uint32" }),
        );
        property(&SCHEMA_FORMATS, Warning, "", json!({ "type": ["null", "number"], "format": "decimal" }));
        property(&SCHEMA_FORMATS, Fine, "", json!({ "type": "integer", "format": "int64" }));
        property(&SCHEMA_FORMATS, Fine, "", json!({ "type": "string", "format": "uuid" }));
    }

    #[test]
    fn references_lead_to_a_definition() {
        property(&SCHEMA_REFERENCES, Warning, "lead: nowhere in \"whoami\" (inputSchema.properties.a)", {
            json!({ "$ref": "#/$defs/Missing" })
        });
        property(&SCHEMA_REFERENCES, Warning, "to another document", json!({ "$ref": "https://example.com/a.json" }));
        let schema = json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/A" } }, "$defs": { "A": {} } });
        input(&SCHEMA_REFERENCES, Fine, "", schema);
        property(
            &SCHEMA_REFERENCES,
            Fine,
            "",
            json!({ "type": "object", "properties": { "$ref": { "type": "string" } } }),
        );
    }

    #[test]
    fn an_output_schema_is_an_object() {
        let output = |schema: Value| tool(move |it| drop(it.insert("outputSchema".into(), schema.clone())));
        for schema in [json!({ "type": "array", "items": {} }), json!({}), json!(true), Value::Null] {
            expect(&OUTPUT_SCHEMA, Failure, "\"whoami\"", output(schema));
        }
        expect(&OUTPUT_SCHEMA, Fine, "", output(json!({ "type": "object", "properties": {} })));
    }

    #[test]
    fn a_long_name_is_not_copied_into_the_place_of_each_subschema() {
        let last = format!("{:05}", 24_999);
        let below = (0..25_000).map(|it| (format!("{it:05}"), json!({}))).chain([(last, json!(true))]);
        let long = json!({ "properties": below.collect::<serde_json::Map<_, _>>() });
        let schema = json!({ "type": "object", "properties": { "x".repeat(400_000): long } });
        for check in [&SCHEMA_BOOLEANS, &SCHEMA_ARRAYS, &SCHEMA_FORMATS, &SCHEMA_REFERENCES] {
            let verdict = if *check == SCHEMA_BOOLEANS { Warning } else { Fine };
            input(check, verdict, "", schema.clone());
        }
    }

    #[test]
    fn many_tools_make_a_short_finding() {
        let finding = crate::testing::found(&SCHEMA_PROPERTIES, |record| {
            for probe in [crate::probe::Probe::LegacyTools, crate::probe::Probe::ModernTools] {
                crate::testing::Change::edit(record, probe, |message| {
                    let tools =
                        (0..500).map(|it| json!({ "name": format!("t{it}"), "inputSchema": { "type": "object" } }));
                    message["result"]["tools"] = tools.collect();
                });
            }
        });
        assert!(finding.observed.ends_with("and 497 more") && finding.observed.len() < 200, "{}", finding.observed);
    }

    #[test]
    fn without_a_list_the_schemas_are_skipped() {
        for check in CHECKS {
            expect(check, Skipped, "see legacy and modern", |record| {
                for probe in [crate::probe::Probe::LegacyTools, crate::probe::Probe::ModernTools] {
                    crate::testing::Change::put(record, probe, 500, "text/plain", "");
                }
            });
        }
    }
}
