//! Sizes of deployments, and the assumptions about traffic and the platform. Each has its source, or says that it is one.

use crate::kv::{DailyLimits, FREE_PLAN};

/// Cloudflare has data centers in more than 330 cities (<https://www.cloudflare.com/network/>); traffic reaches some of
/// them hardly ever.
pub const LOCATIONS: usize = 300;

/// Upper tiers of KV: an assumption, Cloudflare publishes no number.
pub const REGIONS: usize = 10;

/// How large a customer is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// In tables.
    pub name: &'static str,
    /// Authenticated requests a day, of all locations together.
    pub requests_per_day: f64,
    /// Users, each of whom has one valid token at a time.
    pub users: usize,
    /// Access keys in use.
    pub access_keys: usize,
    /// The limits of the plan; `None`: the paid plan.
    pub limits: Option<DailyLimits>,
    /// Hours that a plain day is simulated for; a day is extrapolated from them, as traffic is the same at all hours.
    pub hours: u64,
}

/// Nearly as much as the free plan allows.
pub const SMALL: Size =
    Size { name: "small", requests_per_day: 90_000.0, users: 300, access_keys: 30, limits: Some(FREE_PLAN), hours: 24 };

/// Thirty million requests a month.
pub const MEDIUM: Size =
    Size { name: "medium", requests_per_day: 1_000_000.0, users: 5000, access_keys: 500, limits: None, hours: 6 };

/// Three hundred million requests a month.
pub const LARGE: Size =
    Size { name: "large", requests_per_day: 10_000_000.0, users: 50_000, access_keys: 5000, limits: None, hours: 2 };

/// All sizes.
pub const SIZES: [Size; 3] = [SMALL, MEDIUM, LARGE];

/// Of a location's requests, so many come with an access key: an assumption.
pub const SHARE_OF_ACCESS_KEYS: f64 = 0.2;

/// How the platform spreads requests over isolates, and how long these live. Cloudflare publishes no life times; what it
/// says is that a Worker is evicted "some time after it stops receiving traffic", and that since September 2025 the requests
/// of one location are sent to few instances, so that 99.99 % of (enterprise) requests find a running one
/// (<https://blog.cloudflare.com/eliminating-cold-starts-2-shard-and-conquer/>). Two assumptions that lie on both sides:
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// In tables.
    pub name: &'static str,
    /// Isolates of a location that requests are spread over evenly.
    pub isolates: usize,
    /// An isolate ends after so many seconds without a request.
    pub idle_seconds: u64,
    /// And after so many on average in any case: deployments of the runtime, memory, moves to other machines.
    pub life_seconds: f64,
}

/// As Cloudflare describes it: one instance in a location.
pub const SHARDED: Placement =
    Placement { name: "sharded", isolates: 1, idle_seconds: 600, life_seconds: 6.0 * 3600.0 };

/// As it was before, and the worse case: many instances that live briefly.
pub const SCATTERED: Placement = Placement { name: "scattered", isolates: 10, idle_seconds: 120, life_seconds: 3600.0 };

/// A customer on a platform.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deployment {
    /// How large.
    pub size: Size,
    /// Where.
    pub placement: Placement,
    /// In how many locations.
    pub locations: usize,
}

impl Deployment {
    /// Creates a deployment at all locations.
    #[must_use]
    pub const fn new(size: Size, placement: Placement) -> Self {
        Self { size, placement, locations: LOCATIONS }
    }

    /// The share of the requests that each location has: that of rank r has 1/r of the first one's (Zipf's law). An
    /// assumption; the last of 300 has a request in 1,900, the first every sixth.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a few hundred")]
    pub fn shares(&self) -> Vec<f64> {
        let weights: Vec<f64> = (1..=self.locations).map(|rank| 1.0 / rank as f64).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    }
}
