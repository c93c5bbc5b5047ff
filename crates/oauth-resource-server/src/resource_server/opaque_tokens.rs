//! Opaque tokens: what the provider says of them is cached, and it is not asked about too many unknown ones.

use std::{rc::Rc, time::Duration};

use super::{
    introspection::{Verdict, introspect},
    known::{Introspected, Known},
    server::ResourceServer,
    trace::AuthTrace,
};
use crate::{
    bearer::BearerToken,
    denial::{Denial, IntrospectionError, OpaqueRefusal},
    keys::jwks_cache::CacheTier,
    token::{
        fingerprint::Fingerprint,
        introspection_limiter::Admission,
        opaque::{self, MAX_OPAQUE_BYTES, OpaquePolicy},
    },
};
use mcp_edge_identity::Identity;
use mcp_edge_runtime::ports::Services;

/// How long a request waits before it asks the limiter again.
const LIMITER_WAIT_MILLISECONDS: u64 = 20;

/// After five seconds, the longest that an introspection may take, one must have been answered.
const MAX_LIMITER_WAITS: u64 = 250;

impl ResourceServer {
    /// Checks an opaque token by what the provider says of it, or said a short time ago.
    pub(super) async fn verify_opaque(
        &self,
        token: BearerToken<'_>,
        fingerprint: Fingerprint,
        now: u64,
        services: &impl Services,
        trace: &mut AuthTrace,
    ) -> Result<Rc<Identity>, Rc<Denial>> {
        let not_configured = || Denial::OpaqueNotAccepted { refusal: OpaqueRefusal::NotConfigured };
        let policy = self.policy.opaque.as_ref().ok_or_else(not_configured)?;
        let bytes = token.expose().len();
        if bytes > MAX_OPAQUE_BYTES {
            return Err(Denial::TokenTooLarge { bytes, limit: MAX_OPAQUE_BYTES }.into());
        }
        let cached = match self.cache.borrow_mut().get(&fingerprint) {
            Some(Known::Asked(known)) => Some(known),
            _ => None,
        };
        // A token that was good before is asked about again, however many others are invented.
        let is_unknown = cached.as_ref().is_none_or(|known| known.verdict.is_err());
        let verdict = if let Some(known) = cached.filter(|known| now < known.until) {
            trace.tier = Some("verified");
            known.verdict.clone()
        } else {
            trace.tier = Some(CacheTier::Provider.name());
            self.ask_provider(token, policy, is_unknown, fingerprint, now, services).await
        };
        let (identity, validity) = verdict?;
        trace.issuer = Some(identity.issuer().to_owned());
        validity.check(now)?;
        // Of a token without `iat`, the provider has said just now that it is good.
        if validity.issued_at.is_some() {
            self.policy.denied.check_issue_time(validity.issued_at)?;
        }
        Ok(identity)
    }

    /// Asks the provider about an opaque token, within the limit if it is unknown, and caches the verdict.
    async fn ask_provider(
        &self,
        token: BearerToken<'_>,
        policy: &OpaquePolicy,
        is_unknown: bool,
        fingerprint: Fingerprint,
        now: u64,
        services: &impl Services,
    ) -> Verdict {
        if is_unknown {
            self.wait_for_admission(now, services).await?;
        }
        let verdict = introspect(token, &self.policy, policy, &self.keys[0], now, services).await;
        if is_unknown {
            self.limiter.borrow_mut().answered(verdict.is_ok());
        }
        let until = match &verdict {
            Ok((_, validity)) => (now + policy.positive_ttl_seconds).min(validity.expires_at),
            // An outage is not a verdict.
            Err(denial) if denial.reason().is_outage() => return verdict,
            Err(_) => now + policy.negative_ttl_seconds,
        };
        let introspected = Introspected { verdict: verdict.clone(), until };
        let bytes = introspected.held_bytes();
        self.cache.borrow_mut().insert(fingerprint, Known::Asked(Rc::new(introspected)), bytes);
        verdict
    }

    /// Returns when the provider may be asked about one more unknown token.
    async fn wait_for_admission(&self, now: u64, services: &impl Services) -> Result<(), Denial> {
        for waited in 0..MAX_LIMITER_WAITS {
            let now = now + waited * LIMITER_WAIT_MILLISECONDS / 1000;
            let admission = self.limiter.borrow_mut().admit(now);
            match admission {
                Admission::Granted => return Ok(()),
                Admission::Later => services.sleep(Duration::from_millis(LIMITER_WAIT_MILLISECONDS)).await,
                Admission::Exhausted(retry_after) => return Err(Denial::ProviderSpared { retry_after }),
            }
        }
        Err(opaque::unavailable(IntrospectionError::TooManyOpen))
    }
}
