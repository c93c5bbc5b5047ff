//! JSON that is passed on: the members of objects and the elements of arrays as they are, and names that some
//! readers take for the same.
//!
//! Nothing is built, and nothing recurses: what a member contains is skipped, however deep it is.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::params::Text;

/// Calls `each` with the name and the JSON of every member of an object, in their order. It returns whether to go on.
///
/// # Errors
/// If `json` is no object, a name is no valid text, something follows the object, or `each` returned `false`.
pub fn walk_object<'a>(json: &'a str, each: &mut dyn FnMut(Cow<'a, str>, &'a str) -> bool) -> serde_json::Result<()> {
    walk_raw(json, &mut |name, value| each(name, value.get()))
}

/// As [`walk_object`]: what `each` gets is known to be JSON.
///
/// # Errors
/// As there; of the category `Data` if `json` is no object or `each` returned `false`.
pub fn walk_raw<'a>(json: &'a str, each: &mut dyn FnMut(Cow<'a, str>, &'a RawValue) -> bool) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer.deserialize_map(Members(each))?;
    deserializer.end()
}

/// Calls `each` with the JSON of every element of an array, in their order. It returns whether to go on.
///
/// # Errors
/// If `json` is no array, something follows it, or `each` returned `false`.
pub fn walk_array<'a>(json: &'a str, each: &mut dyn FnMut(&'a str) -> bool) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer.deserialize_seq(Elements(each))?;
    deserializer.end()
}

struct Members<'f, 'de>(&'f mut dyn FnMut(Cow<'de, str>, &'de RawValue) -> bool);

impl<'de> Visitor<'de> for Members<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = members.next_key()? {
            if !(self.0)(name, members.next_value()?) {
                return Err(stopped());
            }
        }
        Ok(())
    }
}

struct Elements<'f, 'de>(&'f mut dyn FnMut(&'de str) -> bool);

impl<'de> Visitor<'de> for Elements<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element::<&RawValue>()? {
            if !(self.0)(element.get()) {
                return Err(stopped());
            }
        }
        Ok(())
    }
}

fn stopped<E: Error>() -> E {
    E::custom("stopped")
}

/// The string that `json` is, if it is one.
#[must_use]
pub fn string(json: &str) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(json).ok().map(|Text(text)| text)
}

/// A name as readers see it that compare without case: ASCII letters in lower case, and so what other letters become in
/// upper or lower case, or when case is folded, if that is ASCII (`ſ`, the Kelvin sign, `ı`, `İ`, `ß`, ligatures). Other
/// letters stay as they are: no name of the protocol has any.
#[must_use]
pub fn fold(name: &str) -> Cow<'_, str> {
    if !name.bytes().any(|byte| byte >= 0x80 || byte.is_ascii_uppercase()) {
        return Cow::Borrowed(name);
    }
    let mut folded = String::with_capacity(name.len());
    for letter in name.chars() {
        let ascii = match letter {
            '\u{17f}' => "s",
            '\u{212a}' => "k",
            '\u{130}' | '\u{131}' => "i",
            '\u{df}' | '\u{1e9e}' => "ss",
            '\u{fb00}' => "ff",
            '\u{fb01}' => "fi",
            '\u{fb02}' => "fl",
            '\u{fb03}' => "ffi",
            '\u{fb04}' => "ffl",
            '\u{fb05}' | '\u{fb06}' => "st",
            _ => {
                folded.push(letter.to_ascii_lowercase());
                continue;
            }
        };
        folded.push_str(ascii);
    }
    Cow::Owned(folded)
}

/// Whether some reader takes `name` for `known`, which is ASCII: one that compares without case, as Go's `encoding/json`
/// does, or without `_` and `-`: models in Python take `cache_scope` for `cacheScope`.
#[must_use]
pub fn is_alike(name: &str, known: &str) -> bool {
    name == known || letters(&fold(name)).eq(letters(known))
}

fn letters(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(|byte| !matches!(byte, b'_' | b'-')).map(|byte| byte.to_ascii_lowercase())
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_their_order_and_as_they_are() {
        let mut seen = Vec::new();
        let json = r#" {"b" : [1, 2] ,"a":{"x":"\u0041"}, "\u0062":null} "#;
        walk_object(json, &mut |name, value| {
            seen.push((name.into_owned(), value));
            true
        })
        .unwrap();
        assert_eq!(seen, [("b", "[1, 2]"), ("a", r#"{"x":"\u0041"}"#), ("b", "null")].map(|(n, v)| (n.to_owned(), v)));
    }

    #[test]
    fn what_is_no_object_or_array_is_an_error() {
        for json in ["", "1", "[]", "{} {}", r#"{"a":}"#, r#"{"\ud800":1}"#, r#"{"a":1,}"#] {
            assert!(walk_object(json, &mut |_, _| true).is_err(), "{json}");
        }
        for json in ["", "1", "{}", "[] []", "[1,]", "[nope]"] {
            assert!(walk_array(json, &mut |_| true).is_err(), "{json}");
        }
    }

    #[test]
    fn a_walk_stops_when_the_caller_wants_it() {
        let mut count = 0;
        let mut twice = || {
            count += 1;
            count < 2
        };
        assert!(walk_array("[1,2,3", &mut |_| twice()).is_err());
        assert_eq!(count, 2);
        assert!(walk_object(r#"{"a":1}"#, &mut |_, _| false).is_err());
    }

    #[test]
    fn depth_is_skipped_without_recursion() {
        let deep = ["{\"a\":", &"[".repeat(200_000), &"]".repeat(200_000), "}"].concat();
        assert!(walk_object(&deep, &mut |_, _| true).is_ok());
    }

    #[test]
    fn letters_that_become_ascii_in_another_case_are_folded() {
        for (name, known) in [
            ("Name", "name"),
            ("URI", "uri"),
            ("tool\u{17f}", "tools"),
            ("\u{212a}ey", "key"),
            ("ur\u{131}", "uri"),
            ("ur\u{130}", "uri"),
            ("me\u{df}age", "message"),
            ("de\u{fb01}ne", "define"),
            ("li\u{fb06}", "list"),
        ] {
            assert!(is_alike(name, known), "{name}");
            assert_eq!(fold(name), known);
        }
        assert!(is_alike("cache_scope", "cacheScope") && is_alike("CACHE-SCOPE", "cacheScope"));
        assert!(!is_alike("names", "name") && !is_alike("n\u{e4}me", "name"));
    }

    #[test]
    fn folding_covers_what_rust_knows_of_case() {
        for letter in (0x80..=0x1_ffff).filter_map(char::from_u32) {
            let ascii = |text: String| text.is_ascii().then(|| text.to_ascii_lowercase());
            let others = [ascii(letter.to_lowercase().collect()), ascii(letter.to_uppercase().collect())];
            for other in others.into_iter().flatten() {
                assert_eq!(fold(&letter.to_string()), other, "{letter}");
            }
        }
    }
}
