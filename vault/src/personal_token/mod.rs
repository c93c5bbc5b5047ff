//! The object of one personal access token of the provider.
//!
//! | module | what it contains |
//! |---|---|
//! | [`message`] | what the object is asked, and what it answers |
//! | [`client`] | calls of the object |
//! | [`exchange`] | the exchange at the provider, as a port |
//! | [`flights`] | the exchange in flight, and refusals of a moment ago, in memory |
//! | [`object`] | the object: one exchange at a time, and the access token that is kept |
//!
//! Each exchange leaves a grant at the provider, so there should be few. The object keeps the access token until it expires,
//! at most `PAT_SECONDS`, sealed under a key that is derived from the personal access token: who has the storage has neither.
//! For a token that the provider refuses nothing is stored, so that strangers cannot fill the storage: what they cost is in
//! memory, for at most [`flights::REMEMBERED_SECONDS`].

pub mod client;
pub mod exchange;
pub mod flights;
pub mod message;
pub mod object;
