//! Renewal of a copy: the discovery document and the key set, fetched from the provider.

use std::{fmt, pin::pin, time::Duration};

use futures_util::future::{Either, select};

use crate::{
    keys::{
        key_set::{KeySet, KeySetError},
        policy::{CEILING_SECONDS, FRESH_SECONDS},
        record::Record,
    },
    provider::{DocumentPlace, Provider, ProviderError, ProviderLocation},
};
use mcp_edge_runtime::ports::{Fetch, FetchError, HttpRequest, Method, RequestContent, Runtime};

/// For one place of the discovery document or for the key set, connection and body together. A provider that needs
/// longer counts as down.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// For all places of the discovery document together: if the first does not respond, the others have the rest.
const SEARCH_TIMEOUT: Duration = Duration::from_secs(8);

/// The longest discovery document, in bytes. Real ones have 1 to 10 KB.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// As many keys as are read ([`MAX_KEYS`](crate::keys::key_set::MAX_KEYS)), with a certificate of 1.5 KB beside each.
const MAX_KEY_SET_BYTES: usize = 512 * 1024;

/// Why the provider's documents could not be renewed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenewalError {
    /// None of the places of the discovery document has it.
    #[error("{issuer}: no discovery document: {}", Listed(places))]
    Discovery {
        /// Whose document.
        issuer: String,
        /// The places that were asked, in order, and why each is of no use; `None` for the operator's.
        places: Vec<(Option<DocumentPlace>, DocumentError)>,
    },
    /// The key set cannot be had.
    #[error("{url}: {source}")]
    Keys {
        /// Where it should be.
        url: String,
        /// Why.
        source: DocumentError,
    },
}

/// Why a document is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// No answer.
    #[error("{0}")]
    Fetch(FetchError),
    /// An answer other than 200.
    #[error("status {0}")]
    Status(u16),
    /// Cloudflare does not let a Worker fetch from another one of its own zone, or of workers.dev.
    #[error(
        "Cloudflare error 1042: set global_fetch_strictly_public (the provider is a Worker on this zone or workers.dev)"
    )]
    SameZone,
    /// Not a discovery document of the issuer.
    #[error("{0}")]
    Provider(ProviderError),
    /// Not a usable key set.
    #[error("{0}")]
    Keys(KeySetError),
}

impl DocumentError {
    /// Whether the document may be there all the same, behind an outage, a limit or a page of maintenance.
    const fn may_pass(&self) -> bool {
        matches!(self, Self::Fetch(_) | Self::Status(429 | 500..))
    }
}

/// Each place with its error. The line is cut after 200 bytes, so one error of all places is written once.
struct Listed<'a>(&'a [(Option<DocumentPlace>, DocumentError)]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors: Vec<_> = self.0.iter().map(|(_, error)| error.to_string()).collect();
        if let [first, rest @ ..] = &*errors
            && !rest.is_empty()
            && rest.iter().all(|error| error == first)
        {
            return write!(formatter, "all places: {first}");
        }
        for ((place, _), (at, error)) in self.0.iter().zip(errors.iter().enumerate()) {
            let place = place.map_or("DISCOVERY_URL", DocumentPlace::name);
            write!(formatter, "{}{place}: {error}", if at > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

/// Fetches the key set, and the discovery document before it unless we fetched ours a short time ago, or the operator says
/// where the keys are.
pub(super) async fn renew(
    location: &ProviderLocation,
    old: Option<&Record>,
    now: u64,
    services: &(impl Fetch + Runtime),
) -> Result<Record, RenewalError> {
    let (provider, provider_fetched_at, is_stored) = match old {
        _ if location.urls.jwks.is_some() => match held_document(old, now) {
            Some(held) => (held.provider.clone(), held.provider_fetched_at, held.is_stored),
            None => (Provider::without_document(location), 0, false),
        },
        Some(old) if !old.is_stored && old.provider_age(now) < FRESH_SECONDS => {
            (old.provider.clone(), old.provider_fetched_at, false)
        }
        _ => {
            // The document hardly ever changes: an old one may well lead to fresh keys.
            let held = held_document(old, now).filter(|held| held.may_lead_to_keys());
            match (discover(location, held, services).await, held) {
                (Ok(provider), _) => (provider, now, false),
                (Err(_), Some(held)) => (held.provider.clone(), held.provider_fetched_at, held.is_stored),
                (Err(error), None) => return Err(error),
            }
        }
    };
    let keys = document(&provider.jwks_uri, MAX_KEY_SET_BYTES, services).await;
    match keys.and_then(|text| KeySet::parse(&text).map_err(DocumentError::Keys)) {
        Ok(keys) => {
            let keys = keys.into();
            Ok(Record { provider, provider_fetched_at, keys, keys_fetched_at: now, is_stored, writer: None })
        }
        Err(source) => Err(RenewalError::Keys { url: provider.jwks_uri, source }),
    }
}

/// A copy whose discovery document can be used if the search for it fails.
pub(super) fn held_document(old: Option<&Record>, now: u64) -> Option<&Record> {
    old.filter(|old| old.provider.document.is_some() && old.provider_age(now) < CEILING_SECONDS)
}

/// Fetches the discovery document: the first of its places that has a valid one of this issuer counts, asked one after
/// the other, so that none wins by being quicker, and anything else at another place does not end the search. All are on
/// the issuer's own origin, and everybody who controls one of them is trusted with the issuer; a place that the operator
/// gives is the only one.
///
/// `held` has a document that can be used if the search fails.
pub(super) fn discover(
    location: &ProviderLocation,
    held: Option<&Record>,
    services: &(impl Fetch + Runtime),
) -> impl Future<Output = Result<Provider, RenewalError>> {
    let held = held.map(|held| &held.provider);
    search(location, location.document_urls(), Provider::parse, held, services)
}

/// Fetches the discovery document of the provider at `location` from the first of the places `at` that has a valid one, as `parse`
/// reads it.
///
/// `held` is a document that can be used if the search fails. An outage of its place must not replace it by another one
/// at a later place: behind an outage a document counts only if it is the held one.
///
/// # Errors
/// [`RenewalError::Discovery`].
pub async fn search(
    location: &ProviderLocation,
    at: Vec<(Option<DocumentPlace>, String)>,
    parse: fn(&str, &ProviderLocation) -> Result<Provider, ProviderError>,
    held: Option<&Provider>,
    services: &(impl Fetch + Runtime),
) -> Result<Provider, RenewalError> {
    let mut end = services.sleep(SEARCH_TIMEOUT);
    let mut places: Vec<(Option<DocumentPlace>, DocumentError)> = Vec::new();
    for (place, url) in at {
        let text = match select(pin!(document(&url, MAX_DOCUMENT_BYTES, services)), &mut end).await {
            Either::Left((text, _)) => text,
            Either::Right(_) => {
                places.push((place, DocumentError::Fetch(FetchError::Timeout(SEARCH_TIMEOUT))));
                break;
            }
        };
        match text.and_then(|text| parse(&text, location).map_err(DocumentError::Provider)) {
            Ok(provider) => {
                let is_behind_outage = places.iter().any(|(_, error)| error.may_pass());
                if !is_behind_outage || held.is_none_or(|held| *held == provider) {
                    return Ok(provider);
                }
                break;
            }
            Err(error) => places.push((place, error)),
        }
    }
    Err(RenewalError::Discovery { issuer: location.issuer.clone(), places })
}

/// Fetches a document of at most `max_body` bytes.
///
/// # Errors
/// [`DocumentError`].
pub async fn document(url: &str, max_body: usize, services: &impl Fetch) -> Result<String, DocumentError> {
    let call = HttpRequest {
        method: Method::GET,
        url,
        authorization: None,
        body: RequestContent::Empty,
        timeout: FETCH_TIMEOUT,
        max_body,
    };
    match services.fetch(call).await {
        Ok(reply) if reply.status == 200 => Ok(reply.body),
        // Status 404 and this text; the page that browsers get has more around it.
        Ok(reply) if reply.body.starts_with("error code: 1042") => Err(DocumentError::SameZone),
        Ok(reply) => Err(DocumentError::Status(reply.status)),
        Err(error) => Err(DocumentError::Fetch(error)),
    }
}
