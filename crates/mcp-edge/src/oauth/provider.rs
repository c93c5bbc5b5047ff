//! The identity provider's own document (OpenID Connect Discovery 1.0 §4, RFC 8414): where its endpoints are.
//!
//! Its `issuer` must equal the configured string, or the document is not used (OpenID Connect Discovery §4.3, RFC 8414
//! §3.3): otherwise whoever controls one issuer could speak for another.

use std::rc::Rc;

use serde::Deserialize;
use serde_json::Value;

/// The document, and what we need of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// `issuer`, equal to the configured one.
    pub issuer: String,
    /// `jwks_uri`.
    pub jwks_uri: String,
    /// `authorization_endpoint`.
    pub authorization_endpoint: Option<String>,
    /// `token_endpoint`.
    pub token_endpoint: Option<String>,
    /// `introspection_endpoint`.
    pub introspection_endpoint: Option<String>,
    /// `userinfo_endpoint`.
    pub userinfo_endpoint: Option<String>,
    /// The whole document as received, with the members that we have no use for: what is mirrored, and what lies in the
    /// store.
    pub document: Rc<str>,
}

/// The document is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Not a JSON object with the members we need.
    #[error("not a discovery document")]
    Malformed,
    /// It speaks of another issuer.
    #[error("the document names another issuer than the configured one")]
    IssuerMismatch,
    /// An endpoint that is not https (plain http is accepted on loopback only).
    #[error("{0} is not an https URL")]
    InsecureEndpoint(&'static str),
}

impl Provider {
    /// Reads the document of `issuer`.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn parse(text: &str, issuer: &str) -> Result<Self, ProviderError> {
        #[derive(Deserialize)]
        struct Document {
            issuer: String,
            jwks_uri: String,
            authorization_endpoint: Option<String>,
            token_endpoint: Option<String>,
            introspection_endpoint: Option<String>,
            userinfo_endpoint: Option<String>,
        }
        let document: Document = serde_json::from_str(text).map_err(|_| ProviderError::Malformed)?;
        if document.issuer != issuer {
            return Err(ProviderError::IssuerMismatch);
        }
        if !is_https_or_loopback(&document.jwks_uri) {
            return Err(ProviderError::InsecureEndpoint("jwks_uri"));
        }
        // These are not needed to verify JWTs: an insecure one counts as none, and JWTs are verified all the same.
        let usable = |endpoint: Option<String>| endpoint.filter(|url| is_https_or_loopback(url));
        Ok(Self {
            issuer: document.issuer,
            jwks_uri: document.jwks_uri,
            authorization_endpoint: usable(document.authorization_endpoint),
            token_endpoint: usable(document.token_endpoint),
            introspection_endpoint: usable(document.introspection_endpoint),
            userinfo_endpoint: usable(document.userinfo_endpoint),
            document: text.trim().into(),
        })
    }
}

impl Provider {
    /// Whether all endpoints that credentials or users are sent to are on the issuer's own origin.
    #[must_use]
    pub fn has_own_endpoints(&self) -> bool {
        let mut endpoints = self.endpoints().into_iter().flatten();
        endpoints.all(|endpoint| self.is_on_own_origin(endpoint))
    }

    /// Whether nothing in the document, also of what is not read here, leads away from the issuer's own origin.
    #[must_use]
    pub fn names_own_origin_only(&self) -> bool {
        serde_json::from_str(&self.document).is_ok_and(|document| self.is_own(&document))
    }

    /// Whether a part of the document leads nowhere else. Everything with a colon or a slash may be read as a URL by
    /// somebody, except URNs: the names of grants and scopes.
    fn is_own(&self, part: &Value) -> bool {
        match part {
            Value::String(text) => {
                !text.contains([':', '/', '\\']) || text.starts_with("urn:") || self.is_on_own_origin(text)
            }
            Value::Array(parts) => parts.iter().all(|part| self.is_own(part)),
            Value::Object(members) => members.values().all(|part| self.is_own(part)),
            Value::Null | Value::Bool(_) | Value::Number(_) => true,
        }
    }

    /// Whether a URL is on the issuer's own origin.
    #[must_use]
    pub fn is_on_own_origin(&self, url: &str) -> bool {
        origin(url).is_some_and(|of_url| origin(&self.issuer) == Some(of_url))
    }

    /// Whether both documents say the same of what is used of them, whatever else they say and in whatever order.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        (&self.issuer, &self.jwks_uri, self.endpoints()) == (&other.issuer, &other.jwks_uri, other.endpoints())
    }

    fn endpoints(&self) -> [Option<&str>; 4] {
        [&self.authorization_endpoint, &self.token_endpoint, &self.introspection_endpoint, &self.userinfo_endpoint]
            .map(Option::as_deref)
    }
}

/// Scheme, host and port of a URL, as they are written; `None` for what is no URL of ours.
fn origin(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let host = authority(&url[start..]);
    if host.is_empty() { None } else { Some(&url[..start + host.len()]) }
}

/// Where an issuer's document may be, in the order in which we look: the form of OpenID Connect Discovery (every
/// OpenID provider, Logto included), then that of RFC 8414 (plain OAuth servers).
#[must_use]
pub fn discovery_urls(issuer: &str) -> [String; 2] {
    let base = issuer.trim_end_matches('/');
    let path_start = base.find("://").map_or(0, |scheme| scheme + 3);
    let (origin, path) = match base[path_start..].find('/') {
        Some(slash) => base.split_at(path_start + slash),
        None => (base, ""),
    };
    [
        format!("{base}/.well-known/openid-configuration"),
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
    ]
}

/// Whether a URL is https, or plain http to this very machine (development).
#[must_use]
pub fn is_https_or_loopback(url: &str) -> bool {
    if let Some(rest) = url.strip_prefix("https://") {
        return !authority(rest).is_empty();
    }
    url.strip_prefix("http://").is_some_and(|rest| {
        let authority = authority(rest);
        let host = match authority.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or_default(),
            None => authority.split(':').next().unwrap_or_default(),
        };
        matches!(host, "localhost" | "127.0.0.1" | "::1")
    })
}

/// Host and port; empty if there is user information, which no endpoint of ours has.
fn authority(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if authority.contains('@') { "" } else { authority }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://tenant.example/oidc";

    fn parse(change: impl FnOnce(&mut Value)) -> Result<Provider, ProviderError> {
        let mut document = json!({
            "issuer": ISSUER, "jwks_uri": "https://tenant.example/oidc/jwks",
            "authorization_endpoint": "https://tenant.example/oidc/auth",
            "token_endpoint": "https://tenant.example/oidc/token",
            "userinfo_endpoint": "https://tenant.example/oidc/me",
            "introspection_endpoint": "https://tenant.example/oidc/token/introspection", "other": {"a": 1},
        });
        change(&mut document);
        Provider::parse(&document.to_string(), ISSUER)
    }

    #[test]
    fn the_issuer_must_be_the_configured_string() {
        assert!(parse(|_| ()).is_ok());
        for other in ["https://tenant.example/oidc/", "https://TENANT.example/oidc", "https://evil.example/oidc", ""] {
            assert_eq!(parse(|it| it["issuer"] = other.into()), Err(ProviderError::IssuerMismatch), "{other}");
        }
    }

    #[test]
    fn endpoints_are_https_or_loopback() {
        for good in
            ["https://keys.example/jwks", "http://localhost:3000/jwks", "http://127.0.0.1/", "http://[::1]:3000/"]
        {
            assert!(parse(|it| it["jwks_uri"] = good.into()).is_ok(), "{good}");
        }
        for bad in [
            "http://tenant.example/jwks",
            "http://localhost.evil.example/",
            "http://127.0.0.1@evil.example/",
            "ftp://localhost/",
            "http://127.0.0.2/",
            "javascript:1",
            "https://",
            "https://user@host/",
            "/jwks",
            "",
        ] {
            assert_eq!(
                parse(|it| it["jwks_uri"] = bad.into()),
                Err(ProviderError::InsecureEndpoint("jwks_uri")),
                "{bad}"
            );
        }
    }

    #[test]
    fn an_insecure_endpoint_that_jwts_do_not_need_counts_as_none() {
        let endpoints = |change: fn(&mut Value)| {
            let provider = parse(change).unwrap();
            (provider.introspection_endpoint.is_some(), provider.userinfo_endpoint.is_some())
        };
        assert_eq!(endpoints(|_| ()), (true, true));
        assert_eq!(endpoints(|it| it["introspection_endpoint"] = "http://tenant.example/x".into()), (false, true));
        assert_eq!(endpoints(|it| it["userinfo_endpoint"] = "http://tenant.example/x".into()), (true, false));
    }

    #[test]
    fn the_document_is_kept_as_it_was_received() {
        let text = "\n{ \"issuer\" : \"https://tenant.example/oidc\",\n\"jwks_uri\":\"https://tenant.example/jwks\", \"x\": 1.50 }\n";
        let provider = Provider::parse(text, ISSUER).unwrap();
        assert_eq!(&*provider.document, text.trim());
        assert_eq!(Provider::parse(&provider.document, ISSUER), Ok(provider));
    }

    #[test]
    fn documents_without_keys_are_malformed() {
        assert_eq!(parse(|it| it["jwks_uri"] = Value::Null), Err(ProviderError::Malformed));
        assert_eq!(Provider::parse("<html>", ISSUER), Err(ProviderError::Malformed));
    }

    #[test]
    fn both_forms_of_the_discovery_url() {
        assert_eq!(
            discovery_urls("https://tenant.example/oidc"),
            [
                "https://tenant.example/oidc/.well-known/openid-configuration",
                "https://tenant.example/.well-known/oauth-authorization-server/oidc"
            ]
        );
        assert_eq!(
            discovery_urls("https://tenant.example/"),
            [
                "https://tenant.example/.well-known/openid-configuration",
                "https://tenant.example/.well-known/oauth-authorization-server"
            ]
        );
    }
}
