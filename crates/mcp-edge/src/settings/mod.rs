//! Settings of an MCP server: parsing and validation. All errors are reported together, each with its fix.
//!
//! The caller provides the strings (at the edge: `[vars]` of `wrangler.toml` and secrets). Their names and meaning are
//! documented there and in docs/settings.md.

mod access_keys;
mod connections;
mod gateway;
mod listing;
mod page;
mod step_up;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use mcp_edge_gateway::settings::GatewaySettings;
use mcp_edge_identity::Scopes;
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

pub use access_keys::{AccessKeySettings, PAGES_BINDING};
pub use page::PageSettings;
pub use step_up::StepUp;

use crate::documents::registry::RegistryEntry;

/// The settings of an MCP server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The canonical URL of the MCP endpoint.
    pub resource: Resource,
    /// Trusted issuers and clients, and the rules for tokens.
    pub trust: Rc<TrustPolicy>,
    /// Members of the metadata document for display.
    pub display: DisplayMetadata,
    /// Browser origins that may call the endpoint.
    pub origins: Origins,
    /// A description of the server in one sentence.
    pub description: Option<String>,
    /// URL of the server's logo.
    pub logo: Option<String>,
    /// The entry in the MCP registry.
    pub registry_entry: Option<RegistryEntry>,
    /// The proof of ownership for the MCP registry.
    pub registry_proof: Option<String>,
    /// The token of `OpenAI`'s portal, with which it verifies who controls the host.
    pub openai_apps_challenge: Option<String>,
    /// How clients learn that a tool needs further scopes.
    pub step_up: StepUp,
    /// Whether the server card is published; requires `registry_entry`.
    pub server_card: bool,
    /// The mirror of the provider's discovery document, if it is enabled.
    pub mirror: Option<Mirror>,
    /// The page at `/`.
    pub page: PageSettings,
    /// What is logged.
    pub log: LogSettings,
    /// Seals the `requestState` of tools that ask for input in several rounds; at least 32 characters.
    pub state_secret: Option<Secret>,
    /// The gateway, if there is one.
    pub gateway: Option<GatewaySettings>,
    /// Credentials other than access tokens.
    pub access_keys: AccessKeySettings,
}

impl Settings {
    /// Reads and checks all settings. `get` returns the text under a name, or `None`.
    ///
    /// # Errors
    /// Every error that was found.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        Self::parse_bound(get, |_| false)
    }

    /// The same where services may be bound in place of settings: `is_bound` says whether one is bound to a name.
    ///
    /// # Errors
    /// Every error that was found.
    pub fn parse_bound(
        get: impl Fn(&str) -> Option<String>,
        is_bound: impl Fn(&str) -> bool,
    ) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(&get);
        let ResourceServerSettings { resource, trust, display } = ResourceServerSettings::read(&mut reader);
        let gateway = gateway::read(&mut reader, &resource, &trust, &is_bound);
        let access_keys = access_keys::read(&mut reader, &resource, &trust, &is_bound);
        let settings = Self {
            gateway,
            access_keys,
            resource,
            trust,
            display,
            origins: origins(&mut reader),
            description: reader.text("RESOURCE_DESCRIPTION"),
            logo: reader.url("LOGO"),
            registry_entry: listing::registry_entry(&mut reader),
            registry_proof: listing::registry_proof(&mut reader),
            openai_apps_challenge: listing::openai_apps_challenge(&mut reader),
            step_up: StepUp::read(&mut reader),
            server_card: listing::server_card(&mut reader),
            mirror: mirror(&mut reader),
            page: page::read(&mut reader),
            log: LogSettings::read(&mut reader),
            state_secret: state_secret(&mut reader),
        };
        reader.finish(settings)
    }

    /// Checks the names of the scopes that tools, resources and prompts need. One that begins with `SCOPE_PREFIX` could
    /// never be granted, because the prefix is taken off the scopes of tokens.
    ///
    /// # Errors
    /// One sentence with the first such scope.
    pub fn check_scopes(&self, needed: &Scopes) -> Result<(), String> {
        match needed.iter().find(|scope| self.trust.scope_prefix.short(scope).is_some()) {
            None => Ok(()),
            Some(scope) => Err(["the scope ", scope, " of the tools must be named without SCOPE_PREFIX"].concat()),
        }
    }
}

fn origins(reader: &mut Reader<'_>) -> Origins {
    let words = reader.words("ALLOWED_ORIGINS");
    if words == ["*"] {
        return Origins::Any;
    }
    for word in &words {
        let (scheme, rest) = word.split_once("://").unwrap_or_default();
        let is_lower_case = word.bytes().all(|byte| !byte.is_ascii_uppercase());
        if EXTENSION_SCHEMES.contains(&scheme) {
            let is_id = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            // Safari writes its ids in upper case.
            if !is_id || !(is_lower_case || scheme == "safari-web-extension") {
                reader.error(format!(
                    "ALLOWED_ORIGINS: {word:?} must be the origin of one browser extension, {scheme}:// and its id as \
                     the browser sends it in Origin (for example chrome-extension://nmmhkkegccagdldgiimedpiccmgmieda; no \
                     path, no slash at the end)"
                ));
            }
            continue;
        }
        let is_origin = (matches!(scheme, "https" | "http") || APP_SCHEMES.contains(&scheme))
            && !rest.is_empty()
            && !rest.contains(['/', '?', '#', '@', '*'])
            && is_lower_case;
        if !is_origin {
            reader.wrong_entry(
                "ALLOWED_ORIGINS",
                word,
                "must be an origin such as https://app.example.com (lower case, no path, no slash at the end), or the \
                 whole setting \"*\"",
            );
        }
    }
    Origins::Listed(words)
}

/// The schemes of the origins of applications whose pages come from their own files: Tauri (macOS, Linux, iOS), Capacitor and
/// Ionic (iOS), Electron by its convention, webviews of VS Code. An unknown scheme is an error, because it may be a misspelt
/// one.
const APP_SCHEMES: [&str; 5] = ["tauri", "capacitor", "ionic", "app", "vscode-webview"];

/// The schemes of origins of browser extensions: in Chromium (also Edge, Opera, Brave), Firefox, Safari.
const EXTENSION_SCHEMES: [&str; 3] = ["chrome-extension", "moz-extension", "safari-web-extension"];

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
            "REGISTRATION_ENDPOINT needs AUTHORIZATION_SERVER_MIRROR = \"true\": it is shown in the mirror and nowhere else",
        );
    }
    wanted.then_some(Mirror { registration_endpoint })
}
