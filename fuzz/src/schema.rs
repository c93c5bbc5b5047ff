//! JSON Schemas and values of a bounded grammar, and what JSON Schema 2020-12 says of one against the other.
//!
//! The judgement is the shortest that is right: recursive, with no messages, and shared with nothing in the library.

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value, json};

const NAMES: [&str; 4] = ["a", "b", "long name", "é"];

/// A schema for the arguments of a tool: an object with at least one property.
pub fn root(input: &mut Unstructured<'_>) -> Result<Value> {
    let mut root = json!({"type": "object", "$defs": {"d": schema(input, 1, false)?}});
    object_keywords(input, root.as_object_mut().unwrap_or(&mut Map::new()), 3)?;
    root["properties"]["a"] = schema(input, 3, true)?;
    Ok(root)
}

fn schema(input: &mut Unstructured<'_>, depth: u32, may_refer: bool) -> Result<Value> {
    let mut schema = Map::new();
    for _ in 0..input.int_in_range(0..=3)? {
        keyword(input, &mut schema, depth, may_refer)?;
    }
    Ok(Value::Object(schema))
}

fn keyword(input: &mut Unstructured<'_>, schema: &mut Map<String, Value>, depth: u32, may_refer: bool) -> Result<()> {
    let types = ["string", "number", "integer", "boolean", "array", "object", "null"];
    let mut set = |name: &str, value: Value| drop(schema.insert(name.to_owned(), value));
    let deeper = depth.checked_sub(1);
    match (input.int_in_range(0..=13)?, deeper) {
        (0..=2, _) => set("type", (*input.choose(&types)?).into()),
        (3, _) => set("type", json!([input.choose(&types)?, input.choose(&types)?])),
        (4, _) => {
            let values = (0..input.int_in_range(1..=3)?).map(|_| value(input, 1)).collect::<Result<Vec<_>>>()?;
            set("enum", values.into());
        }
        (5, _) => set("const", value(input, 1)?),
        (6, _) => {
            set(input.choose(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"])?, number(input)?);
        }
        (7, _) => {
            let size = input.int_in_range(0..=3_u8)?;
            set(input.choose(&["minLength", "maxLength", "minItems", "maxItems"])?, size.into());
        }
        (8, Some(depth)) => object_keywords(input, schema, depth)?,
        (9, Some(depth)) => {
            let key = input.choose(&["items", "not"])?;
            let inner = self::schema(input, depth, may_refer)?;
            set(key, inner);
        }
        (10, Some(depth)) => {
            let key = input.choose(&["allOf", "anyOf", "oneOf", "prefixItems"])?;
            let parts = [self::schema(input, depth, may_refer)?, self::schema(input, depth, may_refer)?];
            set(key, Vec::from(parts).into());
        }
        (11, Some(depth)) => {
            for key in ["if", "then", "else"] {
                if key == "if" || input.arbitrary()? {
                    set(key, self::schema(input, depth, may_refer)?);
                }
            }
        }
        (12, _) if may_refer => set("$ref", "#/$defs/d".into()),
        _ => {}
    }
    Ok(())
}

fn object_keywords(input: &mut Unstructured<'_>, schema: &mut Map<String, Value>, depth: u32) -> Result<()> {
    let mut properties = Map::new();
    for _ in 0..input.int_in_range(0..=3)? {
        properties.insert((*input.choose(&NAMES)?).to_owned(), self::schema(input, depth, true)?);
    }
    schema.insert("properties".to_owned(), properties.into());
    if input.arbitrary()? {
        schema.insert("required".to_owned(), json!([input.choose(&NAMES)?]));
    }
    match input.int_in_range(0..=3)? {
        0 => drop(schema.insert("additionalProperties".to_owned(), false.into())),
        1 => drop(schema.insert("additionalProperties".to_owned(), self::schema(input, depth, true)?)),
        _ => {}
    }
    Ok(())
}

/// Arguments: an object. No member of an object is null: whether that counts as absent is not for a schema to say.
pub fn arguments(input: &mut Unstructured<'_>) -> Result<Value> {
    object(input, 3)
}

fn object(input: &mut Unstructured<'_>, depth: u32) -> Result<Value> {
    let mut members = Map::new();
    for _ in 0..input.int_in_range(0..=4)? {
        let value = value(input, depth)?;
        if !value.is_null() {
            members.insert((*input.choose(&NAMES)?).to_owned(), value);
        }
    }
    Ok(members.into())
}

fn value(input: &mut Unstructured<'_>, depth: u32) -> Result<Value> {
    Ok(match (input.int_in_range(0..=7)?, depth.checked_sub(1)) {
        (0, _) => Value::Null,
        (1, _) => input.arbitrary::<bool>()?.into(),
        (2 | 3, _) => number(input)?,
        (4 | 5, _) => (*input.choose(&["", "a", "b", "é€🔑", "a\r\nb"])?).into(),
        (6, Some(depth)) => {
            (0..input.int_in_range(0..=3)?).map(|_| value(input, depth)).collect::<Result<Vec<_>>>()?.into()
        }
        (_, Some(depth)) => object(input, depth)?,
        _ => 1.into(),
    })
}

fn number(input: &mut Unstructured<'_>) -> Result<Value> {
    let numbers = [
        json!(0),
        json!(1),
        json!(-1),
        json!(1.0),
        json!(0.5),
        json!(2),
        json!(1e300),
        json!(u64::MAX),
        json!(i64::MIN),
    ];
    Ok(input.choose(&numbers)?.clone())
}

/// Whether the value is valid.
pub fn is_valid(root: &Value, schema: &Value, value: &Value) -> bool {
    let Value::Object(keywords) = schema else { return schema != &Value::Bool(false) };
    let valid = |schema: &Value| is_valid(root, schema, value);
    keywords.iter().all(|(keyword, of)| match (keyword.as_str(), value) {
        ("$ref", _) => valid(&root["$defs"]["d"]),
        ("type", _) => match of {
            Value::Array(types) => types.iter().any(|of| is_of_type(value, of)),
            of => is_of_type(value, of),
        },
        ("enum", _) => items(of).any(|of| is_equal(of, value)),
        ("const", _) => is_equal(of, value),
        ("allOf", _) => items(of).all(valid),
        ("anyOf", _) => items(of).any(valid),
        ("oneOf", _) => items(of).filter(|of| valid(of)).count() == 1,
        ("not", _) => !valid(of),
        ("if", _) => keywords.get(if valid(of) { "then" } else { "else" }).is_none_or(valid),
        ("minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum", Value::Number(number)) => {
            let (number, of) = (number.as_f64().unwrap_or_default(), of.as_f64().unwrap_or_default());
            match keyword.as_str() {
                "minimum" => number >= of,
                "maximum" => number <= of,
                "exclusiveMinimum" => number > of,
                _ => number < of,
            }
        }
        ("minLength", Value::String(text)) => text.chars().count() as u64 >= of.as_u64().unwrap_or_default(),
        ("maxLength", Value::String(text)) => text.chars().count() as u64 <= of.as_u64().unwrap_or_default(),
        ("minItems", Value::Array(items)) => items.len() as u64 >= of.as_u64().unwrap_or_default(),
        ("maxItems", Value::Array(items)) => items.len() as u64 <= of.as_u64().unwrap_or_default(),
        ("prefixItems", Value::Array(values)) => items(of).zip(values).all(|(of, value)| is_valid(root, of, value)),
        ("items", Value::Array(values)) => {
            let prefix = keywords.get("prefixItems").map_or(0, |prefix| items(prefix).count());
            values.iter().skip(prefix).all(|value| is_valid(root, of, value))
        }
        ("required", Value::Object(members)) => {
            items(of).filter_map(Value::as_str).all(|name| members.contains_key(name))
        }
        ("properties", Value::Object(members)) => {
            members.iter().all(|(name, value)| of.get(name).is_none_or(|of| is_valid(root, of, value)))
        }
        ("additionalProperties", Value::Object(members)) => members.iter().all(|(name, value)| {
            keywords.get("properties").is_some_and(|known| known.get(name).is_some()) || is_valid(root, of, value)
        }),
        _ => true,
    })
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn is_of_type(value: &Value, of: &Value) -> bool {
    match (of.as_str().unwrap_or_default(), value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("string", Value::String(_))
        | ("number", Value::Number(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_)) => true,
        ("integer", Value::Number(number)) => number.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => false,
    }
}

/// Numbers are equal by their value.
pub fn is_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| is_equal(one, other)))
        }
        _ => one == other,
    }
}
