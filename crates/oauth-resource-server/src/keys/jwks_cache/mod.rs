//! The JWKS cache: carries out what the [key policy](crate::keys::policy) decides, over memory, the shared store and the
//! provider.

mod cache_tier;
mod denials;
mod issuer_keys;
mod key_warnings;
mod patience;
mod renewal;
mod stored_copy;

pub use cache_tier::CacheTier;
pub use issuer_keys::{Found, IssuerKeys};
pub use renewal::{DocumentError, MAX_DOCUMENT_BYTES, RenewalError, document, search};
pub use stored_copy::StoreUse;
