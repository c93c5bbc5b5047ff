//! The settings of a deployment, as far as they decide about tokens: from strings to what they mean.
//!
//! | module | what it contains |
//! |---|---|
//! | [`sources`] | where the strings are: wrangler's file, `.dev.vars`, the environment, the command line |
//! | [`wrangler_file`] | the variables of `wrangler.toml` and `wrangler.jsonc` |
//! | [`dev_vars`] | the syntax of `.dev.vars` |
//! | [`values`] | the strings, each with where it is from |
//! | [`issuers`] | `ISSUER`, `MORE_ISSUERS`, and the profiles of their providers |
//! | [`lists`] | clients, implied scopes, disclosed claims |
//! | [`opaque`] | what there is to check about opaque tokens before the provider is asked |
//! | [`scope_prefix`] | what the provider puts before scopes |
//! | [`time`] | points in time |
//! | [`urls`] | URLs, as text |

pub mod dev_vars;
pub mod issuers;
pub mod lists;
pub mod opaque;
pub mod scope_prefix;
pub mod sources;
pub mod time;
pub mod urls;
pub mod values;
pub mod wrangler_file;

use std::collections::BTreeSet;

use self::{
    issuers::TrustedIssuer,
    lists::{ClientList, Grants},
    scope_prefix::ScopePrefix,
    values::Values,
};

/// What an operator decides about tokens.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `RESOURCE`.
    pub resource: String,
    /// `ISSUER`, then those of `MORE_ISSUERS`.
    pub issuers: Vec<TrustedIssuer>,
    /// `SCOPE_PREFIX`, of the tokens of every issuer.
    pub scope_prefix: ScopePrefix,
    /// `REQUIRED_SCOPES`.
    pub required_scopes: Vec<String>,
    /// `SCOPE_HIERARCHY`.
    pub hierarchy: Grants,
    /// `CLAIM_SCOPES`.
    pub claim_scopes: Grants,
    /// `ALLOWED_CLIENTS`; empty if all are.
    pub allowed_clients: ClientList,
    /// `DENIED_CLIENTS`.
    pub denied_clients: ClientList,
    /// `FIRST_PARTY_CLIENTS`.
    pub first_party_clients: ClientList,
    /// `ALLOWED_ORGANIZATIONS`; empty if all are, and tokens without one.
    pub allowed_organizations: Vec<String>,
    /// `DENIED_KEYS`.
    pub denied_keys: Vec<String>,
    /// `DENIED_ISSUED_BEFORE`, in seconds since 1970; 0 if it is not set.
    pub denied_issued_before: u64,
    /// `OPAQUE_TOKEN_CLIENTS`. `None` if opaque tokens are refused.
    pub opaque_token_clients: Option<String>,
    /// `OPAQUE_TOKEN_CHECK`.
    pub opaque_token_check: String,
}

impl Settings {
    /// Whether an issuer is `ISSUER`, and not one of `MORE_ISSUERS`.
    #[must_use]
    pub fn is_own(&self, issuer: &TrustedIssuer) -> bool {
        self.issuers.first().is_some_and(|own| own.issuer == issuer.issuer)
    }

    /// Reads the settings.
    ///
    /// # Errors
    /// One sentence for each error: the deployment answers every request with 500 until they are corrected.
    pub fn read(values: &Values) -> Result<Self, Vec<String>> {
        let mut errors = Vec::new();
        let resource = values.text("RESOURCE").unwrap_or_default();
        if resource.is_empty() {
            errors.push("RESOURCE is not set: it is the URL of the endpoint, as clients enter it".to_owned());
        } else if let Some(problem) = urls::problem(&resource) {
            errors.push(format!("RESOURCE = {resource:?} {problem}"));
        } else if let Some(problem) = urls::not_normalized(&resource) {
            errors.push(format!("RESOURCE = {resource:?} {problem}: clients would send another URL"));
        } else if !urls::has_path(&resource) {
            errors
                .push(format!("RESOURCE = {resource:?} must be a URL with a path: clients add a slash to one without"));
        }
        opaque::check(values, &mut errors);
        let mut grants = |name: &str, form: &str, is_name: fn(&str) -> bool| {
            Grants::parse(&values.text(name).unwrap_or_default(), is_name).unwrap_or_else(|entry| {
                errors.push(format!("{name}: {entry:?} must have the form {form}"));
                Grants::default()
            })
        };
        let hierarchy = grants("SCOPE_HIERARCHY", "scope=implied,implied", lists::is_scope);
        let claim_scopes = grants("CLAIM_SCOPES", "scope=claim,claim", |claim| !claim.is_empty());
        let scope_prefix = ScopePrefix::read(values, &mut errors);
        let denied_issued_before = match values.text("DENIED_ISSUED_BEFORE") {
            None => 0,
            Some(text) => time::parse(&text).unwrap_or_else(|| {
                errors.push(format!(
                    "DENIED_ISSUED_BEFORE = {text:?} must be a time in UTC such as 2026-11-25T20:00:00Z, or seconds since 1970"
                ));
                0
            }),
        };
        let required_scopes = values.words("REQUIRED_SCOPES");
        if let Some(bad) = required_scopes.iter().find(|scope| !lists::is_scope(scope)) {
            errors
                .push(format!("REQUIRED_SCOPES: {bad:?} is not a scope: visible ASCII without quotes and backslashes"));
        }
        let denied_keys = values.words("DENIED_KEYS");
        if let Some(bad) = denied_keys.iter().find(|key| key.contains([',', '"', '[', ']'])) {
            errors.push(format!("DENIED_KEYS: {bad:?} must be one key id or thumbprint: separate several by spaces"));
        }
        let clients = |name: &str| ClientList::parse(&values.text(name).unwrap_or_default());
        let issuers = issuers::read(values, &resource, &mut errors);
        if !errors.is_empty() {
            // Several issuers may inherit one error.
            let mut seen = BTreeSet::new();
            errors.retain(|error| seen.insert(error.clone()));
            return Err(errors);
        }
        Ok(Self {
            resource,
            issuers,
            scope_prefix,
            required_scopes,
            hierarchy,
            claim_scopes,
            allowed_clients: clients("ALLOWED_CLIENTS"),
            denied_clients: clients("DENIED_CLIENTS"),
            first_party_clients: clients("FIRST_PARTY_CLIENTS"),
            allowed_organizations: values.words("ALLOWED_ORGANIZATIONS"),
            denied_keys,
            denied_issued_before,
            opaque_token_clients: values.text("OPAQUE_TOKEN_CLIENTS"),
            opaque_token_check: values.text("OPAQUE_TOKEN_CHECK").unwrap_or_else(|| "introspection".to_owned()),
        })
    }
}

#[cfg(test)]
mod tests;
