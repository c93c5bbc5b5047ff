//! `ISSUER`, `MORE_ISSUERS`, and the profiles of their providers with what the operator overrides.

use mcp_edge_providers::{IssuerMismatch, Profile, TENANT_PLACEHOLDER, check_issuer, named, profiles};
use serde::Deserialize;

use super::{lists::is_scope, values::Values};

/// The types of access tokens that `TOKEN_TYPES` can accept.
pub const POSSIBLE_TYPES: [&str; 5] = ["at+jwt", "application/at+jwt", "jwt", "application/jwt", ""];

/// An issuer whose tokens are accepted, and how they are read.
#[derive(Debug, Clone)]
pub struct TrustedIssuer {
    /// The issuer as it is set, perhaps with `{tenantid}`.
    pub issuer: String,
    /// The tenants that may stand for `{tenantid}`.
    pub tenants: Vec<String>,
    /// The accepted audiences.
    pub audiences: Vec<String>,
    /// The profile of its provider.
    pub profile: &'static Profile,
    /// Accepted `typ`, in lower case; the empty string accepts its absence.
    pub token_types: Vec<String>,
    /// Where the client's id is.
    pub client_id_claims: Vec<String>,
    /// Where scopes are.
    pub scope_claims: Vec<String>,
    /// Where the permissions of a machine are.
    pub machine_scope_claims: Vec<String>,
    /// Where the organization is.
    pub organization_claim: Option<String>,
    /// `USER_BY_SUBJECT`: another `sub` than the client proves a user.
    pub user_by_subject: bool,
    /// What the provider puts before scopes.
    pub scope_prefix: String,
    /// `DISCOVERY_URL`.
    pub discovery_url: Option<String>,
    /// `JWKS_URL`.
    pub jwks_url: Option<String>,
}

impl TrustedIssuer {
    /// The values of `iss` that are accepted.
    #[must_use]
    pub fn accepted(&self) -> Vec<String> {
        if !self.issuer.contains(TENANT_PLACEHOLDER) {
            return vec![self.issuer.clone()];
        }
        self.tenants.iter().map(|tenant| self.issuer.replace(TENANT_PLACEHOLDER, tenant)).collect()
    }
}

/// An entry of `MORE_ISSUERS`.
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
    discovery_url: Option<String>,
    jwks_url: Option<String>,
}

impl Entry {
    /// Whether it says nothing about how its tokens are read: then the settings of the top level hold.
    fn inherits(&self) -> bool {
        let own = [
            &self.provider,
            &self.token_types,
            &self.client_id_claims,
            &self.scope_claims,
            &self.organization_claim,
            &self.user_by_subject,
        ];
        own.into_iter().all(Option::is_none)
    }
}

/// What overrides a profile.
#[derive(Default)]
struct Overrides {
    token_types: Option<String>,
    client_id_claims: Option<String>,
    scope_claims: Option<String>,
    organization_claim: Option<String>,
    user_by_subject: Option<String>,
}

/// Reads `ISSUER` and `MORE_ISSUERS`; errors go into `errors`.
pub fn read(values: &Values, resource: &str, errors: &mut Vec<String>) -> Vec<TrustedIssuer> {
    let overrides = || Overrides {
        token_types: values.text("TOKEN_TYPES"),
        client_id_claims: values.text("CLIENT_ID_CLAIMS"),
        scope_claims: values.text("SCOPE_CLAIMS"),
        organization_claim: values.text("ORGANIZATION_CLAIM"),
        user_by_subject: values.text("USER_BY_SUBJECT"),
    };
    let mut issuers = Vec::new();
    match values.text("ISSUER") {
        None => errors.push(
            "ISSUER is not set: it is the issuer exactly as in the provider's discovery document, for example \
             https://your-tenant.logto.app/oidc"
                .to_owned(),
        ),
        Some(issuer) => {
            let provider = values.text("PROVIDER");
            let tenants = values.words("ALLOWED_TENANTS");
            let mut found = issuer_of("ISSUER", "PROVIDER", issuer, provider, &overrides(), tenants, errors);
            found.audiences = [resource.to_owned()].into_iter().chain(values.words("AUDIENCE")).collect();
            found.scope_prefix = values.text("SCOPE_PREFIX").unwrap_or_default();
            found.discovery_url = values.text("DISCOVERY_URL");
            found.jwks_url = values.text("JWKS_URL");
            check_urls("", &found, errors);
            let is_prefix = is_scope(&found.scope_prefix) && found.scope_prefix.ends_with('/');
            if !found.scope_prefix.is_empty() && !is_prefix {
                errors.push(format!(
                    "SCOPE_PREFIX = {:?} must be what stands before the names of scopes at the provider, with the slash at \
                     its end, such as api://00000000-0000-0000-0000-000000000000/",
                    found.scope_prefix
                ));
            }
            issuers.push(found);
        }
    }
    let entries = values.text("MORE_ISSUERS").unwrap_or_else(|| "[]".to_owned());
    let entries: Vec<Entry> = serde_json::from_str(&entries).unwrap_or_else(|error| {
        errors.push(format!(
            "MORE_ISSUERS must be an array of {{ issuer = \"https://…\", audience = [\"…\"] }}: {error}"
        ));
        Vec::new()
    });
    for entry in entries {
        let inherited = entry.inherits();
        let own = Overrides {
            token_types: entry.token_types,
            client_id_claims: entry.client_id_claims,
            scope_claims: entry.scope_claims,
            organization_claim: entry.organization_claim,
            user_by_subject: entry.user_by_subject,
        };
        let own = if inherited { overrides() } else { own };
        let tenants = entry.allowed_tenants.unwrap_or_default();
        let tenants = tenants.split_whitespace().map(str::to_owned).collect();
        let mut found = issuer_of("MORE_ISSUERS", "provider", entry.issuer, entry.provider, &own, tenants, errors);
        if entry.audience.is_empty() || entry.audience.iter().any(String::is_empty) {
            errors.push(format!("MORE_ISSUERS: {:?} needs at least one audience, and no empty one", found.issuer));
        }
        if issuers.iter().any(|known: &TrustedIssuer| known.issuer == found.issuer) {
            errors.push(format!("MORE_ISSUERS: {:?} is named twice", found.issuer));
        }
        found.audiences = entry.audience;
        (found.discovery_url, found.jwks_url) = (entry.discovery_url, entry.jwks_url);
        check_urls("MORE_ISSUERS: ", &found, errors);
        issuers.push(found);
    }
    issuers
}

/// Checks the URLs that replace those of the provider.
fn check_urls(place: &str, issuer: &TrustedIssuer, errors: &mut Vec<String>) {
    for (name, url) in [("DISCOVERY_URL", &issuer.discovery_url), ("JWKS_URL", &issuer.jwks_url)] {
        if let Some(url) = url.as_ref().filter(|url| !is_url(url.split('?').next().unwrap_or_default())) {
            errors.push(format!("{place}{name} = {url:?} must be an https URL, or http on this machine"));
        }
    }
}

fn issuer_of(
    setting: &str,
    provider_setting: &str,
    issuer: String,
    provider: Option<String>,
    overrides: &Overrides,
    tenants: Vec<String>,
    errors: &mut Vec<String>,
) -> TrustedIssuer {
    if !is_url(&issuer) {
        errors.push(format!(
            "{setting}: {issuer:?} must be an https URL without query and fragment, or http on this machine"
        ));
    }
    let name = provider.unwrap_or_else(|| profiles::GENERIC.name.to_owned());
    let profile = named(&name).unwrap_or_else(|| {
        let names = profiles::ALL.map(|profile| profile.name).join(", ");
        errors.push(format!("{provider_setting} = {name:?} is not the name of a profile: {names}"));
        &profiles::GENERIC
    });
    match check_issuer(profile, &issuer) {
        Ok(()) => {}
        Err(IssuerMismatch::OtherProvider { other }) => errors.push(format!(
            "{provider_setting} = {name:?} does not fit {issuer:?}, which is on the domain of {}: set {provider_setting} = \
             {:?}",
            other.title, other.name
        )),
        Err(IssuerMismatch::Form { example }) => errors.push(format!(
            "{setting}: {issuer:?} has not the form of an issuer of {}, for example {example}",
            profile.title
        )),
    }
    check_tenants(setting, &issuer, profile, &tenants, errors);
    let words = |text: &Option<String>| {
        let words: Vec<_> = text.as_deref().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        (!words.is_empty()).then_some(words)
    };
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let own_scopes = words(&overrides.scope_claims);
    let machine_scope_claims = if own_scopes.is_some() { Vec::new() } else { owned(profile.machine_scope_claims) };
    let user_by_subject = match overrides.user_by_subject.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            errors.push(format!("USER_BY_SUBJECT = {other:?} must be \"true\" or \"false\""));
            false
        }
    };
    TrustedIssuer {
        issuer,
        tenants,
        audiences: Vec::new(),
        profile,
        token_types: words(&overrides.token_types)
            .map_or_else(|| owned(profile.token_types), |types| token_types(&types, errors)),
        client_id_claims: words(&overrides.client_id_claims).unwrap_or_else(|| owned(profile.client_id_claims)),
        scope_claims: own_scopes.unwrap_or_else(|| owned(profile.scope_claims)),
        machine_scope_claims,
        organization_claim: overrides.organization_claim.clone().or(profile.organization_claim.map(str::to_owned)),
        user_by_subject,
        scope_prefix: String::new(),
        discovery_url: None,
        jwks_url: None,
    }
}

fn check_tenants(setting: &str, issuer: &str, profile: &Profile, tenants: &[String], errors: &mut Vec<String>) {
    match (issuer.contains(TENANT_PLACEHOLDER), tenants.is_empty()) {
        (true, true) => {
            errors.push(format!("{setting}: {issuer:?} is of all tenants: list the accepted ones in ALLOWED_TENANTS"));
        }
        (false, false) => errors
            .push(format!("ALLOWED_TENANTS needs an issuer with {TENANT_PLACEHOLDER} in it, and {issuer:?} has none")),
        (true, false) if !profile.has_keys_of_tenants => errors.push(format!(
            "{setting}: {issuer:?} has {TENANT_PLACEHOLDER}, which issuers of {} do not have",
            profile.title
        )),
        _ => {}
    }
    if let Some(bad) = tenants.iter().find(|tenant| !is_tenant_id(tenant)) {
        errors.push(format!(
            "ALLOWED_TENANTS: {bad:?} must be the id of a tenant in lower case, such as \
             9188040d-6c67-4c5b-b112-36a304b66dad"
        ));
    }
}

/// A UUID in lower case.
fn is_tenant_id(text: &str) -> bool {
    let is_hex = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let parts: Vec<_> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(|part| is_hex(part))
}

fn token_types(words: &[String], errors: &mut Vec<String>) -> Vec<String> {
    let types: Vec<_> =
        words.iter().map(|word| if word == "none" { String::new() } else { word.to_lowercase() }).collect();
    if let Some(other) = types.iter().find(|typ| !POSSIBLE_TYPES.contains(&typ.as_str())) {
        errors.push(format!(
            "TOKEN_TYPES: {other:?} is not the type of an access token: use at+jwt, jwt, or none for tokens without typ"
        ));
    }
    types
}

/// Whether it is an https URL without query and fragment, or http on this machine.
pub(crate) fn is_url(issuer: &str) -> bool {
    let Ok(url) = url::Url::parse(issuer) else { return false };
    let is_loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let is_visible = issuer.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte));
    (url.scheme() == "https" || (url.scheme() == "http" && is_loopback)) && is_visible && !issuer.contains(['?', '#'])
}
