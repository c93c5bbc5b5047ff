//! Settings of a resource server: what it is called and whom it trusts.

mod credentials;
mod issuers;
mod provider;
mod provider_location;
mod resource;
mod scope_prefix;
mod tokens;

use std::rc::Rc;

use mcp_edge_identity::{Scopes, is_scope_token};
use mcp_edge_runtime::settings::Reader;

pub use credentials::{CredentialSettings, PAT_SECONDS, PersonalTokens};
pub use issuers::MAX_ISSUERS;
pub use resource::Resource;
pub use tokens::{OPAQUE_NEGATIVE_SECONDS, OPAQUE_SECONDS};

use crate::{
    client_policy::{ClientList, ClientPolicy},
    disclosure::Disclosure,
    resource_server::{TrustPolicy, TrustedIssuer},
    scope_hierarchy::Hierarchy,
};

/// What an operator decides about a resource server.
#[derive(Debug, Clone)]
pub struct ResourceServerSettings {
    /// The canonical URL of the endpoint.
    pub resource: Resource,
    /// Whom to trust. Shared with the resource server.
    pub trust: Rc<TrustPolicy>,
    /// What the metadata document says for display.
    pub display: DisplayMetadata,
}

/// The members of the metadata document that people read (RFC 9728 §2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DisplayMetadata {
    /// `resource_name`.
    pub name: Option<String>,
    /// `resource_documentation`.
    pub documentation: Option<String>,
    /// `resource_policy_uri`.
    pub privacy_policy: Option<String>,
    /// `resource_tos_uri`.
    pub terms_of_service: Option<String>,
}

impl ResourceServerSettings {
    /// Reads and checks these settings; errors are left in `reader`.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let resource = resource::read(reader);
        let trust = trust(reader, resource.as_ref());
        let display = DisplayMetadata {
            name: reader.text("RESOURCE_NAME"),
            documentation: reader.url("RESOURCE_DOCUMENTATION"),
            privacy_policy: reader.url("RESOURCE_POLICY_URI"),
            terms_of_service: reader.url("RESOURCE_TOS_URI"),
        };
        Self { resource: resource.unwrap_or_default(), trust: Rc::new(trust), display }
    }
}

fn trust(reader: &mut Reader<'_>, resource: Option<&Resource>) -> TrustPolicy {
    let issuers = issuers::read(reader, resource);
    TrustPolicy {
        organizations: organizations(reader, &issuers),
        issuers,
        required_scopes: scopes(reader, "REQUIRED_SCOPES"),
        scope_prefix: scope_prefix::read(reader),
        hierarchy: hierarchy(reader),
        disclosure: Disclosure::parse(&reader.text("CLAIM_SCOPES").unwrap_or_default()).unwrap_or_else(|entry| {
            reader.wrong_entry("CLAIM_SCOPES", &entry, "must have the form scope=claim,claim");
            Disclosure::default()
        }),
        clients: ClientPolicy {
            allowed: ClientList::parse(&reader.text("ALLOWED_CLIENTS").unwrap_or_default()),
            denied: ClientList::parse(&reader.text("DENIED_CLIENTS").unwrap_or_default()),
            first_party: ClientList::parse(&reader.text("FIRST_PARTY_CLIENTS").unwrap_or_default()),
        },
        opaque: tokens::opaque(reader),
        denied: tokens::denied(reader),
    }
}

fn scopes(reader: &mut Reader<'_>, name: &str) -> Scopes {
    let words = reader.words(name);
    if let Some(bad) = words.iter().find(|word| !is_scope_token(word)) {
        let problem = "is not a scope (RFC 6749 allows visible ASCII without quote and backslash)";
        reader.wrong_entry(name, bad, problem);
    }
    words.iter().map(String::as_str).collect()
}

/// The accepted organizations. A list that no token could satisfy is an error.
fn organizations(reader: &mut Reader<'_>, issuers: &[TrustedIssuer]) -> Vec<String> {
    let organizations = reader.words("ALLOWED_ORGANIZATIONS");
    if !organizations.is_empty() {
        for TrustedIssuer { issuer, profile, .. } in issuers {
            if profile.organization_claim.is_none() {
                reader.error(format!(
                    "ALLOWED_ORGANIZATIONS: the tokens of {issuer:?} name no organization that is known: set ORGANIZATION_CLAIM"
                ));
            }
        }
        if reader.text("OPAQUE_TOKEN_CHECK").is_some_and(|check| check == "userinfo") {
            reader.error(
                "ALLOWED_ORGANIZATIONS: OPAQUE_TOKEN_CHECK = \"userinfo\" cannot tell the organization of a token",
            );
        }
    }
    organizations
}

/// Entries `scope=implied,implied`, separated by spaces.
fn hierarchy(reader: &mut Reader<'_>) -> Hierarchy {
    let mut hierarchy = Hierarchy::default();
    for entry in reader.words("SCOPE_HIERARCHY") {
        let names = entry.split_once('=').map(|(scope, implied)| (scope, implied.split(',').collect::<Vec<_>>()));
        match names {
            Some((scope, implied)) if is_scope_token(scope) && implied.iter().all(|name| is_scope_token(name)) => {
                hierarchy.imply(scope, &implied.into_iter().collect());
            }
            _ => reader.wrong_entry("SCOPE_HIERARCHY", &entry, "must have the form scope=implied,implied"),
        }
    }
    hierarchy
}

#[cfg(test)]
mod tests;
