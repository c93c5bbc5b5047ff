//! What a request does next.

use std::rc::Rc;

use crate::keys::{jwk::Key, key_set::SelectionError};

/// What a request does next.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Verify with this key.
    Use(Rc<Key>),
    /// Read the store and report with [`JwksState::store_answered`](super::JwksState::store_answered).
    ReadStore,
    /// Ask the provider and report with [`JwksState::provider_answered`](super::JwksState::provider_answered).
    AskProvider,
    /// The same, without waiting long for it: there is an old copy to fall back on.
    Renew,
    /// Another request of this isolate holds the lease: wait a moment, then ask again what to do.
    Wait,
    /// Refuse the token.
    Refuse(KeyRefusal),
    /// It cannot be known; worth another try after so many seconds.
    Unavailable(u64),
}

/// How the copy is renewed in the background. The request that carries it out holds the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// Read the store, where another isolate may have put a newer copy, report, and then do what
    /// [`JwksState::goes_on_to_provider`](super::JwksState::goes_on_to_provider) says.
    Store,
    /// Ask the provider, and report.
    Provider,
}

/// Why a token is refused on account of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRefusal {
    /// The published keys have none for it.
    Selection(SelectionError),
    /// The signature did not verify, and the key is still the published one.
    BadSignature,
}

impl KeyRefusal {
    /// No key of this name is published.
    pub const UNKNOWN_KEY: Self = Self::Selection(SelectionError::Unknown);
}
