//! Where services may be: https at a public host. What an operator or a service names is a place that this Worker sends requests
//! and secrets to.
//!
//! The rule is about how a host is written. A public name that leads to a private address is refused by the platform: Workers
//! reach no private network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mcp_edge_runtime::{
    settings::{check_url, not_normalized},
    uri::{is_endpoint_url, split_origin},
};

/// Names that lead to no public host (RFC 6761, RFC 6762, RFC 8375, and `.internal`, which ICANN keeps for private use).
const PRIVATE_SUFFIXES: [&str; 4] = [".localhost", ".local", ".internal", ".home.arpa"];

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
        if is_loopback(host_of(resource)) { Self::Development } else { Self::Public }
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
            Self::Public if !is_public_host(host_of(url)) => Err("must be at a public host: private addresses are \
                                                                  reached only if RESOURCE itself is on loopback"),
            _ => Ok(()),
        }
    }
}

/// The host of a URL, without its port; an IPv6 address with its brackets.
#[must_use]
pub fn host_of(url: &str) -> &str {
    let (origin, _) = split_origin(url.split(['?', '#']).next().unwrap_or_default());
    let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
    let end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    authority[end..].find(':').map_or(authority, |colon| &authority[..end + colon])
}

/// Whether a host is a public name or address, as it is written. What only some parsers take for an address is not.
#[must_use]
pub fn is_public_host(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse().is_ok_and(is_public_v6);
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return is_public_v4(address);
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    // 127.1, 0x7f.1 and 2130706433 are addresses to a browser (WHATWG URL, "ends in a number").
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    let has_labels = host.contains('.') && host.split('.').all(|label| !label.is_empty());
    has_labels && !is_number && !PRIVATE_SUFFIXES.iter().any(|suffix| host.ends_with(suffix))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The blocks that IANA lists as globally reachable, multicast excluded.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    !(matches!(first, 0 | 10 | 127)
        || matches!((first, second), (100, 64..=127) | (169, 254) | (172, 16..=31) | (192, 168) | (198, 18 | 19))
        || matches!((first, second, third), (192, 0, 0 | 2) | (192, 88, 99) | (198, 51, 100) | (203, 0, 113))
        || first >= 224)
}

/// Global unicast addresses, and those of IPv4 in them.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            embedded(high, low)
        }
        // Teredo and benchmarks; documentation.
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_hosts_are_known_however_they_are_written() {
        for host in [
            "localhost",
            "LOCALHOST",
            "a.localhost",
            "printer.local",
            "db.internal",
            "router.home.arpa",
            "intranet",
            "",
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "0x7f000001",
            "2130706433",
            "0177.0.0.1",
            "127.0.0.1.",
            "example.com.",
            "a..b",
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "1.2.3",
            "[::]",
            "[::1]",
            "[fc00::1]",
            "[fd12::1]",
            "[fe80::1]",
            "[ff02::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "[64:ff9b::10.0.0.1]",
            "[2002:7f00:1::]",
            "[2001:db8::1]",
            "[2001::1]",
            "[x]",
        ] {
            assert!(!is_public_host(host), "{host}");
        }
        for host in [
            "api.github.com",
            "localhost.example.com",
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "[2606:4700::1111]",
            "a-1.io",
        ] {
            assert!(is_public_host(host), "{host}");
        }
    }

    #[test]
    fn the_host_is_what_every_parser_takes_for_it() {
        for (url, host) in [
            ("https://a.example/b", "a.example"),
            ("https://a.example:8443?x=/y", "a.example"),
            ("https://[::1]:8443/", "[::1]"),
            ("https://[::1]", "[::1]"),
        ] {
            assert_eq!(host_of(url), host);
        }
        assert_eq!(Reach::of_resource("http://localhost:8787/mcp"), Reach::Development);
        assert_eq!(Reach::of_resource("http://[::1]:8787/mcp"), Reach::Development);
        assert_eq!(Reach::of_resource("https://localhost.example/mcp"), Reach::Public);
    }

    #[test]
    fn endpoints_are_public_and_https_except_in_development() {
        for (url, public, development) in [
            ("https://a.example/token?x=1", true, true),
            ("http://a.example/token", false, false),
            ("http://127.0.0.1:9000/token", false, true),
            ("https://10.0.0.1/token", false, true),
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
