//! The kinds of connections whose tokens are obtained anew for each request: which source a connection has.

use super::{
    caller::Caller,
    settings::{Connection, Kind},
    source::{IssuedToken, NoToken, TokenSource},
};

/// The sources of all kinds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sources;

impl TokenSource for Sources {
    async fn token(&self, connection: &Connection, _: &Caller, _: &[String], _: u64) -> Result<IssuedToken, NoToken> {
        match &connection.kind {
            Kind::Exchange(_) | Kind::LogtoBroker(_) | Kind::LogtoVault(_) => {
                Err(NoToken::Misconfigured(["connection ", &connection.name, ": its kind is not supported"].concat()))
            }
            Kind::Connect(_) | Kind::Static(_) => Err(NoToken::Misconfigured("a kind without a source".to_owned())),
        }
    }
}
