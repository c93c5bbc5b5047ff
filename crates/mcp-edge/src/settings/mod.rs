//! Settings of an MCP server: named strings in, a checked [`Settings`] out. Every error says how to fix it; all are found
//! at once.
//!
//! The caller provides the strings (at the edge: `[vars]` of `wrangler.toml` and secrets). Their names and meaning are
//! documented there and in the README.

pub mod color;
mod listing;
mod page;
#[cfg(test)]
mod tests;

use mcp_edge_oauth::{
    mirror::Mirror,
    resource_server::TrustPolicy,
    settings::{DisplayMetadata, Resource, ResourceServerSettings},
};
use mcp_edge_runtime::{
    cors::Origins,
    log::LogSettings,
    secret::Secret,
    settings::{Reader, SettingsError},
};

pub use page::PageSettings;

use crate::documents::registry::RegistryEntry;

/// Everything an operator decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The canonical URL of the MCP endpoint.
    pub resource: Resource,
    /// Whom to trust.
    pub trust: TrustPolicy,
    /// What the metadata document says for display.
    pub display: DisplayMetadata,
    /// Browser origins that may call the endpoint.
    pub origins: Origins,
    /// What the server is for, in a sentence.
    pub description: Option<String>,
    /// URL of the server's logo.
    pub logo: Option<String>,
    /// How the server is listed in the MCP registry, if it is.
    pub registry_entry: Option<RegistryEntry>,
    /// The proof for the registry that the name is ours.
    pub registry_proof: Option<String>,
    /// Whether the experimental server card is published; there is a registry entry then.
    pub server_card: bool,
    /// Whether the provider's discovery document is served on our origin, and how.
    pub mirror: Option<Mirror>,
    /// The page at `/`.
    pub page: PageSettings,
    /// What is logged.
    pub log: LogSettings,
    /// Seals the `requestState` of tools that ask for input in several rounds; at least 32 characters.
    pub state_secret: Option<Secret>,
}

impl Settings {
    /// Reads and checks all settings. `get` returns the text under a name, or `None`.
    ///
    /// # Errors
    /// Every error that was found.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(&get);
        let ResourceServerSettings { resource, trust, display } = ResourceServerSettings::read(&mut reader);
        let settings = Self {
            resource,
            trust,
            display,
            origins: origins(&mut reader),
            description: reader.text("RESOURCE_DESCRIPTION"),
            logo: reader.url("LOGO"),
            registry_entry: listing::registry_entry(&mut reader),
            registry_proof: listing::registry_proof(&mut reader),
            server_card: listing::server_card(&mut reader),
            mirror: mirror(&mut reader),
            page: page::read(&mut reader),
            log: LogSettings::read(&mut reader),
            state_secret: state_secret(&mut reader),
        };
        reader.finish(settings)
    }
}

fn origins(reader: &mut Reader<'_>) -> Origins {
    let words = reader.words("ALLOWED_ORIGINS");
    if words == ["*"] {
        return Origins::Any;
    }
    for word in &words {
        let is_origin = word.split_once("://").is_some_and(|(scheme, rest)| {
            matches!(scheme, "https" | "http") && !rest.is_empty() && !rest.contains(['/', '?', '#', '@', '*'])
        });
        if !is_origin || *word != word.to_ascii_lowercase() {
            reader.error(format!(
                "ALLOWED_ORIGINS: {word:?} must be an origin such as https://app.example.com (lower case, no path, no \
                 slash at the end), or the whole setting \"*\""
            ));
        }
    }
    Origins::Listed(words)
}

fn state_secret(reader: &mut Reader<'_>) -> Option<Secret> {
    let secret = reader.secret("STATE_SECRET")?;
    if secret.expose().len() < 32 {
        reader.error("STATE_SECRET must have at least 32 characters, for example from `openssl rand -base64 32`");
    }
    Some(secret)
}

fn mirror(reader: &mut Reader<'_>) -> Option<Mirror> {
    let wanted = reader.flag("AUTHORIZATION_SERVER_MIRROR", false);
    let registration_endpoint = reader.url("REGISTRATION_ENDPOINT");
    if registration_endpoint.is_some() && !wanted {
        reader.error(
            "REGISTRATION_ENDPOINT needs AUTHORIZATION_SERVER_MIRROR = \"true\": it is shown in the mirror and nowhere else"
                .to_owned(),
        );
    }
    wanted.then_some(Mirror { registration_endpoint })
}
