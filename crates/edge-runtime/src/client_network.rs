//! The network of a client: what rate limits count by.

use std::net::Ipv6Addr;

/// Of an IPv6 address, the network (/64), since one host has 2^64 addresses; any other address itself.
#[must_use]
pub fn client_network(address: &str) -> String {
    prefix_of(address, 64).unwrap_or_else(|| address.to_owned())
}

/// The first `bits` of an IPv6 address, the others zero; `None` for any other address.
#[must_use]
pub fn prefix_of(address: &str, bits: u32) -> Option<String> {
    let address = address.parse::<Ipv6Addr>().ok()?;
    let mask = u128::MAX.checked_shl(u128::BITS.checked_sub(bits)?)?;
    Some(Ipv6Addr::from_bits(address.to_bits() & mask).to_string())
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
        assert_eq!(prefix_of("2001:db8:1:2:3::7", 48).as_deref(), Some("2001:db8:1::"));
        assert_eq!(prefix_of("2001:db8::7", 128).as_deref(), Some("2001:db8::7"));
        assert_eq!(prefix_of("2001:db8::7", 129), None);
        assert_eq!(prefix_of("192.0.2.7", 48), None);
    }
}
