//! What makes an access token good.
//!
//! | module | what it contains | source |
//! |---|---|---|
//! | [`jwt`] | the compact form of a signed JWT, read strictly | RFC 7515, 8725 |
//! | [`claims`] | the claims that decisions depend on, and the audience | RFC 9068 §4, RFC 7519 §4 |
//! | [`numeric_date`], [`validity`] | expiry, start and issue time against the clock | RFC 7519 §4.1 |
//! | [`signature`] | the signature, verified with a key of the issuer | RFC 7515 §5.2 |
//! | [`token_use`] | whether it is an access token and a bearer token | RFC 7800 |
//! | [`profile`] | where the issuer's provider writes what is asked of a token | [`mcp_edge_providers`] |
//! | [`caller_kind`] | whether it stands for a person or a machine, by the signs of the profile | RFC 9068 §2.2 |
//! | [`denied`] | the keys and ages that the operator denies | |
//! | [`opaque`] | what the provider says of a token that is no JWT | RFC 7662, OpenID Connect Core §5.3 |
//! | [`introspection_limiter`] | a limit on requests about unknown tokens | |
//! | [`verified`], [`fingerprint`], [`two_choice_cache`] | JWTs that were verified before, and the cache that holds them | |
//!
//! Every function takes plain data, makes its checks in the order its documentation gives, and returns the one
//! [`Denial`](crate::denial::Denial) that applies. Nothing is believed until the signature holds.

pub mod caller_kind;
pub mod claims;
pub mod denied;
pub mod fingerprint;
pub mod introspection_limiter;
pub mod jwt;
pub mod numeric_date;
pub mod opaque;
pub mod profile;
pub mod signature;
mod signs;
pub mod token_use;
pub mod two_choice_cache;
pub mod validity;
pub mod verified;
