//! What a model reads of arguments that do not fit.

use crate::{schema::validation::Check, tests::*};

fn problems(schema: &Value, instance: &Value) -> Vec<String> {
    Check::new(schema).run(instance, "arguments")
}

#[test]
fn violations_within_an_alternative_are_reported() {
    let place = json!({
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": false
    });
    let circle = json!({"type": "object", "properties": {"kind": {"const": "circle"}, "r": {"type": "number"}}, "required": ["kind", "r"]});
    let square = json!({"type": "object", "properties": {"kind": {"enum": ["square"]}, "a": {"type": "number"}}, "required": ["kind", "a"]});
    let open = json!({"type": "object", "properties": {"open": {"$ref": "#/$defs/place"}}, "required": ["open"]});
    let shut = json!({"type": "object", "properties": {"shut": {"type": "string"}}, "required": ["shut"]});
    let schema = json!({
        "type": "object",
        "properties": {
            "place": {"anyOf": [{"$ref": "#/$defs/place"}, {"type": "null"}]},
            "shape": {"oneOf": [circle, square]},
            "state": {"anyOf": [open, shut]},
            "nested": {"anyOf": [{"anyOf": [{"type": "array", "items": {"$ref": "#/properties/place"}}, {"type": "null"}]}, {"type": "string"}]}
        },
        "$defs": {"place": place}
    });
    for (instance, expected) in [
        (json!({"place": {"city": "Oslo", "zip": "1"}}), "arguments.place.zip: no such property"),
        (json!({"place": {"city": 1}}), "arguments.place.city: expected a string, got a number"),
        (json!({"place": 1}), "arguments.place: expected an object or null, got a number"),
        (json!({"shape": {"kind": "circle", "r": "1"}}), "arguments.shape.r: expected a number, got a string"),
        (json!({"shape": {"kind": "square"}}), "arguments.shape.a: required, expected a number"),
        (json!({"shape": {"kind": "ring"}}), "arguments.shape.kind: expected one of \"circle\", \"square\""),
        (json!({"shape": {}}), "arguments.shape.kind: expected one of \"circle\", \"square\""),
        (json!({"state": {"open": {"city": 1}}}), "arguments.state.open.city: expected a string, got a number"),
        (json!({"state": {"shut": 1}}), "arguments.state.shut: expected a string, got a number"),
        (json!({"state": {}}), "arguments.state: expected an object or an object, got an object"),
        (json!({"nested": [{"city": 1}]}), "arguments.nested[0].city: expected a string, got a number"),
    ] {
        assert_eq!(problems(&schema, &instance), [expected], "{instance}");
    }
    let fine = json!({"place": null, "shape": {"kind": "square", "a": 1}, "state": {"shut": ""}, "nested": [null]});
    assert_eq!(problems(&schema, &fine), [""; 0]);
}

#[test]
fn nested_alternatives_cost_no_more_than_their_number_squared() {
    let schema = json!({"anyOf": [{"type": "array", "items": {"$ref": "#"}}, {"type": "string"}]});
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    let path = "[0]".repeat(60);
    assert_eq!(problems(&schema, &deep), [format!("arguments{path}: expected an array or a string, got a number")]);
}

#[test]
fn recursive_alternatives_with_a_tag_cost_no_more_than_their_depth() {
    let container = |tag: usize| {
        json!({
            "type": "object",
            "properties": {"content": {"type": "array", "items": {"$ref": "#"}}, "type": {"enum": [format!("c{tag}")]}},
            "required": ["type", "content"]
        })
    };
    let text = json!({
        "type": "object", "properties": {"text": {"type": "string"}, "type": {"const": "text"}}, "required": ["type", "text"]
    });
    let parts: Vec<Value> = (0..8).map(container).chain([text]).collect();
    for schema in [json!({"anyOf": parts}), json!({"oneOf": parts})] {
        let deep =
            (0..20).fold(json!({"type": "text", "text": ""}), |inner, _| json!({"type": "c7", "content": [inner]}));
        assert_eq!(problems(&schema, &deep), [""; 0]);
        let wrong = (0..20).fold(json!({"type": "text"}), |inner, _| json!({"type": "c7", "content": [inner]}));
        let path = ".content[0]".repeat(20);
        assert_eq!(problems(&schema, &wrong), [format!("arguments{path}.text: required, expected a string")]);
    }
}

#[test]
fn what_may_be_the_missing_property_misspelled_is_reported() {
    let schema = json!({"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]});
    let expected = ["arguments.title: required, expected a string", "arguments.titles: no such property"];
    assert_eq!(problems(&schema, &json!({"titles": "x"})), expected);
    assert_eq!(problems(&schema, &json!({"title": "x", "titles": "x"})), [""; 0]);
}

#[test]
fn circular_and_multiplying_schemas_come_to_an_end() {
    assert_eq!(problems(&json!({"$ref": "#"}), &json!(1)), ["arguments: too complex to validate"]);
    let explosion = json!({"anyOf": [{"$ref": "#"}, {"$ref": "#"}], "type": "array", "items": {"$ref": "#"}});
    assert!(!problems(&explosion, &json!([[[[1]]]])).is_empty());
}

#[test]
fn no_input_makes_more_violations_than_are_read() {
    let closed = json!({"type": "object", "additionalProperties": false});
    let open = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]});
    let missing = json!({"type": "object", "required": ["a", "b", "c", "d", "e", "f", "g"]});
    let unknown: Value =
        (0..1000).map(|number| (number.to_string(), json!(1))).collect::<serde_json::Map<_, _>>().into();
    let alternatives = json!({"anyOf": [open, {"type": "null"}]});
    for (schema, instance) in [
        (&closed, &unknown),
        (&open, &unknown),
        (&missing, &json!({})),
        (&alternatives, &unknown),
        (&json!({"type": "array", "items": {"type": "string"}}), &json!(vec![1; 1000])),
        (&json!({"type": "object", "additionalProperties": {"type": "string"}}), &unknown),
    ] {
        let problems = problems(schema, instance);
        assert_eq!(problems.len(), 5, "{schema}");
    }
}
