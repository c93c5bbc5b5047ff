//! How long a request waits.

use std::time::Duration;

/// How long a request waits before it looks again whether another one has fetched the keys.
pub(super) const WAIT_MILLISECONDS: u64 = 20;

/// A request that has waited this often for others gives up, after six seconds: a little longer than one document may
/// take.
pub(super) const MAX_WAITS: u64 = 300;

/// How long a request waits for the renewal of a copy that it can fall back on. Two documents of a healthy provider take
/// a tenth of it.
pub(super) const RENEWAL_PATIENCE: Duration = Duration::from_secs(3);

/// The same, in waits for others.
pub(super) const PATIENT_WAITS: u64 = RENEWAL_PATIENCE.as_secs() * 1000 / WAIT_MILLISECONDS;
