//! The trust policy: whose tokens are accepted, and what they stand for.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{
    client_policy::ClientPolicy,
    denial::{Denial, Excerpt},
    disclosure::Disclosure,
    exchange::Exchanged,
    provider::{ProviderLocation, ProviderUrls},
    scope_hierarchy::Hierarchy,
    scope_prefix::ScopePrefix,
    token::{
        caller_kind::{Source, kind_of},
        claims::{self, Claims},
        denied::DeniedTokens,
        opaque::OpaquePolicy,
        profile::TokenProfile,
        token_use::check_use,
    },
};
use mcp_edge_identity::{Credential, Identity, Kind, Party, Scopes, Verified};
use mcp_edge_providers::{AudienceRule, of_domain, profiles};

/// An issuer that is trusted, and the audiences that it may issue tokens for.
#[derive(Debug, Clone)]
pub struct TrustedIssuer {
    /// Exactly as in its discovery document.
    pub issuer: String,
    /// Accepted values of `iss`: the issuer itself or, for an issuer of all tenants, those of the accepted ones.
    pub accepted: Vec<String>,
    /// A token must name one of these, byte for byte.
    pub audiences: Vec<String>,
    /// How its tokens are read.
    pub profile: TokenProfile,
    /// What counts in place of what the provider publishes.
    pub urls: ProviderUrls,
}

impl TrustedIssuer {
    /// Creates an issuer whose tokens are read by the standards alone.
    #[must_use]
    pub fn new(issuer: &str, audiences: Vec<String>) -> Self {
        let (accepted, profile, urls) =
            (vec![issuer.to_owned()], TokenProfile::default(), ProviderUrls::of_issuer(issuer));
        Self { issuer: issuer.to_owned(), accepted, audiences, profile, urls }
    }

    /// Where the provider is.
    #[must_use]
    pub fn location(&self) -> ProviderLocation {
        ProviderLocation { issuer: self.issuer.clone(), urls: self.urls.clone() }
    }

    /// The URL that clients are given.
    #[must_use]
    pub fn authorization_server(&self) -> &str {
        self.urls.authorization_server.as_ref().unwrap_or(&self.issuer)
    }
}

/// What the operator decides.
#[derive(Debug, Clone)]
pub struct TrustPolicy {
    /// At least one.
    pub issuers: Vec<TrustedIssuer>,
    /// Every request needs these.
    pub required_scopes: Scopes,
    /// What the provider puts before the scopes of this resource. All other names of scopes are without it.
    pub scope_prefix: ScopePrefix,
    /// Which scopes imply others.
    pub hierarchy: Hierarchy,
    /// Which claims are disclosed.
    pub disclosure: Disclosure,
    /// Which clients are accepted.
    pub clients: ClientPolicy,
    /// If not empty, tokens of other organizations, and those of none, are refused.
    pub organizations: Vec<String>,
    /// Tokens that are refused in an emergency.
    pub denied: DeniedTokens,
    /// Whether and how opaque tokens are accepted.
    pub opaque: Option<OpaquePolicy>,
}

impl TrustPolicy {
    /// What the operator should know of these settings although no request is refused for it: an issuer on the domain of
    /// a provider that has a profile, read without it.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let generic = self.issuers.iter().enumerate();
        let generic = generic.filter(|(_, trusted)| trusted.profile.provider.name == profiles::GENERIC.name);
        generic.filter_map(|(index, trusted)| {
            let provider = of_domain(&trusted.issuer)?;
            let setting = if index == 0 { "PROVIDER" } else { "provider, in its entry of MORE_ISSUERS," };
            Some(format!(
                "the issuer {} is one of {}: set {setting} = \"{}\" to have its tokens read as that provider writes them",
                trusted.issuer, provider.title, provider.name
            ))
        })
    }

    /// All scopes that a request needs for something that needs these, by the names by which clients request them.
    #[must_use]
    pub fn requested(&self, scopes: &Scopes) -> Scopes {
        self.scope_prefix.requested(&self.required_scopes.union(scopes)).into_owned()
    }

    /// Whether anything depends on a claim of this name.
    pub(super) fn wants(&self, claim: &str) -> bool {
        claims::is_decisive(claim)
            || self.disclosure.names(claim)
            || self.issuers.iter().any(|trusted| trusted.profile.names(claim))
    }

    /// The configured issuer whose tokens have this `iss`, by its index.
    pub(super) fn issuer_of(&self, iss: &str) -> Result<usize, Denial> {
        let index = self.issuers.iter().position(|trusted| trusted.accepted.iter().any(|accepted| accepted == iss));
        index.ok_or_else(|| Denial::WrongIssuer { iss: Some(Excerpt::new(iss)) })
    }

    /// The checks that need neither key nor signature, and whose outcome does not change with time.
    pub(super) fn check_claims(&self, issuer_index: usize, claims: &Claims) -> Result<(), Denial> {
        let trusted = &self.issuers[issuer_index];
        // Only some profiles let claims without an audience get here.
        let is_without = claims.audience.is_empty() && issuer_index == 0;
        if !(is_without && self.scopes_name_resource(claims)) {
            claims::check_audience(claims, &trusted.audiences)?;
        }
        check_use(claims)
    }

    /// Whether a scope names this resource at the provider, and the operator lists the accepted clients: what stands in
    /// for the audience of a token that has none. Prefix and clients are those of `ISSUER`.
    fn scopes_name_resource(&self, claims: &Claims) -> bool {
        !self.clients.allowed.is_empty() && claims.scopes.iter().any(|scope| self.scope_prefix.is_of_resource(scope))
    }

    /// An identity as far as a credential allows that was exchanged for its access token.
    pub(super) fn narrow(&self, identity: Identity, exchanged: &Exchanged) -> Identity {
        let Exchanged { credential, scopes, .. } = exchanged;
        let scopes = scopes.as_deref().map(|scopes| self.hierarchy.expand(Scopes::parse(scopes)));
        let disclose = |claims: &Map<String, Value>, scopes: &Scopes| self.disclosure.disclose(claims, scopes);
        identity.narrowed(credential.clone(), scopes.as_ref(), disclose)
    }

    /// The checks of a verified identity, regardless of its token.
    pub(super) fn check_identity(&self, identity: &Identity) -> Result<(), Denial> {
        self.clients.check(identity.client_id())?;
        let organization = identity.organization_id();
        if !self.organizations.is_empty()
            && !organization.is_some_and(|id| self.organizations.iter().any(|allowed| allowed == id))
        {
            return Err(Denial::OrganizationNotAllowed { organization: organization.map(Excerpt::new) });
        }
        if identity.scopes().covers(&self.required_scopes) {
            Ok(())
        } else {
            Err(Denial::InsufficientScope { needed: self.required_scopes.clone() })
        }
    }

    /// Who the claims of this issuer's token stand for. `profile` is what the userinfo endpoint says of the user in
    /// addition.
    pub(super) fn identify(
        &self,
        issuer_index: usize,
        claims: Claims,
        source: Source,
        profile: Map<String, Value>,
    ) -> Identity {
        let token_profile = &self.issuers[issuer_index].profile;
        let kind = kind_of(&claims, token_profile, source);
        let organization_id = claims.organization(token_profile).map(str::to_owned);
        let granted = match kind {
            Kind::Machine if claims.scopes.is_empty() => claims.machine_scopes(token_profile),
            _ => claims.scopes,
        };
        // Where scopes name their resource, those of another one are not granted here.
        let stripped = match token_profile.provider.audience {
            AudienceRule::ClaimOrScopePrefix => self.scope_prefix.strip_own(&granted),
            AudienceRule::Claim => self.scope_prefix.strip(&granted),
        };
        let stripped = if let Cow::Owned(scopes) = stripped { Some(scopes) } else { None };
        let granted = stripped.unwrap_or(granted);
        let mut known = claims.all;
        known.extend(profile);
        let disclosed = match source {
            // The response holds exactly what the user consented to, so all of it may be disclosed.
            Source::Userinfo => self.disclosure.disclose(&known, &Scopes::parse("profile email phone address")),
            Source::Jwt | Source::Introspection => self.disclosure.disclose(&known, &granted),
        };
        Identity::new(Verified {
            subject: claims.subject,
            issuer: claims.issuer,
            kind,
            // A client id means what the operator lists only with the issuer that hands it out.
            party: if issuer_index == 0 { self.clients.party(claims.client_id.as_deref()) } else { Party::Third },
            client_id: claims.client_id,
            organization_id,
            scopes: self.hierarchy.expand(granted),
            expires_at: claims.expires_at,
            claims: disclosed,
            credential: Credential::AccessToken,
        })
    }
}
