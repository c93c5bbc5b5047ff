//! Where a request is sent, and what follows `GET` in it: parts of its URL, exactly as it was entered.

use http::Uri;

use super::failure;
use crate::http::TransportError;

/// The parts of an http or https URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The whole URL.
    pub uri: Uri,
    /// Whether the scheme is https.
    pub is_https: bool,
    /// The name, or the IP address without brackets.
    pub host: String,
    /// The port, that of the scheme if none is named.
    pub port: u16,
    /// The value of the `Host` header: with brackets, and the port if one is named that is not the scheme's.
    pub host_header: String,
    /// Path and query, at least `/`.
    pub path: String,
}

impl Address {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// [`TransportError`] if it is not an absolute http or https URL. Nothing can be sent there.
    pub fn parse(url: &str) -> Result<Self, TransportError> {
        let uri: Uri = url.parse().map_err(|error| failure::other(format!("{error}")))?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(failure::other("the URL is neither https nor http")),
        };
        let named = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| failure::other("the URL has no host"))?;
        let usual = if is_https { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(usual);
        let path = uri.path_and_query().map_or("/", |it| it.as_str());
        Ok(Self {
            is_https,
            host: named.trim_matches(['[', ']']).to_owned(),
            port,
            host_header: if port == usual { named.to_owned() } else { format!("{named}:{port}") },
            path: if path.starts_with('/') { path.to_owned() } else { format!("/{path}") },
            uri,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::TransportErrorKind;

    #[test]
    fn a_url_is_taken_apart_as_it_was_entered() {
        let parts = |url| {
            let it = Address::parse(url).unwrap();
            (it.is_https, it.host, it.port, it.host_header, it.path)
        };
        let expected = |https, host: &str, port, header: &str, path: &str| {
            (https, host.to_owned(), port, header.to_owned(), path.to_owned())
        };
        assert_eq!(parts("https://H.example/a/../b?c"), expected(true, "H.example", 443, "H.example", "/a/../b?c"));
        assert_eq!(parts("http://[::1]:8787"), expected(false, "::1", 8787, "[::1]:8787", "/"));
        assert_eq!(parts("https://h:443/"), expected(true, "h", 443, "h", "/"));
        assert_eq!(parts("http://h?a=b"), expected(false, "h", 80, "h", "/?a=b"));
    }

    #[test]
    fn nothing_is_sent_to_what_is_not_an_http_url() {
        for url in ["", "/mcp", "ftp://h/", "https://", "https://h/a b"] {
            assert_eq!(Address::parse(url).unwrap_err().kind, TransportErrorKind::Protocol, "{url}");
        }
    }
}
