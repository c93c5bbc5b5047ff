//! The provider's keys: how they are read, chosen, kept and renewed.
//!
//! Three tiers: the isolate's memory, then the shared store (Workers KV), then the provider.
//!
//! | module | what it does | pure |
//! |---|---|---|
//! | [`jwk`] | reads a JWK Set leniently, chooses one key strictly | yes |
//! | [`policy`] | decides what to do next: use a copy, ask the store, ask the provider, wait, give up | yes |
//! | [`record`] | the form in which a copy lies in the store | yes |
//! | [`tiers`] | carries the decisions out over [`mcp_edge_runtime::ports`] | no I/O of its own |

pub mod jwk;
pub mod policy;
pub mod record;
pub mod tiers;
