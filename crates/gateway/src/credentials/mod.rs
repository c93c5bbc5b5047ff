//! What the gateway shows an upstream: signed assertions about the caller, a token of the upstream for the caller, or a
//! secret. Never the token that the caller has sent.
//!
//! | module | what it contains | source |
//! |---|---|---|
//! | [`assertion`] | short-lived JWTs about the caller | RFC 7515, 7519, 9068, 8693, 9493 |
//! | [`signing_key`] | the key that signs them, and the keys that are published | RFC 7517, 7518, 7638 |

pub mod assertion;
pub mod signing_key;

use mcp_edge_identity::Identity;
use mcp_edge_runtime::secret::Secret;

use self::{
    assertion::{AssertionClaims, Beginning},
    signing_key::PrivateKey,
};

/// What one upstream is shown (`UPSTREAM_AUTH`). `Debug` shows no secret.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// An assertion about the caller, anew with each request.
    Assertion(Box<AssertionSettings>),
    /// The same header with every request.
    Secret {
        /// The name of the header, in lower case.
        header: String,
        /// Its whole value: visible ASCII and spaces.
        value: Secret,
    },
    /// A token of the upstream that is the caller's own: of an account there that the user has connected.
    Connection(ConnectionSettings),
    /// Nothing.
    None,
}

/// Which account of the callers the upstream's tokens are of.
#[derive(Clone, Debug)]
pub struct ConnectionSettings {
    /// The name of the connection in the vault's `CONNECTIONS` (`UPSTREAM_CONNECTION`).
    pub name: String,
    /// Under which the gateway asks a client for a visit of the link by which an account is connected (MCP 2026-07-28,
    /// basic/patterns/mrtr). An upstream may be a gateway itself, or ask for a connection of the same name: so it has
    /// `RESOURCE` in it.
    pub input_key: String,
}

impl ConnectionSettings {
    /// Creates the settings of the connection `name` for the gateway at `resource` (`RESOURCE`).
    #[must_use]
    pub fn new(name: String, resource: &str) -> Self {
        Self { name, input_key: ["connect:", resource].concat() }
    }
}

/// What all assertions for one upstream have in common.
#[derive(Clone, Debug)]
pub struct AssertionSettings {
    /// The key that signs.
    pub key: PrivateKey,
    /// `aud`: what the upstream knows itself by.
    pub audience: String,
    /// `iss`: the origin of `RESOURCE`.
    pub issuer: String,
    /// `act.sub`: `RESOURCE`, which acts for the caller.
    pub actor: String,
    /// `ISSUER`, whose users keep their `sub`.
    pub primary_issuer: String,
}

impl AssertionSettings {
    /// How all assertions begin.
    #[must_use]
    pub fn beginning(&self) -> Beginning {
        Beginning::new(self.key.public().kid(), &self.issuer, &self.audience, &self.actor)
    }

    /// What an assertion says about a caller.
    #[must_use]
    pub fn claims<'a>(&'a self, identity: &'a Identity) -> AssertionClaims<'a> {
        AssertionClaims { primary_issuer: &self.primary_issuer, identity }
    }
}
