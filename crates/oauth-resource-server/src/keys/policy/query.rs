//! What a request wants to know, and what it has attempted so far.

use mcp_edge_runtime::crypto::{Algorithm, Thumbprint};

use super::action::Action;
use crate::keys::record::Record;

/// The key that a token needs.
#[derive(Debug, Clone, Copy)]
pub struct KeyQuery<'a> {
    /// The token's `kid`.
    pub kid: Option<&'a str>,
    /// The token's `alg`.
    pub algorithm: Algorithm,
    /// The token's `iat`: a key set fetched later than that must contain its key.
    pub issued_at: Option<u64>,
    /// A key under which the token's signature did not verify: is it still the key of this name?
    pub disproved: Option<Thumbprint>,
}

/// What a request has attempted so far; makes sure that it attempts everything at most once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attempted {
    /// It read the store.
    pub store: bool,
    /// It asked the provider.
    pub provider: bool,
    /// It has waited for others as long as it will while there is an old copy to fall back on.
    pub has_waited: bool,
}

impl Attempted {
    /// The same after `action` is carried out.
    #[must_use]
    pub const fn and(self, action: &Action) -> Self {
        match action {
            Action::ReadStore => Self { store: true, ..self },
            Action::AskProvider | Action::Renew => Self { provider: true, ..self },
            Action::Use(_) | Action::Wait | Action::Refuse(_) | Action::Unavailable(_) => self,
        }
    }
}

/// How much a caller of [`JwksState::next_for_document`](super::JwksState::next_for_document) trusts in the copy of the
/// discovery document. Anybody who can write to the store could otherwise choose where client secrets and users go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assurance {
    /// Any copy will do: nothing is sent to the endpoints that it names.
    AnyCopy,
    /// Endpoints will receive credentials or users: they must be on the issuer's own origin, or the document must come
    /// from the issuer itself.
    Endpoints,
    /// The whole document will be passed on: all that it names must be on the issuer's own origin, or it must come from
    /// the issuer itself.
    WholeDocument,
}

impl Assurance {
    /// Whether this copy is trusted that much.
    #[must_use]
    pub fn is_given_by(self, copy: &Record) -> bool {
        match self {
            Self::AnyCopy => true,
            Self::Endpoints => !copy.is_stored || copy.provider.has_own_endpoints(),
            Self::WholeDocument => !copy.is_stored || copy.provider.names_own_origin_only(),
        }
    }
}
