//! `REGISTRY_*`, `SERVER_CARD` and `OPENAI_APPS_CHALLENGE`: entries in the MCP registry and in directories.

use mcp_edge_runtime::settings::Reader;

use crate::documents::registry::{self, RegistryEntry, ServerName};

/// Reads `REGISTRY_NAME` and what belongs to it.
pub(super) fn registry_entry(reader: &mut Reader<'_>) -> Option<RegistryEntry> {
    let name = reader.text("REGISTRY_NAME")?;
    let (title, description) = (reader.text("RESOURCE_NAME"), reader.text("RESOURCE_DESCRIPTION"));
    let version = reader.text("REGISTRY_VERSION");
    if description.is_none() {
        reader.error(
            "REGISTRY_NAME needs RESOURCE_DESCRIPTION: the registry lists no server without saying what it is for",
        );
    }
    for (setting, text) in [("RESOURCE_NAME", &title), ("RESOURCE_DESCRIPTION", &description)] {
        if text.as_ref().is_some_and(|text| text.chars().count() > registry::MAX_TEXT_CHARACTERS) {
            reader.error(format!(
                "{setting} must have at most {} characters to be listed under REGISTRY_NAME",
                registry::MAX_TEXT_CHARACTERS
            ));
        }
    }
    if let Some(version) = version.as_ref().filter(|version| !registry::is_version(version)) {
        reader.wrong_value("REGISTRY_VERSION", version, "must be one version such as 1.0.0, no range");
    }
    let parsed = ServerName::parse(&name);
    if parsed.is_none() {
        reader.error(format!(
            "REGISTRY_NAME = {name:?} must be your domain backwards, a slash, and a name (letters, digits, `.`, `_` and \
             `-`), for example com.example/whoami"
        ));
    }
    Some(RegistryEntry { name: parsed?, description: description?, version })
}

/// Reads `REGISTRY_AUTH`.
pub(super) fn registry_proof(reader: &mut Reader<'_>) -> Option<String> {
    let proof = reader.text("REGISTRY_AUTH")?;
    if !registry::is_proof(&proof) {
        // Not repeated: it may be the private key.
        reader.error(
            "REGISTRY_AUTH must be \"v=MCPv1; k=ed25519; p=…\" with the public key (32 bytes) in base64, or \
             \"v=MCPv1; k=ecdsap384; p=…\" with the compressed one (49 bytes)",
        );
    }
    Some(proof)
}

/// Far more than the tokens of the portal have.
const MAX_CHALLENGE_BYTES: usize = 512;

/// Reads `OPENAI_APPS_CHALLENGE`.
pub(super) fn openai_apps_challenge(reader: &mut Reader<'_>) -> Option<String> {
    let token = reader.text("OPENAI_APPS_CHALLENGE")?;
    if token.len() > MAX_CHALLENGE_BYTES || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        reader.error("OPENAI_APPS_CHALLENGE must be the token that OpenAI's portal shows, without anything around it");
    }
    Some(token)
}

/// Reads `SERVER_CARD`.
pub(super) fn server_card(reader: &mut Reader<'_>) -> bool {
    let wanted = reader.flag("SERVER_CARD", false);
    if wanted && reader.text("REGISTRY_NAME").is_none() {
        reader.error("SERVER_CARD requires REGISTRY_NAME: the card contains that name");
    }
    wanted
}
