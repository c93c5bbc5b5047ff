//! JSON objects as text under construction, on one line.
//!
//! Much of what a server sends is known when it starts. An [`Object`] is the text itself under construction, so
//! that such parts are kept as strings and copied, and never go through a tree of values.

use serde::Serialize;

/// The members of a JSON object, without its braces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object(String);

impl Object {
    /// Creates an object without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an object without members that has room for so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Adds a member whose value is JSON already.
    #[must_use]
    pub fn raw(self, key: &'static str, json: &str) -> Self {
        debug_assert!(!key.contains(['"', '\\']), "names of our own need no escapes");
        self.append(["\"", key, "\":", json, ""])
    }

    /// Adds a member whose key comes from outside, and whose value is JSON already.
    #[must_use]
    pub fn entry(self, key: &str, json: &str) -> Self {
        self.append([&quote(key), ":", json, "", ""])
    }

    fn append(mut self, parts: [&str; 5]) -> Self {
        self.0.reserve(parts.iter().map(|part| part.len()).sum::<usize>() + 1);
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.extend(parts);
        self
    }

    /// Adds a string.
    #[must_use]
    pub fn text(self, key: &'static str, value: &str) -> Self {
        if is_plain(value) {
            return self.append(["\"", key, "\":\"", value, "\""]);
        }
        self.raw(key, &quote(value))
    }

    /// Adds a string if there is one.
    #[must_use]
    pub fn maybe_text(self, key: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(key, value),
            None => self,
        }
    }

    /// Adds JSON if there is some.
    #[must_use]
    pub fn maybe_raw(self, key: &'static str, json: Option<&str>) -> Self {
        match json {
            Some(json) => self.raw(key, json),
            None => self,
        }
    }

    /// Adds a truth value.
    #[must_use]
    pub fn flag(self, key: &'static str, value: bool) -> Self {
        self.raw(key, if value { "true" } else { "false" })
    }

    /// Adds the members of another object. The keys must differ; nothing checks it.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        if !self.0.is_empty() && !other.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(&other.0);
        self
    }

    /// The members as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The object as text.
    #[must_use]
    pub fn close(&self) -> String {
        ["{", &self.0, "}"].concat()
    }
}

/// A JSON array of items that are JSON already.
pub fn array<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<T> = items.into_iter().collect();
    // Lists are long: they are copied once, into a place of the right size.
    let mut text = String::with_capacity(2 + items.iter().map(|item| item.as_ref().len() + 1).sum::<usize>());
    text.push('[');
    for (index, item) in items.iter().enumerate() {
        text.push_str(if index > 0 { "," } else { "" });
        text.push_str(item.as_ref());
    }
    text.push(']');
    text
}

/// A string with its quotation marks and escapes.
#[must_use]
pub fn quote(text: &str) -> String {
    if is_plain(text) { ["\"", text, "\""].concat() } else { to_json(text) }
}

/// Whether a string needs no escapes, as nearly all do: a quarter of the work of looking for each.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\')
}

/// `value` as JSON; `null` for what has no JSON form (a map with keys that are no strings).
pub fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_separated_and_escaped() {
        let object = Object::new().entry("a\"", "\"b\\n\"").flag("c", true).raw("d", "[1]");
        assert_eq!(object.close(), r#"{"a\"":"b\n","c":true,"d":[1]}"#);
    }

    #[test]
    fn strings_are_quoted_as_serde_json_does() {
        for text in ["", "a", "ä\u{2028}", "\"", "\\", "a\nb", "\u{0}", "\u{7f}", "\t", "𝄞"] {
            assert_eq!(quote(text), serde_json::to_string(text).unwrap(), "{text:?}");
            assert_eq!(Object::new().text("a", text).close(), format!("{{\"a\":{}}}", quote(text)));
        }
    }

    #[test]
    fn joining_with_nothing_adds_no_comma() {
        let one = Object::new().text("a", "b");
        assert_eq!(one.clone().with(&Object::new()).close(), r#"{"a":"b"}"#);
        assert_eq!(Object::new().with(&one).close(), r#"{"a":"b"}"#);
        assert_eq!(one.clone().with(&Object::new().flag("c", false)).close(), r#"{"a":"b","c":false}"#);
    }

    #[test]
    fn arrays_hold_their_items() {
        assert_eq!(array(["1", "{}"]), "[1,{}]");
        assert_eq!(array::<&str>([]), "[]");
    }
}
