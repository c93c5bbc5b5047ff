//! The object of one access key.
//!
//! | module | what it contains |
//! |---|---|
//! | [`message`] | what the object is asked, and what it answers |
//! | [`client`] | calls of the object |
//! | [`lease`] | when a key is refused, answered, refreshed, or waited for: pure rules |
//! | [`record`], [`rows`] | the row of the key, in SQL |
//! | [`context`] | what the object works with |
//! | [`object`] | the object: create, use, describe, revoke, end the grant |
//! | `refresh` | the one refresh at a time |
//!
//! A key is as good as its grant at the provider. Two things are kept, and each may be older than what the provider would
//! say now: the object keeps an access token for up to [`lease::KEPT_SECONDS`] (60), and an isolate of an endpoint keeps what
//! the object answered for up to 60 seconds more. So a user who is suspended, loses a role or withdraws a consent has a key
//! for at most 120 seconds; a key that is revoked here works for at most the 60 seconds of the isolates, since the
//! object refuses it at once.

pub mod client;
pub mod context;
pub mod lease;
pub mod message;
pub mod object;
pub mod record;
mod refresh;
pub mod rows;
