//! The settings of a gateway, as far as its upstream shows what they do.

use super::access_table::{AccessTable, Names};
use crate::{
    explain::settings::wrangler_file::{WranglerFileError, variables},
    mcp::List,
};

/// What the gateway shows the upstream (`UPSTREAM_AUTH`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpstreamAuth {
    /// Assertions that it signs.
    Assertion,
    /// Each user's own token of the upstream.
    Connection,
    /// A static header.
    Secret,
    /// Nothing.
    Nothing,
}

/// The settings of a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewaySettings {
    /// The name of the file.
    pub file: String,
    /// `UPSTREAM_AUTH`. `None` if it has no value that counts.
    pub auth: Option<UpstreamAuth>,
    /// `UPSTREAM_AUDIENCE`.
    pub audience: Option<String>,
    /// Whether `TOOL_PINS` is set.
    pub has_pins: bool,
    tables: [(&'static str, Result<AccessTable, String>); 3],
}

impl GatewaySettings {
    /// Reads the variables of a `wrangler.toml` or `wrangler.jsonc`, or those of one of its environments. Secrets are not there, and not read.
    ///
    /// # Errors
    /// [`WranglerFileError`] if the file cannot be read, or has no such environment.
    pub fn read(file: &str, text: &str, env: Option<&str>) -> Result<Self, WranglerFileError> {
        let variables = variables(file, text, env)?;
        let of = |name: &str| {
            let value = variables.iter().find(|(it, _)| it == name).map(|(_, value)| value.trim());
            value.filter(|value| !value.is_empty())
        };
        let auth = match of("UPSTREAM_AUTH") {
            None | Some("assertion") => Some(UpstreamAuth::Assertion),
            Some("connection") => Some(UpstreamAuth::Connection),
            Some("secret") => Some(UpstreamAuth::Secret),
            Some("none") => Some(UpstreamAuth::Nothing),
            Some(_) => None,
        };
        let table = |name, names| (name, AccessTable::parse(of(name).unwrap_or_default(), names));
        Ok(Self {
            file: file.to_owned(),
            auth,
            audience: of("UPSTREAM_AUDIENCE").map(str::to_owned),
            has_pins: of("TOOL_PINS").is_some(),
            tables: [
                table("TOOL_SCOPES", Names::Plain),
                table("PROMPT_SCOPES", Names::Plain),
                table("RESOURCE_SCOPES", Names::Uris),
            ],
        })
    }

    /// The tables, each with the name of its setting; for one that is wrong, what is wrong with it.
    pub fn tables(&self) -> &[(&'static str, Result<AccessTable, String>)] {
        &self.tables
    }

    /// The table for the entries of a list. `None` if it is wrong.
    #[must_use]
    pub fn table(&self, list: List) -> Option<&AccessTable> {
        let [tools, prompts, resources] = &self.tables;
        let (_, table) = match list {
            List::Tools => tools,
            List::Prompts => prompts,
            List::Resources | List::ResourceTemplates => resources,
        };
        table.as_ref().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::access_table::Found;

    const FILE: &str = r#"
        [vars]
        TOOL_SCOPES = """
          search*=docs:read
          *=deny"""
        PROMPT_SCOPES = "a"
        UPSTREAM_SECRET = "abc"
        [env.staging.vars]
        UPSTREAM_AUTH = "secret"
        UPSTREAM_AUDIENCE = " urn:docs "
        TOOL_PINS = "a=b"
    "#;

    #[test]
    fn settings_are_read_without_secrets() {
        let it = GatewaySettings::read("wrangler.toml", FILE, None).unwrap();
        assert_eq!((it.auth, it.audience.as_deref(), it.has_pins), (Some(UpstreamAuth::Assertion), None, false));
        let table = it.table(List::Tools).unwrap();
        assert!(matches!(table.find("search_all"), Found::Rule(rule) if rule.needs == ["docs:read"]));
        assert!(it.table(List::Prompts).is_none() && it.table(List::ResourceTemplates).is_some());
        assert!(!format!("{it:?}").contains("abc"));
    }

    #[test]
    fn an_environment_has_settings_of_its_own() {
        let it = GatewaySettings::read("wrangler.toml", FILE, Some("staging")).unwrap();
        assert_eq!((it.auth, it.audience.as_deref()), (Some(UpstreamAuth::Secret), Some("urn:docs")));
        assert!(it.has_pins && it.table(List::Tools).unwrap().rules().is_empty());
        assert!(GatewaySettings::read("wrangler.toml", FILE, Some("production")).is_err());
        assert!(GatewaySettings::read("wrangler.toml", "vars", None).is_err());
    }
}
