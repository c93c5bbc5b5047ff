//! Published documents: metadata and manifests, without a token and the same for all readers.
//!
//! | module | what it contains |
//! |---|---|
//! | [`document`] | a document in memory, and the responses to requests for it |
//! | [`entity_tag`] | entity tags and `If-None-Match` |
//! | [`listing`] | catalogue entries: `server.json`, the server card |
//! | [`registry`] | an entry in the MCP registry, and its validation |
//!
//! [`Documents`] is the table of documents, created once per isolate. To add one, create a [`Document`] and add it with
//! [`Documents::publish`]. The path of the MCP endpoint is compared before the table, so no document can replace it.

pub mod document;
pub mod entity_tag;
pub mod listing;
pub mod registry;

use std::rc::Rc;

use document::Document;
use listing::Listings;

use crate::settings::Settings;
use mcp_edge_identity::Scopes;
use mcp_edge_oauth::{
    protected_resource::{ProtectedResource, WELL_KNOWN, advertisable},
    resource_server::TrustedIssuer,
};
use mcp_edge_runtime::json::to_json;

/// Server cards recommend an hour.
const CARD_CACHE_CONTROL: &str = "public, max-age=3600";

/// The documents by path.
#[derive(Debug, Default)]
pub struct Documents {
    /// About a dozen at most: comparing them one by one is faster than hashing the path.
    entries: Vec<Entry>,
}

/// A path and its document.
#[derive(Debug)]
pub struct Entry {
    path: String,
    /// The `route` of its requests in the log.
    pub route: &'static str,
    /// The document.
    pub document: Rc<Document>,
}

impl Documents {
    /// Creates the documents that the settings enable. `advertised` are all scopes that this server uses, `server_info` is
    /// [`Server::info`](mcp_edge_server::Server::info).
    #[must_use]
    pub fn new(settings: &Settings, advertised: &Scopes, server_info: &str) -> Self {
        let endpoint = &settings.resource.path;
        let mut documents = Self::default();
        let metadata = ProtectedResource {
            resource: &settings.resource.url,
            authorization_servers: settings.trust.issuers.iter().map(TrustedIssuer::authorization_server).collect(),
            scopes_supported: advertisable(advertised).collect(),
            bearer_methods_supported: ["header"],
            resource_name: settings.display.name.as_deref(),
            resource_documentation: settings.display.documentation.as_deref(),
            resource_policy_uri: settings.display.privacy_policy.as_deref(),
            resource_tos_uri: settings.display.terms_of_service.as_deref(),
        };
        let metadata = to_json(&metadata);
        let places = [WELL_KNOWN.to_owned(), format!("{WELL_KNOWN}{endpoint}")];
        documents.publish("metadata", places, Document::for_machines("application/json", metadata));
        if let Some(entry) = &settings.registry_entry {
            let Listings { server_json, card, catalogue } = Listings::new(entry, settings, server_info);
            let server_json = Document::for_machines("application/json", server_json);
            documents.publish("server_json", ["/server.json"], server_json);
            if settings.server_card {
                let card = discoverable(listing::CARD_TYPE, card);
                documents.publish("server_card", [listing::card_path(endpoint)], card);
                let catalogue = discoverable(listing::CATALOGUE_TYPE, catalogue);
                documents.publish("catalogue", ["/.well-known/ai-catalog.json"], catalogue);
            }
        }
        if let Some(proof) = &settings.registry_proof {
            let proof = Document::for_machines("text/plain", proof.clone());
            documents.publish("registry_proof", ["/.well-known/mcp-registry-auth"], proof);
        }
        if let Some(token) = &settings.openai_apps_challenge {
            let token = Document::for_machines("text/plain", token.clone());
            documents.publish("openai_apps_challenge", ["/.well-known/openai-apps-challenge"], token);
        }
        documents
    }

    /// Adds `document` at all of `paths`, each as it is in a request: with its slash, not decoded. A path that is in the
    /// table already keeps its document. `route` is the `route` of its requests in the log.
    pub fn publish(
        &mut self,
        route: &'static str,
        paths: impl IntoIterator<Item = impl Into<String>>,
        document: Document,
    ) {
        let document = Rc::new(document);
        let entries = paths.into_iter().map(|path| Entry { path: path.into(), route, document: Rc::clone(&document) });
        self.entries.extend(entries);
    }

    /// Returns the entry at `path`.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.path == path)
    }
}

/// Creates a document with the headers that server cards require.
fn discoverable(content_type: &'static str, body: String) -> Document {
    Document::for_machines(content_type, body)
        .with_header("access-control-allow-methods", "GET")
        .with_header("access-control-allow-headers", "Content-Type, If-None-Match")
        .with_header("cache-control", CARD_CACHE_CONTROL)
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_found_at_each_of_its_paths_and_nowhere_else() {
        let mut documents = Documents::default();
        documents.publish("one", ["/one", "/eins"], Document::for_machines("application/json", "1"));
        documents.publish("two", ["/two", "/one"], Document::for_machines("application/json", "2"));
        let route = |path| documents.find(path).map(|entry| entry.route);
        assert_eq!((route("/one"), route("/eins"), route("/two")), (Some("one"), Some("one"), Some("two")));
        for path in ["", "/", "/One", "/one/", "/one?x", "/%6fne"] {
            assert_eq!(route(path), None, "{path}");
        }
    }
}
