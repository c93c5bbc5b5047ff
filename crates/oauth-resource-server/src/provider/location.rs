//! Where a provider is: its issuer, and the URLs that the operator gives in place of those that it publishes.

use mcp_edge_providers::TENANT_PLACEHOLDER;
use mcp_edge_runtime::{base64::URL_SAFE_NO_PAD, digest::sha256};

use super::DocumentPlace;

/// Stands for all tenants in the URLs of Entra. The documents below it name an issuer with the placeholder
/// (<https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer>).
const ALL_TENANTS: &str = "organizations";

/// The tenant of personal accounts, which sign in at `common` and not at [`ALL_TENANTS`].
const PERSONAL_ACCOUNTS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// URLs that count in place of those that the provider publishes. The operator's are trusted like every setting, on any
/// origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderUrls {
    /// For clients, and to derive the places of the discovery document from, in place of an issuer with a placeholder for
    /// the tenant: see [`ProviderUrls::of_issuer`].
    pub authorization_server: Option<String>,
    /// Where the operator says that the discovery document is, in place of the places of the specifications.
    pub discovery: Option<String>,
    /// Where the operator says that the keys are, in place of `jwks_uri`. With it, JWTs are verified also without a
    /// discovery document.
    pub jwks: Option<String>,
    /// The operator's, in place of `introspection_endpoint`.
    pub introspection: Option<String>,
}

/// Where a provider is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderLocation {
    /// Exactly as in the discovery document; that of Entra for all tenants has a placeholder for the tenant.
    pub issuer: String,
    /// What counts in place of what the provider publishes.
    pub urls: ProviderUrls,
}

impl ProviderUrls {
    /// Creates those of an issuer without any of the operator's.
    #[must_use]
    pub fn of_issuer(issuer: &str) -> Self {
        Self::of_tenants(issuer, &[])
    }

    /// Creates those of an issuer that stands for several tenants, of which `accepted` are the values of `iss`.
    #[must_use]
    pub fn of_tenants(issuer: &str, accepted: &[String]) -> Self {
        let is_personal = accepted.iter().any(|accepted| accepted.contains(PERSONAL_ACCOUNTS));
        let tenants = if is_personal { "common" } else { ALL_TENANTS };
        let all_tenants = |(before, after)| [before, tenants, after].concat();
        Self { authorization_server: issuer.split_once(TENANT_PLACEHOLDER).map(all_tenants), ..Self::default() }
    }
}

impl ProviderLocation {
    /// Creates the location of a provider of which the issuer says everything.
    #[must_use]
    pub fn of_issuer(issuer: &str) -> Self {
        Self { issuer: issuer.to_owned(), urls: ProviderUrls::of_issuer(issuer) }
    }

    /// The URLs of the discovery document, in the order in which they are asked. The place is `None` for the one that the
    /// operator gives: then it is the only one.
    #[must_use]
    pub fn document_urls(&self) -> Vec<(Option<DocumentPlace>, String)> {
        if let Some(url) = &self.urls.discovery {
            return vec![(None, url.clone())];
        }
        let base = self.urls.authorization_server.as_ref().unwrap_or(&self.issuer);
        let mut all: Vec<(Option<DocumentPlace>, String)> = Vec::new();
        for place in DocumentPlace::ALL {
            let url = place.url(base);
            if all.iter().all(|(_, known)| *known != url) {
                all.push((Some(place), url));
            }
        }
        all
    }

    /// The store's key for the copy of what is published there. It begins with the issuer, so that an operator can look
    /// it up by hand. What was fetched from another place than the operator gives now is under another key.
    #[must_use]
    pub fn store_key(&self) -> String {
        let mut key = ["provider:", &self.issuer].concat();
        let ProviderUrls { discovery, jwks, .. } = &self.urls;
        if discovery.is_some() || jwks.is_some() {
            // The URLs themselves could be longer than a key may be. No issuer has a fragment, and no URL white space.
            let [discovery, jwks] = [discovery, jwks].map(|url| url.as_deref().unwrap_or_default());
            key.push('#');
            key.push_str(&URL_SAFE_NO_PAD.encode(&sha256(&[discovery, " ", jwks].concat())[..9]));
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://tenant.example/oidc";

    const ALL: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";

    fn with(urls: ProviderUrls) -> ProviderLocation {
        ProviderLocation { urls, ..ProviderLocation::of_issuer(ISSUER) }
    }

    #[allow(clippy::unnecessary_wraps, reason = "as in the settings")]
    fn url(path: &str) -> Option<String> {
        Some(format!("https://elsewhere.example/{path}"))
    }

    #[test]
    fn the_place_that_the_operator_gives_is_the_only_one() {
        let places = |location: ProviderLocation| location.document_urls();
        let all = places(ProviderLocation::of_issuer(ISSUER));
        assert_eq!(all, DocumentPlace::ALL.map(|place| (Some(place), place.url(ISSUER))));
        assert_eq!(places(ProviderLocation::of_issuer("https://tenant.example")).len(), 2, "appended is inserted");
        let given = with(ProviderUrls { discovery: url("doc?p=a"), ..ProviderUrls::default() });
        assert_eq!(places(given), [(None, "https://elsewhere.example/doc?p=a".to_owned())]);
        let keys = with(ProviderUrls { jwks: url("jwks"), introspection: url("check"), ..ProviderUrls::default() });
        assert_eq!(places(keys), all);
    }

    #[test]
    fn the_document_of_all_tenants_is_below_organizations() {
        assert_eq!(ProviderUrls::of_issuer(ISSUER), ProviderUrls::default());
        let location = ProviderLocation::of_issuer(ALL);
        let organizations = "https://login.microsoftonline.com/organizations/v2.0";
        assert_eq!(location.urls.authorization_server.as_deref(), Some(organizations));
        let urls = location.document_urls();
        assert_eq!(urls[0].1, format!("{organizations}/.well-known/openid-configuration"));
        assert!(urls.iter().all(|(_, url)| !url.contains('{')), "{urls:?}");
    }

    #[test]
    fn each_place_has_a_key_of_its_own_in_the_store() {
        let key = |discovery, jwks, introspection| {
            with(ProviderUrls { discovery, jwks, introspection, ..ProviderUrls::default() }).store_key()
        };
        let bare = key(None, None, None);
        assert_eq!(bare, "provider:https://tenant.example/oidc");
        // What is fetched does not depend on it.
        assert_eq!(key(None, None, url("a")), bare);
        let keys = [
            bare.clone(),
            key(url("a"), None, None),
            key(None, url("a"), None),
            key(url("a"), url("a"), None),
            key(url("b"), url("a"), None),
            key(url("a"), url("b"), None),
        ];
        for (at, one) in keys.iter().enumerate() {
            assert!(keys[..at].iter().all(|other| other != one), "{one}");
            assert!(one.starts_with(&bare), "{one}");
        }
        assert_eq!(keys[1].len(), bare.len() + 13);
        // Workers KV takes 512 bytes, and settings have at most 400 for a URL.
        let long =
            ProviderLocation { issuer: "x".repeat(400), urls: ProviderUrls { jwks: url("a"), ..Default::default() } };
        assert!(long.store_key().len() <= 512);
    }
}
