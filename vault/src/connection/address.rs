//! Where services may be: https at a public host. What an operator names is a place that this Worker sends requests and secrets
//! to.
//!
//! The rule is about how a host is written. A public name that leads to a private address is refused by the platform: Workers
//! reach no private network.

use mcp_edge_runtime::{
    public_host::is_public_host,
    settings::{check_url, not_normalized},
    uri::{host_of, is_endpoint_url},
};

/// Whether private addresses are allowed: in development, where this server itself is on the machine of its developer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public hosts alone.
    Public,
    /// Every host; plain http on loopback.
    Development,
}

impl Reach {
    /// Development if `resource` (`RESOURCE`) is on loopback.
    #[must_use]
    pub fn of_resource(resource: &str) -> Self {
        if matches!(host_of(resource).0, "localhost" | "127.0.0.1" | "[::1]") {
            Self::Development
        } else {
            Self::Public
        }
    }

    /// Checks the URL of an endpoint that a service names, or an operator: https, without user information and fragment, at a
    /// host that may be reached.
    ///
    /// # Errors
    /// What it must be instead, as the end of a sentence.
    pub fn check_endpoint(self, url: &str) -> Result<(), &'static str> {
        if is_endpoint_url(url) {
            self.check_place(url)
        } else {
            Err("must be an https URL without user information, fragment and unusual characters")
        }
    }

    /// The same of a URL without query, as its parsers would write it: one that origins are compared with.
    ///
    /// # Errors
    /// What it must be instead, as the end of a sentence.
    pub fn check_base(self, url: &str) -> Result<(), String> {
        check_url(url)?;
        self.check_place(url)?;
        not_normalized(url).map_or(Ok(()), |problem| Err(problem.to_owned()))
    }

    /// The host, and plain http in development alone.
    fn check_place(self, url: &str) -> Result<(), &'static str> {
        match self {
            Self::Public if !url.starts_with("https://") => Err("must begin with https://"),
            Self::Public if !is_public_host(host_of(url).0) => Err("must be at a public host: private addresses are \
                                                                  reached only if RESOURCE itself is on loopback"),
            _ => Ok(()),
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn development_is_where_the_server_itself_is_on_loopback() {
        for (resource, reach) in [
            ("http://localhost:8787/mcp", Reach::Development),
            ("http://127.0.0.1:8787/mcp", Reach::Development),
            ("http://[::1]:8787/mcp", Reach::Development),
            ("https://localhost.example/mcp", Reach::Public),
            ("", Reach::Public),
        ] {
            assert_eq!(Reach::of_resource(resource), reach, "{resource}");
        }
    }

    #[test]
    fn endpoints_are_public_and_https_except_in_development() {
        for (url, public, development) in [
            ("https://a.example/token?x=1", true, true),
            ("http://a.example/token", false, false),
            ("http://127.0.0.1:9000/token", false, true),
            ("https://10.0.0.1/token", false, true),
            ("https://127.1/token", false, true),
            ("https://[::ffff:127.0.0.1]/token", false, true),
            ("https://intranet/token", false, true),
            ("https://user@a.example/token", false, false),
            ("https://a.example/token#f", false, false),
        ] {
            assert_eq!(Reach::Public.check_endpoint(url).is_ok(), public, "{url}");
            assert_eq!(Reach::Development.check_endpoint(url).is_ok(), development, "{url}");
        }
        for url in ["https://A.example", "https://a.example:443", "https://a.example/x?y", "https://a.example/../b"] {
            assert!(Reach::Public.check_base(url).is_err(), "{url}");
        }
        assert_eq!(Reach::Public.check_base("https://a.example/v1"), Ok(()));
    }
}
