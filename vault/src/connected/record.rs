//! The rows of the object: accounts, what is held for confirmation, and what is left to be revoked.

use super::message::Revocation;
use crate::{
    lease::Attempt,
    service::{Provenance, account::AccountId},
};

/// Tokens of a service, sealed, and what is known of them.
#[derive(Clone)]
pub struct Tokens {
    /// What the service calls the account; empty if it does not say.
    pub name: String,
    /// Its id at the service; `None`: it is not known, and any other may be the same account.
    pub account: Option<AccountId>,
    /// Our client at the service.
    pub client_id: String,
    /// Where they are from: nothing is sent elsewhere.
    pub from: Provenance,
    /// What was granted, separated by spaces.
    pub scopes: String,
    /// The access token. `None`: there is none that is good.
    pub access: Option<AccessToken>,
    /// The refresh token, sealed.
    pub refresh_sealed: Option<String>,
}

/// An access token that is kept.
#[derive(Clone)]
pub struct AccessToken {
    /// Sealed.
    pub sealed: String,
    /// For how many seconds it was good when it was stored; `None`: until the service refuses it.
    pub seconds: Option<u64>,
    /// Until when it is good, in seconds since 1970.
    pub until: u64,
}

/// A connected account.
#[derive(Clone)]
pub struct Account {
    /// The name of the connection.
    pub connection: String,
    /// The id of the hold that it was confirmed from: it tells it from an account that is connected later.
    pub hold: String,
    /// The tokens.
    pub tokens: Tokens,
    /// In seconds since 1970.
    pub connected_at: u64,
    /// Since when the service refuses it, in seconds since 1970. Its tokens are gone.
    pub ended_at: Option<u64>,
    /// The refresh in flight.
    pub attempt: Option<Attempt>,
    /// Until when the service is spared after a failure, in seconds since 1970.
    pub failed_until: u64,
    /// What failed, for the operator.
    pub failure: String,
}

/// An account that waits for confirmation: at most one for each connection.
#[derive(Clone)]
pub struct Hold {
    /// Chosen at random.
    pub id: String,
    /// The name of the connection.
    pub connection: String,
    /// The tokens.
    pub tokens: Tokens,
    /// In seconds since 1970.
    pub held_at: u64,
    /// Until when it can be confirmed, in seconds since 1970.
    pub until: u64,
}

/// An account that is used no more, whose tokens are left to be revoked.
#[derive(Clone)]
pub struct Departure {
    /// The id of its hold, or another that was chosen at random.
    pub id: String,
    /// The name of the connection.
    pub connection: String,
    /// What the service calls the account; empty if it does not say.
    pub name: String,
    /// Its id at the service; `None`: it is not known, and any other may be the same account.
    pub account: Option<AccountId>,
    /// Our client at the service.
    pub client_id: String,
    /// Where the tokens are from.
    pub from: Provenance,
    /// The refresh token, sealed for its revocation. `None`: there is none, or it was revoked.
    pub refresh_sealed: Option<String>,
    /// The access token, in the same way.
    pub access_sealed: Option<String>,
    /// When the account was given up, in seconds since 1970.
    pub since: u64,
    /// What has become of it.
    pub state: Revocation,
    /// How often revocation has failed.
    pub tries: u64,
    /// When it is tried again, in seconds since 1970.
    pub next_try: u64,
    /// Whether the refresh token was revoked: that has ended the grant.
    pub is_refresh_revoked: bool,
}
