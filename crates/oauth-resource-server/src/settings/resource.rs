//! `RESOURCE`: the canonical URL of the endpoint (RFC 8707, RFC 9728).

use mcp_edge_runtime::{
    settings::{Reader, not_normalized},
    uri::split_origin,
};

use crate::protected_resource::WELL_KNOWN;

/// The URL of the endpoint, split into its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resource {
    /// As set.
    pub url: String,
    /// Scheme, host and port.
    pub origin: String,
    /// The endpoint's path, which begins with a slash and is longer than that.
    pub path: String,
}

impl Resource {
    /// URL of the path-inserted metadata document (RFC 9728 §3.1).
    #[must_use]
    pub fn metadata_url(&self) -> String {
        format!("{}{WELL_KNOWN}{}", self.origin, self.path)
    }
}

/// Reads `RESOURCE`.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Resource> {
    if reader.text("RESOURCE").is_none() {
        reader.error(
            "RESOURCE is not set: give the full URL of the MCP endpoint, for example https://mcp.example.com/mcp",
        );
        return None;
    }
    let url = reader.url("RESOURCE")?;
    if let Some(problem) = not_normalized(&url) {
        reader.error(format!("RESOURCE = {url:?} {problem}: clients send the normalized URL, and then it differs"));
        return None;
    }
    let (origin, path) = split_origin(&url);
    if path.len() < 2 || path.starts_with("/.well-known") {
        reader.error(format!(
            "RESOURCE = {url:?} must have a path, for example {origin}/mcp: clients add a slash to a URL without one, \
             and then audience and resource differ"
        ));
        return None;
    }
    Some(Resource { origin: origin.to_owned(), path: path.to_owned(), url })
}
