//! The members of a request as JSON: duplicates, types and lengths.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};

use super::{error::MetadataError, page_uri};

/// Parses a JSON object. A member that occurs twice is an error: another parser might take the other value.
///
/// # Errors
/// `invalid_client_metadata` if it is no JSON object, or a member occurs twice.
pub fn members(body: &str) -> Result<Map<String, Value>, MetadataError> {
    struct Unique(Map<String, Value>);

    impl<'de> Deserialize<'de> for Unique {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> de::Visitor<'de> for Visitor {
                type Value = Unique;

                fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                    formatter.write_str("a JSON object")
                }

                fn visit_map<A: de::MapAccess<'de>>(self, mut access: A) -> Result<Unique, A::Error> {
                    let mut members = Map::new();
                    while let Some((name, value)) = access.next_entry::<String, Value>()? {
                        if members.insert(name, value).is_some() {
                            return Err(de::Error::custom("duplicate"));
                        }
                    }
                    Ok(Unique(members))
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }

    serde_json::from_str::<Unique>(body)
        .map(|unique| unique.0)
        .map_err(|_| MetadataError::metadata("body", "must be one JSON object in which no member occurs twice"))
}

/// Typed access to members. `null` counts as absent (RFC 7592 §2.2).
pub(super) struct Members<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Members<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text of at most `max_bytes`.
    pub(super) fn string(&self, name: &str, max_bytes: usize) -> Result<Option<&'a str>, MetadataError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| MetadataError::metadata(name, "must be a string"))?;
        if text.len() > max_bytes {
            return Err(MetadataError::metadata(name, format!("must not be longer than {max_bytes} bytes")));
        }
        Ok(Some(text))
    }

    /// A text of at most `max_bytes` without control and formatting characters; an empty one counts as absent, which is
    /// how some clients leave a member out.
    pub(super) fn text(&self, name: &str, max_bytes: usize) -> Result<Option<&'a str>, MetadataError> {
        let text = self.string(name, max_bytes)?;
        if text.is_some_and(|text| text.chars().any(is_invisible)) {
            return Err(MetadataError::metadata(name, "must not contain control or formatting characters"));
        }
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// The strings of a list, which is as long as the body allows. `null` and empty entries count as absent, and so does a
    /// list without others.
    pub(super) fn strings(&self, name: &str) -> Result<Option<Vec<&'a str>>, MetadataError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let wrong = || MetadataError::metadata(name, "must be an array of strings");
        let list = value.as_array().ok_or_else(wrong)?;
        let given = list.iter().filter(|entry| !entry.is_null() && *entry != "");
        let strings: Vec<&str> = given.map(Value::as_str).collect::<Option<_>>().ok_or_else(wrong)?;
        Ok(Some(strings).filter(|strings| !strings.is_empty()))
    }

    /// The address of a page or a picture. One that the public cannot open, such as that of a program in development, a
    /// relative one or a `data:` URI, is left out, which RFC 7591 §3.2.1 allows and the answer shows. Others are errors.
    pub(super) fn page(&self, name: &str) -> Result<Option<String>, MetadataError> {
        let Some(uri) = self.string(name, usize::MAX)?.filter(|uri| !uri.is_empty()) else { return Ok(None) };
        match page_uri::check(uri) {
            Ok(()) => Ok(Some(uri.to_owned())),
            Err(_) if page_uri::may_be_left_out(uri) => Ok(None),
            Err(problem) => Err(MetadataError::metadata(name, problem.to_string())),
        }
    }
}

/// Control characters, and what hides text, turns its direction around, or looks like nothing: the line breaks and the
/// `Default_Ignorable_Code_Point`s of Unicode without the selectors of an emoji's look (FE0E, FE0F), interlinear
/// annotations, and the blank Braille pattern.
pub(super) fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
