//! Dynamic registration of our client at a service (RFC 7591), in one object for each connection: one registration for each
//! issuer and redirect URI, one request at a time.
//!
//! | module | what it contains |
//! |---|---|
//! | [`message`] | what the object is asked, and what it answers |
//! | [`request`] | the request for registration, and its answer |
//! | [`rows`] | what is stored |
//! | [`object`] | the object |
//! | [`client`] | calls of the object |

pub mod client;
pub mod message;
pub mod object;
pub mod request;
pub mod rows;
