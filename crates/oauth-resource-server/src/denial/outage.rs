//! Why a token could not be checked: the provider's keys or its endpoints for opaque tokens cannot be had.

use super::values::{Endpoint, Excerpt, HeldBytes, after_space};
use crate::json_members::MembersError;

/// Why there are no keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysOutage {
    /// What the provider answered instead of its documents.
    #[error("{0}")]
    Provider(Excerpt),
    /// The token's key may be newer than the copy, and the provider may not be asked again yet.
    #[error("what is needed may be newer than the copy at hand, and the provider was asked a moment ago")]
    CopyMayBeOlder,
    /// There is no copy of the keys.
    #[error("no usable copy of the keys is at hand")]
    NoCopy,
}

/// Why the provider did not say what an opaque token is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntrospectionError {
    /// The discovery document has none.
    #[error("the provider has no {0} endpoint")]
    NoEndpoint(Endpoint),
    /// No response.
    #[error("{endpoint}: {error}")]
    Fetch {
        /// Which endpoint.
        endpoint: Endpoint,
        /// Why.
        error: Excerpt,
    },
    /// A body that cannot be used.
    #[error("{endpoint}: {error}")]
    Body {
        /// Which endpoint.
        endpoint: Endpoint,
        /// Why.
        error: MembersError,
    },
    /// A status that says nothing about the token.
    #[error("{endpoint} answered {status}{}", after_space(code))]
    Status {
        /// Which endpoint.
        endpoint: Endpoint,
        /// HTTP status.
        status: u16,
        /// The OAuth error code; empty if there is none.
        code: Excerpt,
    },
    /// A response without what every response of this endpoint has.
    #[error("{endpoint} answered without {missing}")]
    Incomplete {
        /// Which endpoint.
        endpoint: Endpoint,
        /// What is missing.
        missing: &'static str,
    },
    /// The provider cannot fetch the metadata document of the token's client, which may be over in a minute.
    #[error("introspection answered 400: the provider cannot fetch the client's metadata document")]
    ClientMetadata,
    /// As many requests are open as may be.
    #[error("too many questions to the provider are open")]
    TooManyOpen,
}

impl HeldBytes for KeysOutage {
    fn held_bytes(&self) -> usize {
        match self {
            Self::Provider(failure) => failure.held_bytes(),
            Self::CopyMayBeOlder | Self::NoCopy => 0,
        }
    }
}

impl HeldBytes for IntrospectionError {
    fn held_bytes(&self) -> usize {
        match self {
            Self::Fetch { error, .. } => error.held_bytes(),
            Self::Status { code, .. } => code.held_bytes(),
            _ => 0,
        }
    }
}
