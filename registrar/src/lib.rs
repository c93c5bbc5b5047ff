//! The registrar: lets third-party developers and their agents register as clients of the identity provider.
//!
//! A Worker of its own, because it holds a secret that the MCP Worker must never have: administration of the tenant.
//!
//! | module | what it knows |
//! |---|---|
//! | [`registration`] | client metadata and its rules (RFC 7591) |
//! | [`application`] | what a registration becomes at the provider |
//! | [`provider`] | the provider behind: a trait, and Logto |
//! | [`policy`] | who may register, and how much |
//! | [`limiter`] | how often: counts for networks and clients |
//! | [`initial_token`] | initial access tokens and their uses |
//! | [`record`], [`store`] | what is remembered of a client, and where |
//! | [`registry`] | making, changing and removing clients in both places, all or nothing |
//! | [`cleanup`] | the scheduled run: unused registrations end |
//! | [`registration_endpoint`] | `/register`, as the RFCs say (RFC 7591, 7592) |
//! | [`portal`] | everything else on this host: pages for developers |
//! | [`registrar`] | a request's way to one or the other |
//! | [`token_endpoint`] | errors of the provider's token endpoint |
//! | [`settings`], [`audit`], [`secret`], [`seal`] | what an operator decides, what they read later, what nobody reads |
//! | `worker` | the adapter to Cloudflare |
//!
//! Outside of `worker` nothing does I/O: the provider, the store, the time and randomness come in through traits and
//! arguments.

pub mod application;
pub mod audit;
pub mod cleanup;
pub mod initial_token;
pub mod limiter;
pub mod policy;
pub mod portal;
pub mod provider;
pub mod record;
pub mod registrar;
pub mod registration;
pub mod registration_endpoint;
pub mod registry;
pub mod seal;
pub mod settings;
pub mod store;
pub mod token_endpoint;
mod worker;

pub use mcp_edge::secret;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
