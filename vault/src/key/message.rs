//! What the object of a key is asked, and what it answers.

use serde::{Deserialize, Serialize};

/// A message to the object. It does not know its own name, and what it seals is bound to that.
#[derive(Clone, Serialize, Deserialize)]
pub struct Envelope {
    /// The id of the key.
    pub id: String,
    /// What is asked.
    pub request: Request,
}

/// A request to the object. Each can be repeated.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Makes the key, unless there is another one.
    Create(Box<NewKey>),
    /// An access token for the bearer of the key's secret.
    Use {
        /// The secret, as it stands in the key.
        secret: String,
    },
    /// What is known of the key.
    Describe,
    /// Revokes the key.
    Revoke {
        /// Who did it, for the audit log: `user`, `rotation`, `administrator`, `holder`.
        by: String,
        /// If set, only if this is its secret: the holder of a key may revoke it.
        secret: Option<String>,
    },
    /// Revokes at the provider the grant of a key that works no longer. One that works is left alone: the answer is the
    /// key.
    EndGrant,
}

/// A key to be made.
#[derive(Clone, Serialize, Deserialize)]
#[allow(missing_docs, reason = "as in `Description`")]
pub struct NewKey {
    pub secret: String,
    pub refresh_token: String,
    pub issuer: String,
    pub subject: String,
    pub name: String,
    pub scopes: String,
    pub tools: Option<Vec<String>>,
    pub created_at: u64,
    pub expires_at: u64,
    pub rotated_from: Option<String>,
    pub grant_id: Option<String>,
}

/// An answer of the object.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done,
    /// There is a key already.
    Exists,
    /// There is no key, or the secret is another.
    Unknown,
    /// The key.
    Key(Box<Description>),
    /// An access token, good until then without another request.
    Token {
        /// The access token.
        access_token: String,
        /// Seconds since 1970.
        until: u64,
        /// The key.
        key: Box<Description>,
    },
    /// The key has expired.
    Expired,
    /// The key was revoked.
    Revoked,
    /// The provider has ended the grant.
    Ended,
    /// As [`Answer::Revoked`] or [`Answer::Ended`], by the state of the key; and it is to be reported. At most once a
    /// minute.
    Report {
        /// The key.
        key: Box<Description>,
        /// Whether the provider has ended the grant just now.
        has_just_ended: bool,
    },
    /// The provider cannot be asked, or does not say.
    Unavailable {
        /// Seconds until it makes sense to ask again.
        retry_after: u64,
        /// Why, for the operator.
        cause: String,
    },
}

/// What is known of a key, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Whose key it is: `iss`.
    pub issuer: String,
    /// Whose key it is: `sub`.
    pub subject: String,
    /// The name that its user gave it.
    pub name: String,
    /// Its scopes, separated by spaces, without `SCOPE_PREFIX`.
    pub scopes: String,
    /// The names of the tools that it may call; `None`: all that its scopes allow.
    pub tools: Option<Vec<String>>,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970.
    pub expires_at: u64,
    /// The id of the key that it replaced.
    pub rotated_from: Option<String>,
    /// The day on which it was last used, in days since 1970.
    pub last_used_day: Option<u64>,
    /// When the provider issued its refresh token (seconds since 1970): an idle key ends some time after. One that is not
    /// replaced lasts no longer for being used.
    pub refreshed_at: u64,
    /// Whether it works.
    pub state: State,
    /// When that began, in seconds since 1970; of an active key when it was made.
    pub since: u64,
    /// Whether its grant is still to be revoked at the provider.
    pub grant_is_pending: bool,
    /// What the provider calls its grant, if its tokens say so (claim `grant_id`).
    pub grant_id: Option<String>,
}

/// The state of a key. Expiry is no state: it follows from the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It works until it expires.
    Active,
    /// It was revoked here.
    Revoked,
    /// The provider has ended its grant.
    Ended,
}
