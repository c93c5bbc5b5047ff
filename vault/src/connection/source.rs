//! Where the tokens of a connection come from: one implementation for each kind but `connect`, whose tokens are in the
//! object of the user.

use mcp_edge_runtime::secret::Secret;

use super::{caller::Caller, settings::Connection};

/// Obtains tokens for callers.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait TokenSource {
    /// Obtains a token of `connection` with `scopes`, which are some of the connection's. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`NoToken`].
    async fn token(
        &self,
        connection: &Connection,
        caller: &Caller,
        scopes: &[String],
        now: u64,
    ) -> Result<IssuedToken, NoToken>;

    /// The service has refused `token`, which was issued for the same: another is to be obtained.
    fn refused(&self, connection: &Connection, caller: &Caller, scopes: &[String], token: &str);
}

/// A token that was issued.
#[derive(Debug, Clone)]
pub struct IssuedToken {
    /// The token, never the caller's own.
    pub token: Secret,
    /// What it may do, separated by spaces: no more than was asked for.
    pub scopes: String,
    /// Until when it may be used, in seconds since 1970.
    pub until: u64,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// It is refused for this user.
    #[error("{0}")]
    Refused(String),
    /// The user has to link an account first, at this address if one is known.
    #[error("not linked")]
    NotLinked(Option<String>),
    /// The issuer refuses our own client, or what our settings ask for.
    #[error("{0}")]
    Misconfigured(String),
    /// No answer, or none that can be used.
    #[error("{0}")]
    Unavailable(String),
}
