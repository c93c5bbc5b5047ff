//! Renewal of a copy: the discovery document and the key set, fetched from the provider.

use std::time::Duration;

use crate::{
    keys::{
        key_set::{KeySet, KeySetError},
        policy::{CEILING_SECONDS, FRESH_SECONDS},
        record::Record,
    },
    provider::{Provider, ProviderError, discovery_urls},
};
use mcp_edge_runtime::ports::{Fetch, FetchError, HttpRequest, Method, RequestContent};

/// For a discovery document or a key set, connection and body together. A provider that needs longer counts as down.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Real documents have 1 to 10 KB.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// Why the provider's documents could not be renewed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenewalError {
    /// No answer.
    #[error("{url}: {source}")]
    Fetch {
        /// Which document.
        url: String,
        /// Why.
        source: FetchError,
    },
    /// An answer other than 200.
    #[error("{url}: answered with status {status}")]
    Status {
        /// Which document.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// The discovery document is not usable.
    #[error("{url}: {source}")]
    Provider {
        /// Which document.
        url: String,
        /// Why.
        source: ProviderError,
    },
    /// The key set is not usable.
    #[error("{url}: {source}")]
    Keys {
        /// Which document.
        url: String,
        /// Why.
        source: KeySetError,
    },
}

/// Fetches the key set, and the discovery document before it unless we fetched ours a short time ago.
pub(super) async fn renew(
    issuer: &str,
    old: Option<&Record>,
    now: u64,
    services: &impl Fetch,
) -> Result<Record, RenewalError> {
    let (provider, provider_fetched_at, is_stored) = match old {
        Some(old) if !old.is_stored && old.provider_age(now) < FRESH_SECONDS => {
            (old.provider.clone(), old.provider_fetched_at, false)
        }
        _ => match (discover(issuer, services).await, old) {
            (Ok(provider), _) => (provider, now, false),
            // The document hardly ever changes: an old one may well lead to fresh keys.
            (Err(_), Some(old)) if old.provider_age(now) < CEILING_SECONDS && old.may_lead_to_keys() => {
                (old.provider.clone(), old.provider_fetched_at, old.is_stored)
            }
            (Err(error), _) => return Err(error),
        },
    };
    let document = document(&provider.jwks_uri, services).await?;
    let keys =
        KeySet::parse(&document).map_err(|source| RenewalError::Keys { url: provider.jwks_uri.clone(), source })?;
    Ok(Record { provider, provider_fetched_at, keys, keys_fetched_at: now, is_stored, writer: None })
}

/// Fetches the discovery document: the first of its two places that answers with 200 counts.
async fn discover(issuer: &str, services: &impl Fetch) -> Result<Provider, RenewalError> {
    let [first, second] = discovery_urls(issuer);
    let (url, document) = match document(&first, services).await {
        Err(RenewalError::Status { status: 400..=499, .. }) => {
            let document = document(&second, services).await?;
            (second, document)
        }
        answer => (first, answer?),
    };
    Provider::parse(&document, issuer).map_err(|source| RenewalError::Provider { url, source })
}

async fn document(url: &str, services: &impl Fetch) -> Result<String, RenewalError> {
    let call = HttpRequest {
        method: Method::GET,
        url,
        authorization: None,
        body: RequestContent::Empty,
        timeout: FETCH_TIMEOUT,
        max_body: MAX_DOCUMENT_BYTES,
    };
    match services.fetch(call).await {
        Ok(reply) if reply.status == 200 => Ok(reply.body),
        Ok(reply) => Err(RenewalError::Status { url: url.to_owned(), status: reply.status }),
        Err(source) => Err(RenewalError::Fetch { url: url.to_owned(), source }),
    }
}
