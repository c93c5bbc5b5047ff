//! What a client says of itself, and what of it is acceptable: RFC 7591 as plain data. No I/O.
//!
//! | module | what it knows | source |
//! |---|---|---|
//! | [`metadata`] | every member of client metadata, and its rules | RFC 7591 §2 |
//! | [`redirect_uri`] | which addresses a provider may send an authorization code to | RFC 8252, RFC 6749 §3.1.2 |
//! | [`web_uri`] | the addresses of pages and pictures that a consent page shows | RFC 7591 §5 |
//! | [`error`] | what a client hears of a mistake | RFC 7591 §3.2.2 |

pub mod error;
pub mod metadata;
pub mod redirect_uri;
pub mod web_uri;
