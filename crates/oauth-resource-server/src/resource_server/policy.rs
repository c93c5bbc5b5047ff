//! The trust policy: whose tokens are accepted, and what they stand for.

use serde_json::{Map, Value};

use crate::{
    client_policy::ClientPolicy,
    denial::{Denial, Excerpt},
    disclosure::Disclosure,
    scope_hierarchy::Hierarchy,
    token::{
        caller_kind::{Source, kind_of},
        claims::{self, Claims},
        denied::DeniedTokens,
        opaque::OpaquePolicy,
        profile::TokenProfile,
        token_use::check_use,
    },
};
use mcp_edge_identity::{Identity, Kind, Party, Scopes, Verified};

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
}

impl TrustedIssuer {
    /// Creates an issuer whose tokens are read by the standards alone.
    #[must_use]
    pub fn new(issuer: &str, audiences: Vec<String>) -> Self {
        let accepted = vec![issuer.to_owned()];
        Self { issuer: issuer.to_owned(), accepted, audiences, profile: TokenProfile::default() }
    }
}

/// What the operator decides.
#[derive(Debug, Clone)]
pub struct TrustPolicy {
    /// At least one.
    pub issuers: Vec<TrustedIssuer>,
    /// Every request needs these.
    pub required_scopes: Scopes,
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
        claims::check_audience(claims, &trusted.audiences)?;
        check_use(claims)
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

    /// Who the claims of this issuer's token stand for. `known` is what is known about the user, of which `consented`
    /// scopes cover a part.
    pub(super) fn identify(
        &self,
        issuer_index: usize,
        claims: &Claims,
        source: Source,
        known: &Map<String, Value>,
        consented: Option<&Scopes>,
    ) -> Identity {
        let profile = &self.issuers[issuer_index].profile;
        let kind = kind_of(claims, profile, source);
        let granted = match kind {
            Kind::Machine if claims.scopes.is_empty() => claims.machine_scopes(profile),
            _ => claims.scopes.clone(),
        };
        Identity::new(Verified {
            subject: claims.subject.clone(),
            issuer: claims.issuer.clone(),
            client_id: claims.client_id.clone(),
            organization_id: claims.organization(profile).map(str::to_owned),
            kind,
            // A client id means what the operator lists only with the issuer that hands it out.
            party: if issuer_index == 0 { self.clients.party(claims.client_id.as_deref()) } else { Party::Third },
            claims: self.disclosure.disclose(known, consented.unwrap_or(&granted)),
            scopes: self.hierarchy.expand(granted),
            expires_at: claims.expires_at,
        })
    }
}
