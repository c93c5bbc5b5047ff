//! Validating what clients send against JSON Schema 2020-12.
//!
//! The keywords that describe the shape of arguments are known: `type`, `enum`, `const`, `properties`, `required`,
//! `additionalProperties`, `items`, `prefixItems`, `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`,
//! `minLength`, `maxLength`, `minItems`, `maxItems`, `allOf`, `anyOf`, `oneOf`, `not`, `if`/`then`/`else`, and `$ref`
//! to a JSON pointer within the same document. All others (`pattern`, `format`, `patternProperties`,
//! `unevaluatedProperties`, `$ref` to an anchor, …) pass: a tool that relies on them checks them itself. Where
//! `patternProperties` is present, `additionalProperties` passes, too, because which properties are additional then
//! depends on patterns.
//!
//! A violation is described in words that a model can act on: where, what was expected, what was there.

use std::fmt;

use serde_json::{Map, Number, Value};

use crate::{
    limits::{SCHEMA_DEPTH, SCHEMA_STEPS, SCHEMA_VIOLATIONS},
    schema::{
        alternatives::{self, Meant},
        keywords,
        reference::resolve,
        text::{describe, describe_all},
        value::{equal, is_of_type, kind},
    },
};
use mcp_edge_protocol::error::echo;
use mcp_edge_runtime::json::to_json;

/// The validation of one instance.
#[allow(clippy::struct_excessive_bools, reason = "two say what is wanted, two what was learned")]
pub(crate) struct Check<'s> {
    root: &'s Value,
    /// Left to do.
    steps: u32,
    found: Vec<String>,
    /// Only whether there is a violation matters, not which.
    quiet: bool,
    /// There is no more to learn.
    done: bool,
    /// A member of an object was `null`.
    pub has_null: bool,
    /// `null` fits every property that is listed and not required, since it counts as absent there.
    pub allows_null: bool,
}

/// Where in the instance a check is: a list that lives on the stack, so that only violations cost anything.
struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step<'p>,
}

enum Step<'p> {
    Whole(&'p str),
    Member(&'p str),
    Item(usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(formatter)?;
        }
        match self.step {
            Step::Whole(name) => formatter.write_str(name),
            // It may be the client's own, and stands in up to five sentences.
            Step::Member(name) => write!(formatter, ".{}", echo(name)),
            Step::Item(index) => write!(formatter, "[{index}]"),
        }
    }
}

impl<'s> Check<'s> {
    pub fn new(root: &'s Value) -> Self {
        Self {
            root,
            steps: SCHEMA_STEPS,
            found: Vec::new(),
            quiet: false,
            done: false,
            has_null: false,
            allows_null: false,
        }
    }

    /// What is wrong with `instance`, as sentences for the caller, and nothing if it is valid. At most
    /// [`SCHEMA_VIOLATIONS`]. `whole` is what the instance is called.
    pub fn run(&mut self, instance: &Value, whole: &str) -> Vec<String> {
        self.value(self.root, instance, &Path { parent: None, step: Step::Whole(whole) }, 0);
        std::mem::take(&mut self.found)
    }

    /// Takes a step, if there is one left.
    pub fn spend(&mut self) -> bool {
        self.steps = self.steps.saturating_sub(1);
        self.steps > 0
    }

    /// Whether there is no step left.
    pub fn is_exhausted(&self) -> bool {
        self.steps == 0
    }

    /// Whether `instance` fits a part of the schema. Takes from the steps of this check.
    pub fn admits(&mut self, schema: &'s Value, instance: &Value) -> bool {
        self.fits(schema, instance, &Path { parent: None, step: Step::Whole("") }, 0)
    }

    fn value(&mut self, schema: &'s Value, instance: &Value, path: &Path<'_>, depth: u32) {
        if self.done {
            return;
        }
        if !self.spend() || depth > SCHEMA_DEPTH {
            self.report(path, "too complex to validate");
            return;
        }
        let members = match schema {
            Value::Bool(false) => return self.report(path, "not allowed"),
            Value::Object(members) => members,
            _ => return,
        };
        if let Some(Value::String(reference)) = members.get("$ref")
            && let Some(target) = resolve(self.root, reference)
        {
            self.value(target, instance, path, depth + 1);
        }
        if let Some(expected) = members.get("type")
            && !is_of_type(instance, expected)
        {
            return self.report(path, &format!("expected {}, got {}", describe(self.root, schema, 0), kind(instance)));
        }
        if let Some(Value::Array(allowed)) = members.get("enum")
            && !allowed.iter().any(|allowed| equal(allowed, instance))
        {
            self.report(path, &format!("expected {}", describe(self.root, schema, 0)));
        }
        if let Some(allowed) = members.get("const")
            && !equal(allowed, instance)
        {
            self.report(path, &format!("expected {}", to_json(allowed)));
        }
        match instance {
            Value::Object(object) => self.object(members, object, path, depth),
            Value::Array(items) => self.array(members, items, path, depth),
            Value::String(text) => self.text(members, text, path),
            Value::Number(number) => self.number(members, number, path),
            Value::Null | Value::Bool(_) => {}
        }
        if !self.done {
            self.combinations(members, instance, path, depth);
        }
    }

    fn object(&mut self, schema: &'s Map<String, Value>, object: &Map<String, Value>, path: &Path<'_>, depth: u32) {
        // Before anything is looked at in depth: of nested alternatives, the one with this tag costs enough.
        if self.quiet && alternatives::contradicts(schema, object, self.allows_null) {
            self.done = true;
            return;
        }
        let mut is_missing = false;
        for name in keywords::required(schema).filter(|name| !object.contains_key(*name)) {
            if self.done {
                return;
            }
            is_missing = true;
            let expected = schema.get("properties").and_then(|properties| properties.get(name));
            let expected = expected.map_or_else(|| "a value".to_owned(), |schema| describe(self.root, schema, 0));
            self.report(&path.member(name), &format!("required, expected {expected}"));
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        let additional = keywords::additional(schema);
        for (name, value) in object {
            if self.done {
                return;
            }
            self.has_null |= value.is_null();
            match (properties.and_then(|properties| properties.get(name)), additional) {
                (Some(_), _) if self.allows_null && value.is_null() && !keywords::requires(schema, name) => {}
                (Some(property), _) => self.value(property, value, &path.member(name), depth + 1),
                (None, Some(Value::Bool(false))) => {
                    self.report(&path.member(name), "no such property");
                }
                (None, Some(additional)) => self.value(additional, value, &path.member(name), depth + 1),
                // Ignored, unless it may be the missing one under another name.
                (None, None) if is_missing && properties.is_some() => {
                    self.report(&path.member(name), "no such property");
                }
                (None, None) => {}
            }
        }
    }

    fn array(&mut self, schema: &'s Map<String, Value>, items: &[Value], path: &Path<'_>, depth: u32) {
        for (index, item) in items.iter().enumerate() {
            if let Some(schema) = keywords::item(schema, index) {
                self.value(schema, item, &Path { parent: Some(path), step: Step::Item(index) }, depth + 1);
            }
        }
        self.size(schema, items.len(), ["minItems", "maxItems"], "items", path);
    }

    fn text(&mut self, schema: &Map<String, Value>, text: &str, path: &Path<'_>) {
        if schema.contains_key("minLength") || schema.contains_key("maxLength") {
            self.size(schema, text.chars().count(), ["minLength", "maxLength"], "characters", path);
        }
    }

    fn size(&mut self, schema: &Map<String, Value>, size: usize, keys: [&str; 2], unit: &str, path: &Path<'_>) {
        let [least, most] = keys.map(|key| schema.get(key).and_then(Value::as_u64));
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        if let Some(least) = least.filter(|least| size < *least) {
            self.report(path, &format!("expected at least {least} {unit}, got {size}"));
        }
        if let Some(most) = most.filter(|most| size > *most) {
            self.report(path, &format!("expected at most {most} {unit}, got {size}"));
        }
    }

    fn number(&mut self, schema: &Map<String, Value>, number: &Number, path: &Path<'_>) {
        type Holds = fn(f64, f64) -> bool;
        let bounds: [(&str, Holds, &str); 4] = [
            ("minimum", |number, bound| number >= bound, "at least"),
            ("maximum", |number, bound| number <= bound, "at most"),
            ("exclusiveMinimum", |number, bound| number > bound, "more than"),
            ("exclusiveMaximum", |number, bound| number < bound, "less than"),
        ];
        let value = number.as_f64().unwrap_or(f64::NAN);
        for (keyword, holds, words) in bounds {
            if let Some(Value::Number(bound)) = schema.get(keyword)
                && bound.as_f64().is_some_and(|bound| !holds(value, bound))
            {
                self.report(path, &format!("expected {words} {bound}, got {number}"));
            }
        }
    }

    fn combinations(&mut self, schema: &'s Map<String, Value>, instance: &Value, path: &Path<'_>, depth: u32) {
        if let Some(Value::Array(all)) = schema.get("allOf") {
            for part in all {
                self.value(part, instance, path, depth + 1);
            }
        }
        if let Some(Value::Array(any)) = schema.get("anyOf")
            && !any.iter().any(|part| self.fits(part, instance, path, depth))
        {
            self.no_alternative(any, instance, path, depth);
        }
        if let Some(Value::Array(one)) = schema.get("oneOf") {
            match one.iter().filter(|part| self.fits(part, instance, path, depth)).take(2).count() {
                0 => self.no_alternative(one, instance, path, depth),
                1 => {}
                _ => self.report(path, "fits more than one of the alternatives, which exclude each other"),
            }
        }
        if let Some(not) = schema.get("not")
            && self.fits(not, instance, path, depth)
        {
            self.report(path, "not allowed in this form");
        }
        if let Some(condition) = schema.get("if") {
            let branch = if self.fits(condition, instance, path, depth) { "then" } else { "else" };
            if let Some(branch) = schema.get(branch) {
                self.value(branch, instance, path, depth + 1);
            }
        }
    }

    /// Reports why none of some alternatives fits: the violations of the one that is meant, if that is clear.
    fn no_alternative(&mut self, parts: &'s [Value], instance: &Value, path: &Path<'_>, depth: u32) {
        if self.quiet {
            self.done = true;
            return;
        }
        match alternatives::meant(self.root, parts, instance) {
            Meant::One(part) => {
                let before = self.found.len();
                self.value(part, instance, path, depth + 1);
                if self.found.len() > before {
                    return;
                }
            }
            Meant::Tagged(name, tags) => {
                let problem = format!("expected one of {tags}");
                return self.report(&path.member(name), &problem);
            }
            Meant::Unclear => {}
        }
        self.report(path, &format!("expected {}, got {}", describe_all(self.root, parts, 0), kind(instance)));
    }

    /// Whether `instance` is valid, without reporting why not.
    fn fits(&mut self, schema: &'s Value, instance: &Value, path: &Path<'_>, depth: u32) -> bool {
        let (quiet, done) = (self.quiet, self.done);
        (self.quiet, self.done) = (true, false);
        self.value(schema, instance, path, depth + 1);
        let fits = !self.done;
        (self.quiet, self.done) = (quiet, done);
        fits
    }

    fn report(&mut self, path: &Path<'_>, problem: &str) {
        if self.done {
            return;
        }
        if !self.quiet {
            self.found.push(format!("{path}: {problem}"));
        }
        self.done = self.quiet || self.found.len() >= SCHEMA_VIOLATIONS;
    }
}

impl<'p> Path<'p> {
    fn member(&'p self, name: &'p str) -> Self {
        Self { parent: Some(self), step: Step::Member(name) }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(schema: &Value, instance: &Value) -> Vec<String> {
        Check::new(schema).run(instance, "arguments")
    }

    #[test]
    fn violations_name_the_path_and_what_was_expected() {
        let schema = json!({
            "type": "object",
            "properties": {
                "when": {"$ref": "#/$defs/when"},
                "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}, "maxItems": 2},
                "unit": {"enum": ["C", "F"]},
                "days": {"type": "integer", "minimum": 1, "maximum": 7},
                "note": {"type": ["string", "null"]}
            },
            "required": ["when", "unit"],
            "additionalProperties": false,
            "$defs": {"when": {"type": "object", "properties": {"year": {"type": "integer"}}, "required": ["year"]}}
        });
        assert_eq!(problems(&schema, &json!({"when": {"year": 1}, "unit": "C", "note": null})), [""; 0]);
        for (instance, expected) in [
            (json!([]), "arguments: expected an object, got an array"),
            (json!({"when": {"year": 1}}), "arguments.unit: required, expected one of \"C\", \"F\""),
            (json!({"when": {"year": 1.5}, "unit": "C"}), "arguments.when.year: expected an integer, got a number"),
            (json!({"when": {}, "unit": "C"}), "arguments.when.year: required, expected an integer"),
            (json!({"when": {"year": 1}, "unit": "K"}), "arguments.unit: expected one of \"C\", \"F\""),
            (
                json!({"when": {"year": 1}, "unit": "C", "tags": ["a", 1]}),
                "arguments.tags[1]: expected a string, got a number",
            ),
            (
                json!({"when": {"year": 1}, "unit": "C", "tags": ["abcd"]}),
                "arguments.tags[0]: expected at most 3 characters, got 4",
            ),
            (
                json!({"when": {"year": 1}, "unit": "C", "tags": ["", "", ""]}),
                "arguments.tags: expected at most 2 items, got 3",
            ),
            (json!({"when": {"year": 1}, "unit": "C", "days": 0}), "arguments.days: expected at least 1, got 0"),
            (
                json!({"when": {"year": 1}, "unit": "C", "note": 1}),
                "arguments.note: expected a string or null, got a number",
            ),
            (json!({"when": {"year": 1}, "unit": "C", "x": 1}), "arguments.x: no such property"),
        ] {
            assert_eq!(problems(&schema, &instance), [expected], "{instance}");
        }
    }

    #[test]
    fn combinations_hold() {
        let any = json!({"anyOf": [{"type": "string"}, {"type": "null"}]});
        assert!(problems(&any, &json!("x")).is_empty());
        assert_eq!(problems(&any, &json!(1)), ["arguments: expected a string or null, got a number"]);
        let one = json!({"oneOf": [{"minimum": 1}, {"minimum": 5}]});
        assert!(problems(&one, &json!(2)).is_empty());
        assert!(!problems(&one, &json!(6)).is_empty());
        assert!(!problems(&one, &json!(0)).is_empty());
        let conditional = json!({
            "if": {"properties": {"by": {"const": "phone"}}, "required": ["by"]},
            "then": {"required": ["phone"]},
            "else": {"required": ["email"]}
        });
        assert!(problems(&conditional, &json!({"by": "phone", "phone": "1"})).is_empty());
        assert!(!problems(&conditional, &json!({"by": "phone", "email": "1"})).is_empty());
        assert!(!problems(&conditional, &json!({"by": "mail"})).is_empty());
        assert!(problems(&json!({"not": {"type": "string"}}), &json!(1)).is_empty());
        assert!(!problems(&json!({"not": {"type": "string"}}), &json!("1")).is_empty());
        assert!(problems(&json!({"const": 1, "enum": [1]}), &json!(1.0)).is_empty());
    }

    #[test]
    fn unknown_keywords_pass() {
        assert!(problems(&json!({"pattern": "^a$", "format": "date"}), &json!("b")).is_empty());
        let patterns = json!({"additionalProperties": false, "patternProperties": {"^x-": {}}});
        assert!(problems(&patterns, &json!({"x-a": 1})).is_empty());
    }
}
