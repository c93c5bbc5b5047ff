//! The resource server: a request goes in, an identity or a denial comes out.
//!
//! | module | what it contains |
//! |---|---|
//! | `server` | [`ResourceServer`]: the order of the checks, and the cache of verified tokens |
//! | `policy` | [`TrustPolicy`]: what the operator decides |
//! | `opaque_tokens` | opaque tokens: the cache of verdicts, and the limit on unknown ones |
//! | `exchanging`, `exchanged` | credentials that are exchanged for access tokens |
//! | `known` | what is cached |
//! | `introspection` | the requests to the provider about an opaque token |
//! | `trace` | [`Authentication`], the outcome, with what was learned on the way |

mod exchanged;
mod exchanging;
mod introspection;
mod known;
mod opaque_tokens;
mod policy;
mod server;
mod trace;

pub use policy::{TrustPolicy, TrustedIssuer};
pub use server::ResourceServer;
pub use trace::{AuthTrace, Authentication};
