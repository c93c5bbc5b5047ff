//! The settings of a deployment, as far as they decide about tokens: from strings to what they mean.
//!
//! | module | what it contains |
//! |---|---|
//! | [`sources`] | where the strings are: `wrangler.toml`, `.dev.vars`, the environment, the command line |
//! | [`dev_vars`] | the syntax of `.dev.vars` |
//! | [`values`] | the strings, each with where it is from |
//! | [`issuers`] | `ISSUER`, `MORE_ISSUERS`, and the profiles of their providers |
//! | [`lists`] | clients, implied scopes, disclosed claims |
//! | [`time`] | points in time |

pub mod dev_vars;
pub mod issuers;
pub mod lists;
pub mod sources;
pub mod time;
pub mod values;

use std::collections::BTreeSet;

use self::{
    issuers::TrustedIssuer,
    lists::{ClientList, Grants},
    values::Values,
};

/// What an operator decides about tokens.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `RESOURCE`.
    pub resource: String,
    /// `ISSUER`, then those of `MORE_ISSUERS`.
    pub issuers: Vec<TrustedIssuer>,
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
    /// Reads the settings.
    ///
    /// # Errors
    /// One sentence for each error: the deployment answers every request with 500 until they are corrected.
    pub fn read(values: &Values) -> Result<Self, Vec<String>> {
        let mut errors = Vec::new();
        let resource = values.text("RESOURCE").unwrap_or_default();
        if resource.is_empty() {
            errors.push("RESOURCE is not set: it is the URL of the endpoint, as clients enter it".to_owned());
        } else if !issuers::is_url(&resource) || !has_path(&resource) {
            errors.push(format!(
                "RESOURCE = {resource:?} must be an https URL with a path, without query and fragment, or http on this machine"
            ));
        }
        check_opaque(values, &mut errors);
        let mut grants = |name: &str, form: &str| {
            Grants::parse(&values.text(name).unwrap_or_default()).unwrap_or_else(|entry| {
                errors.push(format!("{name}: {entry:?} must have the form {form}"));
                Grants::default()
            })
        };
        let hierarchy = grants("SCOPE_HIERARCHY", "scope=implied,implied");
        let claim_scopes = grants("CLAIM_SCOPES", "scope=claim,claim");
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

/// Whether a URL has a path of its own.
fn has_path(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| url.path() != "/" && !url.path().starts_with("/.well-known/"))
}

/// Checks `OPAQUE_TOKEN_CHECK` and `INTROSPECTION_URL`.
fn check_opaque(values: &Values, errors: &mut Vec<String>) {
    let (clients, check) = (values.text("OPAQUE_TOKEN_CLIENTS"), values.text("OPAQUE_TOKEN_CHECK"));
    let is_userinfo = check.as_deref() == Some("userinfo");
    if values.text("INTROSPECTION_URL").is_some() && (clients.is_none() || is_userinfo) {
        errors.push(
            "INTROSPECTION_URL is for opaque tokens: it needs OPAQUE_TOKEN_CLIENTS, and OPAQUE_TOKEN_CHECK = \"introspection\""
                .to_owned(),
        );
    }
    let Some(clients) = clients else { return };
    match check.as_deref() {
        None | Some("introspection") => {}
        Some("userinfo") if clients == "*" => {}
        Some("userinfo") => errors.push(
            "OPAQUE_TOKEN_CHECK = \"userinfo\" does not say whose token it is: it needs OPAQUE_TOKEN_CLIENTS = \"*\""
                .to_owned(),
        ),
        Some(other) => {
            errors.push(format!("OPAQUE_TOKEN_CHECK = {other:?} must be \"introspection\" or \"userinfo\""));
        }
    }
}

#[cfg(test)]
mod tests;
