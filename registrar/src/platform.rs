//! What the platform provides, as one type.

use mcp_edge_runtime::ports::Runtime;

use crate::{ledger::Ledger, storage::RegistrationStore};

/// What the platform provides.
pub trait Platform {
    /// The key-value store of clients.
    type Store: RegistrationStore;
    /// Counts and locks that all locations share.
    type Ledger: Ledger;
    /// Time to wait and randomness; for what talks to the provider, everything else of
    /// [`Services`](mcp_edge_runtime::ports::Services) as well.
    type Services: Runtime;

    /// The key-value store of clients.
    fn store(&self) -> &Self::Store;
    /// Counts and locks that all locations share.
    fn ledger(&self) -> &Self::Ledger;
    /// Time to wait, randomness, fetch and verification.
    fn services(&self) -> &Self::Services;
}
