//! The vault: a Worker without a public route that keeps access keys.
//!
//! A key stands for a grant at the identity provider: each use is an access token that the provider issues anew, so a user
//! who is suspended there has no key any more. Two entrypoints: the default one serves `/account`, which the endpoint passes on so
//! that users stay on one host; `Internal` exchanges keys for access tokens.
//!
//! | module | what it contains |
//! |---|---|
//! | [`settings`] | what an operator decides |
//! | [`vault`] | the pages and addresses below `/account` |
//! | [`sign_in`] | round trips to the provider: signing in, the authorizations of keys |
//! | [`requested_key`] | the key that a form asks for, checked |
//! | [`user_keys`] | what users do with their keys |
//! | [`keyring`] | reading the list of a user's keys, and revoking |
//! | [`revocation`] | revocation by the holder of a key (RFC 7009) |
//! | [`administration`] | commands of the operator |
//! | [`pages`] | the pages |
//! | [`owner`], [`deployment`], [`visit`] | a user; what serves all requests; one request below `/account` |
//! | [`internal`], [`credentials`] | what endpoints ask: access tokens for keys and for personal access tokens, and tokens of other services |
//! | [`key`] | the object of one key: its record, its grant, the one refresh at a time |
//! | [`account`] | the object of one user: the list of keys, and what is left to be done at the provider |
//! | [`personal_token`] | the object of one personal access token |
//! | [`connection`] | tokens of other services: the table of connections, who asks, where tokens come from |
//! | [`connected`] | the object of one user's connected accounts |
//! | [`service`] | authorization servers of others, as their client |
//! | [`connect`] | connecting an account: the link, the consent, the round trip, the confirmation |
//! | [`provider`] | grants at the provider: refreshing and revoking |
//! | [`secrets`] | ids, hashes and sealing keys: what is derived from which secret |
//! | [`lease`] | the one refresh at a time, which keys and connected accounts have |
//! | [`columns`], [`jwt`] | what several objects read: columns of rows, the expiry of access tokens |
//! | [`platform`] | what the platform provides, as one type |
//! | `worker` | the adapter to Cloudflare |
//! | [`audit`] | a line of the log for everything that happens to a key or to a connected account |

pub mod account;
pub mod administration;
pub mod audit;
pub mod columns;
pub mod connect;
pub mod connected;
pub mod connection;
pub mod credentials;
pub mod deployment;
pub mod internal;
pub mod jwt;
pub mod key;
pub mod keyring;
pub mod lease;
pub mod owner;
pub mod pages;
pub mod personal_token;
pub mod platform;
pub mod provider;
pub mod requested_key;
pub mod revocation;
pub mod secrets;
pub mod service;
pub mod settings;
pub mod sign_in;
pub mod user_keys;
pub mod vault;
pub mod visit;
mod worker;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
