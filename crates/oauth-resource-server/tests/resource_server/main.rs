//! The resource server from outside: requests go in, identities and denials come out.

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared with the tests of the endpoint")]
mod support;

mod access;
mod callers;
mod concurrency;
mod exchanged;
mod keys_over_time;
mod logto;
mod memory;
mod opaque;
mod profiles;
mod reasons;
mod scope_prefix;
mod vectors;
