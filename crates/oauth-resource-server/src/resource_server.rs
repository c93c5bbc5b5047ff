//! The resource server: a request goes in, an identity or a denial comes out.
//!
//! The order of checks is chosen so that garbage costs no fetch and no cryptography: the header, the token's form and
//! claims, then the key, then the signature, then the operator's policy on clients. Nothing is believed before the
//! signature holds; the unverified `iss` only chooses among the configured issuers.

use std::{cell::RefCell, rc::Rc, time::Duration};

use serde_json::Map;

use crate::{
    bearer::{self, BearerToken},
    client_policy::ClientPolicy,
    denial::{Denial, Reason},
    disclosure::Disclosure,
    keys::{
        policy::{Done, Wanted},
        tiers::{IssuerKeys, StoreUse, Tier},
    },
    provider::Provider,
    scope_hierarchy::Hierarchy,
    token::{
        budget::{Budget, Permission},
        claims::{self, Claims, Source, Validity},
        denied::DeniedTokens,
        jwt::{self, Form},
        memory::Memory,
        opaque::{self, AcceptedClients, Method, OpaquePolicy},
        verified::{Fingerprint, Fingerprints, VerifiedJwt},
        weight,
    },
};
use mcp_edge_identity::{Identity, Kind, Party, Scopes, Verified};
use mcp_edge_runtime::{http::RequestHead, log::LogRecord, ports::Services};

/// How long a request waits before it looks again whether the provider may be asked.
const BUDGET_WAIT_MILLISECONDS: u64 = 20;

/// After five seconds, the longest that a question may take, one must have been answered.
const MAX_BUDGET_WAITS: u64 = 250;

/// An issuer that is trusted, and the audiences that it may issue tokens for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// Exactly as in its discovery document.
    pub issuer: String,
    /// A token must name one of these, byte for byte.
    pub audiences: Vec<String>,
}

/// What the operator decided.
#[derive(Debug, Clone)]
pub struct TrustPolicy {
    /// At least one.
    pub issuers: Vec<TrustedIssuer>,
    /// Accepted values of `typ`, in lower case; an empty one accepts its absence. What is none of
    /// [`POSSIBLE_TYPES`](jwt::POSSIBLE_TYPES) is accepted nevertheless from nobody.
    pub token_types: Vec<String>,
    /// Every request needs these.
    pub required_scopes: Scopes,
    /// Which scopes imply others.
    pub hierarchy: Hierarchy,
    /// Which claims may be shown.
    pub disclosure: Disclosure,
    /// Which clients may come.
    pub clients: ClientPolicy,
    /// Tokens that are refused in an emergency.
    pub denied: DeniedTokens,
    /// Whether and how opaque tokens are accepted.
    pub opaque: Option<OpaquePolicy>,
}

/// What was found out on the way, for the log. Filled in as far as the request came, also when it is denied.
#[derive(Debug, Clone, Default)]
pub struct Trail {
    /// The issuer, once it is known to be one of ours.
    pub issuer: Option<String>,
    /// `kid` as the token says.
    pub kid: Option<String>,
    /// The client, once verified.
    pub client_id: Option<String>,
    /// The subject, once verified.
    pub subject: Option<String>,
    /// Which cache answered: `verified`, `memory`, `store` or `provider`.
    pub tier: Option<&'static str>,
}

impl Trail {
    /// Adds what was found out to the record of the request; the subject only if the operator wants it there.
    pub fn add_to(self, record: &mut LogRecord, with_subject: bool) {
        record.maybe_cut("client_id", self.client_id);
        record.maybe_cut("sub", self.subject.filter(|_| with_subject));
        record.maybe_cut("issuer", self.issuer);
        record.maybe_cut("kid", self.kid);
        if let Some(tier) = self.tier {
            record.text("tier", tier);
        }
    }
}

/// Verifies tokens. Lives as long as its isolate and keeps what is worth keeping.
#[derive(Debug)]
pub struct ResourceServer {
    policy: TrustPolicy,
    keys: Vec<Rc<IssuerKeys>>,
    fingerprints: Fingerprints,
    memory: RefCell<Memory<Known>>,
    budget: RefCell<Budget>,
}

/// What is remembered of a token.
#[derive(Debug, Clone)]
enum Known {
    Jwt(Rc<VerifiedJwt>),
    Opaque(Rc<Introspected>),
}

/// What the provider said of an opaque token, and until when that may be used.
#[derive(Debug)]
struct Introspected {
    verdict: Result<(Rc<Identity>, Validity), Denial>,
    until: u64,
}

impl Introspected {
    /// What it holds in memory, behind an `Rc`.
    fn weight(&self) -> usize {
        let verdict = match &self.verdict {
            Ok((identity, _)) => weight::of_identity(identity),
            Err(denial) => denial.detail.as_deref().map_or(0, weight::text),
        };
        weight::behind_rc::<Self>() + verdict
    }
}

impl ResourceServer {
    /// Creates a resource server without cached keys, whose store other deployments may use as well.
    #[must_use]
    pub fn new(policy: TrustPolicy) -> Self {
        Self::with_store(policy, StoreUse::Shared)
    }

    /// Creates a resource server without cached keys, which takes keys out of the store only if it has written them: for
    /// deployments with secrets that are worth more than a token.
    #[must_use]
    pub fn with_exclusive_store(policy: TrustPolicy) -> Self {
        Self::with_store(policy, StoreUse::Exclusive)
    }

    fn with_store(policy: TrustPolicy, store_use: fn(String) -> StoreUse) -> Self {
        // The first audience of the first issuer is the resource.
        let resource = policy.issuers.first().and_then(|first| first.audiences.first()).cloned().unwrap_or_default();
        let keys_of = |trusted: &TrustedIssuer| Rc::new(IssuerKeys::new(&trusted.issuer, store_use(resource.clone())));
        let keys = policy.issuers.iter().map(keys_of).collect();
        Self {
            policy,
            keys,
            fingerprints: Fingerprints::default(),
            memory: RefCell::default(),
            budget: RefCell::default(),
        }
    }

    /// Establishes who sent the request, at `now` (seconds since 1970).
    ///
    /// # Errors
    /// The [`Denial`] to answer with.
    pub async fn authenticate(
        &self,
        head: &RequestHead<'_>,
        now: u64,
        services: &impl Services,
        trail: &mut Trail,
    ) -> Result<Rc<Identity>, Denial> {
        let credentials = bearer::credentials_of(head)?;
        let fingerprint = self.fingerprints.of(credentials.expose(), services);
        let identity = if let Some(identity) = self.check_again(fingerprint, now, services, trail).await? {
            identity
        } else {
            let token = credentials.token()?;
            match jwt::form_of(token.expose()) {
                Form::Jwt => self.verify_jwt(token, fingerprint, now, services, trail).await?,
                Form::Encrypted => return Err(Reason::EncryptedToken.into()),
                Form::Opaque => self.verify_opaque(token, fingerprint, now, services, trail).await?,
            }
        };
        trail.client_id = identity.client_id().map(str::to_owned);
        trail.subject = Some(identity.subject().to_owned());
        self.policy.clients.check(identity.client_id().as_deref())?;
        if !identity.scopes().covers(&self.policy.required_scopes) {
            return Err(Denial::insufficient_scope(self.policy.required_scopes.clone()));
        }
        Ok(identity)
    }

    /// The issuers' keys, for a look at their state.
    #[must_use]
    pub fn keys(&self) -> &[Rc<IssuerKeys>] {
        &self.keys
    }

    /// Full verification of a JWT.
    async fn verify_jwt(
        &self,
        token: BearerToken<'_>,
        fingerprint: Fingerprint,
        now: u64,
        services: &impl Services,
        trail: &mut Trail,
    ) -> Result<Rc<Identity>, Denial> {
        let jwt = jwt::parse(token.expose(), &self.policy.token_types, &|name| self.wants(name))?;
        trail.kid.clone_from(&jwt.kid);
        let claims = claims::read(jwt.claims)?;
        let issuer_index = self
            .policy
            .issuers
            .iter()
            .position(|trusted| trusted.issuer == claims.issuer)
            .ok_or_else(|| Denial::new(Reason::WrongIssuer, format!("iss {:?}", claims.issuer)))?;
        trail.issuer = Some(claims.issuer.clone());
        self.check_claims(issuer_index, &claims)?;
        claims::check_time(&claims, now)?;
        self.policy.denied.check_issue_time(claims.issued_at)?;
        self.policy.denied.check_kid(jwt.kid.as_deref())?;

        let mut done = Done::default();
        let mut wanted =
            Wanted { kid: jwt.kid.as_deref(), algorithm: jwt.algorithm, issued_at: claims.issued_at, disproved: None };
        let key = loop {
            let key = self.keys[issuer_index].find(now, wanted, &mut done, services).await;
            trail.tier = Some(tier(done).name());
            let key = key?;
            self.policy.denied.check_key(&key)?;
            if jwt.signature.len() != key.material.signature_length() {
                return Err(Denial::new(Reason::BadSignature, "wrong length"));
            }
            match services.verify(&*key, jwt.algorithm, jwt.signing_input.as_bytes(), &jwt.signature).await {
                Ok(true) => break key,
                // Once more, if the provider has another key of this name by now; otherwise `find` refuses.
                Ok(false) if wanted.disproved != Some(key.thumbprint) => wanted.disproved = Some(key.thumbprint),
                Ok(false) => return Err(Reason::BadSignature.into()),
                Err(error) => return Err(Denial::new(Reason::UnusableKey, error.to_string())),
            }
        };

        let kind = claims.kind(if jwt.is_typed { Source::AccessTokenJwt } else { Source::PlainJwt });
        let identity = Rc::new(self.identify(&claims, kind, &claims.all, &claims.scopes));
        let verified = VerifiedJwt {
            issuer_index,
            kid: jwt.kid,
            algorithm: jwt.algorithm,
            key: key.thumbprint,
            validity: claims.validity(),
            identity: Rc::clone(&identity),
        };
        let weight = verified.weight();
        self.memory.borrow_mut().insert(fingerprint, Known::Jwt(Rc::new(verified)), weight);
        Ok(identity)
    }

    /// Everything that may have changed, for a JWT that was verified before: the time and the key. No answer to any
    /// other; nor if the key of this name is another one by now, and then the token is forgotten.
    async fn check_again(
        &self,
        fingerprint: Fingerprint,
        now: u64,
        services: &impl Services,
        trail: &mut Trail,
    ) -> Result<Option<Rc<Identity>>, Denial> {
        let remembered = self.memory.borrow_mut().get(&fingerprint);
        let Some(Known::Jwt(known)) = remembered else { return Ok(None) };
        trail.kid.clone_from(&known.kid);
        trail.issuer = Some(known.identity.issuer().to_owned());
        known.validity.check(now)?;
        let mut done = Done::default();
        let wanted = Wanted {
            kid: known.kid.as_deref(),
            algorithm: known.algorithm,
            issued_at: known.validity.issued_at,
            disproved: None,
        };
        let key = self.keys[known.issuer_index].find(now, wanted, &mut done, services).await?;
        if key.thumbprint == known.key {
            trail.tier = Some("verified");
            return Ok(Some(Rc::clone(&known.identity)));
        }
        self.memory.borrow_mut().remove(&fingerprint);
        Ok(None)
    }

    /// Whether anything depends on a claim of this name.
    fn wants(&self, name: &str) -> bool {
        claims::is_decisive(name) || self.policy.disclosure.names(name)
    }

    /// The checks that need neither key nor signature, and whose outcome does not change with time.
    fn check_claims(&self, issuer_index: usize, claims: &Claims) -> Result<(), Denial> {
        claims::check_audience(claims, &self.policy.issuers[issuer_index].audiences)
            .map_err(|reason| Denial::new(reason, format!("aud {:?}", claims.audience)))?;
        claims::check_use(claims)
    }

    /// Asks the provider about an opaque token, or remembers what it said.
    async fn verify_opaque(
        &self,
        token: BearerToken<'_>,
        fingerprint: Fingerprint,
        now: u64,
        services: &impl Services,
        trail: &mut Trail,
    ) -> Result<Rc<Identity>, Denial> {
        let policy = self.policy.opaque.as_ref().ok_or(Reason::OpaqueNotAccepted)?;
        if token.expose().len() > opaque::MAX_OPAQUE_BYTES {
            return Err(Reason::TokenTooLarge.into());
        }
        let remembered = match self.memory.borrow_mut().get(&fingerprint) {
            Some(Known::Opaque(known)) => Some(known),
            _ => None,
        };
        // A token that was good before is asked about again, however many others are invented.
        let is_unknown = remembered.as_ref().is_none_or(|known| known.verdict.is_err());
        let remembered = remembered.filter(|known| now < known.until);
        let verdict = if let Some(known) = remembered {
            trail.tier = Some("verified");
            known.verdict.clone()
        } else {
            trail.tier = Some(Tier::Provider.name());
            if is_unknown {
                self.wait_for_budget(now, services).await?;
            }
            let verdict = self.introspect(token, policy, now, services).await;
            if is_unknown {
                self.budget.borrow_mut().answered(verdict.is_ok());
            }
            let verdict = match verdict {
                // An outage is not a verdict.
                Err(denial) if denial.reason.is_outage() => return Err(denial),
                verdict => verdict,
            };
            let until = match &verdict {
                Ok((_, validity)) => (now + policy.positive_ttl_seconds).min(validity.expires_at),
                Err(_) => now + policy.negative_ttl_seconds,
            };
            let introspected = Introspected { verdict: verdict.clone(), until };
            let weight = introspected.weight();
            self.memory.borrow_mut().insert(fingerprint, Known::Opaque(Rc::new(introspected)), weight);
            verdict
        };
        let (identity, validity) = verdict?;
        trail.issuer = Some(identity.issuer().to_owned());
        validity.check(now)?;
        // Of a token whose time of issue is not told, the provider has said just now that it is good.
        if validity.issued_at.is_some() {
            self.policy.denied.check_issue_time(validity.issued_at)?;
        }
        Ok(identity)
    }

    /// Returns when the provider may be asked about one more unknown token.
    async fn wait_for_budget(&self, now: u64, services: &impl Services) -> Result<(), Denial> {
        for waited in 0..MAX_BUDGET_WAITS {
            let now = now + waited * BUDGET_WAIT_MILLISECONDS / 1000;
            let permission = self.budget.borrow_mut().ask(now);
            match permission {
                Permission::Granted => return Ok(()),
                Permission::Later => services.sleep(Duration::from_millis(BUDGET_WAIT_MILLISECONDS)).await,
                Permission::Exhausted(seconds) => {
                    let detail = "too many unknown opaque tokens, the provider is spared";
                    return Err(Denial::unavailable(Reason::ProviderSpared, seconds, detail));
                }
            }
        }
        Err(opaque::unavailable("too many questions to the provider are open".to_owned()))
    }

    /// Asks the provider what it makes of an opaque token.
    async fn introspect(
        &self,
        token: BearerToken<'_>,
        policy: &OpaquePolicy,
        now: u64,
        services: &impl Services,
    ) -> Result<(Rc<Identity>, Validity), Denial> {
        // Opaque tokens come from the first issuer: the others have no credentials of ours.
        let trusted = &self.policy.issuers[0];
        let wanted = |name: &str| self.wants(name);
        let provider = self.keys[0].provider(now, services).await?;
        match &policy.method {
            Method::Introspection { client_id, client_secret } => {
                let missing = || opaque::unavailable("the provider has no introspection endpoint".to_owned());
                let url = provider.introspection_endpoint.as_deref().ok_or_else(missing)?;
                let (form, authorization) = opaque::introspection_parts(token.expose(), client_id, client_secret);
                let reply = services.fetch(opaque::call(url, &authorization, Some(&form))).await;
                let reply = reply.map_err(|error| opaque::unavailable(format!("introspection: {error}")))?;
                let (issuer, audiences) = (&trusted.issuer, &trusted.audiences);
                let mut claims = opaque::read_introspection(&reply, client_id, issuer, audiences, now, &wanted)?;
                self.check_claims(0, &claims)?;
                accept_client(&policy.clients, claims.client_id.as_deref())?;
                let kind = claims.kind(Source::Introspection);
                let mut shown = std::mem::take(&mut claims.all);
                // The profile is a courtesy: without it the identity is poorer, not wrong.
                if self.policy.disclosure.covers_anything(&claims.scopes)
                    && let Ok(profile) = profile(token, &provider, &wanted, services).await
                    && profile.get("sub").and_then(serde_json::Value::as_str) == Some(&claims.subject)
                {
                    shown.extend(profile);
                }
                Ok((Rc::new(self.identify(&claims, kind, &shown, &claims.scopes)), claims.validity()))
            }
            Method::Userinfo => {
                accept_client(&policy.clients, None)?;
                let profile = profile(token, &provider, &wanted, services).await?;
                let until = now + policy.positive_ttl_seconds;
                let claims = opaque::claims_of_userinfo(profile, &trusted.issuer, &trusted.audiences, until)?;
                // Userinfo answers exactly what was consented to, so what it says may be shown.
                let consented = Scopes::parse("profile email phone address");
                let kind = claims.kind(Source::Userinfo);
                Ok((Rc::new(self.identify(&claims, kind, &claims.all, &consented)), claims.validity()))
            }
        }
    }

    /// Who the claims stand for. `shown` is what is known about the user, of which `consented` scopes cover a part.
    fn identify(
        &self,
        claims: &Claims,
        kind: Kind,
        shown: &Map<String, serde_json::Value>,
        consented: &Scopes,
    ) -> Identity {
        // A client id means what the operator lists only with the issuer that hands it out.
        let is_of_first_issuer = claims.issuer == self.policy.issuers[0].issuer;
        Identity::new(Verified {
            subject: claims.subject.clone(),
            issuer: claims.issuer.clone(),
            client_id: claims.client_id.clone(),
            kind,
            party: if is_of_first_issuer {
                self.policy.clients.party(claims.client_id.as_deref())
            } else {
                Party::Third
            },
            scopes: self.policy.hierarchy.expand(claims.scopes.clone()),
            expires_at: claims.expires_at,
            claims: self.policy.disclosure.disclose(shown, consented),
        })
    }
}

/// What the userinfo endpoint says of the user, as far as it is wanted.
async fn profile(
    token: BearerToken<'_>,
    provider: &Provider,
    wanted: &dyn Fn(&str) -> bool,
    services: &impl Services,
) -> Result<Map<String, serde_json::Value>, Denial> {
    let missing = || opaque::unavailable("the provider has no userinfo endpoint".to_owned());
    let url = provider.userinfo_endpoint.as_deref().ok_or_else(missing)?;
    let authorization = format!("Bearer {}", token.expose());
    let reply = services.fetch(opaque::call(url, &authorization, None)).await;
    opaque::read_userinfo(&reply.map_err(|error| opaque::unavailable(format!("userinfo: {error}")))?, wanted)
}

/// The policy on whose opaque tokens are accepted stands in for their missing audience.
fn accept_client(accepted: &AcceptedClients, client_id: Option<&str>) -> Result<(), Denial> {
    let is_accepted = match accepted {
        AcceptedClients::Any => true,
        AcceptedClients::Listed(list) => client_id.is_some_and(|client| list.contains(client)),
    };
    if is_accepted {
        return Ok(());
    }
    let detail = client_id.map_or_else(|| "no client is named".to_owned(), |client| format!("client {client:?}"));
    Err(Denial::new(Reason::OpaqueNotAccepted, detail))
}

fn tier(done: Done) -> Tier {
    match done {
        Done { provider: true, .. } => Tier::Provider,
        Done { store: true, .. } => Tier::Store,
        Done { .. } => Tier::Memory,
    }
}
