//! Counts and locks across locations: one Durable Object behind one port.
//!
//! | module | contents |
//! |---|---|
//! | [`rules`] | what is admitted, as functions over rows; no I/O, nothing awaited |
//! | [`rows`] | the rows, and [`sql_rows`] as the tables of the object |
//! | [`message`] | the operations as JSON, and the object's answer to each |
//! | [`client`], [`object`] | the port, by calls of the object |
//! | [`remembering`] | refusals that an isolate remembers, so that a flood does not reach the object |
//! | [`import`] | clients of earlier versions, and reconciliation with the store |
//!
//! A registration takes a reservation before anything is made at the provider, and the reservation becomes a client or is
//! released. A change of a client holds a lease. Both are rows: the object does not wait for their holders, and
//! other requests reach it meanwhile. Should their holder be gone, a reservation ends by itself after
//! [`RESERVATION_SECONDS`], and a lease, which its holder renews, after [`LEASE_SECONDS`]. The caller chooses their ids, so an
//! operation whose answer was lost can be repeated.
//!
//! | operation | what it decides |
//! |---|---|
//! | [`Ledger::take_use`] | uses of an initial access token |
//! | [`Ledger::admit`] | registrations of a network and of a site in an hour, `MAX_CLIENTS`, `MAX_CLIENTS_PER_DEVELOPER` |
//! | [`Ledger::settle`], [`Ledger::release`] | a reservation becomes a client, or is given back |
//! | [`Ledger::undo`] | a registration failed at its end |
//! | [`Ledger::remove`] | a client has ended |
//! | [`Ledger::count_call`] | management requests (RFC 7592) for one client in an hour |
//! | [`Ledger::begin_change`], [`Ledger::renew_change`], [`Ledger::end_change`] | one change of a client at a time |
//!
//! There is one object for all of it. A registration touches the total, a developer's quota, rates and a token's uses, and
//! only within one object are they one decision. What reaches it is bounded by what it admits: calls for a client come
//! with the client's token and are 20 an hour, and refusals are remembered by the isolates.
//!
//! Requests carry plain data with the limits in them: the object knows no settings.

pub mod client;
pub mod import;
pub mod message;
pub mod object;
pub mod remembering;
pub mod rows;
pub mod rules;
pub mod sql_rows;

use serde::Serialize;

use crate::{
    client_metadata::ClientMetadata,
    client_network::site_of,
    policy::{Mode, Policy, Registrant},
    storage::keys::{owner_prefix, rate_key},
};

/// A server or a household has a site (an IPv6 /48 or a part of one) of up to 65536 networks and could pass for as many
/// strangers. Some sites are many households, of a mobile operator for example.
pub const SITE_FACTOR: u32 = 5;

/// An agent reads or changes its registration a few times in its life. A change takes up to seven calls of the Management
/// API: with all of 500 clients a stranger gets to 19 calls a second, and Logto Cloud allows 20.
pub const MAX_CALLS_PER_CLIENT_AND_HOUR: u32 = 20;

/// Strangers leave one part in so many of `MAX_CLIENTS` to the others, who would otherwise have none after a flood.
const PART_NOT_FOR_STRANGERS: u32 = 10;

/// The longest that one registration can take, with a margin: every call of the provider repeated to the end. What was
/// reserved longer ago belongs to an isolate that is gone.
pub const RESERVATION_SECONDS: u64 = 15 * 60;

/// How long a client is locked after its lease was begun or renewed. Holders stop well before, see
/// [`lease`](crate::clients::lease).
pub const LEASE_SECONDS: u64 = 2 * 60;

/// Names the counts of registrations.
const REGISTRATIONS: &str = "registrations";

/// Names the counts of management requests.
const CALLS: &str = "calls";

/// Counts and locks that all locations share. `now` is the caller's clock, in seconds since 1970; the object goes by its
/// own.
#[allow(async_fn_in_trait, reason = "isolates have one thread: futures need not be Send")]
pub trait Ledger {
    /// Reserves a use of an initial access token under `id`. `false`: none is left.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn take_use(&self, id: &str, uses: &TokenUses, now: u64) -> Result<bool, LedgerError>;

    /// Reserves room for one more client under `id`.
    ///
    /// # Errors
    /// [`AdmissionError`]; then nothing is reserved.
    async fn admit(&self, id: &str, admission: &Admission, now: u64) -> Result<(), AdmissionError>;

    /// Turns everything that is reserved under `id` into this client.
    ///
    /// # Errors
    /// [`LedgerError`]; the caller takes the client back.
    async fn settle(&self, id: &str, client_id: &str, now: u64) -> Result<(), LedgerError>;

    /// Gives back what is reserved under `id`. If this fails, the reservation ends after [`RESERVATION_SECONDS`].
    async fn release(&self, id: &str, now: u64);

    /// Takes a client back whose registration failed after [`Ledger::settle`], and gives back the use of its token. If this
    /// fails, the next scheduled run counts the client no longer; the use stays spent.
    async fn undo(&self, client_id: &str, now: u64);

    /// Counts a client no longer. If this fails, the next scheduled run does it.
    async fn remove(&self, client_id: &str, now: u64);

    /// Counts a management request for a client.
    ///
    /// # Errors
    /// [`CallError`].
    async fn count_call(&self, client_id: &str, now: u64) -> Result<(), CallError>;

    /// Begins a change of a client. Until [`Ledger::end_change`], or for [`LEASE_SECONDS`], there is no other. Gives the
    /// metadata that the last change wrote, if the store may not show it everywhere yet.
    ///
    /// # Errors
    /// [`ChangeError`].
    async fn begin_change(&self, id: &str, client_id: &str, now: u64) -> Result<Option<ClientMetadata>, ChangeError>;

    /// Renews the lease of a change for [`LEASE_SECONDS`].
    ///
    /// # Errors
    /// [`ChangeError::Busy`] if the change has ended, or another one has begun since.
    async fn renew_change(&self, id: &str, client_id: &str, now: u64) -> Result<(), ChangeError>;

    /// Ends a change; `written` is the metadata that it wrote.
    async fn end_change(&self, id: &str, client_id: &str, written: Option<&ClientMetadata>, now: u64);

    /// Compares the ledger with the store, and corrects the ledger.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn reconcile(&self, now: u64) -> Result<Reconciled, LedgerError>;
}

/// The ledger could not be asked, or not be relied on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger: {0}")]
pub struct LedgerError(pub String);

/// Why no room was reserved for a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
    /// The network or its site has registered too many clients.
    #[error("too many registrations in an hour; there may be more in {retry_after} seconds")]
    TooManyRegistrations {
        /// Seconds until there may be another.
        retry_after: u64,
    },
    /// There is no room.
    #[error("MAX_CLIENTS is reached")]
    Full,
    /// The developer has as many clients as anybody may have.
    #[error("MAX_CLIENTS_PER_DEVELOPER = {limit} is reached")]
    DeveloperQuota {
        /// The limit.
        limit: u32,
    },
    /// The ledger could not be asked.
    #[error(transparent)]
    Unavailable(#[from] LedgerError),
}

/// Why a management request is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// There were too many for this client.
    #[error("too many calls in an hour; there may be more in {retry_after} seconds")]
    TooMany {
        /// Seconds until there may be another.
        retry_after: u64,
    },
    /// The ledger could not be asked.
    #[error(transparent)]
    Unavailable(#[from] LedgerError),
}

/// Why a change cannot begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// Another change of the same client is in progress.
    #[error("another change of the client is in progress")]
    Busy,
    /// The ledger could not be asked.
    #[error(transparent)]
    Unavailable(#[from] LedgerError),
}

/// The uses of an initial access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenUses {
    /// Identifies the token: the prefix of its keys in the store.
    pub token: String,
    /// How many there are in all.
    pub total: u32,
    /// When the token expires, in seconds since 1970.
    pub expires_at: u64,
}

/// The limits and counts that a registration is admitted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// What is counted in an hour: the key of each count, and its limit.
    pub rates: Vec<(String, u32)>,
    /// The developer whose client it becomes (the prefix of their keys in the store), and how many one may have.
    pub owner: Option<(String, u32)>,
    /// How many clients there may be in all, this one included.
    pub capacity: u32,
    /// Whether the registrant is unknown (mode `open`).
    pub is_stranger: bool,
}

/// The result of a reconciliation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// Clients that were not counted.
    pub added: usize,
    /// Clients that were counted and are gone.
    pub removed: usize,
}

impl Admission {
    /// Creates the admission of a registrant under a policy.
    #[must_use]
    pub fn of(registrant: &Registrant, policy: &Policy) -> Self {
        let limits = &policy.limits;
        let everything = Self { rates: Vec::new(), owner: None, capacity: limits.clients, is_stranger: false };
        match registrant {
            Registrant::Anyone { network } => Self {
                rates: match policy.mode {
                    Mode::Open => rates_of(network, limits.per_address_and_hour),
                    Mode::Token | Mode::Developers => Vec::new(),
                },
                capacity: limits.clients - limits.clients / PART_NOT_FOR_STRANGERS,
                is_stranger: true,
                ..everything
            },
            Registrant::InitialToken { .. } => everything,
            Registrant::Developer { issuer, subject } => {
                Self { owner: Some((owner_prefix(issuer, subject), limits.per_developer)), ..everything }
            }
        }
    }
}

/// The counts that a registration from a network belongs to.
fn rates_of(network: &str, limit: u32) -> Vec<(String, u32)> {
    let mut rates = vec![(rate_key(REGISTRATIONS, network), limit)];
    rates.extend(site_of(network).map(|site| (rate_key(REGISTRATIONS, &site), limit.saturating_mul(SITE_FACTOR))));
    rates
}

/// The count that a management request for a client belongs to.
fn calls_of(client_id: &str) -> String {
    rate_key(CALLS, client_id)
}
