//! The network of a client: what rate limits count by.

/// Of an IPv6 address, the network (/64), since one host has 2^64 addresses; any other address itself.
#[must_use]
pub fn client_network(address: &str) -> String {
    prefix_of(address, 4).unwrap_or_else(|| address.to_owned())
}

/// The first `groups` of 16 bits of an IPv6 address, the others zero; `None` for any other address. The address must be written
/// as RFC 5952 says, as Cloudflare does. By hand: the standard library's parser and writer are 2 KB of a bundle.
#[must_use]
pub fn prefix_of(address: &str, groups: usize) -> Option<String> {
    if !address.contains(':') {
        return None;
    }
    // `::` stands for as many zeros as are missing.
    let (before, after) = address.split_once("::").unwrap_or((address, ""));
    let mut all = groups_of(before);
    let after = groups_of(after);
    all.resize(8_usize.saturating_sub(after.len()).max(all.len()), "0");
    all.extend(after);
    all.truncate(groups);
    Some(all.join(":") + "::")
}

fn groups_of(part: &str) -> Vec<&str> {
    part.split(':').filter(|group| !group.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_is_one_network() {
        assert_eq!(client_network("192.0.2.7"), "192.0.2.7");
        assert_eq!(client_network("2001:db8:1:2:3::7"), client_network("2001:db8:1:2:4::8"));
        assert_ne!(client_network("2001:db8:1:2::7"), client_network("2001:db8:1:3::7"));
        assert_eq!(client_network("no address"), "no address");
    }

    #[test]
    fn a_prefix_is_of_ipv6_alone() {
        for (address, groups, prefix) in [
            ("2001:db8:1:2:3::7", 3, "2001:db8:1::"),
            ("2001:db8:1:2:3:4:5:6", 4, "2001:db8:1:2::"),
            ("2001:db8::7", 4, "2001:db8:0:0::"),
            ("2001:db8:0:0:1:2:3:4", 4, "2001:db8:0:0::"),
            ("2001::2:3:4:5:6:7", 4, "2001:0:2:3::"),
            ("2001:db8::", 3, "2001:db8:0::"),
            ("::1", 4, "0:0:0:0::"),
            ("::ffff:192.0.2.7", 4, "0:0:0:0::"),
        ] {
            assert_eq!(prefix_of(address, groups).as_deref(), Some(prefix), "{address}");
        }
        assert_eq!(prefix_of("192.0.2.7", 3), None);
    }
}
