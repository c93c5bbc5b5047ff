//! Two implementations of the same rules, on the same tokens: the Worker's library and `explain`.
//!
//! They share the data about providers and no code. Where they disagree, one of them is wrong: this test says about which
//! token. Its tokens are those that the library is tested with (a real Logto's, the providers', published vectors), and
//! thousands that are made from them by changing one thing, or several. Likewise they agree about who may use what of an
//! upstream.

mod access_tables;
mod both;
mod mutations;
mod policy;
mod providers;
mod recorded;
mod serialization;
mod settings;
#[path = "../../../crates/oauth-resource-server/tests/support/mod.rs"]
#[allow(dead_code, reason = "what the tests of the library share")]
mod support;
mod tenants;
mod vectors;
