//! Denials that both endpoints lead to.

use crate::denial::{Denial, Endpoint, Excerpt, IntrospectionError, ProviderVerdict};

/// After a failed request, when another one is worth it.
pub const RETRY_SECONDS: u64 = 5;

/// Creates the denial for an outage of the provider's endpoints for opaque tokens.
#[must_use]
pub const fn unavailable(error: IntrospectionError) -> Denial {
    Denial::IntrospectionUnavailable { error, retry_after: RETRY_SECONDS }
}

/// What the provider said is about the token.
pub(super) fn inactive(endpoint: Endpoint, status: u16, code: &str) -> Denial {
    Denial::Inactive { verdict: ProviderVerdict::Error { endpoint, status, code: Excerpt::new(code) } }
}
