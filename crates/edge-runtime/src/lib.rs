//! The foundation of every Worker of mcp-edge.
//!
//! | module | what it contains | source |
//! |---|---|---|
//! | [`app`] | what a Worker answers its events with | |
//! | [`http`] | requests and responses as plain data | RFC 9110 |
//! | [`context`] | what belongs to one request | |
//! | [`cors`] | which browser origins may call, and the headers that tell them | Fetch standard |
//! | [`uri`], [`public_host`] | checks of absolute URLs; whether a host is on the public internet | RFC 3986, RFC 6890 |
//! | [`ports`] | the traits for everything from outside: fetch, store, signatures, randomness, time to wait | |
//! | [`crypto`] | signature algorithms and the keys that verify them | RFC 7518, 8037 |
//! | [`keys`] | secret keys that sign, authenticate and derive | RFC 7518, 2104, 5869 |
//! | [`digest`], [`base64`] | SHA-256; Base64 | FIPS 180-4, RFC 4648 |
//! | [`settings`] | reads named strings and collects every error | |
//! | [`secret`], [`seal`] | text that no log shows; what a client keeps for us, encrypted | |
//! | [`client_network`] | what rate limits count by | |
//! | [`log`] | the record of a request | |
//! | [`color`] | the operator's colour, readable on the pages of all Workers | WCAG 2.2 |
//! | [`html`] | text in HTML, escaped | HTML |
//! | [`json`] | JSON objects as text under construction | RFC 8259 |
//! | [`sql`], [`alarm`] | the storage and the alarm of a Durable Object | |
//! | [`forward`] | requests and responses that are passed on without their bodies | RFC 9110 §7.6 |
//! | [`proxy`] | whole requests that are passed on to another Worker of the same operator | |
//! | [`service_call`] | calls of JSON between Workers, and who may make them | |
//! | `cloudflare` | the Worker shell, behind the feature of that name | |
//!
//! Nothing here knows OAuth or MCP, and nothing outside of `cloudflare` knows Cloudflare.

pub mod alarm;
pub mod app;
pub mod base64;
pub mod client_network;
#[cfg(feature = "cloudflare")]
pub mod cloudflare;
pub mod color;
pub mod context;
pub mod cors;
pub mod crypto;
pub mod digest;
pub mod forward;
pub mod html;
pub mod http;
pub mod json;
pub mod keys;
pub mod log;
pub mod ports;
pub mod proxy;
pub mod public_host;
pub mod seal;
pub mod secret;
pub mod service_call;
pub mod settings;
pub mod sql;
pub mod uri;
