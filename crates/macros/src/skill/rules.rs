//! The rules of Agent Skills for front matter (<https://agentskills.io/specification>), of which hosts refuse what breaks one.

use serde_json::{Map, Value};

use super::error::SkillError;

const NAME_LENGTH: usize = 64;
const DESCRIPTION_LENGTH: usize = 1024;
const COMPATIBILITY_LENGTH: usize = 500;

/// Checks the front matter of the skill in a folder of this name.
///
/// # Errors
/// The first rule that it breaks. Fields that the specification does not know may have any value.
pub fn check(fields: &Map<String, Value>, folder: &str) -> Result<(), SkillError> {
    let name = text(fields, "name")?.ok_or(SkillError::Missing("name"))?;
    if !is_name(name) {
        return Err(SkillError::Name(name.to_owned()));
    }
    if name != folder {
        return Err(SkillError::OtherFolder { name: name.to_owned(), folder: folder.to_owned() });
    }
    let description = text(fields, "description")?.ok_or(SkillError::Missing("description"))?;
    check_length("description", description, DESCRIPTION_LENGTH)?;
    text(fields, "license")?;
    if let Some(compatibility) = text(fields, "compatibility")? {
        check_length("compatibility", compatibility, COMPATIBILITY_LENGTH)?;
    }
    match fields.get("metadata") {
        Some(Value::Object(metadata)) if metadata.values().all(Value::is_string) => Ok(()),
        Some(_) => Err(SkillError::Metadata),
        None => Ok(()),
    }
}

/// The text of a field, if it is there.
fn text<'f>(fields: &'f Map<String, Value>, field: &'static str) -> Result<Option<&'f str>, SkillError> {
    fields.get(field).map(|value| value.as_str().ok_or(SkillError::NoText(field))).transpose()
}

/// Characters are code points, as hosts count them.
fn check_length(field: &'static str, text: &str, limit: usize) -> Result<(), SkillError> {
    match text.chars().count() {
        _ if text.trim().is_empty() => Err(SkillError::Empty(field)),
        length if length > limit => Err(SkillError::TooLong { field, length, limit }),
        _ => Ok(()),
    }
}

/// Words of lower-case letters and digits, with a hyphen between two of them. The name is a segment of URIs, too.
fn is_name(name: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    name.len() <= NAME_LENGTH && name.split('-').all(is_word)
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Checks front matter that is right but for these fields; `null` leaves one out.
    fn with(changes: Value) -> Result<(), SkillError> {
        let mut fields = Map::new();
        fields.insert("name".to_owned(), json!("set-up"));
        fields.insert("description".to_owned(), json!("Sets up."));
        let Value::Object(changes) = changes else { panic!("{changes}") };
        for (key, value) in changes {
            if value.is_null() {
                fields.remove(&key)
            } else {
                fields.insert(key, value)
            };
        }
        check(&fields, "set-up")
    }

    #[test]
    fn name_and_description_suffice_and_all_else_passes() {
        assert_eq!(with(json!({})), Ok(()));
        let all = json!({
            "license": "Apache-2.0", "compatibility": "x".repeat(500), "metadata": {"version": "1"},
            "allowed-tools": ["Read"], "model": 3, "description": "ä".repeat(1024),
        });
        assert_eq!(with(all), Ok(()));
    }

    #[test]
    fn a_name_is_that_of_the_folder_in_lower_case_words() {
        assert_eq!(with(json!({"name": null})), Err(SkillError::Missing("name")));
        assert_eq!(with(json!({"name": 1})), Err(SkillError::NoText("name")));
        for name in ["", "Set-up", "set_up", "-set", "set-", "set--up", "sét", "a/b", ".", &"a".repeat(65)] {
            assert_eq!(with(json!({"name": name})), Err(SkillError::Name(name.to_owned())));
        }
        for name in ["a", "a1-2b", &"a".repeat(64)] {
            let folder = "set-up".to_owned();
            assert_eq!(with(json!({"name": name})), Err(SkillError::OtherFolder { name: name.to_owned(), folder }));
        }
    }

    #[test]
    fn fields_have_the_lengths_and_types_that_hosts_check() {
        assert_eq!(with(json!({"description": null})), Err(SkillError::Missing("description")));
        assert_eq!(with(json!({"description": ["x"]})), Err(SkillError::NoText("description")));
        assert_eq!(with(json!({"description": " \n"})), Err(SkillError::Empty("description")));
        let long = |field, limit: usize| Err(SkillError::TooLong { field, length: limit + 1, limit });
        assert_eq!(with(json!({"description": "ä".repeat(1025)})), long("description", 1024));
        assert_eq!(with(json!({"compatibility": "x".repeat(501)})), long("compatibility", 500));
        assert_eq!(with(json!({"compatibility": ""})), Err(SkillError::Empty("compatibility")));
        assert_eq!(with(json!({"license": true})), Err(SkillError::NoText("license")));
        for metadata in [json!("x"), json!(["x"]), json!({"version": 1.5}), json!({"a": {"b": "c"}})] {
            assert_eq!(with(json!({"metadata": metadata})), Err(SkillError::Metadata));
        }
    }
}
