//! The verified caller: a user through a client, or a client on its own.

use serde_json::{Map, Value};

use crate::Scopes;

/// Everything that verification established about the sender of a request. It exists only for requests whose token
/// was verified; tools read it, nothing makes one up (except tests).
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// `sub`: the user, or the client itself for a machine. Unique together with the issuer.
    pub subject: String,
    /// `iss`: who vouches for it.
    pub issuer: String,
    /// `client_id`, else `azp`, `cid` or `appid`: the software that sent the request.
    pub client_id: Option<String>,
    /// A person, a machine, or nobody knows.
    pub kind: Kind,
    /// The operator's own software or somebody else's.
    pub party: Party,
    /// What was granted, and what that implies.
    pub scopes: Scopes,
    /// `exp`, seconds since 1970.
    pub expires_at: u64,
    /// Claims about the user that a granted scope covers, by their OpenID Connect names. Everything else that the
    /// token carried is gone.
    pub claims: Map<String, Value>,
}

/// Whether a person stands behind the token. Whoever wants one asks for [`Kind::User`], not for the absence of
/// [`Kind::Machine`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person signed in.
    User,
    /// The client acts for itself (client credentials).
    Machine,
    /// The token shows neither.
    Unknown,
}

/// Whose software the client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// Listed by the operator as their own.
    First,
    /// Anybody else's: an agent.
    Third,
}

impl Identity {
    /// A made-up user for tests of tools: `subject` signed in at `https://issuer.example` through
    /// `test-client`, a third-party client, with the given space-separated scopes.
    #[must_use]
    pub fn for_test(subject: &str, scopes: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            issuer: "https://issuer.example".to_owned(),
            client_id: Some("test-client".to_owned()),
            kind: Kind::User,
            party: Party::Third,
            scopes: Scopes::parse(scopes),
            expires_at: 4_102_444_800,
            claims: Map::new(),
        }
    }
}
