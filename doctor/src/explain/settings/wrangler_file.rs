//! The variables of a Worker's configuration, `wrangler.toml` or `wrangler.jsonc`.

use serde_json::{Map, Value};

/// The names of the file, in the order in which wrangler looks for it (its documentation, "Configuration").
pub const FILE_NAMES: [&str; 3] = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/// Why the variables cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WranglerFileError {
    /// The file is not TOML.
    #[error("{0} is not TOML: {1}")]
    NotToml(String, String),
    /// The file is not JSON with comments.
    #[error("{0} is not JSON with comments: {1}")]
    NotJsonc(String, String),
    /// The file has no such environment.
    #[error("{0} has no environment {1:?}; it has {2}")]
    NoSuchEnvironment(String, String, String),
}

/// The variables, each as the Worker gets it: those at the top, or those of an environment. The end of the name says how
/// the text is read: `.json` and `.jsonc` as JSON with comments, everything else as TOML.
///
/// # Errors
/// [`WranglerFileError`] if the text cannot be read, or has no such environment.
pub fn variables(name: &str, text: &str, env: Option<&str>) -> Result<Vec<(String, String)>, WranglerFileError> {
    let is_json = [".json", ".jsonc"].iter().any(|end| name.to_ascii_lowercase().ends_with(end));
    let file = if is_json { jsonc(name, text)? } else { toml(name, text)? };
    Ok(vars(name, file, env)?.into_iter().map(|(setting, value)| (setting, as_text(value))).collect())
}

fn toml(name: &str, text: &str) -> Result<Map<String, Value>, WranglerFileError> {
    toml::from_str(text).map_err(|error| {
        // Without the excerpt of the file, which may have secrets.
        let at = error.span().map_or(0, |span| text.get(..span.start).unwrap_or_default().matches('\n').count());
        WranglerFileError::NotToml(name.to_owned(), format!("line {}: {}", at + 1, error.message()))
    })
}

/// Comments and commas at the end are allowed, as wrangler does; nothing else that is not JSON.
fn jsonc(name: &str, text: &str) -> Result<Map<String, Value>, WranglerFileError> {
    let options = jsonc_parser::ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let problem = |text: String| WranglerFileError::NotJsonc(name.to_owned(), text);
    // Likewise without an excerpt.
    let value = jsonc_parser::parse_to_serde_value(text, &options)
        .map_err(|error| problem(format!("line {}: {}", error.line_display(), error.kind())))?;
    match value {
        Value::Object(file) => Ok(file),
        _ => Err(problem("it is no object".to_owned())),
    }
}

/// `vars`, or `env.<name>.vars`: an environment inherits no variables (wrangler's documentation, "Environments").
fn vars(name: &str, mut file: Map<String, Value>, env: Option<&str>) -> Result<Map<String, Value>, WranglerFileError> {
    let table = |value: Option<Value>| match value {
        Some(Value::Object(table)) => table,
        _ => Map::new(),
    };
    let Some(env) = env else { return Ok(table(file.remove("vars"))) };
    let mut environments = table(file.remove("env"));
    if !environments.contains_key(env) {
        let known: Vec<_> = environments.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(WranglerFileError::NoSuchEnvironment(name.to_owned(), env.to_owned(), known));
    }
    Ok(table(table(environments.remove(env)).remove("vars")))
}

/// A variable as the Worker gets it: other values than strings as JSON.
fn as_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str =
        "[vars]\nA = 'b'\nN = 1\nLIST = [{ a = 'https://h' }]\n[env.staging.vars]\nA = 'c'\n[env.bare]\n";
    const JSONC: &str = r#"{
        // The settings.
        "vars": { "A": "b", "N": 1, "LIST": [{ "a": "https://h" }], /* the last */ },
        "env": { "staging": { "vars": { "A": "c" } }, "bare": {} },
    }"#;

    #[test]
    fn both_forms_have_the_same_variables() {
        let sorted = |name, text, env| {
            let mut found = variables(name, text, env).unwrap();
            found.sort();
            found
        };
        let expected = [("A", "b"), ("LIST", r#"[{"a":"https://h"}]"#), ("N", "1")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for (name, text) in [("wrangler.toml", TOML), ("a/wrangler.jsonc", JSONC), ("W.JSON", JSONC)] {
            assert_eq!(sorted(name, text, None), expected, "{name}");
            assert_eq!(sorted(name, text, Some("staging")), [("A".to_owned(), "c".to_owned())], "{name}");
            assert_eq!(sorted(name, text, Some("bare")), [], "{name}");
            let error = variables(name, text, Some("prod")).unwrap_err().to_string();
            assert!(error.ends_with("has no environment \"prod\"; it has bare, staging"), "{error}");
        }
    }

    #[test]
    fn what_is_not_json_with_comments_is_named_without_an_excerpt() {
        for (text, problem) in [
            ("{\n  \"vars\": {\n    \"A\": 's3cret' } }", "line 3: Single-quoted strings are not allowed"),
            ("{\n  vars: {} }", "line 2: "),
            ("{ \"vars\": \n{ \"A\": \"s3cret\"", "line 2: "),
            ("\"s3cret\"", "it is no object"),
            ("", "it is no object"),
        ] {
            let error = variables("w.jsonc", text, None).unwrap_err().to_string();
            let expected = format!("w.jsonc is not JSON with comments: {problem}");
            assert!(error.starts_with(&expected) && !error.contains("s3cret"), "{text}: {error}");
        }
    }
}
