//! JSON objects as text under construction, on one line.
//!
//! Much of what a server sends is known when it starts. An [`Object`] is the text itself under construction, so
//! that such parts are kept as strings and copied, and never go through a tree of values.

use std::{borrow::Borrow, io};

use serde::Serialize;

/// A JSON object under construction: its text up to the last member, and nothing as long as there is none.
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
    pub fn raw(mut self, key: &'static str, json: &str) -> Self {
        self.begin(key, json.len());
        self.0.push_str(json);
        self
    }

    /// Adds a member whose key comes from outside, and whose value is JSON already.
    #[must_use]
    pub fn entry(mut self, key: &str, json: &str) -> Self {
        self.separate(key.len() + json.len() + 3);
        push_quoted(&mut self.0, key);
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    /// Adds a string.
    #[must_use]
    pub fn text(mut self, key: &'static str, value: &str) -> Self {
        self.begin(key, value.len() + 2);
        push_quoted(&mut self.0, value);
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, key: &'static str, value: impl itoa::Integer) -> Self {
        self.raw(key, itoa::Buffer::new().format(value))
    }

    /// Adds an object with the members of all these. The keys must differ; nothing checks it.
    #[must_use]
    pub fn object(mut self, key: &'static str, parts: &[&Self]) -> Self {
        self.begin(key, parts.iter().map(|part| part.0.len()).sum::<usize>() + 2);
        let mut separator = '{';
        for members in parts.iter().map(|part| part.as_str()).filter(|members| !members.is_empty()) {
            self.0.push(separator);
            self.0.push_str(members);
            separator = ',';
        }
        self.0.push_str(if separator == '{' { "{}" } else { "}" });
        self
    }

    /// Adds an array of objects.
    #[must_use]
    pub fn objects<T: Borrow<Self>>(mut self, key: &'static str, items: &[T]) -> Self {
        self.begin(key, items.iter().map(|item| item.borrow().0.len() + 2).sum::<usize>() + 2);
        self.0.push('[');
        for (index, item) in items.iter().enumerate() {
            self.0.push_str(if index > 0 { ",{" } else { "{" });
            self.0.push_str(item.borrow().as_str());
            self.0.push('}');
        }
        self.0.push(']');
        self
    }

    /// Begins a member whose value has so many bytes.
    fn begin(&mut self, key: &'static str, value_bytes: usize) {
        debug_assert!(!key.contains(['"', '\\']), "names of our own need no escapes");
        self.separate(key.len() + value_bytes + 3);
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
    }

    /// Makes room for another member of so many bytes.
    fn separate(&mut self, bytes: usize) {
        self.0.reserve(bytes + 2);
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
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
        if !other.0.is_empty() {
            self.separate(other.0.len());
            self.0.push_str(other.as_str());
        }
        self
    }

    /// The members as text, without the braces around them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.strip_prefix('{').unwrap_or_default()
    }

    /// The object as text.
    #[must_use]
    pub fn close(mut self) -> String {
        self.0.push_str(if self.0.is_empty() { "{}" } else { "}" });
        self.0
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
    let mut json = String::with_capacity(text.len() + 2);
    push_quoted(&mut json, text);
    json
}

/// Appends a string with its quotation marks and escapes, as `serde_json` writes them.
fn push_quoted(json: &mut String, text: &str) {
    json.push('"');
    if is_plain(text.as_bytes()) {
        json.push_str(text);
    } else {
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, left) = rest.split_at(rest.floor_char_boundary(PIECE_BYTES));
            // Only bytes of ASCII were replaced, so it always is UTF-8.
            json.push_str(std::str::from_utf8(&escape(piece.as_bytes())).unwrap_or_default());
            rest = left;
        }
    }
    json.push('"');
}

/// Text is escaped in pieces of at most so many bytes: each takes up to eight times as many for a moment.
const PIECE_BYTES: usize = 4096;

/// A string with escapes. Most of what needs them is JSON, where what stands between two of them is too short to be copied as a
/// whole: eight bytes are copied at once, and the next write overwrites the surplus.
fn escape(mut text: &[u8]) -> Vec<u8> {
    // Room for eight bytes more than two for each that is left.
    let mut escaped = vec![0; 2 * text.len() + 8];
    let mut length = 0;
    while let Some(&first) = text.first() {
        let mut byte = first;
        if let (Some(word), Some(place)) = (text.first_chunk(), escaped[length..].first_chunk_mut()) {
            *place = *word;
            let plain = plain_bytes(*word);
            length += plain;
            text = &text[plain..];
            match word.get(plain) {
                Some(special) => byte = *special,
                None => continue,
            }
        }
        let (piece, bytes) = match ESCAPES[usize::from(byte)] {
            0 => ([byte, 0, 0, 0, 0, 0, 0, 0], 1),
            b'u' => {
                escaped.resize(escaped.len() + 4, 0);
                let digit = b"0123456789abcdef"[usize::from(byte % 16)];
                ([b'\\', b'u', b'0', b'0', b'0' + byte / 16, digit, 0, 0], 6)
            }
            letter => ([b'\\', letter, 0, 0, 0, 0, 0, 0], 2),
        };
        if let Some(place) = escaped[length..].first_chunk_mut() {
            *place = piece;
        }
        length += bytes;
        text = &text[1..];
    }
    escaped.truncate(length);
    escaped
}

/// What stands behind the backslash in place of a byte; 0 for a byte that needs none.
static ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < b' ' as usize {
        table[byte] = b'u';
        byte += 1;
    }
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[0x08] = b'b';
    table[b'\t' as usize] = b't';
    table[b'\n' as usize] = b'n';
    table[0x0c] = b'f';
    table[b'\r' as usize] = b'r';
    table
};

/// Whether a string needs no escapes, as nearly all do.
fn is_plain(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks();
    words.iter().all(|word| plain_bytes(*word) == word.len())
        && rest.iter().all(|byte| ESCAPES[usize::from(*byte)] == 0)
}

/// How many bytes stand in front of the first one that needs an escape.
fn plain_bytes(word: [u8; 8]) -> usize {
    const EACH: u64 = u64::MAX / 255;
    // The highest bit of a byte is set if that is less than `limit`, which is 128 at most. A borrow can set it in bytes behind such a
    // one as well, so only the lowest of them counts.
    let less = |bytes: u64, limit: u64| bytes.wrapping_sub(EACH * limit) & !bytes & (EACH * 128);
    let equal = |bytes: u64, byte: u8| less(bytes ^ (EACH * u64::from(byte)), 1);
    let bytes = u64::from_le_bytes(word);
    let special = less(bytes, u64::from(b' ')) | equal(bytes, b'"') | equal(bytes, b'\\');
    special.trailing_zeros() as usize / 8
}

/// `value` as JSON; `null` for what has no JSON form (a map with keys that are no strings).
pub fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    write_json(value).unwrap_or_else(|_| "null".to_owned())
}

/// `value` as JSON.
///
/// # Errors
/// If it has no JSON form, as a map with keys that are no strings.
pub fn write_json<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    let mut json = Json(Vec::with_capacity(USUAL_BYTES));
    serde_json::to_writer(&mut json, value)?;
    String::from_utf8(json.0).map_err(serde::ser::Error::custom)
}

/// More than most values have.
const USUAL_BYTES: usize = 512;

/// JSON that `serde_json` writes: half of its pieces are one byte, which costs less to store than to copy.
struct Json(Vec<u8>);

impl io::Write for Json {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.write_all(piece)?;
        Ok(piece.len())
    }

    fn write_all(&mut self, piece: &[u8]) -> io::Result<()> {
        match piece {
            [byte] => self.0.push(*byte),
            _ => self.0.extend_from_slice(piece),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
    fn every_ascii_character_is_quoted_as_serde_json_does() {
        for code in 0..=u8::MAX {
            // In each place of a word of eight bytes, and behind one.
            for place in 0..9 {
                let mut text = "abcdefghi".to_owned();
                text.replace_range(place..=place, &char::from(code).to_string());
                assert_eq!(quote(&text), serde_json::to_string(&text).unwrap(), "{code} in place {place}");
            }
        }
    }

    #[test]
    fn long_strings_are_quoted_as_serde_json_does() {
        for text in ["\u{1b}", "ä\"", "a𝄞\n"] {
            let text = text.repeat(3 * PIECE_BYTES);
            assert_eq!(quote(&text), serde_json::to_string(&text).unwrap());
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_quoted_as_serde_json_does(text in r#"[ !#\[\]a-z"\\\x00-\x1f\x7f-\x{10ffff}]{0,60}"#) {
            proptest::prop_assert_eq!(quote(&text), serde_json::to_string(&text).unwrap());
        }
    }

    #[test]
    fn objects_contain_objects() {
        let (one, none) = (Object::new().number("a", 1), Object::new());
        assert_eq!(none.clone().object("b", &[]).close(), r#"{"b":{}}"#);
        assert_eq!(none.clone().object("b", &[&none, &one, &none]).close(), r#"{"b":{"a":1}}"#);
        let two = Object::new().number("c", -2);
        assert_eq!(one.clone().object("b", &[&one, &two]).close(), r#"{"a":1,"b":{"a":1,"c":-2}}"#);
        assert_eq!(none.clone().objects::<Object>("b", &[]).close(), r#"{"b":[]}"#);
        assert_eq!(none.clone().objects("b", &[one, none.clone(), two]).close(), r#"{"b":[{"a":1},{},{"c":-2}]}"#);
        assert_eq!((none.as_str(), none.clone().close().as_str()), ("", "{}"));
    }

    #[test]
    fn values_are_written_as_serde_json_does() {
        let value = serde_json::json!({"a": [1, -2.5, null, true, "\u{7}\"ä"], "b": {"c": {}}, "": []});
        assert_eq!(write_json(&value).unwrap(), value.to_string());
        let no_string = std::collections::BTreeMap::from([([1], 1)]);
        assert!(write_json(&no_string).is_err());
        assert_eq!(to_json(&no_string), "null");
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
