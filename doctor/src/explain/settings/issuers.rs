//! `ISSUER`, `MORE_ISSUERS`, and the profiles of their providers with what the operator overrides.

use mcp_edge_providers::{IssuerMismatch, Profile, TENANT_PLACEHOLDER, check_issuer, is_tenant_id, named, profiles};
use serde_json::Value;

use super::{
    urls::{self, is_endpoint},
    values::Values,
};
use crate::explain::jwt::Object;

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
    /// Whether `TOKEN_TYPES` sets them.
    pub has_own_types: bool,
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

/// The members of an entry of `MORE_ISSUERS` besides `issuer` and `audience`: settings of `ISSUER`, in lower case.
const MEMBERS: [&str; 9] = [
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

/// The settings that hold also for entries without `provider`, each unless the entry has it.
const INHERITED: [&str; 4] = ["token_types", "client_id_claims", "scope_claims", "organization_claim"];

/// The most issuers.
const MAX_ISSUERS: usize = 8;

/// Reads `ISSUER` and `MORE_ISSUERS`; errors go into `errors`.
pub fn read(values: &Values, resource: &str, errors: &mut Vec<String>) -> Vec<TrustedIssuer> {
    let mut issuers = Vec::new();
    match values.text("ISSUER") {
        None => errors.push(
            "ISSUER is not set: it is the issuer exactly as in the provider's discovery document, for example \
             https://your-tenant.logto.app/oidc"
                .to_owned(),
        ),
        Some(issuer) => {
            let setting = |name: &str| values.text(&name.to_ascii_uppercase());
            let mut found = issuer_of(["ISSUER", "PROVIDER"], issuer, &setting, errors);
            found.audiences = [resource.to_owned()].into_iter().chain(values.words("AUDIENCE")).collect();
            issuers.push(found);
        }
    }
    let entries = values.text("MORE_ISSUERS").unwrap_or_else(|| "[]".to_owned());
    let entries: Vec<Object> = serde_json::from_str(&entries).unwrap_or_else(|error| {
        errors.push(format!(
            "MORE_ISSUERS must be an array of {{ issuer = \"https://…\", audience = [\"…\"] }}: {error}"
        ));
        Vec::new()
    });
    for entry in &entries {
        let found = of_entry(entry, values, errors);
        let accepted = found.accepted();
        // iss selects the issuer: the second of two would never be.
        if let Some(twice) = issuers.iter().flat_map(TrustedIssuer::accepted).find(|known| accepted.contains(known)) {
            errors.push(format!("MORE_ISSUERS: {twice:?} is named twice"));
        }
        issuers.push(found);
    }
    if issuers.len() > MAX_ISSUERS {
        errors.push(format!(
            "MORE_ISSUERS: there are {} issuers in all, and at most {MAX_ISSUERS} may be",
            issuers.len()
        ));
    }
    if !values.words("ALLOWED_ORGANIZATIONS").is_empty() {
        for issuer in issuers.iter().filter(|issuer| issuer.organization_claim.is_none()) {
            errors.push(format!(
                "ALLOWED_ORGANIZATIONS: the profile {} of {:?} knows no claim of an organization: set ORGANIZATION_CLAIM",
                issuer.profile.name, issuer.issuer
            ));
        }
    }
    issuers
}

/// Reads an entry of `MORE_ISSUERS`.
fn of_entry(entry: &Object, values: &Values, errors: &mut Vec<String>) -> TrustedIssuer {
    let issuer = entry.get("issuer").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (name, value) in entry.iter().filter(|(name, _)| !["issuer", "audience"].contains(&name.as_str())) {
        if !MEMBERS.contains(&name.as_str()) || !value.is_string() {
            let members = MEMBERS.join(", ");
            errors.push(format!("MORE_ISSUERS: {name:?} of {issuer:?} must be one of {members}, and a string"));
        }
    }
    let audiences = entry.get("audience").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let audiences: Vec<_> = audiences.iter().map(|one| one.as_str().unwrap_or_default().to_owned()).collect();
    if audiences.is_empty() || audiences.iter().any(String::is_empty) {
        errors.push(format!("MORE_ISSUERS: {issuer:?} needs at least one audience, and no empty one"));
    }
    let own = |name: &str| {
        let value = entry.get(name).and_then(Value::as_str).map(str::trim);
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let is_generic = own("provider").is_none();
    let setting = |name: &str| {
        let is_inherited = is_generic && INHERITED.contains(&name);
        own(name).or_else(|| values.text(&name.to_ascii_uppercase()).filter(|_| is_inherited))
    };
    let mut found = issuer_of(["MORE_ISSUERS", "provider"], issuer, &setting, errors);
    found.audiences = audiences;
    found
}

/// Checks the URLs that replace those of the provider.
fn check_urls(issuer: &TrustedIssuer, errors: &mut Vec<String>) {
    for (name, url) in [("DISCOVERY_URL", &issuer.discovery_url), ("JWKS_URL", &issuer.jwks_url)] {
        if let Some(url) = url.as_ref().filter(|url| !is_endpoint(url)) {
            errors.push(format!("{name} = {url:?} must be an https URL without fragment, or http on this machine"));
        }
    }
}

/// Reads what belongs to an issuer. `setting` returns its settings by their names in lower case.
fn issuer_of(
    [place, provider_setting]: [&str; 2],
    issuer: String,
    setting: &dyn Fn(&str) -> Option<String>,
    errors: &mut Vec<String>,
) -> TrustedIssuer {
    if let Some(problem) = urls::problem(&issuer) {
        errors.push(format!("{place}: {issuer:?} {problem}"));
    }
    let name = setting("provider").unwrap_or_else(|| profiles::GENERIC.name.to_owned());
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
            "{place}: {issuer:?} has not the form of an issuer of {}, for example {example}",
            profile.title
        )),
    }
    let words = |name: &str| {
        let words: Vec<_> = setting(name).unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect();
        (!words.is_empty()).then_some(words)
    };
    let tenants = words("allowed_tenants").unwrap_or_default();
    check_tenants(place, &issuer, profile, &tenants, errors);
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let own_scopes = words("scope_claims");
    let machine_scope_claims = if own_scopes.is_some() { Vec::new() } else { owned(profile.machine_scope_claims) };
    let user_by_subject = match setting("user_by_subject").as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            errors.push(format!("USER_BY_SUBJECT = {other:?} must be \"true\" or \"false\""));
            false
        }
    };
    let organization_claim = setting("organization_claim");
    if let Some(several) = organization_claim.as_ref().filter(|claim| claim.contains(' ')) {
        errors.push(format!("ORGANIZATION_CLAIM = {several:?} must be the name of one claim"));
    }
    let own_types = words("token_types");
    let found = TrustedIssuer {
        issuer,
        tenants,
        audiences: Vec::new(),
        profile,
        has_own_types: own_types.is_some(),
        token_types: own_types.map_or_else(|| owned(profile.token_types), |types| token_types(&types, errors)),
        client_id_claims: words("client_id_claims").unwrap_or_else(|| owned(profile.client_id_claims)),
        scope_claims: own_scopes.unwrap_or_else(|| owned(profile.scope_claims)),
        machine_scope_claims,
        organization_claim: organization_claim.or(profile.organization_claim.map(str::to_owned)),
        user_by_subject,
        discovery_url: setting("discovery_url"),
        jwks_url: setting("jwks_url"),
    };
    check_urls(&found, errors);
    found
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

fn token_types(words: &[String], errors: &mut Vec<String>) -> Vec<String> {
    let lower = words.iter().map(|word| word.to_ascii_lowercase());
    let types: Vec<_> = lower.map(|word| if word == "none" { String::new() } else { word }).collect();
    if let Some(other) = types.iter().find(|typ| !POSSIBLE_TYPES.contains(&typ.as_str())) {
        errors.push(format!(
            "TOKEN_TYPES: {other:?} is not the type of an access token: use at+jwt, jwt, or none for tokens without typ"
        ));
    }
    types
}
