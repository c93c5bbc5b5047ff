//! Opaque tokens: the provider is asked what they are (RFC 7662), or whose they are (userinfo).
//!
//! Such a token usually names no audience, so it proves only that *some* client of the tenant obtained it. It is
//! accepted under an explicit policy alone: [`OpaquePolicy`] lists the clients whose tokens are accepted.

mod introspection;
mod oauth_error;
mod outcome;
mod policy;
mod request;
mod userinfo;

pub use introspection::read_introspection;
pub use outcome::{RETRY_SECONDS, unavailable};
pub use policy::{AcceptedClients, CheckMethod, MAX_OPAQUE_BYTES, OpaquePolicy};
pub use request::{introspection_form, request};
pub use userinfo::{claims_of_userinfo, read_userinfo};
