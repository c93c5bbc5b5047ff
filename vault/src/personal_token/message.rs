//! What the object of a personal access token is asked, and what it answers.

use serde::{Deserialize, Serialize};

/// A message to the object: an access token, please.
#[derive(Clone, Serialize, Deserialize)]
pub struct Request {
    /// The name of the object, which it does not know itself.
    pub name: String,
    /// The personal access token.
    pub token: String,
}

/// An answer of the object.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// An access token, good until then without another request.
    Token {
        /// The access token, a JWT.
        access_token: String,
        /// Seconds since 1970.
        until: u64,
    },
    /// The provider refuses the personal access token.
    Refused,
    /// The provider cannot be asked, or does not say.
    Unavailable {
        /// Seconds until it makes sense to ask again.
        retry_after: u64,
        /// Why, for the operator.
        cause: String,
    },
}
