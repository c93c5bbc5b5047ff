//! The OAuth 2.0 resource server: what stands between a stranger's agent and a user's data.
//!
//! | module | what it knows | source |
//! |---|---|---|
//! | [`protected_resource`] | the document that tells clients where to sign in | RFC 9728 |
//! | [`provider`] | the identity provider's own document | RFC 8414, OpenID Connect Discovery |
//! | [`mirror`] | that document on our own origin, for clients that look there | RFC 8414 §3 |
//! | [`bearer`] | how a token is sent | RFC 6750 §2 |
//! | [`token`] | what makes a token good | RFC 9068, 8725, 7519, 7662 |
//! | [`keys`] | which keys verify it, and how long a copy may be trusted | RFC 7517 |
//! | [`access`] | who is calling and what they may do and see | RFC 6749 §3.3, OpenID Connect Core §5.4 |
//! | [`client_authentication`] | how we prove to the provider who we are | RFC 6749 §2.3.1 |
//! | [`denial`], [`challenge`] | every reason to refuse, and how a refusal looks | RFC 6750 §3, RFC 9728 §5.1 |
//! | [`resource_server`] | all of it in order: a request in, an identity or a denial out | |
//!
//! Nothing here does I/O; what is needed from outside comes in through [`crate::ports`], and the time of day is an
//! argument.

pub mod access;
pub mod bearer;
pub mod challenge;
pub mod client_authentication;
pub mod denial;
pub mod keys;
pub mod mirror;
pub mod protected_resource;
pub mod provider;
pub mod resource_server;
pub mod token;
