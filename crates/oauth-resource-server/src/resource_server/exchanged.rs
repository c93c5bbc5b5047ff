//! Credentials that are exchanged for access tokens: recognized by their prefixes, exchanged seldom, and cached like the
//! tokens that they are exchanged for.

use std::rc::Rc;

use super::{
    exchanging::Exchanging,
    known::{Introspected, Known},
    server::ResourceServer,
    trace::AuthTrace,
};
use crate::{
    bearer::BearerToken, denial::Denial, exchange::CredentialKind, settings::OPAQUE_NEGATIVE_SECONDS,
    token::fingerprint::Fingerprint,
};
use mcp_edge_identity::Identity;
use mcp_edge_runtime::ports::Services;

impl ResourceServer {
    /// Verifies the access token that a credential is exchanged for.
    pub(super) async fn verify_exchanged(
        &self,
        Exchanging { exchange, in_flight }: &Exchanging,
        (kind, credential, fingerprint): (CredentialKind, BearerToken<'_>, Fingerprint),
        now: u64,
        services: &impl Services,
        trace: &mut AuthTrace,
    ) -> Result<Rc<Identity>, Rc<Denial>> {
        let credential = credential.expose();
        exchange.check(kind, credential)?;
        let cached = self.cache.borrow_mut().get(&fingerprint);
        // One that was good before is exchanged again, however many others are invented.
        let is_unknown = !matches!(cached, Some(Known::Jwt(_)));
        if let Some(Known::Asked(known)) = cached
            && now < known.until
            && let Err(denial) = &known.verdict
        {
            trace.tier = Some("verified");
            return Err(Rc::clone(denial));
        }
        trace.tier = Some("exchange");
        let credential = (kind, credential, fingerprint);
        let verified = match in_flight.outcome(exchange, credential, is_unknown, now, services).await {
            Ok(exchanged) => {
                // Of several that waited, one verifies for all.
                if let Some(identity) = self.check_again(fingerprint, now, services, trace).await? {
                    return Ok(identity);
                }
                let token = exchanged.access_token.expose();
                self.verify_jwt(token, fingerprint, Some(&exchanged), now, services, trace).await
            }
            Err(denial) => Err(denial),
        };
        trace.tier = Some("exchange");
        match &verified {
            // An outage is no verdict, and what was exchanged can be verified later.
            Err(denial) if denial.reason().is_outage() => {}
            Err(denial) => {
                in_flight.conclude(fingerprint);
                let refused = Introspected { verdict: Err(Rc::clone(denial)), until: now + OPAQUE_NEGATIVE_SECONDS };
                let bytes = refused.held_bytes();
                self.cache.borrow_mut().insert(fingerprint, Known::Asked(Rc::new(refused)), bytes);
            }
            Ok(_) => in_flight.conclude(fingerprint),
        }
        verified
    }
}
