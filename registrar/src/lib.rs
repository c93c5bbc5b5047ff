//! The registrar: third-party developers and their agents register as clients of the identity provider (RFC 7591,
//! RFC 7592), through an endpoint and a developer portal.
//!
//! It is a Worker of its own because it holds a secret that the MCP Worker must never have: administration of the
//! provider's tenant.
//!
//! A module uses only modules below it in this table:
//!
//! | module | contents |
//! |---|---|
//! | [`registrar`] | the entry point: routes a request to the endpoint or the portal; the scheduled run |
//! | [`endpoint`] | `/register`: registration and management requests, their public errors |
//! | [`portal`] | pages for developers on the rest of the host, their public errors |
//! | [`deployment`], [`client_request`], [`handled`] | what lives as long as the isolate; what belongs to one request; a response with what the log says of it |
//! | [`cleanup`] | the scheduled run: removes unused clients and what an outage left behind |
//! | [`clients`] | the operations on clients: register, read, update, delete, rotate the secret |
//! | [`initial_token`], [`failed_attempts`] | initial access tokens (RFC 7591 §3); a limit on unsuccessful token lookups |
//! | [`platform`] | what the platform provides: the store, the ledger, the runtime's services |
//! | [`ledger`] | what must be counted or locked across locations: capacity, rates, uses of initial access tokens, changes |
//! | [`storage`], [`record`] | the key-value layout; what is stored of a client |
//! | [`provider`], [`application`] | the identity provider's administration API; what client metadata becomes there |
//! | [`settings`], [`policy`], [`expiry`] | the operator's decisions, as rules over plain data |
//! | [`client_metadata`] | client metadata (RFC 7591 §2): parsing and validation |
//! | [`audit`], [`client_network`], [`rate_window`], [`digest`], [`secret`] | the audit log; plain helpers |
//! | `worker` | the adapter to Cloudflare |
//!
//! Nothing outside `worker` does I/O: the provider, the store, time and randomness are traits and arguments.

pub mod application;
pub mod audit;
pub mod cleanup;
pub mod client_metadata;
pub mod client_network;
pub mod client_request;
pub mod clients;
pub mod deployment;
pub mod digest;
pub mod endpoint;
pub mod expiry;
pub mod failed_attempts;
pub mod handled;
pub mod initial_token;
pub mod ledger;
pub mod platform;
pub mod policy;
pub mod portal;
pub mod provider;
pub mod rate_window;
pub mod record;
pub mod registrar;

pub mod settings;
pub mod storage;
mod worker;

pub use mcp_edge_runtime::secret;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
