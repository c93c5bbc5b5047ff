//! `ISSUER`, `AUDIENCE`, `MORE_ISSUERS` and what belongs to each issuer: whose tokens are accepted, for which audiences,
//! and how they are read.

use mcp_edge_providers::TENANT_PLACEHOLDER;
use mcp_edge_runtime::settings::{Reader, check_url};
use serde::Deserialize;

use super::{provider::token_profile, resource::Resource};
use crate::{resource_server::TrustedIssuer, token::profile::TokenProfile};

/// More issuers than any product federates with; each has its own keys to keep.
pub const MAX_ISSUERS: usize = 8;

/// An entry of `MORE_ISSUERS`. Its members have the names of the settings of `ISSUER`, in lower case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    issuer: String,
    audience: Vec<String>,
    provider: Option<String>,
    token_types: Option<String>,
    client_id_claims: Option<String>,
    scope_claims: Option<String>,
    organization_claim: Option<String>,
    user_by_subject: Option<String>,
    allowed_tenants: Option<String>,
}

impl Entry {
    /// The value of a member under the name of its setting.
    fn setting(&self, name: &str) -> Option<&str> {
        let value = match name {
            "PROVIDER" => &self.provider,
            "TOKEN_TYPES" => &self.token_types,
            "CLIENT_ID_CLAIMS" => &self.client_id_claims,
            "SCOPE_CLAIMS" => &self.scope_claims,
            "ORGANIZATION_CLAIM" => &self.organization_claim,
            "USER_BY_SUBJECT" => &self.user_by_subject,
            "ALLOWED_TENANTS" => &self.allowed_tenants,
            _ => &None,
        };
        value.as_deref().map(str::trim).filter(|value| !value.is_empty())
    }
}

/// `ISSUER` with `RESOURCE` and `AUDIENCE`, then those of `MORE_ISSUERS`.
pub(super) fn read(reader: &mut Reader<'_>, resource: Option<&Resource>) -> Vec<TrustedIssuer> {
    let mut issuers = Vec::new();
    if reader.text("ISSUER").is_none() {
        reader.error(
            "ISSUER is not set: give the issuer exactly as the provider's discovery document says it, for example \
             https://your-tenant.logto.app/oidc"
                .to_owned(),
        );
    } else if let Some(issuer) = reader.url("ISSUER") {
        let audiences = resource.map(|resource| resource.url.clone()).into_iter().chain(reader.words("AUDIENCE"));
        let audiences = audiences.collect();
        let setting = |reader: &Reader<'_>, name: &str| reader.text(name);
        issuers.push(trusted(reader, "", issuer, audiences, &setting));
    }
    let further = reader.text("MORE_ISSUERS").unwrap_or_else(|| "[]".to_owned());
    let further = serde_json::from_str::<Vec<Entry>>(&further).unwrap_or_else(|error| {
        reader.error(format!(
            "MORE_ISSUERS must be an array of {{ issuer = \"https://…\", audience = [\"…\"] }}: {error}"
        ));
        Vec::new()
    });
    for entry in further {
        let Entry { issuer, audience, .. } = &entry;
        if let Err(problem) = check_url(issuer) {
            reader.error(format!("MORE_ISSUERS: {issuer:?} {problem}"));
        } else if audience.is_empty() || audience.iter().any(String::is_empty) {
            reader.error(format!("MORE_ISSUERS: {issuer:?} needs at least one audience, and no empty one"));
        } else if issuers.iter().any(|known| known.issuer == *issuer) {
            reader.error(format!("MORE_ISSUERS: {issuer:?} is named twice"));
        } else {
            // An entry that does not say whose tokens these are inherits how they are read, as far as that is set.
            let inherits = entry.provider.is_none();
            let setting = |reader: &Reader<'_>, name: &str| {
                let is_inherited = inherits && !matches!(name, "PROVIDER" | "ALLOWED_TENANTS");
                entry.setting(name).map(str::to_owned).or_else(|| reader.text(name).filter(|_| is_inherited))
            };
            issuers.push(trusted(reader, "MORE_ISSUERS: ", issuer.clone(), audience.clone(), &setting));
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

/// Reads what belongs to an issuer. `setting` returns the value of a setting for this issuer; errors begin with `place`.
fn trusted(
    reader: &mut Reader<'_>,
    place: &str,
    issuer: String,
    audiences: Vec<String>,
    setting: &dyn Fn(&Reader<'_>, &str) -> Option<String>,
) -> TrustedIssuer {
    let profile = token_profile(reader, place, &issuer, setting);
    let accepted = accepted(reader, place, &issuer, &profile, setting(reader, "ALLOWED_TENANTS").as_deref());
    TrustedIssuer { issuer, accepted, audiences, profile }
}

/// The values of `iss` that are the issuer's: one for each allowed tenant of an issuer of all tenants.
fn accepted(
    reader: &mut Reader<'_>,
    place: &str,
    issuer: &str,
    profile: &TokenProfile,
    tenants: Option<&str>,
) -> Vec<String> {
    let is_of_all_tenants = issuer.contains(TENANT_PLACEHOLDER);
    let tenants: Vec<_> = tenants.unwrap_or_default().split_ascii_whitespace().collect();
    if !is_of_all_tenants {
        if !tenants.is_empty() {
            reader.error(format!(
                "{place}ALLOWED_TENANTS is for an issuer of all tenants, with {TENANT_PLACEHOLDER} in it, and {issuer:?} is \
                 that of one: remove it"
            ));
        }
        return vec![issuer.to_owned()];
    }
    if !profile.provider.has_keys_of_tenants {
        reader.error(format!(
            "{place}{issuer:?}: only PROVIDER = \"entra\" has an issuer of all tenants ({TENANT_PLACEHOLDER})"
        ));
    }
    if tenants.is_empty() {
        reader.error(format!(
            "{place}{issuer:?} is an issuer of all tenants: list those that may call in ALLOWED_TENANTS, by their ids"
        ));
    }
    let is_id = |tenant: &str| {
        tenant.len() == 36
            && tenant.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
    };
    if let Some(bad) = tenants.iter().find(|tenant| !is_id(tenant)) {
        reader.error(format!(
            "{place}ALLOWED_TENANTS: {bad:?} must be the id of a tenant in lower case, such as \
             9188040d-6c67-4c5b-b112-36a304b66dad"
        ));
    }
    tenants.into_iter().map(|tenant| issuer.replace(TENANT_PLACEHOLDER, tenant)).collect()
}
