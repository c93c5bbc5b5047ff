//! The places of an issuer's discovery document (OpenID Connect Discovery 1.0 §4, RFC 8414 §3).

use mcp_edge_runtime::uri::split_origin;

/// A place of the discovery document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentPlace {
    /// OpenID Connect Discovery 1.0 §4: every OpenID provider, Logto included.
    OpenIdAppended,
    /// RFC 8414 §3.1: plain OAuth servers.
    OAuthInserted,
    /// OAuth servers that take RFC 8414 for OpenID Connect Discovery.
    OAuthAppended,
    /// RFC 8414 §5: OpenID providers that follow it.
    OpenIdInserted,
}

impl DocumentPlace {
    /// All, in the order in which they are asked.
    pub const ALL: [Self; 4] = [Self::OpenIdAppended, Self::OAuthInserted, Self::OAuthAppended, Self::OpenIdInserted];

    /// The name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenIdAppended => "OpenID appended",
            Self::OAuthInserted => "OAuth inserted",
            Self::OAuthAppended => "OAuth appended",
            Self::OpenIdInserted => "OpenID inserted",
        }
    }

    /// The URL of the document of `issuer` there. For an issuer without a path appended is the same as inserted.
    #[must_use]
    pub fn url(self, issuer: &str) -> String {
        let base = issuer.trim_end_matches('/');
        let (origin, path) = split_origin(base);
        let (before, after) = match self {
            Self::OpenIdAppended | Self::OAuthAppended => (base, ""),
            Self::OAuthInserted | Self::OpenIdInserted => (origin, path),
        };
        let name = match self {
            Self::OpenIdAppended | Self::OpenIdInserted => "openid-configuration",
            Self::OAuthInserted | Self::OAuthAppended => "oauth-authorization-server",
        };
        format!("{before}/.well-known/{name}{after}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_of_the_document_are_those_of_the_specifications() {
        let urls = |issuer: &str| DocumentPlace::ALL.map(|place| place.url(issuer));
        for issuer in ["https://tenant.example/a/oidc", "https://tenant.example/a/oidc/"] {
            assert_eq!(
                urls(issuer),
                [
                    "https://tenant.example/a/oidc/.well-known/openid-configuration",
                    "https://tenant.example/.well-known/oauth-authorization-server/a/oidc",
                    "https://tenant.example/a/oidc/.well-known/oauth-authorization-server",
                    "https://tenant.example/.well-known/openid-configuration/a/oidc",
                ]
            );
        }
        let [openid, oauth, again, once_more] = urls("https://tenant.example/");
        assert_eq!(openid, "https://tenant.example/.well-known/openid-configuration");
        assert_eq!(oauth, "https://tenant.example/.well-known/oauth-authorization-server");
        assert_eq!((again, once_more), (oauth, openid));
    }
}
