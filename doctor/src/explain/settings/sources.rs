//! Where the settings of a deployment are: the variables of `wrangler.jsonc` or `wrangler.toml`, `.dev.vars`, the environment, and `--set`.

use super::{
    dev_vars,
    values::{NAMES, Source, Values},
    wrangler_file::{WranglerFileError, variables},
};

/// What settings are read from, each in place of those before it.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The text of `wrangler.jsonc` or `wrangler.toml`, with its name.
    pub wrangler: Option<(String, String)>,
    /// `--env`: an environment of it.
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
    /// The file of wrangler cannot be read.
    #[error("{0}")]
    WranglerFile(#[from] WranglerFileError),
    /// `--set` names no setting.
    #[error("--set {0}: is not one of the settings that decide about tokens: {list}", list = NAMES.join(", "))]
    UnknownSetting(String),
}

impl Sources {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`SourcesError`] if the file of wrangler cannot be read, or `--set` names no setting.
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
