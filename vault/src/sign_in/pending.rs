//! Round trips to the provider, and to services, that are not finished: what a browser keeps of each, sealed. Each has a cookie
//! of its own, named by its `state`, so that two tabs do not know of each other.

use mcp_edge_runtime::{http::RequestHead, ports::Runtime};
use mcp_edge_sign_in::{
    authorization::RoundTrip,
    cookie::{cookie, set_cookie},
    sealed::Sealer,
};
use serde::{Deserialize, Serialize};

use super::destination::Destination;
use crate::{deployment::Owner, requested_key::RequestedKey, service::Provenance};

/// What the names of the cookies begin with. `__Host-`: no other host can set them.
const COOKIE_PREFIX: &str = "__Host-authorize-";

/// So many characters of `state` tell the round trips of a browser apart; all of it is in the cookie.
const STATE_CHARACTERS: usize = 8;

/// The purpose of the sealed value.
const PURPOSE: &str = "round trip";

/// People look for their passwords.
const SECONDS: u64 = 600;

/// Browsers keep 4,096 bytes of a cookie with its name and attributes (RFC 6265 §6.1).
const MAX_COOKIE_BYTES: usize = 3_900;

/// What a user was sent to the provider, or to a service, for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Purpose {
    /// To sign in here.
    SignIn,
    /// To sign in here, and to go on elsewhere than with the keys.
    SignInFor(Destination),
    /// To make a key.
    Create {
        /// Who began it.
        owner: Owner,
        /// The key.
        key: RequestedKey,
    },
    /// To make a key in place of another.
    Rotate {
        /// Who began it.
        owner: Owner,
        /// The new key.
        key: RequestedKey,
        /// The id of the one that it replaces.
        old: String,
    },
    /// To connect an account of a service.
    Connect(Box<Attempt>),
}

/// An attempt to connect an account of a service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attempt {
    /// Who began it.
    pub owner: Owner,
    /// The name of the connection.
    pub connection: String,
    /// The scopes that were asked for.
    pub scopes: Vec<String>,
    /// The id of the link that led there, if one did.
    pub link: Option<String>,
    /// Our client at the service.
    pub client_id: String,
    /// The issuer that answers (RFC 9207); empty if it is not known.
    pub issuer: String,
    /// Where the tokens will be from.
    pub from: Provenance,
}

/// A round trip that is not finished.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pending {
    /// State, verifier and nonce.
    pub round_trip: RoundTrip,
    /// What it is for.
    pub purpose: Purpose,
}

/// The cookie would be too long: the key has too many tools, or the service too many scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

/// Writes and reads the cookies.
pub struct PendingCookies(Sealer);

impl PendingCookies {
    /// Creates cookies that are sealed with this key.
    #[must_use]
    pub const fn new(key: Sealer) -> Self {
        Self(key)
    }

    /// The value of `Set-Cookie` for a round trip that begins.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn begun(&self, pending: &Pending, now: u64, runtime: &impl Runtime) -> Result<String, TooLong> {
        let sealed = self.0.seal(PURPOSE, pending, now + SECONDS, runtime);
        let name = name_of(&pending.round_trip.state).ok_or(TooLong)?;
        let cookie = set_cookie(&name, &sealed, SECONDS);
        if cookie.len() > MAX_COOKIE_BYTES { Err(TooLong) } else { Ok(cookie) }
    }

    /// The round trip with this `state`.
    #[must_use]
    pub fn read(&self, head: &RequestHead<'_>, state: &str, now: u64) -> Option<Pending> {
        let pending: Pending = self.0.open(PURPOSE, cookie(head, &name_of(state)?)?, now)?;
        (pending.round_trip.state == state).then_some(pending)
    }

    /// The value of `Set-Cookie` that ends a round trip; `None` if no state of ours looks like that.
    #[must_use]
    pub fn ended(state: &str) -> Option<String> {
        Some(set_cookie(&name_of(state)?, "", 0))
    }
}

/// The name of a round trip's cookie.
fn name_of(state: &str) -> Option<String> {
    let start = state.get(..STATE_CHARACTERS)?;
    let is_plain = start.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    is_plain.then(|| COOKIE_PREFIX.to_owned() + start)
}
