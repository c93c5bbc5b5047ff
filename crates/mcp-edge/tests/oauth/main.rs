//! The resource server from outside: requests go in, identities and denials come out.

#[path = "../support/mod.rs"]
mod support;

mod access;
mod callers;
mod concurrency;
mod endpoint;
mod keys_over_time;
mod logto;
mod memory;
mod opaque;
mod published;
mod reasons;
mod vectors;
