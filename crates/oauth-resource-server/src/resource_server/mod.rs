//! The resource server: a request goes in, an identity or a denial comes out.
//!
//! | module | what it contains |
//! |---|---|
//! | `server` | [`ResourceServer`]: the order of the checks, and the cache of verified tokens |
//! | `policy` | [`TrustPolicy`]: what the operator decides |
//! | `introspection` | the requests to the provider about an opaque token |
//! | `trace` | [`Authentication`], the outcome, with what was learned on the way |

mod introspection;
mod policy;
mod server;
mod trace;

pub use policy::{TrustPolicy, TrustedIssuer};
pub use server::ResourceServer;
pub use trace::{AuthTrace, Authentication};
