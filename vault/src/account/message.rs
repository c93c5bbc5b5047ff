//! What the object of a user is asked, and what it answers.

use serde::{Deserialize, Serialize};

/// A request to the object.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Makes room for a key that is about to be made, once for each authorization.
    Reserve {
        /// What is unique to the authorization: a digest of its `state`.
        authorization: String,
        /// The id of the key.
        id: String,
        /// The name that the user gives it.
        name: String,
        /// Seconds since 1970.
        expires_at: u64,
        /// How many keys the user may have that work.
        limit: u32,
    },
    /// Uses an authorization that is for no key: a sign-in.
    Use {
        /// What is unique to it: a digest of its `state`.
        authorization: String,
    },
    /// The key was made.
    Confirm {
        /// Its id.
        id: String,
        /// What the provider calls its grant, if known.
        grant_id: Option<String>,
    },
    /// The key was not made after all.
    Release {
        /// Its id.
        id: String,
    },
    /// All keys that are not forgotten: those that may work first, the newest of each first.
    List,
    /// The key works no longer: its grant is to be revoked, as far as no other key needs it.
    Gone {
        /// Its id.
        id: String,
    },
}

/// An answer of the object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done,
    /// The authorization was used already.
    Used,
    /// The user has as many keys as they may.
    Full,
    /// The keys, newest first.
    Keys(Vec<Entry>),
    /// It is done; what has become of the grant at the provider.
    Grant(GrantOutcome),
}

/// A key in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// The name that its user gave it.
    pub name: String,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Seconds since 1970.
    pub expires_at: u64,
    /// When it ended, in seconds since 1970, as far as the list knows.
    pub gone_at: Option<u64>,
}

/// What has become of the grant of a key that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantOutcome {
    /// It was revoked at the provider.
    Revoked,
    /// Another key of this user may share it: it is revoked together with that.
    Shared,
    /// The provider could not be asked: it is tried again.
    Pending,
}
