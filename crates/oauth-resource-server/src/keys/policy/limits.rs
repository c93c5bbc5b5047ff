//! The times that the key policy keeps, in seconds.

/// A copy this young is used as it is.
pub const FRESH_SECONDS: u64 = 600;

/// A copy is renewed somewhat before it reaches [`FRESH_SECONDS`], each isolate's at another moment: of all that have the
/// same copy, one renews it for the others. Each further step of this length ahead is half as probable as the one before,
/// so that however many isolates there are, about as many as there are in one step's time are the first (probabilistic early
/// expiration: Vattani, Chierichetti, Lowenstein, *Optimal Probabilistic Cache Stampede Prevention*, VLDB 2015). Workers KV
/// shows a write elsewhere after 60 to 120 seconds, up to three of these steps.
pub const LEAD_STEP_SECONDS: u64 = 42;

/// No copy is renewed earlier than so long ahead.
pub const MAX_LEAD_SECONDS: u64 = 480;

/// A copy this old is used only if the last attempt to renew it failed, at most [`MAX_RENEWAL_PAUSE_SECONDS`] ago, or takes longer
/// than a request waits. An hour is six times [`FRESH_SECONDS`], so where there is traffic the background has renewed the copy long
/// before any request has to wait for it.
pub const REVALIDATE_SECONDS: u64 = 3600;

/// An isolate takes its copies from the store for at most this long before it asks the provider itself. Otherwise somebody
/// who writes false keys into the store again and again would be believed for as long as the isolate runs. The moment differs
/// by up to half of this time, since a deployment starts all isolates at once.
pub const CONFIRM_SECONDS: u64 = REVALIDATE_SECONDS;

/// A copy older than this is never used: a key that the provider withdrew a day ago must not verify anything.
pub const CEILING_SECONDS: u64 = 24 * 3600;

/// Pause between two requests to the provider.
pub const COOL_DOWN_SECONDS: u64 = 30;

/// The longest pause between two renewals that fail: the second failure in turn doubles [`COOL_DOWN_SECONDS`], and so does each
/// further one. Otherwise a provider that is down for hours, and one that comes back, would be asked by every isolate twice a
/// minute. For so long after an outage an isolate may use the copy that it had: half of [`FRESH_SECONDS`].
/// Tokens that need a new key do not wait for it.
pub const MAX_RENEWAL_PAUSE_SECONDS: u64 = FRESH_SECONDS / 2;

/// Pause while there is no usable key at all, for the provider and for the store: every user is locked out, so it is
/// worth asking more often.
pub const COLD_RETRY_SECONDS: u64 = 5;

/// How many requests may be made within one cool-down because a token's key may be newer than our copy.
pub const BURST: u32 = 2;

/// The burst is granted again after this long.
pub const BURST_WINDOW_SECONDS: u64 = 60;

/// Pause between two reads of the store for a missing key: it is cheap, and another isolate may have been quicker.
pub const STORE_PAUSE_SECONDS: u64 = 10;

/// How long a request to the provider or the store may hold the lease: a little more than the time limits of both documents
/// together. It runs in the background and always reports, so this matters only if the platform drops it.
pub const LEASE_SECONDS: u64 = 14;

/// A token issued this long before the last fetch is certainly older than the copy: clocks that differ by more make
/// tokens fail anyway.
pub const CLOCK_SKEW_SECONDS: u64 = 300;
