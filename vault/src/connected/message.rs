//! What the object of a user's connected accounts is asked, and what it answers.

use serde::{Deserialize, Serialize};

use crate::{
    connection::caller::Agent,
    owner::Owner,
    service::{Provenance, account::AccountId},
};

/// A request with whose object it is for: what is sealed is sealed for this user.
#[derive(Clone, Serialize, Deserialize)]
pub struct Envelope {
    /// The user.
    pub owner: Owner,
    /// What is asked.
    pub request: Request,
}

/// A request to the object.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// An access token, or the link to connect an account by.
    Access {
        /// The name of the connection.
        connection: String,
        /// The scopes that are needed.
        scopes: Vec<String>,
        /// What may be asked for when an account is connected: the scopes of the settings.
        offered: Vec<String>,
        /// Who asks.
        agent: Agent,
        /// What needs the token, as endpoints name it ([`UserOfToken`](mcp_edge_connections::port::UserOfToken)).
        user_of_token: String,
        /// The token that the service has refused.
        refused: Option<String>,
    },
    /// What a link is for. Changes nothing.
    Link {
        /// Its id.
        id: String,
    },
    /// Uses a link up.
    Spend {
        /// Its id.
        id: String,
    },
    /// Its user has cancelled what a link that was used up led to.
    CancelLink {
        /// Its id.
        id: String,
    },
    /// Keeps tokens until the user has said that the account is the right one, once for each authorization: repeated, it
    /// answers the same. The answer is [`Answer::Held`].
    Hold {
        /// What is unique to the authorization: a digest of its `state`.
        authorization: String,
        /// The tokens.
        account: Box<NewAccount>,
    },
    /// What is kept for confirmation.
    Held {
        /// The name of the connection.
        connection: String,
    },
    /// The account is the right one.
    Confirm {
        /// The name of the connection.
        connection: String,
        /// The id of what is held, as [`Answer::Held`] said: another tab may hold another account.
        hold: String,
        /// The id of the link that led there.
        #[serde(default)]
        link: Option<String>,
    },
    /// It is not: forgets what is held, and revokes it at the service.
    Discard {
        /// The name of the connection.
        connection: String,
        /// The id of what is held.
        hold: String,
    },
    /// All connected accounts.
    List,
    /// Forgets an account, and revokes its tokens at the service.
    Disconnect {
        /// The name of the connection.
        connection: String,
    },
}

/// An account that was authorized just now.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewAccount {
    /// The name of the connection.
    pub connection: String,
    /// What the service calls the account; empty if it does not say.
    pub name: String,
    /// Its id at the service, if that is known.
    #[serde(default)]
    pub id: Option<AccountId>,
    /// The access token.
    pub access_token: String,
    /// Until when it is good, in seconds since 1970; `None`: the service does not say.
    pub until: Option<u64>,
    /// The refresh token, if there is one.
    pub refresh_token: Option<String>,
    /// What was granted, separated by spaces.
    pub scopes: String,
    /// Our client at the service.
    pub client_id: String,
    /// Where the tokens are from.
    pub from: Provenance,
}

/// An answer of the object.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done,
    /// A token.
    Token {
        /// The access token.
        access_token: String,
        /// What it may do, separated by spaces.
        scopes: String,
    },
    /// There is none: the id of the link by which the user connects an account.
    NotConnected {
        /// The id.
        link: String,
    },
    /// What a link is for.
    Link(Link),
    /// What is held.
    Held {
        /// Its id.
        hold: String,
        /// The account.
        account: Account,
        /// The name of the account that it would replace, if another one is connected.
        replaces: Option<String>,
    },
    /// The accounts, by the names of their connections.
    Accounts(Vec<Account>),
    /// What was disconnected; whether it was revoked at the service, or will be.
    Disconnected(Revocation),
    /// There is no such link, account or hold (any more).
    Unknown,
    /// It was used already.
    Used,
    /// It cannot be said now.
    Unavailable {
        /// Seconds until it makes sense to ask again.
        retry_after: u64,
        /// Why, for the operator; without secrets.
        cause: String,
    },
}

/// What a link is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The name of the connection.
    pub connection: String,
    /// The scopes that are asked for.
    pub scopes: Vec<String>,
    /// Who asked.
    pub agent: Agent,
    /// What needed the token.
    pub user_of_token: String,
    /// Whether it was used.
    pub is_spent: bool,
    /// Whether its user has cancelled what it led to.
    #[serde(default)]
    pub is_cancelled: bool,
}

/// A connected account, as its user sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The name of the connection.
    pub connection: String,
    /// What the service calls the account; empty if it does not say.
    pub name: String,
    /// What was granted, separated by spaces.
    pub scopes: String,
    /// When it was connected, in seconds since 1970.
    pub connected_at: u64,
    /// Its last uses, the newest first: one for each agent and tool, at most 20.
    pub uses: Vec<Use>,
    /// Since when the service refuses it, in seconds since 1970: it has to be connected anew.
    pub ended_at: Option<u64>,
}

/// A use of a connected account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// When, in seconds since 1970.
    pub at: u64,
    /// By which agent.
    pub agent: Agent,
    /// By what, as endpoints name it.
    pub user_of_token: String,
}

/// What has become of the grant at the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Revocation {
    /// It was revoked.
    Revoked,
    /// The service offers no revocation: the user may end it there.
    NotOffered,
    /// It could not be asked: it is tried again.
    Pending,
}
