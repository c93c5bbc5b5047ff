//! The object of one user's connected accounts: their tokens, sealed; the one refresh at a time; links and what waits for
//! confirmation.
//!
//! | module | what it contains |
//! |---|---|
//! | [`message`] | what it is asked, and what it answers |
//! | [`client`] | calls of the object |
//! | [`rules`] | when a token is answered, refreshed or waited for, and what is revoked when: pure rules |
//! | [`record`], [`rows`], [`departures`], [`links`] | the tables, in SQL |
//! | [`context`] | what the object works with |
//! | [`object`] | the object: access, links |
//! | `refresh` | the one refresh at a time |
//! | `holding` | hold, confirm, discard, disconnect, list |
//! | `revocation` | revocation at the service, and what the alarm does |
//!
//! What happens at the same moment:
//!
//! | at the same moment | what becomes of it |
//! |---|---|
//! | many requests without a good token | one refreshes; the others wait, and take its outcome |
//! | the object dies during a refresh | after 15 seconds another request repeats it with the same refresh token. If the service had replaced that one, it says that it is not good, and the account has ended |
//! | a disconnection during a refresh | nobody is given the token; what the refresh has obtained is revoked |
//! | another account is confirmed during a refresh | the same, for the refresh of the earlier one |
//! | an attempt that took too long, and its successor | the newer refresh token stays; none is revoked |
//! | two confirmations of one hold | both succeed, and one account is connected |
//! | two tabs with two accounts | the later hold takes the place of the earlier, which is given back and cannot be confirmed |
//! | a confirmation and a disconnection | the order in which they are written: a hold is gone with its account |
//! | the object dies between a disconnection and its revocation | no token is given out from the first write on; the alarm, which was set before, revokes |
//! | the connection is led to another service | nothing of the account is sent there: it counts as ended while that is so; what was to be revoked is dropped |
//! | an alarm is lost | the next request that lists, connects or disconnects sets another |
//!
//! A backup of an object that is restored has tokens again that were revoked at the service: they are refused there.

pub mod client;
pub mod context;
pub mod departures;
mod holding;
pub mod links;
pub mod message;
pub mod object;
pub mod record;
mod refresh;
mod revocation;
pub mod rows;
pub mod rules;
