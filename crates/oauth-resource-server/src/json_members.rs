//! JSON objects from outside: no name may occur twice, and only the members that are wanted are built.
//!
//! A list of small objects takes about seventy times its length in memory, so other members are skipped. They are
//! read as strictly as the rest: what is not JSON, or nested too deeply, is refused in any place.

use std::{cell::Cell, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

/// Why an object cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MembersError {
    /// Not JSON, or no object.
    #[error("not a JSON object")]
    Malformed,
    /// A name occurs twice. `serde_json` alone would keep the last member, another parser the first: two parties would
    /// read two different objects.
    #[error("a member occurs twice")]
    Duplicate,
}

/// Reads an object. Members whose names are not `wanted` are `null` in what it returns.
///
/// # Errors
/// [`MembersError`].
pub fn read(text: &[u8], wanted: &dyn Fn(&str) -> bool) -> Result<Map<String, Value>, MembersError> {
    let is_duplicate = Cell::new(false);
    // Read as text, as elsewhere: for bytes the compiler would generate the whole parser once more.
    let text = std::str::from_utf8(text).map_err(|_| MembersError::Malformed)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = Members { wanted, is_duplicate: &is_duplicate }.deserialize(&mut deserializer);
    match members.and_then(|members| deserializer.end().map(|()| members)) {
        Ok(members) => Ok(members),
        Err(_) if is_duplicate.get() => Err(MembersError::Duplicate),
        Err(_) => Err(MembersError::Malformed),
    }
}

/// The members that are kept. Inserted into another object, since the code that removes some from one is several times as large.
pub fn filtered(members: Map<String, Value>, is_kept: &dyn Fn(&str, &Value) -> bool) -> Map<String, Value> {
    let mut kept = Map::new();
    for (name, value) in members {
        if is_kept(&name, &value) {
            kept.insert(name, value);
        }
    }
    kept
}

struct Members<'a> {
    wanted: &'a dyn Fn(&str) -> bool,
    is_duplicate: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let value = if (self.wanted)(&name) {
                access.next_value()?
            } else {
                access.next_value::<Skipped>()?;
                Value::Null
            };
            if members.insert(name, value).is_some() {
                self.is_duplicate.set(true);
                return Err(A::Error::custom(""));
            }
        }
        Ok(members)
    }
}

/// Any value, skipped. Not [`serde::de::IgnoredAny`]: for that one `serde_json` looks neither at the depth nor into
/// strings.
struct Skipped;

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Skipped {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self, A::Error> {
        while access.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self, A::Error> {
        while access.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_all(text: &str) -> Result<Map<String, Value>, MembersError> {
        read(text.as_bytes(), &|_| true)
    }

    fn read_none(text: &str) -> Result<Map<String, Value>, MembersError> {
        read(text.as_bytes(), &|_| false)
    }

    #[test]
    fn only_what_is_wanted_is_built() {
        let members = read(br#"{"a":[{"b":1}],"c":[{"d":1}]}"#, &|name| name == "a").unwrap();
        assert_eq!(Value::Object(members), serde_json::json!({"a": [{"b": 1}], "c": null}));
    }

    #[test]
    fn a_name_occurs_once_among_the_wanted_and_the_others() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":null,"b":1,"\u0061":2}"#] {
            assert_eq!(read_all(text), Err(MembersError::Duplicate), "{text}");
            assert_eq!(read_none(text), Err(MembersError::Duplicate), "{text}");
        }
        // Further down nothing is decided by it.
        assert!(read_none(r#"{"a":{"b":1,"b":2}}"#).is_ok());
    }

    #[test]
    fn what_is_skipped_is_read_as_strictly() {
        let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
        for text in [
            &*deep,
            "",
            "null",
            "[]",
            r#"{"a":01}"#,
            r#"{"a":1e999}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":["\x"]}"#,
            r#"{"a":1}{}"#,
            r#"{"a":{1:2}}"#,
            r#"{"a":tru}"#,
            r#"{"a":[1,]}"#,
        ] {
            assert_eq!(read_all(text), Err(MembersError::Malformed), "{text}");
            assert_eq!(read_none(text), Err(MembersError::Malformed), "{text}");
        }
        assert_eq!(read(b"{\"a\":[\"\xff\"]}", &|_| false), Err(MembersError::Malformed));
    }

    proptest! {
        #[test]
        fn whether_a_text_is_an_object_does_not_depend_on_what_is_wanted(text in r#"\{("[ab]":(\[[0-9,]{0,3}\]|[0-9.e]{1,4}|"[ -~]{0,3}"|null|\{\}),?){0,4}\}"#) {
            prop_assert_eq!(read_all(&text).map(drop), read_none(&text).map(drop));
        }
    }
}
