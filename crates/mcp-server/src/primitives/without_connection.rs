//! Stands in for the module `connection` where the feature `connections` is off: no handler declares any, and nothing is
//! carried for them.

use std::{convert::Infallible, rc::Rc, time::Duration};

use mcp_edge_connections::port::Connections;

use crate::primitives::required::RequiredConnection;

/// No connections.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Declared;

/// Implemented by nothing: says which feature is off.
#[diagnostic::on_unimplemented(
    message = "connections need the feature `connections` of mcp-edge",
    label = "the feature `connections` is off",
    note = "in Cargo.toml: mcp-edge = {{ …, features = [\"connections\"] }}"
)]
pub trait FeatureConnections {}

#[allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "as where there are connections")]
impl Declared {
    pub const NONE: Self = Self;

    pub const fn all(self) -> &'static [RequiredConnection] {
        &[]
    }

    pub const fn is_empty(self) -> bool {
        true
    }

    pub const fn or(self, others: Self) -> Self {
        others
    }

    pub const fn meta(self) -> Option<&'static str> {
        None
    }

    pub const fn check(self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Nothing to ask for tokens.
pub(crate) struct Access;

/// A connection that a handler declares.
pub(crate) struct DeclaredConnection {
    pub connections: Option<Rc<dyn Connections>>,
    pub needed: &'static RequiredConnection,
    pub user_of_token: &'static str,
    pub time: Duration,
}

#[allow(clippy::unused_self, reason = "as where there are connections")]
impl Access {
    pub fn new(_: Option<Rc<dyn Connections>>) -> Self {
        Self
    }

    pub const fn declare(&self, _: Declared, _: Duration) {}

    pub const fn find(&self, _: &str) -> Option<DeclaredConnection> {
        None
    }
}
