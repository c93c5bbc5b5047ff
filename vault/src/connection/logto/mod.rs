//! The kinds of connections that Logto has of its own. Logto refuses the tokens of third-party applications as subjects of an
//! exchange, so the vault has the Management API mint a subject token for the caller, and exchanges that. It does so for the
//! subject of a credential that was verified here, and takes resource and scopes from its own settings.
//!
//! | module | what it contains |
//! |---|---|
//! | [`subject`] | subject tokens, minted by the Management API |
//! | [`broker`] | `logto-broker`: a token for another API resource |
//! | [`secret_vault`] | `logto-vault`: a token of an identity that Logto keeps |

pub mod broker;
pub mod secret_vault;
pub mod subject;
