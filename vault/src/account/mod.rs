//! The object of one user: the list of their keys.
//!
//! | module | what it contains |
//! |---|---|
//! | [`message`] | what the object is asked, and what it answers |
//! | [`client`] | calls of the object |
//! | [`siblings`] | which grants may be revoked, if keys share grants: pure rules |
//! | [`rows`] | the list and the used authorizations, in SQL |
//! | [`object`] | the object: reserve, confirm, release, list, gone |
//! | [`repair`] | what its alarm does |

pub mod client;
pub mod message;
pub mod object;
pub mod repair;
pub mod rows;
pub mod siblings;
