//! Credentials that are exchanged for access tokens: recognized by their prefixes, exchanged seldom, and cached like the
//! tokens that they are exchanged for.

use std::{fmt, rc::Rc};

use super::{
    opaque_tokens::Introspected,
    server::{Known, ResourceServer},
    trace::AuthTrace,
};
use crate::{
    bearer::{self, BearerToken},
    denial::Denial,
    exchange::{CredentialExchange, CredentialKind, InFlight},
    settings::OPAQUE_NEGATIVE_SECONDS,
    token::fingerprint::Fingerprint,
};
use mcp_edge_identity::Identity;
use mcp_edge_runtime::{http::RequestHead, ports::Services};

/// How credentials are exchanged, and the exchanges that are in flight.
pub(super) struct Exchanging {
    exchange: Rc<dyn CredentialExchange>,
    in_flight: Rc<InFlight>,
}

/// Shows nothing: it holds secrets.
impl fmt::Debug for Exchanging {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Exchanging(…)")
    }
}

impl Exchanging {
    pub(super) fn new(exchange: Rc<dyn CredentialExchange>) -> Self {
        Self { exchange, in_flight: Rc::default() }
    }

    /// Refuses a request with such a credential where none belongs.
    pub(super) fn check_places(&self, head: &RequestHead<'_>) -> Result<(), Denial> {
        bearer::check_places(head, &|text| self.exchange.kind_of(text).is_some())
    }

    /// Itself, with the kind of a credential, if it is one of those that are exchanged.
    pub(super) fn with_kind(&self, credential: &str) -> Option<(&Self, CredentialKind)> {
        self.exchange.kind_of(credential).map(|kind| (self, kind))
    }
}

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
