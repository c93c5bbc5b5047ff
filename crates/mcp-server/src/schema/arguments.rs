//! `null` in place of what may be left out.
//!
//! Models write `null` for arguments that they do not want to give, and some APIs make them: with OpenAI's `strict` every
//! property is required, and what is optional is nullable. So the schema of an optional argument says nothing of `null`,
//! which not every API takes (see `portable`), and a `null` there counts as absent. It is removed before the handler's
//! type reads the arguments, since `#[serde(default)]` is for what is missing and not for `null`. A property that admits
//! `null`, such as a [`Value`], keeps it.

use serde_json::{Map, Value};

use crate::{
    limits::SCHEMA_DEPTH,
    schema::{
        alternatives::{Meant, meant},
        keywords,
        reference::resolve,
        validation::Check,
    },
};

/// What is wrong with arguments, as [`Check::run`] says it. Each `null` that counts as absent is removed from them.
pub(crate) fn check(schema: &Value, arguments: &mut Value, whole: &str) -> Vec<String> {
    let mut check = Check::new(schema);
    let problems = check.run(arguments, whole);
    // Without a `null`, which is the rule, this costs a comparison for each member.
    if !check.has_null {
        return problems;
    }
    // Which alternative is meant shows while its `null`s are still there. What is left must fit without this.
    let mut check = Check::new(schema);
    check.allows_null = true;
    let mut removal = Removal { root: schema, check, any: false };
    removal.visit(schema, arguments, 0);
    if removal.any { Check::new(schema).run(arguments, whole) } else { problems }
}

struct Removal<'s> {
    root: &'s Value,
    /// Bounds what all of this takes.
    check: Check<'s>,
    /// Something was removed.
    any: bool,
}

impl<'s> Removal<'s> {
    fn visit(&mut self, schema: &'s Value, value: &mut Value, depth: u32) {
        let Value::Object(members) = schema else { return };
        if depth > SCHEMA_DEPTH || !matches!(value, Value::Object(_) | Value::Array(_)) || !self.check.spend() {
            return;
        }
        if let Some(Value::String(reference)) = members.get("$ref")
            && let Some(target) = resolve(self.root, reference)
        {
            self.visit(target, value, depth + 1);
        }
        match value {
            Value::Object(object) => self.object(members, object, depth),
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if let Some(schema) = keywords::item(members, index) {
                        self.visit(schema, item, depth + 1);
                    }
                }
            }
            _ => {}
        }
        if let Some(Value::Array(all)) = members.get("allOf") {
            for part in all {
                self.visit(part, value, depth + 1);
            }
        }
        for keyword in ["anyOf", "oneOf"] {
            let Some(Value::Array(parts)) = members.get(keyword) else { continue };
            let part = match meant(self.root, parts, value) {
                Meant::One(part) => Some(part),
                _ => parts.iter().find(|part| self.check.admits(part, value)),
            };
            if let Some(part) = part {
                self.visit(part, value, depth + 1);
            }
        }
    }

    fn object(&mut self, schema: &'s Map<String, Value>, object: &mut Map<String, Value>, depth: u32) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let before = object.len();
        object.retain(|name, value| {
            let property = properties.and_then(|properties| properties.get(name)).filter(|_| value.is_null());
            // Without a step left it is not known what is admitted, and to keep it loses nothing.
            property.is_none_or(|property| {
                keywords::requires(schema, name) || self.check.admits(property, value) || self.check.is_exhausted()
            })
        });
        self.any |= object.len() < before;
        for (name, value) in object {
            let property = properties.and_then(|properties| properties.get(name));
            if let Some(schema) = property.or_else(|| keywords::additional(schema)) {
                self.visit(schema, value, depth + 1);
            }
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(schema: &Value, mut arguments: Value) -> (Value, Vec<String>) {
        let problems = check(schema, &mut arguments, "arguments");
        (arguments, problems)
    }

    #[test]
    fn null_counts_as_absent_where_it_is_not_admitted() {
        let place = json!({
            "type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": "string"}}, "required": ["city"]
        });
        let schema = json!({
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "any": {},
                "nullable": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                "place": place,
                "places": {"type": "array", "items": {"$ref": "#/$defs/place"}},
                "by_name": {"type": "object", "additionalProperties": {"$ref": "#/$defs/place"}},
                "other": {"anyOf": [{"$ref": "#/$defs/place"}, {"type": "string"}]},
                "limit": {"type": "integer"}
            },
            "required": ["name"],
            "additionalProperties": false,
            "$defs": {"place": place}
        });
        let (oslo, clean) = (json!({"city": "Oslo", "zip": null}), json!({"city": "Oslo"}));
        for (arguments, expected) in [
            (json!({"name": "a", "limit": null, "place": null}), json!({"name": "a"})),
            (json!({"name": "a", "any": null, "nullable": null}), json!({"name": "a", "any": null, "nullable": null})),
            (json!({"name": "a", "place": oslo}), json!({"name": "a", "place": clean})),
            (json!({"name": "a", "places": [oslo, oslo]}), json!({"name": "a", "places": [clean, clean]})),
            (json!({"name": "a", "by_name": {"b": oslo}}), json!({"name": "a", "by_name": {"b": clean}})),
            (json!({"name": "a", "other": oslo}), json!({"name": "a", "other": clean})),
        ] {
            assert_eq!(checked(&schema, arguments), (expected, Vec::new()));
        }
        for (arguments, problem) in [
            (json!({"name": null}), "arguments.name: expected a string, got null"),
            (json!({"name": "a", "places": [null]}), "arguments.places[0]: expected an object, got null"),
            (json!({"name": "a", "place": {"city": null}}), "arguments.place.city: expected a string, got null"),
            (json!({"name": "a", "limit": null, "x": null}), "arguments.x: no such property"),
        ] {
            assert_eq!(checked(&schema, arguments).1, [problem]);
        }
    }

    #[test]
    fn circular_schemas_come_to_an_end() {
        let schema =
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [{"$ref": "#"}, {"$ref": "#"}]});
        assert!(!checked(&schema, json!({"a": null})).1.is_empty());
        let schema = json!({"allOf": [{"$ref": "#"}, {"$ref": "#"}], "properties": {"a": {"type": "string"}}});
        assert!(!checked(&schema, json!({"a": null})).1.is_empty());
        let schema = json!({"$ref": "#", "properties": {"a": {"type": "string"}}});
        assert!(!checked(&schema, json!({"a": null})).1.is_empty());
    }
}
