//! References within a schema document (JSON Schema 2020-12 §8.2.3). Nothing is ever fetched.

use serde_json::Value;

/// What `#` or `#/a/b` points at. Percent-encoded pointers do not occur in practice and lead nowhere.
pub(crate) fn resolve<'s>(root: &'s Value, reference: &str) -> Option<&'s Value> {
    root.pointer(reference.strip_prefix('#')?)
}

/// The schema that a schema stands for, if it is a reference. A few are followed.
pub(crate) fn follow<'s>(root: &'s Value, mut schema: &'s Value) -> &'s Value {
    for _ in 0..4 {
        match schema.get("$ref").and_then(Value::as_str).and_then(|reference| resolve(root, reference)) {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}
