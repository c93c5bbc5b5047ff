//! What the keywords of an object's or an array's schema say of one member or item (JSON Schema 2020-12, core §10.3).

use serde_json::{Map, Value};

/// The members that must be there.
pub(crate) fn required(schema: &Map<String, Value>) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Whether a member must be there.
pub(crate) fn requires(schema: &Map<String, Value>, name: &str) -> bool {
    required(schema).any(|known| known == name)
}

/// What is said of the members that `properties` does not name. Nothing where `patternProperties` is present, because
/// which these are then depends on patterns.
pub(crate) fn additional(schema: &Map<String, Value>) -> Option<&Value> {
    schema.get("additionalProperties").filter(|_| !schema.contains_key("patternProperties"))
}

/// The schema of the item at a place.
pub(crate) fn item(schema: &Map<String, Value>, index: usize) -> Option<&Value> {
    let place = schema.get("prefixItems").and_then(Value::as_array).and_then(|places| places.get(index));
    place.or_else(|| schema.get("items"))
}
