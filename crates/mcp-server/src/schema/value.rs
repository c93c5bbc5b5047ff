//! JSON values as JSON Schema sees them: their types, their equality, and numbers in Rust's sense.

use serde_json::Value;

/// Whether a value is of the type, or of one of the types, that `type` names.
pub(crate) fn is_of_type(instance: &Value, expected: &Value) -> bool {
    match expected {
        Value::String(name) => match name.as_str() {
            "null" => instance.is_null(),
            "boolean" => instance.is_boolean(),
            "object" => instance.is_object(),
            "array" => instance.is_array(),
            "string" => instance.is_string(),
            "number" => instance.is_number(),
            "integer" => is_integer(instance),
            _ => true,
        },
        Value::Array(names) => names.iter().any(|name| is_of_type(instance, name)),
        _ => true,
    }
}

/// An integer in the sense of JSON Schema, where `42.0` is one.
fn is_integer(instance: &Value) -> bool {
    instance.is_i64() || instance.is_u64() || instance.as_f64().is_some_and(|number| number.fract() == 0.0)
}

/// Equality in the sense of JSON Schema, where `1` equals `1.0`.
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, left)| right.get(name).is_some_and(|right| equal(left, right)))
        }
        _ => left == right,
    }
}

/// What kind of value this is, with its article.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Turns whole numbers that are written with a fraction (`42.0`) into integers: JSON Schema does not tell them
/// apart, Rust's integer types do.
pub(crate) fn normalise(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            // Beyond 2^53 a float does not say which integer was meant.
            const EXACT: f64 = 9_007_199_254_740_992.0;
            if let Some(float) = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= EXACT) {
                #[allow(clippy::cast_possible_truncation, reason = "whole, and within 2^53")]
                let integer = float as i64;
                *value = Value::from(integer);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(normalise),
        Value::Object(members) => members.values_mut().for_each(normalise),
        _ => {}
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_floats_become_integers_and_others_stay() {
        let mut value = json!({"a": [42.0, 0.5, 1e300, -3.0]});
        normalise(&mut value);
        assert_eq!(value.to_string(), r#"{"a":[42,0.5,1e+300,-3]}"#);
    }
}
