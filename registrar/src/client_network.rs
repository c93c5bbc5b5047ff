//! The networks that limits count by.

use mcp_edge_runtime::client_network::{self as network, prefix_of};

/// The address of every Worker on Cloudflare that calls one of another zone; `CF-Worker` names the caller's zone.
const ADDRESS_OF_WORKERS: &str = "2a06:98c0:3600::103";

/// Prefix of the network of a Worker.
const WORKER: &str = "worker of ";

/// The network of a client's address (see [`network::client_network`]). All Workers have one address and are distinguished by
/// `worker_zone`: otherwise any of their agents could use up the registrations of all.
#[must_use]
pub fn client_network(address: &str, worker_zone: Option<&str>) -> String {
    match worker_zone {
        Some(zone) if address == ADDRESS_OF_WORKERS => format!("{WORKER}{zone}"),
        _ => network::client_network(address),
    }
}

/// The site of an IPv6 network (/48, the most that is given to one customer); all Workers are one site. `None` for an
/// IPv4 address.
#[must_use]
pub fn site_of(network: &str) -> Option<String> {
    let address = if network.starts_with(WORKER) { ADDRESS_OF_WORKERS } else { network };
    prefix_of(address, 3).map(|site| format!("{site}/48"))
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_distinguished_by_their_zones() {
        let worker = |zone| client_network(ADDRESS_OF_WORKERS, Some(zone));
        assert_ne!(worker("one.example"), worker("other.example"));
        assert_eq!(site_of(&worker("one.example")), site_of(&worker("other.example")));
        assert_eq!(
            client_network("192.0.2.7", Some("one.example")),
            "192.0.2.7",
            "who says so from elsewhere is no Worker"
        );
    }

    #[test]
    fn one_household_is_one_network() {
        let of = |address: &str| client_network(address, None);
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("2001:db8:1:2:3::7"), of("2001:db8:1:2:4::8"));
        assert_ne!(of("2001:db8:1:2::7"), of("2001:db8:1:3::7"));
        let site = |address: &str| site_of(&of(address));
        assert_eq!(site("2001:db8:1:2::7"), site("2001:db8:1:3::7"));
        assert_ne!(site("2001:db8:1:2::7"), site("2001:db8:2:2::7"));
        assert_ne!(site("2001:db8:1::7"), Some(of("2001:db8:1::7")), "the first network is not the site");
        assert_eq!(site("192.0.2.7"), None);
    }
}
