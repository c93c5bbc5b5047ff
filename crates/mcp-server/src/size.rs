//! How large the tree of a JSON text is, found out without making it.
//!
//! A tree takes far more memory than its text: an object with one member has seven bytes on the wire and more than
//! four hundred in memory. So what strangers send is measured before it is turned into values.

use serde_json::Value;

/// What a value takes, with the room that an array or a map has left, the array that is copied when it grows, and what the
/// allocator adds to a string.
const VALUE_BYTES: usize = 5 * size_of::<Value>();

/// What the first node of a map takes, which has room for eleven members however few there are.
const OBJECT_BYTES: usize = 11 * (size_of::<String>() + size_of::<Value>()) + 16;

/// The size of a tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// Values of all kinds, the members of objects and the items of arrays included. Never less than there are; an
    /// empty array or object counts twice.
    pub values: usize,
    /// The memory that they take while they are made. Never less than they do.
    pub bytes: usize,
}

impl Size {
    /// The size of the tree of `json`, which must be valid JSON.
    pub fn of(json: &str) -> Self {
        let (mut values, mut objects) = (1, 0);
        let mut bytes = json.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b',' | b'[' => values += 1,
                b'{' => {
                    values += 1;
                    objects += 1;
                }
                b'"' => skip_string(&mut bytes),
                _ => {}
            }
        }
        Self { values, bytes: json.len() + VALUE_BYTES * values + OBJECT_BYTES * objects }
    }

    /// The most that any text of this length can come to. A value takes at least two bytes of it, but for the first;
    /// and what grows most, objects with one member that has no name, grows by less than this.
    pub fn at_most(text_length: usize) -> Self {
        Self { values: 1 + text_length / 2, bytes: 256 + text_length * (size_of::<Value>() * 16 / 3) }
    }
}

/// Goes on behind the quotation mark that ends a string.
fn skip_string(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use mcp_edge_protocol::load::LIGHT_BYTES;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::limits::UNCOUNTED_BYTES;

    /// How many values there are, and how many of them are empty arrays and objects.
    fn count(value: &Value) -> (usize, usize) {
        let inside: Vec<&Value> = match value {
            Value::Array(items) => items.iter().collect(),
            Value::Object(members) => members.values().collect(),
            _ => return (1, 0),
        };
        let empty = usize::from(inside.is_empty());
        inside.into_iter().map(count).fold((1, empty), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    /// What a tree holds, without what the allocator adds. The nodes of a map are at least half full, but for the root.
    fn held(value: &Value) -> usize {
        let text = |text: &String| if text.is_empty() { 0 } else { text.len().max(16) };
        match value {
            Value::String(string) => text(string),
            Value::Array(items) => 24 + items.capacity() * size_of::<Value>() + items.iter().map(held).sum::<usize>(),
            Value::Object(members) => {
                let nodes = if members.is_empty() { 0 } else { 1 + members.len() / 6 };
                let inside = members.iter().map(|(name, value)| text(name) + held(value)).sum::<usize>();
                nodes * OBJECT_BYTES + nodes / 6 * 12 * size_of::<usize>() + inside
            }
            _ => 0,
        }
    }

    /// JSON of any shape, with strings that contain what has a meaning outside of strings.
    fn value() -> impl Strategy<Value = Value> {
        let text = || prop_oneof!["[\\[\\]{},:\"\\\\\n\u{7f}é🔑]{0,6}", ".{0,6}"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            text().prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 200, 20, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
                prop::collection::vec((text(), inner), 0..20).prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    #[test]
    fn strings_are_counted_once_regardless_of_their_content() {
        for (json, values) in [
            ("1", 1),
            (r#""[{,:\"[{,\\""#, 1),
            (r#"{"a,[":1}"#, 2),
            (r#"[1, "\\", [2], "\"]"]"#, 6),
            (r#"{"\\":{"b":[0,0]},"c":"d"}"#, 6),
            ("[]", 2),
        ] {
            assert_eq!(Size::of(json).values, values, "{json}");
        }
    }

    #[test]
    fn what_grows_most_is_not_underestimated() {
        let many = |item: &str| format!("[{}{item}]", format!("{item},").repeat(1_000));
        let members = |value: &str| {
            let members: Vec<String> = (0..1_000).map(|number| format!("\"{number}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        };
        let deep = format!("{}0{}", r#"{"":"#.repeat(100), "}".repeat(100));
        let shapes = [r#"{"":0}"#, "[0]", "{}", "[]", "0", "\"\"", r#""a""#, r#"{"a":"b"}"#, "[[0]]", &deep];
        for json in shapes.into_iter().map(many).chain(["0", "\"\"", r#""a""#, r#"{"":0}"#, "[0]"].map(members)) {
            let value: Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}"));
            let (held, size) = (held(&value), Size::of(&json));
            assert!(size.values >= count(&value).0, "{}", &json[..40]);
            assert!(size.bytes >= held, "{}: {} {held}", &json[..40], size.bytes);
            assert!(Size::at_most(json.len()).bytes >= held, "{}: {held}", &json[..40]);
        }
    }

    #[test]
    fn a_text_that_is_not_counted_makes_no_heavy_call() {
        let size = Size::at_most(UNCOUNTED_BYTES);
        assert!(size.bytes < LIGHT_BYTES && size.values <= 513, "{size:?}");
    }

    proptest! {
        #[test]
        fn no_tree_is_larger_than_its_size(value in value(), pretty: bool) {
            let json = if pretty { format!("{value:#}") } else { value.to_string() };
            let (values, empty) = count(&value);
            let size = Size::of(&json);
            prop_assert_eq!(size.values, values + empty);
            prop_assert!(size.bytes >= held(&value), "{} {}", size.bytes, held(&value));
            let most = Size::at_most(json.len());
            prop_assert!(most.values >= values && most.bytes >= held(&value), "{:?} {}", most, held(&value));
        }

        #[test]
        fn repeated_members_are_counted_each_time(names in prop::collection::vec("[a-c]", 1..20)) {
            let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":[]")).collect();
            let json = format!("{{{}}}", members.join(","));
            prop_assert_eq!(Size::of(&json).values, 1 + 2 * names.len());
        }
    }

    #[test]
    fn names_of_members_are_no_values() {
        assert_eq!(Size::of(&json!({"a": {"b": {}}}).to_string()).values, 4);
    }
}
