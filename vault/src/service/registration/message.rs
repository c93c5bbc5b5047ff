//! What the object of a connection's registration is asked, and what it answers.

use serde::{Deserialize, Serialize};

/// A request to the object.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Our client at an issuer; it is registered if there is none.
    Current {
        /// The name of the connection.
        connection: String,
        /// The issuer.
        issuer: String,
        /// The redirect URI.
        redirect_uri: String,
        /// `registration_endpoint`, which was found to be one that requests may be sent to.
        endpoint: String,
        /// The body of a request for registration.
        metadata: String,
        /// The client that the issuer does not know any more: it is registered anew.
        refused: Option<String>,
    },
    /// The client with this id, which may have been replaced since.
    Of {
        /// The name of the connection.
        connection: String,
        /// The issuer: what was issued by another one is not sent to it.
        issuer: String,
        /// Its id.
        client_id: String,
    },
}

/// A client that was registered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`; `None`: it is public.
    pub client_secret: Option<String>,
    /// Whether the secret is sent in the form (`client_secret_post`).
    pub is_posted: bool,
}

/// Hides the secret.
impl std::fmt::Debug for Registered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Registered").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// An answer of the object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The client.
    Client {
        /// It.
        client: Registered,
        /// Whether another one has taken its place, because the issuer did not know it any more.
        is_replaced: bool,
    },
    /// There is no client with this id at this issuer.
    Unknown,
    /// The issuer does not register us: why, for the operator.
    Refused(String),
    /// No answer, or none that can be used: why, for the operator.
    Unavailable(String),
}
