//! Cache tiers, by name.

use crate::keys::policy::Attempted;

/// Where the keys for a token came from, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheTier {
    /// The isolate's memory.
    Memory,
    /// The shared store.
    Store,
    /// The provider itself.
    Provider,
}

impl CacheTier {
    /// The name in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Store => "store",
            Self::Provider => "provider",
        }
    }
}

/// The last tier that a request had to attempt.
impl From<Attempted> for CacheTier {
    fn from(attempted: Attempted) -> Self {
        match attempted {
            Attempted { provider: true, .. } => Self::Provider,
            Attempted { store: true, .. } => Self::Store,
            Attempted { .. } => Self::Memory,
        }
    }
}
