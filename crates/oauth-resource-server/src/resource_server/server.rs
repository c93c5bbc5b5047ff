//! The order of the checks, and the cache of tokens that were verified before.
//!
//! The order is chosen so that garbage costs no fetch and no cryptography: the header, the token's form and claims, then
//! the key, then the signature, then the operator's policy on clients. Nothing is believed before the signature holds;
//! the unverified `iss` only selects one of the configured issuers.

use std::{cell::RefCell, rc::Rc, time::Duration};

use super::{
    introspection::{Verdict, introspect},
    policy::{TrustPolicy, TrustedIssuer},
    trace::{AuthTrace, Authentication},
};
use crate::{
    bearer::{self, BearerToken},
    denial::{Denial, IntrospectionError, OpaqueRefusal},
    keys::{
        jwks_cache::{CacheTier, Found, IssuerKeys, StoreUse},
        policy::{Attempted, KeyQuery},
    },
    memory_size,
    token::{
        caller_kind::Source,
        claims,
        fingerprint::{Fingerprint, Fingerprints},
        introspection_limiter::{Admission, IntrospectionLimiter},
        jwt::{self, Form},
        opaque::{self, MAX_OPAQUE_BYTES, OpaquePolicy},
        signature::{self, KeyChoice},
        token_use::check_requirements,
        two_choice_cache::TwoChoiceCache,
        verified::VerifiedJwt,
    },
};
use mcp_edge_identity::Identity;
use mcp_edge_runtime::{http::RequestHead, ports::Services};
use serde_json::{Map, Value};

/// How long a request waits before it asks the limiter again.
const LIMITER_WAIT_MILLISECONDS: u64 = 20;

/// After five seconds, the longest that an introspection may take, one must have been answered.
const MAX_LIMITER_WAITS: u64 = 250;

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
    policy: Rc<TrustPolicy>,
    keys: Vec<Rc<IssuerKeys>>,
    fingerprints: Fingerprints,
    cache: RefCell<TwoChoiceCache<Known>>,
    limiter: RefCell<IntrospectionLimiter>,
}

/// What is cached about a token.
#[derive(Debug, Clone)]
enum Known {
    Jwt(Rc<VerifiedJwt>),
    Opaque(Rc<Introspected>),
}

/// What the provider said of an opaque token, and until when that may be used.
#[derive(Debug)]
struct Introspected {
    verdict: Verdict,
    until: u64,
}

impl Introspected {
    /// The bytes that it holds in memory behind an `Rc`.
    fn held_bytes(&self) -> usize {
        let verdict = match &self.verdict {
            Ok((identity, _)) => memory_size::of_identity(identity),
            Err(denial) => memory_size::behind_rc::<Denial>() + denial.held_bytes(),
        };
        memory_size::behind_rc::<Self>() + verdict
    }
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
        }
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
        let credentials = bearer::credentials_of(head)?;
        let fingerprint = self.fingerprints.of(credentials.expose(), services);
        let identity = if let Some(identity) = self.check_again(fingerprint, now, services, trace).await? {
            identity
        } else {
            let token = credentials.token()?;
            match jwt::form_of(token.expose()) {
                Form::Jwt => self.verify_jwt(token, fingerprint, now, services, trace).await?,
                Form::Encrypted => return Err(Denial::EncryptedToken.into()),
                Form::Opaque => self.verify_opaque(token, fingerprint, now, services, trace).await?,
            }
        };
        trace.client_id = identity.client_id().map(str::to_owned);
        trace.subject = Some(identity.subject().to_owned());
        self.policy.check_identity(&identity)?;
        Ok(identity)
    }

    /// Full verification of a JWT.
    async fn verify_jwt(
        &self,
        token: BearerToken<'_>,
        fingerprint: Fingerprint,
        now: u64,
        services: &impl Services,
        trace: &mut AuthTrace,
    ) -> Result<Rc<Identity>, Rc<Denial>> {
        let mut jwt = jwt::parse(token.expose(), &|name| self.policy.wants(name))?;
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
        let identity = Rc::new(self.policy.identify(issuer_index, claims, Source::Jwt, Map::new()));
        let verified = VerifiedJwt {
            issuer_index,
            kid: jwt.kid,
            algorithm: jwt.algorithm,
            key: key.thumbprint,
            validity,
            identity: Rc::clone(&identity),
        };
        let bytes = verified.held_bytes();
        self.cache.borrow_mut().insert(fingerprint, Known::Jwt(Rc::new(verified)), bytes);
        Ok(identity)
    }

    /// Checks what may have changed about a JWT that was verified before: the time and the key. `None` for every other
    /// token, and if the key of this name is another one by now; then the token is forgotten.
    async fn check_again(
        &self,
        fingerprint: Fingerprint,
        now: u64,
        services: &impl Services,
        trace: &mut AuthTrace,
    ) -> Result<Option<Rc<Identity>>, Rc<Denial>> {
        let cached = self.cache.borrow_mut().get(&fingerprint);
        let Some(Known::Jwt(known)) = cached else { return Ok(None) };
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
        if key?.thumbprint == known.key {
            trace.tier = Some("verified");
            return Ok(Some(Rc::clone(&known.identity)));
        }
        self.cache.borrow_mut().remove(&fingerprint);
        Ok(None)
    }

    /// Checks an opaque token by what the provider says of it, or said a short time ago.
    async fn verify_opaque(
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
            Some(Known::Opaque(known)) => Some(known),
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
        self.cache.borrow_mut().insert(fingerprint, Known::Opaque(Rc::new(introspected)), bytes);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denial::Excerpt;

    #[test]
    fn what_a_remembered_refusal_holds_is_counted() {
        let denial = Denial::OpaqueNotAccepted { refusal: OpaqueRefusal::Client(Excerpt::new("agent")) };
        let of_denial = memory_size::behind_rc::<Denial>() + denial.held_bytes();
        let introspected = Introspected { verdict: Err(denial.into()), until: 0 };
        assert_eq!(introspected.held_bytes(), memory_size::behind_rc::<Introspected>() + of_denial);
    }
}
