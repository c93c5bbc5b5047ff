//! `ISSUER`, `AUDIENCE`, `MORE_ISSUERS` and what belongs to each issuer: whose tokens are accepted, for which audiences,
//! and how they are read.

use mcp_edge_providers::{TENANT_PLACEHOLDER, is_tenant_id};
use mcp_edge_runtime::settings::{Reader, SettingsError, check_url};
use serde_json::{Map, Value};

use super::{provider::token_profile, provider_location, resource::Resource};
use crate::{provider::ProviderUrls, resource_server::TrustedIssuer, token::profile::TokenProfile};

/// More issuers than any product federates with; each has its own keys to keep.
pub const MAX_ISSUERS: usize = 8;

/// The members of an entry of `MORE_ISSUERS` beside `issuer` and `audience`: settings of `ISSUER`, in lower case.
const ENTRY_SETTINGS: [&str; 9] = [
    "provider",
    "token_types",
    "client_id_claims",
    "scope_claims",
    "organization_claim",
    "user_by_subject",
    "allowed_tenants",
    "discovery_url",
    "jwks_url",
];

/// The settings that an entry inherits which does not name its provider: where to look. Who counts as a user is not among
/// them.
const INHERITED: [&str; 4] = ["TOKEN_TYPES", "CLIENT_ID_CLAIMS", "SCOPE_CLAIMS", "ORGANIZATION_CLAIM"];

/// `ISSUER` with `RESOURCE` and `AUDIENCE`, then those of `MORE_ISSUERS`.
pub(super) fn read(reader: &mut Reader<'_>, resource: Option<&Resource>) -> Vec<TrustedIssuer> {
    let mut issuers = Vec::new();
    if reader.text("ISSUER").is_none() {
        reader.error(
            "ISSUER is not set: give the issuer exactly as the provider's discovery document says it, for example \
             https://your-tenant.logto.app/oidc",
        );
    } else if let Some(issuer) = reader.url("ISSUER") {
        let mut audiences = reader.words("AUDIENCE");
        if let Some(resource) = resource {
            audiences.insert(0, resource.url.clone());
        }
        issuers.push(trusted(reader, issuer, audiences));
    }
    for entry in entries(reader) {
        if let Some(trusted) = entry.as_object().and_then(|entry| trusted_by_entry(reader, entry, &issuers)) {
            issuers.push(trusted);
        }
    }
    if issuers.len() > MAX_ISSUERS {
        reader.error(format!(
            "MORE_ISSUERS must leave at most {MAX_ISSUERS} issuers in all, and there are {}",
            issuers.len()
        ));
    }
    issuers
}

/// The entries of `MORE_ISSUERS`.
fn entries(reader: &mut Reader<'_>) -> Vec<Value> {
    let Some(text) = reader.text("MORE_ISSUERS") else { return Vec::new() };
    match serde_json::from_str(&text) {
        Ok(Value::Array(entries)) if entries.iter().all(Value::is_object) => entries,
        _ => {
            reader.error("MORE_ISSUERS must be an array of { issuer = \"https://…\", audience = [\"…\"] }");
            Vec::new()
        }
    }
}

/// Reads an entry of `MORE_ISSUERS`; `None` if it has an error. `known` are the issuers before it.
fn trusted_by_entry(
    reader: &mut Reader<'_>,
    entry: &Map<String, Value>,
    known: &[TrustedIssuer],
) -> Option<TrustedIssuer> {
    let issuer = entry.get("issuer").and_then(Value::as_str).unwrap_or_default();
    let mut audiences = Vec::new();
    for audience in entry.get("audience").and_then(Value::as_array).into_iter().flatten() {
        audiences.push(audience.as_str().unwrap_or_default().to_owned());
    }
    let is_known_member = |name: &str| matches!(name, "issuer" | "audience") || ENTRY_SETTINGS.contains(&name);
    let odd = entry.iter().find(|(name, value)| !is_known_member(name) || (*name != "audience" && !value.is_string()));
    if let Err(problem) = check_url(issuer) {
        reader.wrong_entry("MORE_ISSUERS", issuer, &problem);
    } else if let Some((name, _)) = odd {
        reader.error(format!(
            "MORE_ISSUERS: {name:?} of {issuer:?} must be a string, and one of issuer, {}",
            ENTRY_SETTINGS.join(", ")
        ));
    } else if audiences.is_empty() || audiences.iter().any(String::is_empty) {
        reader.wrong_entry("MORE_ISSUERS", issuer, "needs at least one audience, and no empty one");
    } else {
        let own = |name: &str| {
            let value = entry.get(&name.to_ascii_lowercase()).and_then(Value::as_str);
            value.filter(|value| !value.trim().is_empty()).map(str::to_owned)
        };
        // An entry that does not say whose tokens these are inherits how they are read, as far as that is set.
        let inherits = own("PROVIDER").is_none();
        let setting =
            |name: &str| own(name).or_else(|| reader.text(name).filter(|_| inherits && INHERITED.contains(&name)));
        let mut settings = Reader::new(&setting);
        let trusted = trusted(&mut settings, issuer.to_owned(), audiences);
        if let Err(SettingsError(errors)) = settings.finish(()) {
            for error in errors {
                reader.error(["MORE_ISSUERS: ", issuer, ": ", &error].concat());
            }
        }
        // `iss` selects the issuer, so the second of two would never be reached.
        let mut all_known = known.iter().flat_map(|known| &known.accepted);
        if let Some(twice) = all_known.find(|accepted| trusted.accepted.contains(accepted)) {
            reader.wrong_entry("MORE_ISSUERS", twice, "is named twice");
        }
        return Some(trusted);
    }
    None
}

/// Reads what belongs to an issuer, from the settings for it.
fn trusted(reader: &mut Reader<'_>, issuer: String, audiences: Vec<String>) -> TrustedIssuer {
    let profile = token_profile(reader, &issuer);
    let accepted = accepted(reader, &issuer, &profile);
    let urls = provider_location::read(reader, ProviderUrls::of_tenants(&issuer, &accepted));
    TrustedIssuer { issuer, accepted, audiences, profile, urls }
}

/// The values of `iss` that are the issuer's: one for each allowed tenant of an issuer of all tenants.
fn accepted(reader: &mut Reader<'_>, issuer: &str, profile: &TokenProfile) -> Vec<String> {
    let tenants = reader.words("ALLOWED_TENANTS");
    let Some((before, after)) = issuer.split_once(TENANT_PLACEHOLDER) else {
        if !tenants.is_empty() {
            reader.error(format!(
                "ALLOWED_TENANTS is for an issuer of all tenants, with {TENANT_PLACEHOLDER} in it, and {issuer:?} is \
                 that of one: remove it"
            ));
        }
        return vec![issuer.to_owned()];
    };
    if !profile.provider.has_keys_of_tenants {
        reader.error(format!(
            "{issuer:?}: only PROVIDER = \"entra\" has an issuer of all tenants ({TENANT_PLACEHOLDER})"
        ));
    }
    if reader.text("OPAQUE_TOKEN_CLIENTS").is_some() {
        reader.wrong_entry(
            "OPAQUE_TOKEN_CLIENTS",
            issuer,
            "is of all tenants, and nobody could say of which a token is",
        );
    }
    let mut accepted = Vec::new();
    for tenant in &tenants {
        if !is_tenant_id(tenant) {
            reader.wrong_entry(
                "ALLOWED_TENANTS",
                tenant,
                "must be the id of a tenant in lower case, such as 0a1b2c3d-0000-4000-8000-000000000001",
            );
        }
        accepted.push([before, tenant, after].concat());
    }
    if accepted.is_empty() {
        reader.error(format!(
            "{issuer:?} is an issuer of all tenants: list those that may call in ALLOWED_TENANTS, by their ids"
        ));
    }
    accepted
}
