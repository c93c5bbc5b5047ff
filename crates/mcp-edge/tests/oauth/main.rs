//! The resource server from outside: requests go in, identities and denials come out.

#[path = "../support/mod.rs"]
mod support;

mod vectors;
