//! Logto, through its Management API.
//!
//! | module | what it does |
//! |---|---|
//! | `tenant` | the tenant, and what an isolate has cached of it |
//! | `api` | calls: the machine token, repeating, time limits, what statuses mean |
//! | `applications` | the operations, step by step, each with its way back |
//! | `consent`, `secrets`, `sign_in_log`, `stored` | consent scopes, secrets and the audit log of an application; what is read of it |
//!
//! The machine token has the only scope that the API knows, `all`: the holder of it, or of the secret behind it,
//! administers the tenant. It is kept in the memory of an isolate and nowhere else.

mod api;
mod applications;
mod consent;
mod secrets;
mod sign_in_log;
mod stored;
mod tenant;

#[cfg(test)]
pub(crate) mod tests;

pub use tenant::{Logto, LogtoApplications, Tenant};
