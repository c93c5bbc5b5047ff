//! Reading the members of an object so that no reader of the same text can find others.

use std::borrow::Cow;

use mcp_edge_protocol::members::{is_alike, walk_raw};
use mcp_edge_runtime::json::quote;
use serde_json::value::RawValue;

/// Members of an object that are read at most: messages have less than twenty.
pub(super) const MEMBERS: usize = 64;

/// The members of an object, in their order, each value as the JSON it is. No name occurs twice, and none is one of the
/// known names in another spelling.
pub(super) struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Reads an object. `known` are the names that decide anything, here or at the upstream.
    ///
    /// # Errors
    /// Of the category `Data`: no object; a member that occurs twice, one whose name has control characters (a
    /// reader with C strings ends it at a NUL), or one that is spelled as a known one but for case (see
    /// [`is_alike`]); more than [`MEMBERS`]. Otherwise what is wrong with the text.
    pub(super) fn read(json: &'a str, known: &[&str]) -> serde_json::Result<Self> {
        let mut members: Vec<(Cow<'a, str>, &'a RawValue)> = Vec::with_capacity(8);
        walk_raw(json, &mut |name, value| {
            let is_misread = || !known.contains(&&*name) && known.iter().any(|known| is_alike(&name, known));
            if members.len() == MEMBERS
                || name.bytes().any(|byte| byte.is_ascii_control())
                || members.iter().any(|(other, _)| *other == name)
                || is_misread()
            {
                return false;
            }
            members.push((name, value));
            true
        })?;
        Ok(Self(members))
    }

    /// A member by its name, also if it is `null`.
    pub(super) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// A member by its name, if it is not `null`.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.raw(name).filter(|raw| raw.get() != "null")
    }

    /// Writes the object anew. `value` gets each name with its JSON, and returns what is written instead; none leaves the
    /// member out.
    pub(super) fn write<'v>(&'v self, into: &mut String, value: impl Fn(&str, &'v str) -> Option<&'v str>) {
        into.push('{');
        let mut comma = "";
        for (name, raw) in &self.0 {
            if let Some(value) = value(name, raw.get()) {
                match name {
                    // It stood in the text as it is, so it needs no escapes.
                    Cow::Borrowed(name) => into.extend([comma, "\"", name, "\":", value]),
                    Cow::Owned(name) => into.extend([comma, &quote(name), ":", value]),
                }
                comma = ",";
            }
        }
        into.push('}');
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 3] = ["name", "taskId", "_meta"];

    fn written(json: &str) -> Option<String> {
        let mut text = String::new();
        Members::read(json, &KNOWN).ok()?.write(&mut text, |_, value| Some(value));
        Some(text)
    }

    #[test]
    fn an_object_is_written_as_it_was_read() {
        let json = r#"{"name":"a","x y":[1, 2],"ä\"":{"name":1,"name":2},"taskId":null}"#;
        assert_eq!(written(json).as_deref(), Some(json));
        assert_eq!(written(" { } ").as_deref(), Some("{}"));
    }

    #[test]
    fn escapes_in_names_are_decoded() {
        assert_eq!(written(r#"{"n\u0061me":"\u0061"}"#).as_deref(), Some(r#"{"name":"\u0061"}"#));
        for json in [r#"{"name":1,"n\u0061me":2}"#, r#"{"x":1,"\u0078":2}"#, r#"{"\ud800":1}"#, r#"{"\udc00\ud800":1}"#]
        {
            assert_eq!(written(json), None, "{json}");
        }
    }

    #[test]
    fn names_that_some_reader_takes_for_known_ones_are_refused() {
        for name in [
            "Name",
            "NAME",
            "n_ame",
            "na-me",
            "taskid",
            "TaskID",
            "task_id",
            "task-id",
            "ta\u{17f}kId",
            "tas\u{212a}Id",
            "taskıd",
            "taskİd",
            "meta",
            "_Meta",
            "__meta",
        ] {
            assert_eq!(written(&["{", &quote(name), ":1}"].concat()), None, "{name}");
        }
        for name in ["names", "nickname", "title", "task", "näme", "x_meta", "n ame", ""] {
            assert!(written(&["{", &quote(name), ":1}"].concat()).is_some(), "{name}");
        }
    }

    #[test]
    fn names_with_control_characters_are_refused() {
        for json in [r#"{"name\u0000":1,"name":2}"#, r#"{"x\u0000y":1}"#, r#"{"\u001f":1}"#, "{\"a\u{7f}\":1}"] {
            assert_eq!(written(json), None, "{json}");
        }
    }

    #[test]
    fn there_is_a_limit_and_nothing_follows() {
        let of = |count: usize| {
            let members: Vec<String> = (0..count).map(|index| format!("\"m{index}\":0")).collect();
            written(&["{", &members.join(","), "}"].concat())
        };
        assert!(of(MEMBERS).is_some());
        assert_eq!(of(MEMBERS + 1), None);
        for json in ["[]", "\"name\"", "{} {}", "{}x", "{\"name\":1", ""] {
            assert_eq!(written(json), None, "{json}");
        }
    }
}
