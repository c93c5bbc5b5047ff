//! The OAuth 2.0 resource server: from a request to a verified identity or a denial.
//!
//! | module | what it contains | source |
//! |---|---|---|
//! | [`protected_resource`] | the metadata document that tells clients where to sign in | RFC 9728 |
//! | [`provider`] | the identity provider's discovery document | RFC 8414, OpenID Connect Discovery |
//! | [`mirror`] | that document on our own origin, for clients that look there | RFC 8414 §3 |
//! | [`bearer`] | how a token is sent | RFC 6750 §2 |
//! | [`token`] | what makes a token good | RFC 9068, 8725, 7519, 7662 |
//! | [`keys`] | which keys verify it, and how long a copy may be used | RFC 7517 |
//! | [`client_policy`], [`disclosure`], [`scope_hierarchy`] | which clients may call, which claims are disclosed, which scopes imply others | RFC 6749 §3.3, OpenID Connect Core §5.4 |
//! | [`scope_prefix`] | what the provider puts before the names of scopes | |
//! | [`exchange`] | access keys and personal access tokens, which are exchanged for an access token | RFC 8693 |
//! | [`token_endpoint`] | errors of the provider's token endpoint | RFC 6749 §5.2 |
//! | [`client_authentication`] | how we authenticate at the provider | RFC 6749 §2.3.1 |
//! | [`denial`], [`challenge`] | every cause of a refusal, and the response to it | RFC 6750 §3, RFC 9728 §5.1 |
//! | [`json_members`], [`memory_size`] | how much of a JSON object is built, and what a value takes in memory | |
//! | [`settings`] | what an operator decides about it | |
//! | [`resource_server`] | all of it in order: a request in, an identity or a denial out | |
//!
//! Nothing here does I/O: what comes from outside comes through [`mcp_edge_runtime::ports`], and the time of day is an
//! argument.

pub mod bearer;
pub mod challenge;
pub mod client_authentication;
pub mod client_policy;
pub mod denial;
pub mod disclosure;
pub mod exchange;
pub mod json_members;
pub mod keys;
pub mod memory_size;
pub mod mirror;
pub mod protected_resource;
pub mod provider;
pub mod resource_server;
pub mod scope_hierarchy;
pub mod scope_prefix;
pub mod settings;
pub mod token;
pub mod token_endpoint;

pub use mcp_edge_identity::{Credential, Identity, Kind, Party, Scopes, is_scope_token};
pub use mcp_edge_providers as providers;
