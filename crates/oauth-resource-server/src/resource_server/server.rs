//! The order of the checks, and the cache of tokens that were verified before.
//!
//! The order is chosen so that garbage costs no fetch and no cryptography: the header, the token's form and claims, then
//! the key, then the signature, then the operator's policy on clients. Nothing is believed before the signature holds;
//! the unverified `iss` only selects one of the configured issuers.

use std::{cell::RefCell, rc::Rc};

use super::{
    exchanging::Exchanging,
    known::Known,
    policy::{TrustPolicy, TrustedIssuer},
    trace::{AuthTrace, Authentication},
};
use crate::{
    bearer,
    denial::{Denial, Excerpt},
    exchange::{CredentialExchange, Exchanged},
    keys::{
        jwks_cache::{CacheTier, Found, IssuerKeys, StoreUse},
        policy::{Attempted, KeyQuery},
    },
    token::{
        caller_kind::Source,
        claims,
        fingerprint::{Fingerprint, Fingerprints},
        introspection_limiter::IntrospectionLimiter,
        jwt::{self, Form},
        signature::{self, KeyChoice},
        token_use::check_requirements,
        two_choice_cache::TwoChoiceCache,
        verified::VerifiedJwt,
    },
};
use futures_util::FutureExt;
use mcp_edge_identity::Identity;
use mcp_edge_runtime::{http::RequestHead, ports::Services};
use serde_json::{Map, Value};

/// Verifies tokens. Lives as long as its isolate, with its caches.
///
/// What it fetches serves all requests, so it is given the services of the isolate, and of a request its head alone. A
/// request's context is not accepted as services:
///
/// ```compile_fail,E0277
/// # use mcp_edge_oauth::resource_server::ResourceServer;
/// # use mcp_edge_runtime::{context::RequestContext, http::RequestHead};
/// async fn authenticate(server: &ResourceServer, head: &RequestHead<'_>, request: &RequestContext) {
///     let _ = server.authenticate(head, request.now, request).await;
/// }
/// ```
///
/// ```
/// # use mcp_edge_oauth::resource_server::ResourceServer;
/// # use mcp_edge_runtime::{context::RequestContext, http::RequestHead, ports::Services};
/// async fn authenticate(server: &ResourceServer, head: &RequestHead<'_>, request: &RequestContext, services: &impl Services) {
///     let _ = server.authenticate(head, request.now, services).await;
/// }
/// ```
#[derive(Debug)]
pub struct ResourceServer {
    pub(super) policy: Rc<TrustPolicy>,
    pub(super) keys: Vec<Rc<IssuerKeys>>,
    fingerprints: Fingerprints,
    pub(super) cache: RefCell<TwoChoiceCache<Known>>,
    /// Of opaque tokens.
    pub(super) limiter: RefCell<IntrospectionLimiter>,
    pub(super) exchanging: Option<Exchanging>,
}

impl ResourceServer {
    /// Creates a resource server without cached keys, whose store other deployments may use as well.
    #[must_use]
    pub fn new(policy: impl Into<Rc<TrustPolicy>>) -> Self {
        Self::with_store(policy.into(), StoreUse::Shared)
    }

    /// Creates a resource server without cached keys, which takes keys out of the store only if it has written them: for
    /// deployments with secrets that are worth more than a token.
    #[must_use]
    pub fn with_exclusive_store(policy: impl Into<Rc<TrustPolicy>>) -> Self {
        Self::with_store(policy.into(), StoreUse::Exclusive)
    }

    fn with_store(policy: Rc<TrustPolicy>, store_use: fn(String) -> StoreUse) -> Self {
        // The first audience of the first issuer is the resource.
        let resource = policy.issuers.first().and_then(|first| first.audiences.first()).cloned().unwrap_or_default();
        let keys_of =
            |trusted: &TrustedIssuer| Rc::new(IssuerKeys::new(trusted.location(), store_use(resource.clone())));
        let keys = policy.issuers.iter().map(keys_of).collect();
        Self {
            policy,
            keys,
            fingerprints: Fingerprints::default(),
            cache: RefCell::default(),
            limiter: RefCell::default(),
            exchanging: None,
        }
    }

    /// The same for a server that accepts other credentials than access tokens as well, which `exchange` exchanges for some.
    #[must_use]
    pub fn with_exchange(mut self, exchange: Rc<dyn CredentialExchange>) -> Self {
        self.exchange_with(exchange);
        self
    }

    /// Accepts other credentials than access tokens as well, which `exchange` exchanges for some.
    pub fn exchange_with(&mut self, exchange: Rc<dyn CredentialExchange>) {
        self.exchanging = Some(Exchanging::new(exchange));
    }

    /// How credentials are exchanged, if they are. The compiler drops most of what is behind this if the feature is off.
    fn exchanging(&self) -> Option<&Exchanging> {
        if cfg!(feature = "exchange") { self.exchanging.as_ref() } else { None }
    }

    /// An identity, established by the access token that a credential was exchanged for, as far as the credential allows.
    ///
    /// # Errors
    /// [`Denial::KeyOfAnotherUser`], and what the policy says of the identity that is left.
    pub fn narrow(&self, identity: &Identity, exchanged: &Exchanged) -> Result<Rc<Identity>, Denial> {
        if let Some((issuer, subject)) = &exchanged.owner
            && (issuer.as_str(), subject.as_str()) != (identity.issuer(), identity.subject())
        {
            return Err(Denial::KeyOfAnotherUser { sub: Excerpt::new(identity.subject()) });
        }
        let identity = self.policy.narrow(identity.clone(), exchanged);
        self.policy.check_identity(&identity)?;
        Ok(Rc::new(identity))
    }

    /// The issuers' keys, to report on their state.
    #[must_use]
    pub fn keys(&self) -> &[Rc<IssuerKeys>] {
        &self.keys
    }

    /// Establishes who sent the request, at `now` (seconds since 1970).
    pub async fn authenticate(&self, head: &RequestHead<'_>, now: u64, services: &impl Services) -> Authentication {
        let mut trace = AuthTrace::default();
        let outcome = self.establish(head, now, services, &mut trace).await;
        Authentication { outcome, trace }
    }

    /// The steps of [`Self::authenticate`]; what they learn goes into its trace.
    async fn establish(
        &self,
        head: &RequestHead<'_>,
        now: u64,
        services: &impl Services,
        trace: &mut AuthTrace,
    ) -> Result<Rc<Identity>, Rc<Denial>> {
        if let Some(exchanging) = self.exchanging() {
            exchanging.check_places(head)?;
        }
        let credentials = bearer::credentials_of(head)?;
        let fingerprint = self.fingerprints.of(credentials.expose(), services);
        let identity = if let Some(identity) = self.check_again(fingerprint, now, services, trace).await? {
            if !identity.credential().is_access_token() {
                bearer::check_alone(head)?;
            }
            identity
        } else {
            let token = credentials.token()?;
            let exchanging = self.exchanging().and_then(|exchanging| exchanging.with_kind(token.expose()));
            match (exchanging, jwt::form_of(token.expose())) {
                (Some((exchanging, kind)), _) => {
                    bearer::check_alone(head)?;
                    // Boxed: awaited in place, it would be part of this function even if the feature is off.
                    let credential = (kind, token, fingerprint);
                    self.verify_exchanged(exchanging, credential, now, services, trace).boxed_local().await?
                }
                (None, Form::Jwt) => self.verify_jwt(token.expose(), fingerprint, None, now, services, trace).await?,
                (None, Form::Encrypted) => return Err(Denial::EncryptedToken.into()),
                (None, Form::Opaque) => self.verify_opaque(token, fingerprint, now, services, trace).await?,
            }
        };
        trace.key_id = identity.key_id().map(str::to_owned);
        trace.client_id = identity.client_id().map(str::to_owned);
        trace.subject = Some(identity.subject().to_owned());
        self.policy.check_identity(&identity)?;
        Ok(identity)
    }

    /// Full verification of a JWT: of one that was sent or, if it was `exchanged`, of one in place of what was sent. What is
    /// known then is cached under the fingerprint of what was sent.
    pub(super) async fn verify_jwt(
        &self,
        token: &str,
        fingerprint: Fingerprint,
        exchanged: Option<&Exchanged>,
        now: u64,
        services: &impl Services,
        trace: &mut AuthTrace,
    ) -> Result<Rc<Identity>, Rc<Denial>> {
        let mut jwt = jwt::parse(token, &|name| self.policy.wants(name))?;
        trace.kid.clone_from(&jwt.kid);
        let issuer_index = self.policy.issuer_of(claims::issuer(&jwt.claims)?)?;
        let profile = &self.policy.issuers[issuer_index].profile;
        jwt::check_type(jwt.typ.as_deref(), &profile.token_types)?;
        let claims = claims::read(std::mem::take(&mut jwt.claims), profile)?;
        trace.issuer = Some(claims.issuer.clone());
        self.policy.check_claims(issuer_index, &claims)?;
        check_requirements(&claims, profile.provider)?;
        claims::check_time(&claims, now)?;
        self.policy.denied.check_issue_time(claims.issued_at)?;
        self.policy.denied.check_kid(jwt.kid.as_deref())?;

        let choice = KeyChoice {
            issued_at: claims.issued_at,
            tenant: profile
                .provider
                .has_keys_of_tenants
                .then(|| (claims.issuer.as_str(), claims.all.get("tid").and_then(Value::as_str))),
            denied: &self.policy.denied,
        };
        let Found { key, attempted } = signature::verify(&jwt, choice, &self.keys[issuer_index], now, services).await;
        trace.tier = Some(CacheTier::from(attempted).name());
        let key = key?;

        let validity = claims.validity();
        if let Some((issuer, subject)) = exchanged.and_then(|exchanged| exchanged.owner.as_ref())
            && (issuer, subject) != (&claims.issuer, &claims.subject)
        {
            return Err(Denial::KeyOfAnotherUser { sub: Excerpt::new(&claims.subject) }.into());
        }
        let until = exchanged.map_or(u64::MAX, |exchanged| exchanged.until.min(claims.expires_at));
        let identity = self.policy.identify(issuer_index, claims, Source::Jwt, Map::new());
        let identity = Rc::new(match exchanged {
            Some(exchanged) => self.policy.narrow(identity, exchanged),
            None => identity,
        });
        let verified = VerifiedJwt {
            issuer_index,
            kid: jwt.kid,
            algorithm: jwt.algorithm,
            key: key.thumbprint,
            validity,
            until,
            identity: Rc::clone(&identity),
        };
        let bytes = verified.held_bytes();
        self.cache.borrow_mut().insert(fingerprint, Known::Jwt(Rc::new(verified)), bytes);
        Ok(identity)
    }

    /// Checks what may have changed about a JWT that was verified before: the time and the key. `None` for every other
    /// token, and if the key of this name is another one by now; then the token is forgotten. `None` as well for what was
    /// exchanged, when it is time for another exchange.
    pub(super) async fn check_again(
        &self,
        fingerprint: Fingerprint,
        now: u64,
        services: &impl Services,
        trace: &mut AuthTrace,
    ) -> Result<Option<Rc<Identity>>, Rc<Denial>> {
        let cached = self.cache.borrow_mut().get(&fingerprint);
        let Some(Known::Jwt(known)) = cached else { return Ok(None) };
        if now >= known.until {
            return Ok(None);
        }
        trace.kid.clone_from(&known.kid);
        trace.issuer = Some(known.identity.issuer().to_owned());
        known.validity.check(now)?;
        let query = KeyQuery {
            kid: known.kid.as_deref(),
            algorithm: known.algorithm,
            issued_at: known.validity.issued_at,
            disproved: None,
        };
        let Found { key, .. } = self.keys[known.issuer_index].find(now, query, Attempted::default(), services).await;
        match key {
            Ok(key) if key.thumbprint == known.key => {
                trace.tier = Some("verified");
                return Ok(Some(Rc::clone(&known.identity)));
            }
            // Another exchange gives a token that is signed with the provider's present key.
            Err(denial) if known.until == u64::MAX || denial.reason().is_outage() => return Err(denial.into()),
            _ => {}
        }
        self.cache.borrow_mut().remove(&fingerprint);
        Ok(None)
    }
}
