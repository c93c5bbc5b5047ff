//! The URL of an MCP endpoint as the operator gives it, and the places that follow from it.

use std::net::IpAddr;

use url::{Host, Url};

/// An endpoint to examine. The text is kept as it was typed: clients compare it byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    typed: String,
    url: Url,
}

/// Why a text is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It cannot be parsed.
    #[error("{0:?} is not a URL; give the full URL of the MCP endpoint, for example https://mcp.example.com/mcp")]
    NotAUrl(String),
    /// It is a URL of something else.
    #[error("the URL must begin with https:// (or, on this machine, http://)")]
    NotHttp,
    /// It holds what would be shown and sent around.
    #[error("the URL holds a user name or password; MCP clients send none there, so leave it out")]
    Credentials,
    /// A fragment never reaches a server.
    #[error("the URL has a fragment (#…), which never reaches a server; leave it out")]
    Fragment,
}

impl Target {
    /// Reads the URL of an endpoint.
    ///
    /// # Errors
    /// [`TargetError`] if it is no absolute http(s) URL, or has credentials or a fragment.
    pub fn parse(typed: &str) -> Result<Self, TargetError> {
        let url = Url::parse(typed).map_err(|_| TargetError::NotAUrl(typed.to_owned()))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(TargetError::NotHttp);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(TargetError::Fragment);
        }
        Ok(Self { typed: typed.to_owned(), url })
    }

    /// As it was typed.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Scheme, host and port, without a slash at the end.
    #[must_use]
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The path; `/` at least.
    #[must_use]
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// Whether the endpoint has no path of its own.
    #[must_use]
    pub fn is_pathless(&self) -> bool {
        self.path() == "/"
    }

    /// Whether there is a `?…`.
    #[must_use]
    pub fn has_query(&self) -> bool {
        self.url.query().is_some()
    }

    /// Whether it is reached over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Whether it is where only its neighbours reach it: this machine, a private network, a name without a dot.
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

    /// Where RFC 9728 §3.1 puts the metadata of this resource: the well-known segment between host and path.
    #[must_use]
    pub fn metadata_url(&self) -> String {
        let path = self.path().trim_end_matches('/');
        format!("{}{METADATA}{path}", self.origin())
    }

    /// Where clients look if they know the origin only.
    #[must_use]
    pub fn root_metadata_url(&self) -> String {
        format!("{}{METADATA}", self.origin())
    }

    /// Where clients of MCP 2025-03-26 expect authorization server metadata: at the server's own origin.
    #[must_use]
    pub fn mirror_url(&self) -> String {
        format!("{}/.well-known/oauth-authorization-server", self.origin())
    }

    /// The same URL with one slash more or less at the end of the path. `None` where there is no path.
    #[must_use]
    pub fn slash_twin(&self) -> Option<String> {
        if self.is_pathless() {
            return None;
        }
        let mut twin = self.url.clone();
        match self.path().strip_suffix('/') {
            Some(shorter) => twin.set_path(shorter),
            None => twin.set_path(&format!("{}/", self.path())),
        }
        Some(twin.to_string())
    }

    /// Why the doctor does not follow a URL that the server published, if it does not. Somebody else's server must not
    /// choose what is asked on this machine or in its network, and nothing is asked in the clear.
    #[must_use]
    pub fn refusal_to_ask(&self, url: &str) -> Option<String> {
        let Ok(url) = Url::parse(url) else { return Some("it is not an absolute URL".to_owned()) };
        if url.origin() == self.url.origin() {
            return None;
        }
        let is_private = Self { typed: String::new(), url: url.clone() }.is_private();
        match url.scheme() {
            _ if is_private && !self.is_private() => {
                Some("a server on the internet names a place in a private network".to_owned())
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

/// Whether a published URL is safe to send users and codes to: https, or http on this machine.
#[must_use]
pub fn is_secure(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)))
}

/// Where clients look for the metadata of an authorization server, in their order (MCP 2026-07-28, authorization server
/// metadata discovery), for an issuer with a path; without one the first and the third only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiscoveryForm {
    /// RFC 8414 §3.1: `/.well-known/oauth-authorization-server` between host and path.
    OAuthInserted,
    /// `/.well-known/openid-configuration` between host and path.
    OpenIdInserted,
    /// OpenID Connect Discovery §4: `/.well-known/openid-configuration` after the path.
    OpenIdAppended,
}

impl DiscoveryForm {
    /// In the order in which clients ask.
    pub const ALL: [Self; 3] = [Self::OAuthInserted, Self::OpenIdInserted, Self::OpenIdAppended];

    /// The URL for this issuer. `None` if the issuer is no URL, or if the form is the same as another one.
    #[must_use]
    pub fn url(self, issuer: &str) -> Option<String> {
        let url = Url::parse(issuer).ok()?;
        let origin = url.origin().ascii_serialization();
        let path = url.path().trim_end_matches('/');
        match self {
            Self::OAuthInserted => Some(format!("{origin}/.well-known/oauth-authorization-server{path}")),
            Self::OpenIdInserted if path.is_empty() => None,
            Self::OpenIdInserted => Some(format!("{origin}/.well-known/openid-configuration{path}")),
            Self::OpenIdAppended => Some(format!("{origin}{path}/.well-known/openid-configuration")),
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
    fn places_follow_from_the_url() {
        let it = target("https://mcp.example.com/a/mcp");
        assert_eq!(it.metadata_url(), "https://mcp.example.com/.well-known/oauth-protected-resource/a/mcp");
        assert_eq!(it.root_metadata_url(), "https://mcp.example.com/.well-known/oauth-protected-resource");
        assert_eq!(it.slash_twin().as_deref(), Some("https://mcp.example.com/a/mcp/"));
        assert_eq!(target("https://h/mcp/?x=1").slash_twin().as_deref(), Some("https://h/mcp?x=1"));
        let bare = target("https://mcp.example.com");
        assert_eq!(bare.metadata_url(), bare.root_metadata_url());
        assert_eq!(bare.slash_twin(), None);
    }

    #[test]
    fn what_is_no_endpoint_is_refused_with_a_reason() {
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
    fn private_places_are_recognised() {
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
    fn a_server_on_the_internet_does_not_choose_what_is_asked_in_here() {
        let public = target("https://mcp.example.com/mcp");
        assert_eq!(public.refusal_to_ask("https://tenant.logto.app/oidc"), None);
        assert!(public.refusal_to_ask("http://tenant.logto.app/oidc").is_some());
        assert!(public.refusal_to_ask("https://localhost/oidc").is_some());
        assert!(public.refusal_to_ask("https://169.254.169.254/").is_some());
        assert!(public.refusal_to_ask("file:///etc/passwd").is_some());
        assert!(public.refusal_to_ask("/oidc").is_some());
        let local = target("http://localhost:8787/mcp");
        assert_eq!(local.refusal_to_ask("http://localhost:3000/oidc"), None);
        assert!(local.refusal_to_ask("http://tenant.logto.app/oidc").is_some());
    }

    #[test]
    fn issuers_with_and_without_a_path_are_asked_at_the_places_of_the_specification() {
        let urls = |issuer| DiscoveryForm::ALL.map(|form| form.url(issuer));
        assert_eq!(
            urls("https://t.logto.app/oidc"),
            [
                Some("https://t.logto.app/.well-known/oauth-authorization-server/oidc".to_owned()),
                Some("https://t.logto.app/.well-known/openid-configuration/oidc".to_owned()),
                Some("https://t.logto.app/oidc/.well-known/openid-configuration".to_owned()),
            ]
        );
        assert_eq!(
            urls("https://t.auth0.com/"),
            [
                Some("https://t.auth0.com/.well-known/oauth-authorization-server".to_owned()),
                None,
                Some("https://t.auth0.com/.well-known/openid-configuration".to_owned()),
            ]
        );
        assert_eq!(urls("not a url"), [None, None, None]);
    }
}
