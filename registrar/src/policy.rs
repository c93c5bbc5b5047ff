//! Who may register, and how much: the operator's decision, as rules over plain data.

use mcp_edge::{
    network::{self, prefix_of},
    oauth::access::scope::Scopes,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The period in which things are counted.
pub const WINDOW_SECONDS: u64 = 3_600;

/// Who may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Anybody, within [`Limits`].
    Open,
    /// Whoever has an initial access token (RFC 7591 §3).
    Token,
    /// Whoever is signed in and has the required scope.
    Developers,
}

/// The operator's decisions.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Who may register.
    pub mode: Mode,
    /// What clients may ask users for at most.
    pub allowed_scopes: Scopes,
    /// Schemes of redirect URIs without a dot that are accepted beside the well-known ones.
    pub private_use_schemes: Vec<String>,
    /// How much.
    pub limits: Limits,
}

/// How much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Registrations of one address in an hour, in [`Mode::Open`].
    pub per_address_and_hour: u32,
    /// Clients in all.
    pub clients: u32,
    /// Clients of one developer.
    pub per_developer: u32,
    /// After so many days a client ends that nobody ever signed in through, unless a developer made it in the portal.
    pub unused_days: u32,
    /// After so many days without a sign-in any client ends.
    pub idle_days: u32,
}

/// Who asks for a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registrant {
    /// Somebody at this network (see [`network_of`]).
    Anyone {
        /// An address, or the part of it that stands for one household.
        network: String,
    },
    /// The bearer of an initial access token.
    InitialToken {
        /// What the operator called it.
        name: String,
        /// Tells it from others of that name.
        id: String,
    },
    /// A signed-in developer.
    Developer {
        /// `iss`
        issuer: String,
        /// `sub`
        subject: String,
    },
}

impl Registrant {
    /// For the audit log: groups what one stranger did without naming their address.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Anyone { network } => format!("anyone:{}", &hex(network)[..12]),
            Self::InitialToken { name, .. } => format!("token:{name}"),
            Self::Developer { subject, .. } => format!("developer:{subject}"),
        }
    }
}

/// What was counted in one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Window {
    /// When the period began, seconds since 1970.
    pub began: u64,
    /// How many since.
    pub count: u32,
}

impl Window {
    /// Whether the period goes on at `now`.
    #[must_use]
    pub const fn is_current(self, now: u64) -> bool {
        self.began <= now && now < self.began + WINDOW_SECONDS
    }

    /// Counts one more at `now`.
    ///
    /// # Errors
    /// The seconds until the next period, if `limit` is reached.
    pub fn count(self, now: u64, limit: u32) -> Result<Self, u64> {
        let current = if self.is_current(now) { self } else { Self { began: now, count: 0 } };
        if current.count >= limit {
            return Err((current.began + WINDOW_SECONDS).saturating_sub(now).max(1));
        }
        Ok(Self { count: current.count + 1, ..current })
    }

    /// What two views of the same flood amount to: the fuller one if their periods overlap, otherwise the later.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let (early, late) = if other.began < self.began { (other, self) } else { (self, other) };
        if early.is_current(late.began) && early.count > late.count { early } else { late }
    }
}

/// Whether a client should end at `now`. `used_at` is its last sign-in; all times in seconds since 1970.
#[must_use]
pub fn should_end(
    limits: &Limits,
    created_at: u64,
    used_at: Option<u64>,
    is_made_by_hand: bool,
    now: u64,
) -> Option<Ending> {
    const DAY: u64 = 24 * 3_600;
    let is_past = |from: u64, days: u32| from + u64::from(days) * DAY <= now;
    match used_at {
        // A developer at work needs longer than a program that registers and signs in within a minute.
        None if !is_made_by_hand && is_past(created_at, limits.unused_days) => Some(Ending::NeverUsed),
        _ if is_past(used_at.unwrap_or(created_at), limits.idle_days) => Some(Ending::Idle),
        _ => None,
    }
}

/// Why a client ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Nobody ever signed in through it.
    NeverUsed,
    /// Nobody has for long.
    Idle,
    /// The provider does not have it any more.
    Gone,
}

impl Ending {
    /// For the audit log.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::NeverUsed => "never used",
            Self::Idle => "not used for long",
            Self::Gone => "removed at the provider",
        }
    }
}

/// The address of every Worker on Cloudflare that calls one of another zone; `CF-Worker` names the caller's.
const ADDRESS_OF_WORKERS: &str = "2a06:98c0:3600::103";

/// How the network of a Worker begins.
const WORKER: &str = "worker of ";

/// What a limit counts by: the network of an address (see [`network::network_of`]). Workers have one address for all of
/// them and are told apart by `worker_zone`: otherwise any of their agents could use up the registrations of all.
#[must_use]
pub fn network_of(address: &str, worker_zone: Option<&str>) -> String {
    match worker_zone {
        Some(zone) if address == ADDRESS_OF_WORKERS => format!("{WORKER}{zone}"),
        _ => network::network_of(address),
    }
}

/// The site that an IPv6 network is in (/48, the most that is given to one customer); all Workers have one. `None` for an
/// IPv4 address.
#[must_use]
pub fn site_of(network: &str) -> Option<String> {
    let address = if network.starts_with(WORKER) { ADDRESS_OF_WORKERS } else { network };
    prefix_of(address, 48).map(|site| format!("{site}/48"))
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn hex(text: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;
    const DAY: u64 = 86_400;
    const LIMITS: Limits =
        Limits { per_address_and_hour: 2, clients: 5, per_developer: 3, unused_days: 7, idle_days: 180 };

    #[test]
    fn a_window_fills_up_and_ends() {
        let window = Window::default().count(NOW, 2).and_then(|it| it.count(NOW + 1, 2)).unwrap();
        assert_eq!(window.count(NOW + 600, 2), Err(3_000));
        assert_eq!(window.count(NOW + WINDOW_SECONDS, 2), Ok(Window { began: NOW + WINDOW_SECONDS, count: 1 }));
        assert_eq!(window.or(Window { began: NOW, count: 9 }).count, 9);
        assert_eq!(window.or(Window::default()), window);
    }

    #[test]
    fn two_views_of_a_flood_are_one_flood() {
        // Two isolates began to count at different moments; the later one must not make the other forget.
        let (full, later) = (Window { began: NOW, count: 2 }, Window { began: NOW + 1, count: 1 });
        assert!(full.or(later).count(NOW + 2, 2).is_err() && later.or(full).count(NOW + 2, 2).is_err());
    }

    #[test]
    fn clients_end_when_nobody_uses_them() {
        let ends = |age: u64, used: Option<u64>, by_hand| {
            should_end(&LIMITS, NOW - age * DAY, used.map(|days| NOW - days * DAY), by_hand, NOW)
        };
        assert_eq!(ends(6, None, false), None);
        assert_eq!(ends(7, None, false), Some(Ending::NeverUsed));
        assert_eq!(ends(7, None, true), None);
        assert_eq!(ends(180, None, true), Some(Ending::Idle));
        assert_eq!(ends(400, Some(1), false), None);
        assert_eq!(ends(400, Some(180), false), Some(Ending::Idle));
    }

    #[test]
    fn workers_are_told_apart_by_their_zones() {
        let worker = |zone| network_of(ADDRESS_OF_WORKERS, Some(zone));
        assert_ne!(worker("one.example"), worker("other.example"));
        assert_eq!(site_of(&worker("one.example")), site_of(&worker("other.example")));
        assert_eq!(
            network_of("192.0.2.7", Some("one.example")),
            "192.0.2.7",
            "who says so from elsewhere is no Worker"
        );
    }

    #[test]
    fn one_household_is_one_network() {
        let network_of = |address: &str| network_of(address, None);
        assert_eq!(network_of("192.0.2.7"), "192.0.2.7");
        assert_eq!(network_of("2001:db8:1:2:3::7"), network_of("2001:db8:1:2:4::8"));
        assert_ne!(network_of("2001:db8:1:2::7"), network_of("2001:db8:1:3::7"));
        let site = |address: &str| site_of(&network_of(address));
        assert_eq!(site("2001:db8:1:2::7"), site("2001:db8:1:3::7"));
        assert_ne!(site("2001:db8:1:2::7"), site("2001:db8:2:2::7"));
        assert_ne!(site("2001:db8:1::7"), Some(network_of("2001:db8:1::7")), "the first network is not the site");
        assert_eq!(site("192.0.2.7"), None);
    }

    #[test]
    fn the_audit_log_names_no_address() {
        assert!(!Registrant::Anyone { network: "192.0.2.7".into() }.label().contains("192.0.2.7"));
    }
}
