//! What makes an access token good.
//!
//! | module | what it decides | source |
//! |---|---|---|
//! | [`jwt`] | whether the text is a signed JWT that we understand completely | RFC 7515, 8725 |
//! | [`claims`] | whether it was issued for us, by whom we trust, for now | RFC 9068 §4, RFC 7519 §4 |
//! | [`denied`] | whether the operator refuses its key or its age | |
//! | [`opaque`] | what the provider says of a token that is no JWT | RFC 7662, OpenID Connect Core §5.3 |
//! | [`budget`] | how many questions about unknown tokens the provider is asked | |
//! | [`verified`] | which tokens were verified before, by which key | |
//! | [`members`], [`memory`], [`weight`] | how much of a token is built, how much is remembered, and what that takes | |
//!
//! Every function takes plain data, makes its checks in the order its documentation gives, and returns the one
//! [`Reason`](crate::denial::Reason) that applies. Nothing is believed until the signature holds.

pub mod budget;
pub mod claims;
pub mod denied;
pub mod jwt;
pub mod members;
pub mod memory;
pub mod opaque;
pub mod verified;
pub mod weight;
