//! Where the settings of a deployment are: `[vars]` of `wrangler.toml`, `.dev.vars`, the environment, and `--set`.

use serde_json::{Map, Value};

use super::{
    dev_vars,
    values::{NAMES, Source, Values},
};

/// What settings are read from, each in place of those before it.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The text of `wrangler.toml`, with its name.
    pub wrangler: Option<(String, String)>,
    /// `--env`: an environment of `wrangler.toml`.
    pub env: Option<String>,
    /// The text of `.dev.vars`, with its name. Only `wrangler dev` reads it.
    pub dev_vars: Option<(String, String)>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// `--set`.
    pub set: Vec<(String, String)>,
}

/// Why the settings cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourcesError {
    /// `wrangler.toml` is not TOML.
    #[error("{0} is not TOML: {1}")]
    NotToml(String, String),
    /// `wrangler.toml` has no such environment.
    #[error("{0} has no environment {1:?}; it has {2}")]
    NoSuchEnvironment(String, String, String),
    /// `--set` names no setting.
    #[error("--set {0}: is not one of the settings that decide about tokens: {list}", list = NAMES.join(", "))]
    UnknownSetting(String),
}

impl Sources {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`SourcesError`] if `wrangler.toml` cannot be read, or `--set` names no setting.
    pub fn read(&self) -> Result<Values, SourcesError> {
        let mut values = Values::default();
        if let Some((name, text)) = &self.wrangler {
            let source = match &self.env {
                None => Source::File(name.clone()),
                Some(env) => Source::File(format!("{name}, environment {env}")),
            };
            for (setting, value) in variables(name, text, self.env.as_deref())? {
                values.set(&setting, value, source.clone());
            }
        }
        if let Some((name, text)) = &self.dev_vars {
            for (setting, value) in dev_vars::parse(text) {
                values.set(&setting, value, Source::File(name.clone()));
            }
        }
        // Many systems cannot unset a variable, and set it to the empty string instead.
        for (setting, value) in self.environment.iter().filter(|(_, value)| !value.trim().is_empty()) {
            values.set(setting, value, Source::Environment);
        }
        for (setting, value) in &self.set {
            if !NAMES.contains(&setting.as_str()) {
                return Err(SourcesError::UnknownSetting(setting.clone()));
            }
            values.set(setting, value, Source::CommandLine);
        }
        Ok(values)
    }
}

/// The variables of a `wrangler.toml`, each as the Worker gets it: `[vars]`, or those of an environment.
///
/// # Errors
/// [`SourcesError`] if the text is not TOML, or has no such environment.
pub fn variables(name: &str, text: &str, env: Option<&str>) -> Result<Vec<(String, String)>, SourcesError> {
    Ok(vars(name, text, env)?.into_iter().map(|(setting, value)| (setting, as_text(value))).collect())
}

/// `[vars]`, or `[env.<name>.vars]`: an environment inherits no variables (wrangler's documentation, "Environments").
fn vars(name: &str, text: &str, env: Option<&str>) -> Result<Map<String, Value>, SourcesError> {
    let mut file: Map<String, Value> = toml::from_str(text).map_err(|error| {
        // Without the excerpt of the file, which may have secrets.
        let at = error.span().map_or(0, |span| text.get(..span.start).unwrap_or_default().matches('\n').count());
        SourcesError::NotToml(name.to_owned(), format!("line {}: {}", at + 1, error.message()))
    })?;
    let table = |value: Option<Value>| match value {
        Some(Value::Object(table)) => table,
        _ => Map::new(),
    };
    let Some(env) = env else { return Ok(table(file.remove("vars"))) };
    let mut environments = table(file.remove("env"));
    if !environments.contains_key(env) {
        let known: Vec<_> = environments.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(SourcesError::NoSuchEnvironment(name.to_owned(), env.to_owned(), known));
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
