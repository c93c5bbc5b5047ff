//! The strings of the settings, each with where it is from.

use std::collections::BTreeMap;

/// Where a setting is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file, by its name as the operator would write it.
    File(String),
    /// An environment variable.
    Environment,
    /// `--set`.
    CommandLine,
}

impl std::fmt::Display for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::File(name) => name,
            Self::Environment => "the environment",
            Self::CommandLine => "--set",
        })
    }
}

/// The settings that decide about tokens. Others are not read, so that no secret is.
pub const NAMES: [&str; 27] = [
    "ISSUER",
    "RESOURCE",
    "AUDIENCE",
    "PROVIDER",
    "TOKEN_TYPES",
    "CLIENT_ID_CLAIMS",
    "SCOPE_CLAIMS",
    "ORGANIZATION_CLAIM",
    "USER_BY_SUBJECT",
    "DISCOVERY_URL",
    "JWKS_URL",
    "INTROSPECTION_URL",
    "SCOPE_PREFIX",
    "ALLOWED_TENANTS",
    "ALLOWED_ORGANIZATIONS",
    "REQUIRED_SCOPES",
    "SCOPE_HIERARCHY",
    "CLAIM_SCOPES",
    "ALLOWED_CLIENTS",
    "DENIED_CLIENTS",
    "FIRST_PARTY_CLIENTS",
    "DENIED_KEYS",
    "DENIED_ISSUED_BEFORE",
    "OPAQUE_TOKEN_CLIENTS",
    "OPAQUE_TOKEN_CHECK",
    "OPAQUE_TOKEN_SECONDS",
    "MORE_ISSUERS",
];

/// The strings of the settings.
#[derive(Debug, Clone, Default)]
pub struct Values(BTreeMap<&'static str, (String, Source)>);

impl Values {
    /// Sets a setting, in place of what it was. Others than [`NAMES`] are left out.
    pub fn set(&mut self, name: &str, value: impl Into<String>, source: Source) {
        if let Some(name) = NAMES.into_iter().find(|known| *known == name) {
            self.0.insert(name, (value.into(), source));
        }
    }

    /// A setting without the space around it. `None` if it is not set, or empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|(value, _)| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A list, separated by spaces. Empty if it is not set.
    #[must_use]
    pub fn words(&self, name: &str) -> Vec<String> {
        self.text(name).unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect()
    }

    /// The sources, each with the settings that are from it, in the order of [`NAMES`].
    #[must_use]
    pub fn sources(&self) -> Vec<(Source, Vec<&'static str>)> {
        let mut sources: Vec<(Source, Vec<&'static str>)> = Vec::new();
        for name in NAMES {
            let Some((value, source)) = self.0.get(name) else { continue };
            if value.trim().is_empty() {
                continue;
            }
            match sources.iter_mut().find(|(known, _)| known == source) {
                Some((_, names)) => names.push(name),
                None => sources.push((source.clone(), vec![name])),
            }
        }
        sources
    }
}
