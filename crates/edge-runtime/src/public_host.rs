//! Whether a host is on the public internet, on its text alone: nothing is resolved.
//!
//! A name that resolves to a private address passes. What reads a URL (WHATWG URL §3.5) takes `127.1`, `0x7f000001`,
//! `2130706433` and `0177.0.0.1` for IPv4 addresses, so every host whose last label looks like a number is an address or
//! nothing.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Names that no public host has: RFC 6761, RFC 6762, RFC 8375, RFC 9476, and what private networks use.
const PRIVATE_DOMAINS: [&str; 11] =
    ["localhost", "local", "internal", "localdomain", "home.arpa", "alt", "onion", "intranet", "lan", "corp", "home"];

/// Whether `host`, the one of a URL without its port, is on the public internet: a name with a dot that no private network
/// uses, or a global address in its ordinary form.
#[must_use]
pub fn is_public_host(host: &str) -> bool {
    if let Some(v6) = host.strip_prefix('[').and_then(|v6| v6.strip_suffix(']')) {
        return v6.parse().is_ok_and(is_public_v6);
    }
    let host = host.to_ascii_lowercase();
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    if is_number || last.starts_with("0x") {
        // The standard library takes four decimal numbers without leading zeros.
        return host.parse().is_ok_and(is_public_v4);
    }
    let is_below = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    // An empty last label is the root: `localhost.` is `localhost`.
    host.contains('.') && !last.is_empty() && !PRIVATE_DOMAINS.iter().any(|domain| is_below(domain))
}

/// Whether an address is global (IANA IPv4 Special-Purpose Address Registry).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224.., ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

/// Whether an address is global unicast (`2000::/3`), and none that stands for an IPv4 address, a tunnel, a test or
/// documentation (IANA IPv6 Special-Purpose Address Registry).
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    matches!(a, 0x2000..=0x3fff)
        && a != 0x2002
        && !(a == 0x2001 && (b < 0x0200 || b == 0x0db8))
        && !(a == 0x3fff && b < 0x1000)
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::is_public_host;

    #[test]
    fn names_with_a_dot_and_global_addresses_are_public() {
        for host in [
            "github.com",
            "API.GitHub.com",
            "a.b.c.example",
            "mcp-1.example.com",
            "xn--bcher-kva.example",
            "local.example",
            "internal.example.com",
            "notlocalhost.example",
            "1.example",
            "0x.example",
            "8.8.8.8",
            "1.1.1.1",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "[2606:4700:4700::1111]",
            "[2001:4860:4860::8888]",
            "[2a00::1]",
        ] {
            assert!(is_public_host(host), "{host}");
        }
    }

    #[test]
    fn names_of_private_networks_are_not_public() {
        for host in [
            "",
            ".",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "a.localhost.",
            "example.com.",
            "intranet",
            "router.local",
            "printer.LOCAL",
            "metadata.google.internal",
            "db.internal",
            "nas.lan",
            "nas.home.arpa",
            "x.onion",
            "host.localdomain",
        ] {
            assert!(!is_public_host(host), "{host}");
        }
    }

    #[test]
    fn no_form_of_a_private_address_is_public() {
        for host in [
            "127.0.0.1",
            "127.1",
            "127.0.0.1.",
            "0.0.0.0",
            "0",
            "10.0.0.1",
            "10.1",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "192.168.1",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0x7f.1",
            "0X7F.0.0.0X1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.01",
            "8.8.8.08",
            "8.8.8",
            "134744072",
            "0x08080808",
            "1.2.3.4.5",
            "example.1",
            "a.0x10",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:8.8.8.8]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[fe80::1]",
            "[fc00::1]",
            "[fd12:3456::1]",
            "[ff02::1]",
            "[2002:7f00:1::]",
            "[2001::1]",
            "[2001:db8::1]",
            "[3fff::1]",
            "[100::1]",
            "[fec0::1]",
            "[",
            "[]",
            "[1]",
            "[::1%25eth0]",
            "[127.0.0.1]",
        ] {
            assert!(!is_public_host(host), "{host}");
        }
    }
}
