//! The provider's keys: reading them, choosing one, and verifying a signature with it.
//!
//! | module | what it contains |
//! |---|---|
//! | [`fetch`] | the discovery document and the key set, from the issuer |
//! | [`jwk`] | a key (RFC 7517), and whether it can verify |
//! | [`key_set`] | a set of keys, and the one for a token |
//! | [`signature`] | verification, by other code than the Worker's |

pub mod fetch;
pub mod jwk;
pub mod key_set;
pub mod signature;
