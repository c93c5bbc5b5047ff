//! Whole requests to an endpoint, natively: the responses and the lines of the log.

#[path = "../../../oauth-resource-server/tests/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests of the resource server use more of it")]
mod support;

#[cfg(feature = "access-keys")]
mod access_keys;
#[cfg(feature = "connections")]
mod connections;
mod gateway;
mod published;
mod requests;
mod scope_prefix;
