//! The URL of the examined MCP endpoint, and the well-known URLs derived from it and from an issuer.

use std::net::IpAddr;

use url::{Host, Url};

/// The endpoint to examine. Keeps the URL as the operator entered it, because clients compare it byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    entered: String,
    url: Url,
}

/// Why a URL cannot be examined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is not an absolute URL.
    #[error("{0:?} is not a URL; enter the full URL of the MCP endpoint, for example https://mcp.example.com/mcp")]
    NotAUrl(String),
    /// The scheme is neither https nor http.
    #[error("the URL must begin with https://, or with http:// for a server on this machine")]
    NotHttp,
    /// It contains a user name or password, which the report would show.
    #[error("the URL must not contain a user name or password; MCP clients do not send them")]
    Credentials,
    /// It has a fragment, which clients never send.
    #[error("the URL must not have a fragment (#…); clients do not send it to the server")]
    Fragment,
}

impl Target {
    /// Parses the URL of an endpoint.
    ///
    /// # Errors
    /// [`TargetError`] if it is not an absolute http or https URL, or has credentials or a fragment.
    pub fn parse(entered: &str) -> Result<Self, TargetError> {
        let url = Url::parse(entered).map_err(|_| TargetError::NotAUrl(entered.to_owned()))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(TargetError::NotHttp);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(TargetError::Fragment);
        }
        Ok(Self { entered: entered.to_owned(), url })
    }

    /// The URL as the operator entered it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.entered
    }

    /// Scheme, host and port, without a trailing slash.
    #[must_use]
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The path, at least `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// Whether the path is `/`.
    #[must_use]
    pub fn is_pathless(&self) -> bool {
        self.path() == "/"
    }

    /// Whether the URL has a query.
    #[must_use]
    pub fn has_query(&self) -> bool {
        self.url.query().is_some()
    }

    /// Whether the scheme is https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether the host is this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Whether the host is not reachable from the internet: this machine, a private network, a name without a dot.
    #[must_use]
    pub fn is_private(&self) -> bool {
        match self.url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
            Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
            Some(Host::Domain(name)) => {
                self.is_loopback()
                    || !name.contains('.')
                    || [".local", ".internal", ".lan", ".home.arpa"].iter().any(|end| name.ends_with(end))
            }
            None => false,
        }
    }

    /// The URL of the protected resource metadata (RFC 9728 §3.1): the well-known segment between host and path.
    #[must_use]
    pub fn metadata_url(&self) -> String {
        let path = self.path().trim_end_matches('/');
        format!("{}{METADATA}{path}", self.origin())
    }

    /// The URL of the protected resource metadata at the root of the origin, which clients try next.
    #[must_use]
    pub fn root_metadata_url(&self) -> String {
        format!("{}{METADATA}", self.origin())
    }

    /// The URL at which a gateway publishes the keys of its assertions.
    #[must_use]
    pub fn assertion_keys_url(&self) -> String {
        format!("{}/.well-known/jwks.json", self.origin())
    }

    /// The URL of the page where users of mcp-edge connect accounts of other services.
    #[must_use]
    pub fn connections_url(&self) -> String {
        format!("{}/account/connections", self.origin())
    }

    /// The URL of the entry for the MCP registry, where mcp-edge publishes it.
    #[must_use]
    pub fn registry_entry_url(&self) -> String {
        format!("{}/server.json", self.origin())
    }

    /// The URL of the proof for the MCP registry.
    #[must_use]
    pub fn registry_proof_url(&self) -> String {
        format!("{}/.well-known/mcp-registry-auth", self.origin())
    }

    /// The URL of the token with which `OpenAI` verifies who controls the host.
    #[must_use]
    pub fn openai_challenge_url(&self) -> String {
        format!("{}/.well-known/openai-apps-challenge", self.origin())
    }

    /// The URL of authorization server metadata at the server's own origin, where clients of MCP 2025-03-26 expect it.
    #[must_use]
    pub fn mirror_url(&self) -> String {
        format!("{}/.well-known/oauth-authorization-server", self.origin())
    }

    /// The same URL with one slash more or less at the end of its path. `None` without a path.
    #[must_use]
    pub fn with_slash_toggled(&self) -> Option<String> {
        if self.is_pathless() {
            return None;
        }
        let mut url = self.url.clone();
        match self.path().strip_suffix('/') {
            Some(shorter) => url.set_path(shorter),
            None => url.set_path(&format!("{}/", self.path())),
        }
        Some(url.to_string())
    }

    /// Why the doctor refuses to send a request to a URL that the server published. `None` if it does not refuse.
    ///
    /// A server on the internet must not be able to direct requests to this machine or into its network (SSRF), and no
    /// request leaves this machine unencrypted.
    #[must_use]
    pub fn reason_not_to_request(&self, url: &str) -> Option<String> {
        let Ok(url) = Url::parse(url) else { return Some("it is not an absolute URL".to_owned()) };
        if url.origin() == self.url.origin() {
            return None;
        }
        let is_private = Self { entered: String::new(), url: url.clone() }.is_private();
        match url.scheme() {
            _ if is_private && !self.is_private() => {
                Some("a server on the internet names a URL in a private network".to_owned())
            }
            "http" if !(self.is_loopback() && is_loopback(&url)) => Some("it is plain http".to_owned()),
            "https" | "http" => None,
            other => Some(format!("its scheme is {other}")),
        }
    }
}

const METADATA: &str = "/.well-known/oauth-protected-resource";

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Whether a published URL is safe for sign-in: https, or http on this machine.
#[must_use]
pub fn is_secure(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)))
}

/// The URLs at which clients look for authorization server metadata (MCP 2026-07-28, authorization server metadata
/// discovery), and a fourth at which they do not. An issuer without a path has the first and the third only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiscoveryForm {
    /// RFC 8414 §3.1: `/.well-known/oauth-authorization-server` between host and path.
    OAuthInserted,
    /// `/.well-known/openid-configuration` between host and path.
    OpenIdInserted,
    /// OpenID Connect Discovery §4: `/.well-known/openid-configuration` after the path.
    OpenIdAppended,
    /// `/.well-known/oauth-authorization-server` after the path. Providers that confuse the two specifications serve it;
    /// mcp-edge reads it, and clients do not.
    OAuthAppended,
}

impl DiscoveryForm {
    /// Every form: those of [`Self::is_tried_by_clients`] in the order in which clients try them, then the other one.
    pub const ALL: [Self; 4] = [Self::OAuthInserted, Self::OpenIdInserted, Self::OpenIdAppended, Self::OAuthAppended];

    /// Whether clients look there. The SDKs (TypeScript, Python, Rust), Codex and VS Code try the three forms of the
    /// specification in the same order.
    #[must_use]
    pub const fn is_tried_by_clients(self) -> bool {
        !matches!(self, Self::OAuthAppended)
    }

    /// The URL for an issuer. `None` if the issuer is not a URL, or if the form gives the same URL as another one.
    #[must_use]
    pub fn url(self, issuer: &str) -> Option<String> {
        let url = Url::parse(issuer).ok()?;
        let origin = url.origin().ascii_serialization();
        let path = url.path().trim_end_matches('/');
        match self {
            Self::OAuthInserted => Some(format!("{origin}/.well-known/oauth-authorization-server{path}")),
            Self::OpenIdInserted | Self::OAuthAppended if path.is_empty() => None,
            Self::OpenIdInserted => Some(format!("{origin}/.well-known/openid-configuration{path}")),
            Self::OpenIdAppended => Some(format!("{origin}{path}/.well-known/openid-configuration")),
            Self::OAuthAppended => Some(format!("{origin}{path}/.well-known/oauth-authorization-server")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::parse(url).unwrap()
    }

    #[test]
    fn well_known_urls_are_derived_from_the_url() {
        let it = target("https://mcp.example.com/a/mcp");
        assert_eq!(it.metadata_url(), "https://mcp.example.com/.well-known/oauth-protected-resource/a/mcp");
        assert_eq!(it.root_metadata_url(), "https://mcp.example.com/.well-known/oauth-protected-resource");
        assert_eq!(it.with_slash_toggled().as_deref(), Some("https://mcp.example.com/a/mcp/"));
        assert_eq!(target("https://h/mcp/?x=1").with_slash_toggled().as_deref(), Some("https://h/mcp?x=1"));
        let bare = target("https://mcp.example.com");
        assert_eq!(bare.metadata_url(), bare.root_metadata_url());
        assert_eq!(bare.with_slash_toggled(), None);
    }

    #[test]
    fn a_url_that_cannot_be_examined_is_rejected_with_the_reason() {
        for (text, error) in [
            ("mcp.example.com/mcp", TargetError::NotAUrl("mcp.example.com/mcp".to_owned())),
            ("ftp://mcp.example.com/", TargetError::NotHttp),
            ("https://me:secret@mcp.example.com/mcp", TargetError::Credentials),
            ("https://mcp.example.com/mcp#x", TargetError::Fragment),
        ] {
            assert_eq!(Target::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn private_hosts_are_recognised() {
        for url in [
            "http://localhost/",
            "http://127.0.0.9:1/",
            "http://[::1]/",
            "http://10.1.2.3/",
            "http://nas/",
            "http://a.local/",
            "http://[fd00::1]/",
            "http://x.localhost/",
        ] {
            assert!(target(url).is_private(), "{url}");
        }
        assert!(!target("https://mcp.example.com/").is_private());
        assert!(!target("https://8.8.8.8/").is_private());
    }

    #[test]
    fn a_server_on_the_internet_cannot_direct_requests_into_the_private_network() {
        let public = target("https://mcp.example.com/mcp");
        assert_eq!(public.reason_not_to_request("https://tenant.logto.app/oidc"), None);
        assert!(public.reason_not_to_request("http://tenant.logto.app/oidc").is_some());
        assert!(public.reason_not_to_request("https://localhost/oidc").is_some());
        assert!(public.reason_not_to_request("https://169.254.169.254/").is_some());
        assert!(public.reason_not_to_request("file:///etc/passwd").is_some());
        assert!(public.reason_not_to_request("/oidc").is_some());
        let local = target("http://localhost:8787/mcp");
        assert_eq!(local.reason_not_to_request("http://localhost:3000/oidc"), None);
        assert!(local.reason_not_to_request("http://tenant.logto.app/oidc").is_some());
    }

    #[test]
    fn discovery_urls_are_those_of_the_specification_with_and_without_a_path() {
        let urls = |issuer| DiscoveryForm::ALL.map(|form| form.url(issuer));
        assert_eq!(
            urls("https://t.logto.app/oidc"),
            [
                Some("https://t.logto.app/.well-known/oauth-authorization-server/oidc".to_owned()),
                Some("https://t.logto.app/.well-known/openid-configuration/oidc".to_owned()),
                Some("https://t.logto.app/oidc/.well-known/openid-configuration".to_owned()),
                Some("https://t.logto.app/oidc/.well-known/oauth-authorization-server".to_owned()),
            ]
        );
        assert_eq!(
            urls("https://t.auth0.com/"),
            [
                Some("https://t.auth0.com/.well-known/oauth-authorization-server".to_owned()),
                None,
                Some("https://t.auth0.com/.well-known/openid-configuration".to_owned()),
                None,
            ]
        );
        assert_eq!(urls("not a url"), [None, None, None, None]);
    }
}
