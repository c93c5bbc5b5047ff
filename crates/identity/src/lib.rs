//! The verified caller of a request.
//!
//! The OAuth resource server establishes an [`Identity`]; the MCP server and its tools read it. This crate is all that
//! the two share, so neither can depend on the other.

mod identity;
mod requirements;
mod scope;

pub use identity::{Credential, EXPIRY_LEEWAY_SECONDS, Identity, KeyUse, Kind, Party, Verified};
pub use requirements::{AccessNeeded, Requirements};
pub use scope::{Scopes, is_scope_token};
