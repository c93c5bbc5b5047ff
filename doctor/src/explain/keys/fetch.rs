//! The discovery document and the key set, from the issuer: public documents, requested without the token.

use mcp_edge_providers::TENANT_PLACEHOLDER;
use serde_json::Value;

use super::key_set::KeySet;
use crate::{
    explain::settings::issuers::TrustedIssuer,
    http::{HttpClient, HttpRequest, TransportErrorKind},
    quote::excerpt,
    target::{DiscoveryForm, is_secure},
};

/// The longest discovery document, in bytes.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// The longest key set, in bytes.
const MAX_KEY_SET_BYTES: usize = 512 * 1024;

/// What stands for the tenant where an issuer of all tenants is asked for its documents: those of organizations, or with
/// those of personal accounts.
const ANY_TENANT: [&str; 2] = ["organizations", "common"];

/// The tenant of personal accounts.
const PERSONAL_ACCOUNTS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The keys of an issuer, as far as they can be had.
#[derive(Debug, Clone)]
pub enum Keys {
    /// They were read at this place.
    Found(KeySet, String),
    /// They were not asked for.
    Offline,
    /// They could not be read, for this reason.
    Unavailable(String),
}

/// Fetches the keys of an issuer.
#[must_use]
pub fn keys_of(issuer: &TrustedIssuer, client: &dyn HttpClient) -> Keys {
    let url = match &issuer.jwks_url {
        Some(url) => Ok(url.clone()),
        None => jwks_uri(issuer, client),
    };
    let read = url.and_then(|url| {
        let text = get(&url, MAX_KEY_SET_BYTES, client).map_err(|failure| failure.problem)?;
        KeySet::parse(&text).map(|set| (set, excerpt(&url))).map_err(|problem| format!("{}: {problem}", excerpt(&url)))
    });
    match read {
        Ok((set, url)) if set.keys.is_empty() => Keys::Unavailable(format!("{url} has no key that can verify a token")),
        Ok((set, url)) => Keys::Found(set, url),
        Err(problem) => Keys::Unavailable(problem),
    }
}

/// `jwks_uri` of the first discovery document that is the issuer's.
fn jwks_uri(issuer: &TrustedIssuer, client: &dyn HttpClient) -> Result<String, String> {
    let has_personal = issuer.tenants.iter().any(|tenant| tenant == PERSONAL_ACCOUNTS);
    let place = issuer.issuer.replace(TENANT_PLACEHOLDER, ANY_TENANT[usize::from(has_personal)]);
    let places = issuer.discovery_url.as_ref().map_or_else(|| places(&place), |url| vec![url.clone()]);
    let mut problems = Vec::new();
    for url in places {
        match get(&url, MAX_DOCUMENT_BYTES, client).and_then(|text| Ok(keys_in(&url, &text, issuer)?)) {
            Ok(url) => return Ok(url),
            Err(Failure { problem, is_of_host }) => {
                problems.push(problem);
                // The other places are on the same host.
                if is_of_host {
                    break;
                }
            }
        }
    }
    Err(problems.join("; "))
}

/// `jwks_uri` of a discovery document.
fn keys_in(url: &str, text: &str, issuer: &TrustedIssuer) -> Result<String, String> {
    let url = excerpt(url);
    let document: Value = serde_json::from_str(text).map_err(|_| format!("{url}: it is not JSON"))?;
    if document["issuer"] != issuer.issuer.as_str() {
        return Err(format!("{url}: it is of another issuer, {}", excerpt(&document["issuer"].to_string())));
    }
    let jwks_uri = document["jwks_uri"].as_str().filter(|url| is_secure(url));
    jwks_uri.map(str::to_owned).ok_or_else(|| format!("{url}: it has no jwks_uri that is https"))
}

/// The places, in the order in which the Worker looks (`docs/denials.md`).
fn places(issuer: &str) -> Vec<String> {
    use DiscoveryForm::{OAuthAppended, OAuthInserted, OpenIdAppended, OpenIdInserted};
    [OpenIdAppended, OAuthInserted, OAuthAppended, OpenIdInserted]
        .into_iter()
        .filter_map(|form| form.url(issuer))
        .collect()
}

/// Why a document was not read.
struct Failure {
    problem: String,
    /// Whether no URL of the host would do better.
    is_of_host: bool,
}

impl From<String> for Failure {
    fn from(problem: String) -> Self {
        Self { problem, is_of_host: false }
    }
}

/// Requests a document of at most so many bytes.
fn get(url: &str, max_bytes: usize, client: &dyn HttpClient) -> Result<String, Failure> {
    let name = excerpt(url);
    let response = client.send(&HttpRequest::get(url)).map_err(|error| Failure {
        is_of_host: matches!(
            error.kind,
            TransportErrorKind::Connect | TransportErrorKind::Dns | TransportErrorKind::Tls
        ),
        problem: format!("{name}: {error}"),
    })?;
    if response.body.len() > max_bytes {
        return Err(format!("{name}: it is longer than {} KB", max_bytes / 1024).into());
    }
    if response.status != 200 || response.truncated.is_some() {
        return Err(format!("{name}: the response is {}", response.summary()).into());
    }
    Ok(response.text().to_owned())
}
