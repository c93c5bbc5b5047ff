//! Connections: what endpoints ask for, by kind.
//!
//! | module | what it contains |
//! |---|---|
//! | [`settings`] | the table `CONNECTIONS` |
//! | [`read`] | how it is read and checked |
//! | [`address`] | where services may be |
//! | [`agent`], [`caller`] | the software that asks; who asks, verified here |
//! | [`answer`] | what endpoints ask, answered |
//! | [`source`] | where tokens come from, as a port |
//! | [`sources`] | the kinds whose tokens the identity provider issues |
//! | [`exchange`], [`logto`] | each of these kinds |
//! | [`token_answer`] | what the token endpoint answers to an exchange |
//! | [`issuance`] | what was issued a moment ago: one issuance for all requests that want the same |

pub mod address;
pub mod agent;
pub mod answer;
pub mod caller;
pub mod exchange;
pub mod issuance;
pub mod logto;
pub mod read;
pub mod settings;
pub mod source;
pub mod sources;
pub mod token_answer;

#[cfg(test)]
mod tests;
