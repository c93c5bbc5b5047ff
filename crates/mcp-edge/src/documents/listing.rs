//! Catalogue entries: `server.json` of the MCP registry, the server card (SEP-2127), and the catalogue that
//! links to the card. They contain name and URL of the server; clients request its tools from the server itself.

use serde::Serialize;
use serde_json::Value;

use crate::{
    documents::registry::{MAX_TEXT_CHARACTERS, RegistryEntry},
    settings::Settings,
};
use mcp_edge_runtime::json::to_json;
use mcp_edge_server::Revision;

/// The media type of a server card.
pub const CARD_TYPE: &str = "application/mcp-server-card+json";

/// The media type of a catalogue.
pub const CATALOGUE_TYPE: &str = "application/ai-catalog+json";

const REGISTRY_SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";

const CARD_SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json";

/// The limit of the registry for the URL of an icon.
const MAX_ICON_BYTES: usize = 255;

/// The members of `server.json` and of a server card.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listing<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    description: &'a str,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    website_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icons: Option<[Icon<'a>; 1]>,
    remotes: [Remote<'a>; 1],
}

#[derive(Debug, Serialize)]
struct Icon<'a> {
    src: &'a str,
}

/// An endpoint. It has no member about `Authorization`: clients learn from the challenge how to sign in.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Remote<'a> {
    #[serde(rename = "type")]
    transport: &'static str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    supported_protocol_versions: Option<[&'static str; Revision::OF_STREAMABLE_HTTP.len()]>,
}

/// All entries as JSON.
#[derive(Debug)]
pub struct Listings {
    /// `server.json`, for `mcp-publisher`.
    pub server_json: String,
    /// The server card.
    pub card: String,
    /// The catalogue, whose only entry is the card.
    pub catalogue: String,
}

impl Listings {
    /// Creates the entries. Values that are not set come from `server_info`, which is
    /// [`Server::info`](mcp_edge_server::Server::info).
    #[must_use]
    pub fn new(entry: &RegistryEntry, settings: &Settings, server_info: &str) -> Self {
        let info: Value = serde_json::from_str(server_info).unwrap_or_default();
        let own = |member: &str| info[member].as_str();
        let is_short = |title: &&str| title.chars().count() <= MAX_TEXT_CHARACTERS;
        let is_icon = |src: &&str| src.starts_with("https://") && src.len() <= MAX_ICON_BYTES;
        let mut listing = Listing {
            schema: REGISTRY_SCHEMA,
            name: entry.name.as_str(),
            title: settings.display.name.as_deref().or(own("title")).filter(is_short),
            description: &entry.description,
            version: entry.version.as_deref().or(own("version")).unwrap_or_default(),
            website_url: settings.display.documentation.as_deref().or(own("websiteUrl")),
            icons: settings.logo.as_deref().filter(is_icon).map(|src| [Icon { src }]),
            remotes: [Remote {
                transport: "streamable-http",
                url: &settings.resource.url,
                supported_protocol_versions: None,
            }],
        };
        let server_json = to_json(&listing);
        listing.schema = CARD_SCHEMA;
        listing.remotes[0].supported_protocol_versions = Some(Revision::OF_STREAMABLE_HTTP.map(Revision::as_str));
        let card = to_json(&listing);
        // Name and resource need no escaping: they were validated when the settings were read.
        let catalogue = format!(
            r#"{{"specVersion":"1.0","entries":[{{"identifier":"{}","type":"{CARD_TYPE}","url":"{}{}"}}]}}"#,
            entry.name.urn(),
            settings.resource.origin,
            card_path(&settings.resource.path),
        );
        Self { server_json, card, catalogue }
    }
}

/// Returns the path of the card of the server whose path is `endpoint`.
#[must_use]
pub fn card_path(endpoint: &str) -> String {
    format!("{endpoint}/server-card")
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const INFO: &str = r#"{"name":"x","version":"0.1.0","title":"Program","websiteUrl":"https://program.example"}"#;

    fn listings(changes: &[(&str, &str)]) -> Listings {
        let minimal = [
            ("ISSUER", "https://tenant.logto.app/oidc"),
            ("RESOURCE", "https://mcp.example.com/mcp"),
            ("REGISTRY_NAME", "com.example/whoami"),
            ("RESOURCE_DESCRIPTION", "Shows the signed-in identity."),
        ];
        let settings = Settings::parse(|name| {
            let mut all = changes.iter().chain(&minimal);
            all.find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
        .unwrap();
        Listings::new(settings.registry_entry.as_ref().unwrap(), &settings, INFO)
    }

    fn json(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn values_that_are_not_set_come_from_the_program() {
        assert_eq!(
            json(&listings(&[]).server_json),
            json!({
                "$schema": REGISTRY_SCHEMA, "name": "com.example/whoami", "title": "Program",
                "description": "Shows the signed-in identity.", "version": "0.1.0",
                "websiteUrl": "https://program.example",
                "remotes": [{"type": "streamable-http", "url": "https://mcp.example.com/mcp"}],
            })
        );
    }

    #[test]
    fn settings_come_first() {
        let server = json(
            &listings(&[
                ("RESOURCE_NAME", "Who am I"),
                ("RESOURCE_DOCUMENTATION", "https://example.com/docs"),
                ("REGISTRY_VERSION", "2.0.0"),
                ("LOGO", "https://example.com/logo.png"),
            ])
            .server_json,
        );
        assert_eq!((&server["title"], &server["version"]), (&json!("Who am I"), &json!("2.0.0")));
        assert_eq!(server["websiteUrl"], "https://example.com/docs");
        assert_eq!(server["icons"], json!([{"src": "https://example.com/logo.png"}]));
    }

    #[test]
    fn an_icon_that_the_registry_refuses_is_left_out() {
        let long = format!("https://example.com/{}.png", "x".repeat(MAX_ICON_BYTES));
        for logo in ["http://localhost/logo.png", &long] {
            assert_eq!(json(&listings(&[("LOGO", logo)]).server_json).get("icons"), None, "{logo}");
        }
    }

    #[test]
    fn the_card_adds_the_supported_revisions() {
        let Listings { server_json, card, catalogue } = listings(&[]);
        let mut expected = json(&server_json);
        expected["$schema"] = CARD_SCHEMA.into();
        expected["remotes"][0]["supportedProtocolVersions"] =
            json!(["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"]);
        assert_eq!(json(&card), expected);
        assert_eq!(
            json(&catalogue),
            json!({"specVersion": "1.0", "entries": [{
                "identifier": "urn:air:example.com:mcp:whoami", "type": "application/mcp-server-card+json",
                "url": "https://mcp.example.com/mcp/server-card",
            }]})
        );
    }
}
