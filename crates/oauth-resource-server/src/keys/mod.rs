//! The provider's keys: how they are read, chosen, cached and renewed.
//!
//! Three cache tiers: the isolate's memory, then the shared store (Workers KV), then the provider.
//!
//! | module | what it contains | does I/O |
//! |---|---|---|
//! | [`jwk`] | JSON Web Keys, and which of them may verify signatures | no |
//! | [`key_set`] | JWK Sets, and the choice of one key | no |
//! | [`policy`] | the decision what to do next: use a copy, read the store, ask the provider, wait, give up | no |
//! | [`record`] | the form in which a copy lies in the store | no |
//! | [`jwks_cache`] | the cache that carries the decisions out | through [`mcp_edge_runtime::ports`] |

pub mod jwk;
pub mod jwks_cache;
pub mod key_set;
pub mod policy;
pub mod record;
