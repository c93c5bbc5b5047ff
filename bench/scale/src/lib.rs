//! A deterministic simulation of a deployment at many locations: hundreds of data centers, isolates that come and go,
//! Workers KV as it is documented, and a provider with outages and rotations.
//!
//! It runs the product's own code: [`ResourceServer`](mcp_edge_oauth::resource_server::ResourceServer) with its key policy,
//! its caches and the exchange of access keys. What is simulated is what stands behind the ports of
//! [`mcp_edge_runtime::ports`], and time.
//!
//! | module | what it contains |
//! |---|---|
//! | [`time`] | the virtual clock, and what is polled by it |
//! | [`kv`] | Workers KV: a central store, caches of regions and locations, limits |
//! | [`provider`] | the identity provider: documents, latency, outages, rotation |
//! | [`tokens`] | keys and tokens with signatures that cost nothing |
//! | [`vault`] | the vault: access keys, exchanged and revoked |
//! | [`platform`] | all of these as the services of an isolate |
//! | [`isolates`] | which isolate of a location serves a request, and how long isolates live |
//! | [`deployment`] | sizes of deployments, and all assumptions about traffic and the platform |
//! | [`traffic`] | who sends what, where |
//! | [`run`] | the loop: the next event, the next moment |
//! | [`measures`] | what is counted |
//! | [`scenarios`] | what happens: a plain day, rotations, outages, an emergency, a flood |
//! | [`report`] | the tables |
//! | [`costs`] | what it costs |

#![allow(clippy::missing_panics_doc, reason = "a simulation that contradicts itself has nothing to return")]

pub mod costs;
pub mod deployment;
pub mod isolates;
pub mod kv;
pub mod measures;
pub mod platform;
pub mod provider;
pub mod report;
pub mod run;
pub mod scenarios;
pub mod time;
pub mod tokens;
pub mod traffic;
pub mod vault;
